// How long after a commit in Postgres the page has changed: a role is taken and given back N times while a browser
// watches the menu. Prints one JSON object.
//
// Both ends are on one machine, so one clock measures: from the moment at which COMMIT has returned to the writer, to
// the moment at which the menu's entry has left, or come back into, the document. Also given: from before the
// statement.
//
//   BASE_URL=… DATABASE_URL=… node bench/latency.mjs [flips, default 100]

import { assign, database, launch, openAs, roleId, takeAssignments } from "../test/support.mjs";

const flips = Number(process.argv[2] ?? 100);
const subject = "user:tess";
const clock = () => performance.timeOrigin + performance.now();

const browser = await launch();
const db = await database();
const page = await openAs(browser, subject, "/");
await page.locator("nav[aria-label=Main] a").first().waitFor();
await page.evaluate(() => {
  globalThis.flips = [];
  let shown = true;
  const menu = document.querySelector(".shell");
  new MutationObserver(() => {
    const now = document.querySelector('nav[aria-label=Main] a[href="/racks"]') !== null;
    if (now === shown) return;
    shown = now;
    globalThis.flips.push(performance.timeOrigin + performance.now());
  }).observe(menu, { childList: true, subtree: true });
});

const fromCommit = [];
const fromStatement = [];
for (let flip = 0; flip < flips; flip += 1) {
  const before = clock();
  if (flip % 2 === 0) await takeAssignments(db, subject);
  else await assign(db, subject, roleId("FIELD_TECH"), "site", "s03");
  const committed = clock();
  await page.waitForFunction((count) => globalThis.flips.length > count, flip, {
    polling: 10,
    timeout: 30_000,
  });
  const seen = await page.evaluate((index) => globalThis.flips[index], flip);
  fromCommit.push(seen - committed);
  fromStatement.push(seen - before);
}
if (flips % 2 === 1) await assign(db, subject, roleId("FIELD_TECH"), "site", "s03");
await db.end();
await browser.close();

const summary = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share) =>
    Number(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))].toFixed(1));
  return { min: at(0), median: at(0.5), p95: at(0.95), max: at(1) };
};
console.log(
  JSON.stringify({
    flips,
    unit: "ms",
    commit_to_page: summary(fromCommit),
    statement_to_page: summary(fromStatement),
  }),
);
