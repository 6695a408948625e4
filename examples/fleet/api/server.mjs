// The fleet's API: every list, every miner and every action is decided by `@postern/edge`, on the organization's snapshot, in
// this process. There is no rule in here but which permission a path needs, and where.
//
// Lists filter: what one may not see is not in them, and not counted. Single things that one may not see are not there
// (404). What one may see and not do is refused with the permission that it needs, and nothing else.

import { createServer } from "node:http";
import { pathToFileURL } from "node:url";
import { createGuard, protect } from "@postern/edge";
import { fleet } from "./fleet.mjs";
import { tokenOf, tokens } from "./tokens.mjs";

/** LIMIT: items of a page. */
const PAGE_MAX = 500;
/** LIMIT: bytes of a body that is passed on. */
const BODY_BYTES_MAX = 64 * 1024;
/** What is done to a miner, and what it needs besides its own permission. */
const ACTIONS = {
  blink_led: [],
  reboot: [],
  start_mining: [],
  stop_mining: [],
  firmware_update: ["miner:reboot"],
  download_logs: [],
};
/** What becomes of a miner. */
const EFFECTS = {
  reboot: (miner) => (miner.state = "hashing"),
  start_mining: (miner) => (miner.state = "hashing"),
  stop_mining: (miner) => Object.assign(miner, { state: "stopped", hash: 0 }),
  firmware_update: (miner) => (miner.firmware = "4.2.1"),
};

/**
 * The API. `key`: an API key of the organization, for its snapshot. `origin`: of the page that may call from elsewhere.
 */
