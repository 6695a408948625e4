// A guard behind the running gateway, and between them a line that loses, doubles, swaps, bends and breaks off what goes over
// it. Whatever it does: each decision is that of the revision which it names, none is older than it may be, and once the line
// is good again the newest decides. BASE_URL and DATABASE_URL as in support.mjs; no browser.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import { after, before, test } from "node:test";
import { createGuard } from "@postern/edge";
import { assign, baseUrl, database, organization, roleId } from "./support.mjs";

const SITE = { type: "site", id: "s03" };
const MAX_AGE_SECONDS = 3;
const CHANGES = 100;
const FAULTS = ["lost", "doubled", "swapped", "bent", "broken off", "late"];

let db, key;

/** splitmix32: the same faults each time. */
function chance(seed) {
  return (limit) => {
    seed = (seed + 0x9e3779b9) | 0;
    let bits = Math.imul(seed ^ (seed >>> 16), 0x21f0aaad);
    bits = Math.imul(bits ^ (bits >>> 15), 0x735a2d97);
    return ((bits ^ (bits >>> 15)) >>> 0) % limit;
  };
}

/** A line to the gateway, good until it is told to be bad. */
async function badLine(seed) {
  const below = chance(seed);
  const line = { bad: false, faults: new Map() };

  /** What becomes of an event; `undefined`: the line breaks off. */
  const spoiled = async (event, kept) => {
    const fault = line.bad ? FAULTS[below(18)] : undefined;
    if (fault !== undefined) line.faults.set(fault, (line.faults.get(fault) ?? 0) + 1);
    if (fault === "broken off") return undefined;
    if (fault === "swapped" && kept.length === 0) {
      kept.push(event);
      return [];
    }
    if (fault === "late") await new Promise((resolve) => setTimeout(resolve, 150));
    if (fault === "bent") {
      event = Buffer.from(event);
      event[below(event.length)] ^= 1 << below(7);
    }
    const times = { lost: 0, doubled: 2 }[fault] ?? 1;
    return [...Array.from({ length: times }, () => event), ...kept.splice(0)];
  };

  const pass = async (near, far) => {
    let rest = Buffer.alloc(0);
    const kept = [];
    for await (const chunk of far) {
      rest = Buffer.concat([rest, chunk]);
      for (let end = rest.indexOf("\n\n"); end >= 0; end = rest.indexOf("\n\n")) {
        const out = await spoiled(rest.subarray(0, end + 2), kept);
        rest = rest.subarray(end + 2);
        if (out === undefined) return near.destroy();
        out.forEach((event) => near.write(event));
      }
    }
    near.end();
  };

  const server = createServer((asked, near) => {
    const target = new URL(asked.url, baseUrl);
    const headers = { ...asked.headers, host: target.host };
    const far = request(target, { method: asked.method, headers }, (answer) => {
      near.writeHead(answer.statusCode, answer.headers);
      near.on("close", () => answer.destroy());
      if (/event-stream/.test(answer.headers["content-type"])) pass(near, answer).catch(() => near.destroy());
      else answer.pipe(near);
    });
    far.on("error", () => near.destroy());
    far.end();
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  line.url = `http://127.0.0.1:${server.address().port}`;
  line.close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return line;
}

before(async () => {
  db = await database();
  key = `postern_key_${randomBytes(32).toString("base64url")}`;
  await db.query(
    "INSERT INTO api_keys (organization_id, name, prefix, digest) VALUES ($1, 'faults', $2, $3)",
    [organization, key.slice(0, 18), createHash("sha256").update(key).digest()],
  );
});

const forget = () =>
  db.query("DELETE FROM assignments WHERE organization_id = $1 AND subject_id = 'user:noor'", [organization]);

after(async () => {
  await forget();
  await db.query("DELETE FROM api_keys WHERE organization_id = $1 AND name = 'faults'", [organization]);
  await db.end();
});

async function revision() {
  const { rows } = await db.query(
    "SELECT revision::text FROM organization_heads WHERE organization_id = $1",
    [organization],
  );
  return Number(rows[0].revision);
}

test("a line that lies brings nothing wrong into force", async () => {
  await forget();
  // Of each revision whether Noor may, and when the next one was there.
  const may = new Map([[await revision(), false]]);
  const followed = new Map();
  const lines = await Promise.all([1, 2, 3].map(badLine));
  const guards = lines.map((line) =>
    createGuard({
      gateway: line.url,
      organization,
      key,
      follow: true,
      maxAge: { "miner:*": MAX_AGE_SECONDS },
      timeoutMs: 2_000,
    }),
  );
  const ask = (guard) => guard.decide("user:noor", "miner:read", SITE);
  const known = ({ reason }) => !["no_snapshot", "stale_snapshot"].includes(reason);
  await Promise.all(guards.map((guard) => guard.check("user:noor", "miner:read", SITE)));
  assert.ok(guards.every((guard) => known(ask(guard))));
  const wrong = [];
  const seen = guards.map(() => new Map());
  const watching = setInterval(() => {
    guards.forEach((guard, number) => {
      // Asked as a program asks: what is too old is asked for again.
      void guard.ready(["miner:read"]);
      const decision = ask(guard);
      if (!known(decision)) return;
      seen[number].set(decision.revision, decision.decision === "allow");
      const late = performance.now() - (followed.get(decision.revision) ?? Infinity);
      if (late > (MAX_AGE_SECONDS + 1) * 1000) wrong.push(`${decision.revision} after ${late} ms`);
    });
  }, 5);
  lines.forEach((line) => (line.bad = true));
  const role = roleId("FIELD_TECH");
  for (let count = 0; count < CHANGES; count += 1) {
    if (count % 2 === 0) await assign(db, "user:noor", role, SITE.type, SITE.id);
    else await forget();
    const now = await revision();
    followed.set(now - 1, performance.now());
    may.set(now, count % 2 === 0);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  lines.forEach((line) => (line.bad = false));
  // Healed: every guard comes to the newest.
  const newest = Math.max(...may.keys());
  const begun = performance.now();
  while (!guards.every((guard) => known(ask(guard)) && ask(guard).revision === newest)) {
    assert.ok(performance.now() - begun < 60_000, guards.map((guard) => JSON.stringify(ask(guard))).join());
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  clearInterval(watching);
  guards.forEach((guard) => guard.close());
  await Promise.all(lines.map((line) => line.close()));
  assert.deepEqual(wrong, []);
  for (const revisions of seen)
    for (const [number, allowed] of revisions) assert.equal(allowed, may.get(number), `revision ${number}`);
  // It was a bad line, over which much came all the same.
  for (const fault of FAULTS)
    assert.ok(
      lines.some((line) => line.faults.get(fault) > 0),
      `nothing was ${fault}`,
    );
  const count = seen.reduce((sum, revisions) => sum + revisions.size, 0);
  assert.ok(count > CHANGES / 2, `only ${count} revisions came through`);
});
