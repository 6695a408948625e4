// Who sends a request: the subject of a token that the gateway has issued. Whether it is good the gateway says, which has
// the secret; what it said is remembered for a while. With an identity provider of your own, verify its tokens here instead.

/** How long a token that was good is taken for good, in milliseconds. */
const REMEMBERED_MS = 30_000;
/** LIMIT: tokens that are remembered. */
const TOKENS_MAX = 10_000;

const payloadOf = (token) => {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
};

/** The token of a request, in its header or its cookie. Both at once are none: one of them is not who it seems. */
export function tokenOf(request) {
  const header = request.headers.get("authorization");
  const cookie = request.headers.get("cookie")?.match(/(?:^|;\s*)fleet_session=([^;]*)/)?.[1];
  if ((header === null) === (cookie === undefined)) return undefined;
  const said = cookie ?? (header.startsWith("Bearer ") ? header.slice("Bearer ".length) : "");
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(said) ? said : undefined;
}

/** Gives the function that `protect` asks for the subject of a request. */
export function tokens({ gateway, organization }) {
  const good = new Map();
  return async (request) => {
    const token = tokenOf(request);
    const payload = token === undefined ? undefined : payloadOf(token);
    if (typeof payload?.sub !== "string" || payload.organization !== organization) return undefined;
    const now = Date.now();
    if (!(payload.exp * 1000 > now)) return undefined;
    const known = good.get(token);
    if (known !== undefined && known > now) return payload.sub;
    const answer = await fetch(new URL("/v1/me/slice", gateway), {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(5_000),
    }).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.status !== 200) return undefined;
    if (good.size >= TOKENS_MAX) good.clear();
    good.set(token, Math.min(now + REMEMBERED_MS, payload.exp * 1000));
    return payload.sub;
  };
}