export function api({ gateway, organization, key, origin, log = () => {}, guardOptions = {} }) {
  const guard = createGuard({
    gateway,
    organization,
    key,
    follow: true,
    onError: (error) => log(`${error.code}: ${error.message}`),
    ...guardOptions,
  });
  const { sites, racks, miners, events, team } = fleet();
  const inOrganization = (permission) => [[{ permission, at: "organization" }]];
  const anywhere = (permission) => [[{ permission, at: "anywhere" }]];

  // Who may come in at all. Where it depends on the thing that is asked about, the handler decides.
  const rules = [
    { method: "GET", path: "/livez", allow: "public" },
    { method: "GET", path: "/api/me", allow: "authenticated" },
    { method: "GET", path: "/api/sites", allow: "authenticated" },
    { method: "GET", path: "/api/racks", allow: "authenticated" },
    { method: "GET", path: "/api/miners", allow: "authenticated" },
    // Of the whole organization, and kept from nowhere in it.
    {
      method: "GET",
      path: "/api/miners.csv",
      allow: [["miner:export_csv", "miner:read"].map((permission) => ({ permission, at: "everywhere" }))],
    },
    { method: "GET", path: "/api/miners/:miner", allow: "authenticated" },
    { method: "POST", path: "/api/miners/:miner/:action", allow: "authenticated" },
    { method: "GET", path: "/api/curtailment", allow: anywhere("curtailment:read") },
    { method: "GET", path: "/api/team", allow: inOrganization("user:read") },
    // The rules of managing are the gateway's, which decides in the caller's own name.
    { method: ["GET", "POST"], path: "/api/roles", allow: "authenticated" },
    { method: ["GET", "PUT", "DELETE"], path: "/api/roles/:id", allow: "authenticated" },
    { method: ["GET", "POST"], path: "/api/assignments", allow: "authenticated" },
    { method: "DELETE", path: "/api/assignments/:id", allow: "authenticated" },
  ];
  const judge = protect(guard, rules, { subject: tokens({ gateway, organization }) });

  const sees = (who, permission, kind) => (thing) => who.can(permission, { type: kind, id: thing.id });
  const answers = {
    "/livez": () => json(200, { status: "ok" }),
    "/api/me": ({ subject }) => {
      const { fresh, revision } = guard.freshness();
      return json(200, { subject, revision, fresh });
    },
    "/api/sites": ({ who, query }) => page([...sites.values()].filter(sees(who, "site:read", "site")), query),
    "/api/racks": ({ who, query }) =>
      page(ofSite(racks, query).filter(sees(who, "rack:read", "rack")), query),
    "/api/miners": ({ who, query }) =>
      page(ofSite(miners, query).filter(sees(who, "miner:read", "miner")), query),
    "/api/miners.csv": () => {
      const columns = ["id", "rack", "site", "state", "hash", "power", "temperature"];
      const rows = [...miners.values()].map((miner) => columns.map((name) => miner[name]).join(","));
      return { status: 200, type: "text/csv", body: [columns.join(","), ...rows, ""].join("\n") };
    },
    "/api/curtailment": ({ who, query }) => {
      // One that is about several sites is seen by those who may see it at each of them.
      const may = (site) => who.can("curtailment:read", { type: "site", id: site });
      return page(
        events.filter((event) => event.sites.length > 0 && event.sites.every(may)),
        query,
      );
    },
    "/api/team": () => json(200, team),
    "/api/miners/:miner": ({ who, params }) => {
      const miner = miners.get(params.miner);
      return miner && sees(who, "miner:read", "miner")(miner) ? json(200, miner) : missing();
    },
    "/api/miners/:miner/:action": ({ who, params }) => {
      const miner = miners.get(params.miner);
      const more = Object.hasOwn(ACTIONS, params.action) ? ACTIONS[params.action] : undefined;
      if (more === undefined || !miner || !sees(who, "miner:read", "miner")(miner)) return missing();
      const needed = [`miner:${params.action}`, ...more];
      const lacking = needed.find((permission) => !sees(who, permission, "miner")(miner));
      if (lacking !== undefined) return forbidden(lacking, { site_id: miner.site });
      EFFECTS[params.action]?.(miner);
      return json(200, miner);
    },
  };

  const passOn = async (request, path) => {
    const body = request.body === null ? undefined : Buffer.from(await request.arrayBuffer());
    const headers = { authorization: `Bearer ${tokenOf(request)}` };
    for (const name of ["content-type", "if-match", "idempotency-key"]) {
      const value = request.headers.get(name);
      if (value !== null) headers[name] = value;
    }
    const target = new URL(`/v1/organizations/${encodeURIComponent(organization)}/${path}`, gateway);
    const answer = await fetch(target, { method: request.method, headers, body, redirect: "manual" });
    const type = answer.headers.get("content-type");
    return { status: answer.status, type, body: await answer.text(), etag: answer.headers.get("etag") };
  };

  const answer = async (request) => {
    const url = new URL(request.url);
    // A page of elsewhere changes nothing, whatever cookie its visitor has here.
    const changes = !["GET", "HEAD"].includes(request.method);
    if (changes && isForeign(request.headers, origin)) return json(403, { code: "other_origin" });
    const decision = await judge(request);
    if (decision.status === 401) return json(401, { code: "unauthenticated" });
    // What no rule is about is not there, whoever asks.
    if (decision.reason === "no_rule") return missing();
    if (decision.status === 403) return denied(decision.reason, decision.permission);
    const managing = url.pathname.match(/^\/api\/((?:roles|assignments)(?:\/[^/]+)?)$/)?.[1];
    if (managing !== undefined) return passOn(request, managing + url.search);
    const known = rules.find(({ path }) => fits(path, url.pathname)).path;
    // Nothing is decided on what is not known to be so.
    const unready = decision.subject === undefined ? undefined : await unreadyFor();
    if (unready !== undefined) return json(503, { code: unready });
    const { subject, params } = decision;
    const who = subject === undefined ? undefined : guard.as(subject);
    return answers[known]({ subject, who, params, query: url.searchParams });
  };

  const unreadyFor = async () => {
    await guard.ready(["miner:read"]);
    return guard.refusalOf("miner:read");
  };

  const server = createServer((incoming, outgoing) => {
    respond(incoming, answer, origin)
      .catch((error) => {
        log(`${incoming.method} ${incoming.url}: ${error.stack}`);
        return json(500, { code: "internal" });
      })
      .then((said) => {
        const headers = {
          "cache-control": "no-store",
          vary: "Authorization, Cookie, Origin",
        };
        // What has no body has no type.
        if (said.type) headers["content-type"] = said.type;
        if (said.etag) headers.etag = said.etag;
        if (origin !== undefined && incoming.headers.origin === origin) {
          headers["access-control-allow-origin"] = origin;
          headers["access-control-allow-headers"] = "authorization, content-type, if-match";
          headers["access-control-allow-methods"] = "GET, POST, PUT, DELETE";
        }
        outgoing.writeHead(said.status, headers).end(incoming.method === "HEAD" ? undefined : said.body);
      });
  });
  return { server, guard };
}

