//! Words that may not stand in a file, and files that may not say certain things.

use super::{Findings, Source};

/// A word and the files it is refused in.
struct Ban {
    word: &'static str,
    /// Why, or what instead.
    why: &'static str,
    /// Whether it is refused in a file.
    here: fn(&str) -> bool,
}

// The words are written in halves, so that this file does not find itself.
const BANS: &[Ban] = &[
    Ban { word: concat!("TO", "DO"), why: "file an issue, or do it", here: written },
    Ban { word: concat!("FIX", "ME"), why: "file an issue, or fix it", here: written },
    Ban { word: concat!("db", "g!("), why: "left over from looking for something", here: rust },
    Ban { word: concat!("to", "do!("), why: "unfinished", here: rust },
    Ban { word: concat!("unimple", "mented!("), why: "unfinished", here: rust },
    Ban { word: concat!("console", ".debug("), why: "left over from looking for something", here: written },
    Ban { word: concat!("/ho", "me/"), why: "a path of one machine", here: everywhere },
    Ban { word: concat!("/ro", "ot/"), why: "a path of one machine", here: everywhere },
    Ban { word: concat!("/wo", "rk/"), why: "a path of one machine", here: everywhere },
    Ban { word: concat!("/Us", "ers/"), why: "a path of one machine", here: everywhere },
    Ban {
        word: concat!("sql", "x::"),
        why: "gateway/src/http speaks HTTP; SQL is in gateway/src/store",
        here: gateway_http,
    },
    Ban { word: concat!("sql", "x::query"), why: "SQL is in gateway/src/store", here: gateway_outside_store },
    Ban {
        word: concat!("ax", "um::"),
        why: "gateway/src/store speaks SQL; HTTP is in gateway/src/http",
        here: gateway_store,
    },
    Ban {
        word: concat!("\"reso", "lved\": \"http"),
        why: "lock files name hashes, not addresses",
        here: npm_lock,
    },
];

/// Checks every line of every file.
pub fn check(sources: &[Source], findings: &mut Findings) {
    for source in sources {
        let bans: Vec<&Ban> = BANS.iter().filter(|ban| (ban.here)(&source.path)).collect();
        for (number, line) in source.text.lines().enumerate() {
            for ban in bans.iter().filter(|ban| line.contains(ban.word)) {
                let place = format!("{}:{}", source.path, number + 1);
                findings.errors.push(format!("{place}: `{}`: {}", ban.word, ban.why));
            }
        }
    }
}

fn everywhere(_: &str) -> bool {
    true
}

/// What people write: not lock files, not data.
fn written(path: &str) -> bool {
    !path.ends_with(".json") && !path.ends_with(".lock") && !path.starts_with("fuzz/corpus/")
}

fn rust(path: &str) -> bool {
    path.ends_with(".rs")
}

fn gateway_http(path: &str) -> bool {
    path.starts_with("gateway/src/http/")
}

fn gateway_store(path: &str) -> bool {
    path.starts_with("gateway/src/store/")
}

fn gateway_outside_store(path: &str) -> bool {
    path.starts_with("gateway/src/") && !gateway_store(path) && !path.starts_with("gateway/src/embedded/")
}

fn npm_lock(path: &str) -> bool {
    path.ends_with("package-lock.json")
}
