//! The WASM module, as it is shipped.

use super::{Loaded, resolve};
use postern_abi::{Answer, Op as Asked, Pairs, Request, Texts, from_code};
use postern_host::{Instance, Module};
use postern_testkit::random::NOW;
use postern_vocab::Decision;
use postern_world::{Op, Query};
use std::path::PathBuf;
use std::sync::OnceLock;

/// Opens a snapshot in an instance of the module, which is compiled once for all tests of a process.
pub(super) fn load(snapshot: &[u8]) -> Box<dyn Loaded> {
    static MODULE: OnceLock<Module> = OnceLock::new();
    let module = MODULE.get_or_init(|| {
        let file = file();
        let bytes = std::fs::read(&file).unwrap_or_else(|error| {
            panic!("{}: {error}; build the module with `cargo xtask wasm`", file.display())
        });
        Module::load(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
    });
    match module.open(snapshot) {
        Ok(instance) => Box::new(Wasm(instance)),
        Err(error) => Box::new(Refused(format!("cannot be opened: {error}"))),
    }
}

/// The module's file: the one that `POSTERN_WASM` names, else the one that the workspace builds.
fn file() -> PathBuf {
    match std::env::var_os("POSTERN_WASM") {
        Some(file) => PathBuf::from(file),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../wasm/dist/postern.wasm"),
    }
}

/// Every answer about a snapshot that the module refuses; a wrong one, so that its world is shrunk and shown.
struct Refused(String);

impl Loaded for Refused {
    fn answer(&mut self, _: &Query) -> String {
        self.0.clone()
    }
}

struct Wasm(Instance);

impl Loaded for Wasm {
    fn answer(&mut self, query: &Query) -> String {
        let pair = resolve::pair;
        let dimensions = query.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let request = Request {
            op: match query.op {
                Op::Check | Op::Explain => Asked::Check,
                Op::Filter => Asked::Filter,
                Op::Subjects => Asked::Subjects,
                Op::Actions => Asked::Actions,
                Op::Anywhere => Asked::Anywhere,
                Op::Everywhere => Asked::Everywhere,
            },
            subject: &query.subject,
            permission: &query.permission,
            resource: query.resource.as_ref().map(pair),
            kind: &query.kind,
            parents: Pairs(query.parents.iter().map(pair).collect()),
            owner: query.owner.as_deref(),
            dimensions: Pairs(dimensions.collect()),
            session: query.session.as_deref(),
            now: query.now.unwrap_or(NOW),
        };
        match self.0.answer(&request) {
            Ok(answer) => line(query.op, answer),
            Err(error) => format!("the module failed: {error}"),
        }
    }
}

fn line(op: Op, answer: Answer) -> String {
    let name = match op {
        Op::Filter => "ids",
        Op::Subjects => "subjects",
        _ => "permissions",
    };
    match (op, answer) {
        (Op::Check | Op::Explain, Answer::Check(code)) => {
            from_code(code).map_or_else(|| format!("no reason has the code {code}"), resolve::check_line)
        }
        (Op::Filter | Op::Subjects | Op::Actions, Answer::List(Texts(list))) => {
            resolve::list_line(name, Ok(list))
        }
        (Op::Anywhere | Op::Everywhere, Answer::Decision(allowed)) => {
            resolve::decision_line(Ok(if allowed { Decision::Allow } else { Decision::Deny }))
        }
        (_, Answer::Error(code)) => match from_code(code) {
            Some(Err(error)) => resolve::error_line(error),
            _ => format!("no error has the code {code}"),
        },
        (_, other) => format!("the module answered another question: {other:?}"),
    }
}