async function respond(incoming, answer, origin) {
  if (incoming.method === "OPTIONS")
    return { status: incoming.headers.origin === origin ? 204 : 403, type: "text/plain" };
  const chunks = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) return json(413, { code: "too_large" });
    chunks.push(chunk);
  }
  const headers = new Headers();
  // Twice the same credential is two: joined, they are no token.
  for (const [name, values] of Object.entries(incoming.headersDistinct)) headers.set(name, values.join(", "));
  const body = chunks.length > 0 ? Buffer.concat(chunks) : undefined;
  const bodied = !["GET", "HEAD"].includes(incoming.method);
  let request;
  try {
    request = new Request(new URL(incoming.url, "http://fleet"), {
      method: incoming.method,
      headers,
      body: bodied ? body : undefined,
    });
  } catch {
    return json(400, { code: "bad_request" });
  }
  return answer(request);
}

function isForeign(headers, origin) {
  const from = headers.get("origin");
  if (from === null || from === origin) return false;
  return !URL.canParse(from) || new URL(from).host !== headers.get("host");
}

const fits = (pattern, path) => {
  const [wanted, given] = [pattern.split("/"), path.split("/")];
  return (
    wanted.length === given.length && wanted.every((part, at) => part.startsWith(":") || part === given[at])
  );
};

const json = (status, value) => ({ status, type: "application/json", body: JSON.stringify(value) });
const missing = () => json(404, { code: "not_found" });
/** The permission and where; never roles, nor what else somebody holds. */
const forbidden = (required, scope) => json(403, { required, scope });
const denied = (reason, permission) =>
  ["no_snapshot", "stale_snapshot"].includes(reason)
    ? json(503, { code: reason })
    : forbidden(permission, {});

const ofSite = (things, query) => {
  const site = query.get("site");
  return [...things.values()].filter((thing) => site === null || thing.site === site);
};

/** A part of a list, and how many there are: of those that one may see. */
function page(all, query) {
  const number = (name, otherwise, most) => {
    const value = Number(query.get(name) ?? otherwise);
    return Number.isInteger(value) && value >= 0 ? Math.min(value, most) : undefined;
  };
  const [offset, limit] = [number("offset", 0, Infinity), number("limit", 100, PAGE_MAX)];
  if (offset === undefined || limit === undefined) return json(400, { code: "invalid_page" });
  return json(200, { total: all.length, items: all.slice(offset, offset + limit) });
}

// As a program: `node examples/fleet/api/server.mjs`.
if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const {
    POSTERN_GATEWAY,
    POSTERN_ORGANIZATION,
    POSTERN_KEY,
    FLEET_LISTEN = "127.0.0.1:8081",
    FLEET_ORIGIN,
    FLEET_END_WITH_PARENT,
  } = process.env;
  if (!POSTERN_GATEWAY || !POSTERN_ORGANIZATION || !POSTERN_KEY) {
    console.error(
      "set POSTERN_GATEWAY, POSTERN_ORGANIZATION and POSTERN_KEY (an API key of the organization)",
    );
    process.exit(2);
  }
  const { server, guard } = api({
    gateway: POSTERN_GATEWAY,
    organization: POSTERN_ORGANIZATION,
    key: POSTERN_KEY,
    origin: FLEET_ORIGIN,
    log: (line) => console.error(`fleet: ${line}`),
  });
  server.on("error", (error) => {
    console.error(`fleet: ${error.message}`);
    process.exit(1);
  });
  const [host, port] = FLEET_LISTEN.split(/:(?=\d+$)/);
  server.listen(Number(port), host, () => console.log(`fleet API on http://${FLEET_LISTEN}`));
  const end = () => {
    clearInterval(watching);
    guard.close();
    server.close();
    server.closeAllConnections();
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
  // With whoever started it, where that is wanted: as in the demo, which it belongs to.
  const parent = process.ppid;
  const watching = FLEET_END_WITH_PARENT && setInterval(() => process.ppid !== parent && end(), 1_000);
}
