//! `docs/benchmarks.md`: the figures with what a reader needs to judge them.

use crate::report::Circumstances;

const HEAD: &str = "# Benchmarks

What a decision costs, measured by `bench/`. The page is generated; `cargo run --release -p postern-bench -- --export
--authzen --propagation --markdown docs/benchmarks.md` writes it anew, after `cargo xtask wasm` has built the modules that are measured.

## What is measured

Workload W(n): one organization with 20 sites, 200 permissions, 12 roles of 5 to 120 permissions, and n users with UUIDs.
Each user has one to three assignments, half of them in the whole organization and half at a site; one user in twenty has
one to five grants as well. 100,000 questions (user, permission, site), of which 35 % are allowed and many of the others
nearly. The seed is fixed, and `crates/testkit/src/workload.rs` says the rest.

Every engine is asked every question once before it is measured, and a single answer that is not the truth ends the run.
Engines then take turns, several rounds of several passes over all questions each, so that a busy minute of the machine
hits all of them. *Best* is the best pass; *median* the one in the middle. Absolute times differ between machines and
minutes by much; what can be compared is the column *x Map*: the time as a multiple of that of a hand-written JavaScript
`Map` (from the user's id to assignments, each with a `Set` of permissions), measured in the same run. It is what people
write who use no library, it knows no rule but union, and no library that was measured beats it. The columns *budget* and
*met* are about *x Map, median*.

- **by handle**: subject, permission and site were looked up before, and are numbers.
- **by text id**: the subject's id comes as text with every question; permission and site are numbers, as the constants of
  a program are.
- **batch**: many questions in one call. In V8 the time to write them into WASM memory and to read the answers counts.
- **mask**: all 200 permissions of a subject at a site at once.
- **floors**: what no engine can be faster than. An empty call into WASM; one bit for each permission of each user at each
  site, which takes 500 bytes a user and knows no time, owner or condition; and the `Map`.

V8 runs the module that `packages/client` ships, through the same glue; wasmtime runs the bare one through `crates/host`
with its default limits. Performance is reported here and never asserted by a test.

";

/// What stands under the figures of AuthZEN.
const AUTHZEN: &str = "
A gateway with its defaults, an axum service that makes the same decisions the way that a gateway replaces, the clients of
both, and Postgres share the processors of the machine: what the clients take, the servers lack. Clients ask over loopback,
keep their connections open, and send the next request when the last one is answered. Every answer is compared with the
truth: to each question once before anything is measured, and all the time while it is. The paths take turns of half
a second; a figure is the median of the turns, and a ratio the median of those of turns beside each other.

W(n) asks about a permission at a site, AuthZEN about a resource: each site has one listed resource of each of the 50 types
below it, and the request names that. The replaced path asks Postgres for the subject with its groups, for the resource
with its parents, and for where they hold the permission by role or grant. Whatever was in doubt favours it: it checks
the key in memory, takes a connection of its pool without a ping, has each query planned once and never again, knows only
the rules that W(n) needs, and answers without a reason. Both servers have ten connections to Postgres; the gateway needs
none to decide. The floor is that service without the queries: what HTTP, reading the request and the clients take alone.
";

/// What stands under the figures of propagation.
const PROPAGATION: &str = "
A gateway with its defaults in a process of its own, Postgres with `fsync`, and the followers share the processors of the
machine. The clock starts when Postgres has answered the COMMIT and stops when the follower has read the revision's number;
up to 50 ms of it are the gateway's wait between looks at the database (`--poll-ms`). A change for everybody gives all users
all permissions, so that every slice is another.
";

/// The page.
pub(crate) fn page(
    circumstances: &Circumstances,
    tables: &[String],
    exported: Option<&str>,
    authzen: Option<&str>,
    propagation: Option<&str>,
) -> String {
    let mut page = HEAD.to_owned();
    page.push_str("## The run\n\n");
    page.push_str(&circumstances.list());
    page.push_str("\n## Figures\n\n");
    page.push_str(&tables.join("\n"));
    if let Some(exported) = exported {
        page.push('\n');
        page.push_str(exported);
    }
    if let Some(authzen) = authzen {
        page.push('\n');
        page.push_str(authzen);
        page.push_str(AUTHZEN);
    }
    if let Some(propagation) = propagation {
        page.push('\n');
        page.push_str(propagation);
        page.push_str(PROPAGATION);
    }
    page.push_str(
        "\nHow long after a commit in Postgres a page in a browser has changed is measured by \
         `examples/fleet/bench/latency.mjs`,\nwith the demo running.\n",
    );
    page
}
