//! The shipped WASM module, run in wasmtime on the bytes of a snapshot.

use super::{Asked, Engine, resolve::pair};
use crate::answer::AnswerValue;
use anyhow::{Context as _, bail};
use postern_abi::{Answer, Op as Asks, Pairs, Request, Texts, from_code};
use postern_host::{Instance, Module};
use postern_vocab::{Decision, QueryError};
use postern_world::{Op, Query};
use std::path::{Path, PathBuf};

pub(crate) struct Wasm(Instance);

impl Wasm {
    pub fn new(module: &Path, snapshot: &[u8]) -> anyhow::Result<Self> {
        let bytes = std::fs::read(module).with_context(|| format!("{}: cannot read", module.display()))?;
        let module = Module::load(&bytes).with_context(|| module.display().to_string())?;
        Ok(Wasm(module.open(snapshot).context("the module cannot open the snapshot that was just written")?))
    }
}

impl Engine for Wasm {
    fn answer(&mut self, asked: &Asked<'_>) -> anyhow::Result<AnswerValue> {
        let answer = self.0.answer(&request(asked)).context("the WASM module failed")?;
        value(asked.query.op, answer).context("the WASM module answered another question than was asked")
    }
}

/// The module's file: the one that is named, else `postern.wasm` beside this program, else the workspace's.
pub(crate) fn find(named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(file) = named {
        return Ok(file.to_path_buf());
    }
    let beside = std::env::current_exe().ok().map(|program| program.with_file_name("postern.wasm"));
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wasm/dist/postern.wasm");
    match beside.into_iter().chain([workspace]).find(|file| file.is_file()) {
        Some(file) => Ok(file),
        None => bail!(
            "no WASM module: build it with `cargo xtask wasm`, or name one with --wasm FILE or in POSTERN_WASM"
        ),
    }
}

fn request<'a>(asked: &Asked<'a>) -> Request<'a> {
    let query: &'a Query = asked.query;
    Request {
        op: match query.op {
            Op::Check | Op::Explain => Asks::Check,
            Op::Filter => Asks::Filter,
            Op::Subjects => Asks::Subjects,
            Op::Actions => Asks::Actions,
            Op::Anywhere => Asks::Anywhere,
            Op::Everywhere => Asks::Everywhere,
        },
        subject: &query.subject,
        permission: &query.permission,
        resource: query.resource.as_ref().map(pair),
        kind: &query.kind,
        parents: Pairs(query.parents.iter().map(pair).collect()),
        owner: query.owner.as_deref(),
        dimensions: Pairs(query.dimensions.iter().map(|(name, value)| (&**name, &**value)).collect()),
        session: query.session.as_deref(),
        now: asked.now,
    }
}

/// The answer in the words of the other engines; `None` for one that does not belong to the question.
fn value(op: Op, answer: Answer) -> Option<AnswerValue> {
    Some(match (op, answer) {
        (Op::Check | Op::Explain, Answer::Check(number)) => AnswerValue::Check(from_code(number)?),
        (Op::Filter, answer) => AnswerValue::Ids(list(answer)?),
        (Op::Subjects, answer) => AnswerValue::Subjects(list(answer)?),
        (Op::Actions, answer) => AnswerValue::Permissions(list(answer)?),
        (Op::Anywhere | Op::Everywhere, Answer::Decision(allowed)) => {
            AnswerValue::Decision(Ok(if allowed { Decision::Allow } else { Decision::Deny }))
        }
        (Op::Anywhere | Op::Everywhere, Answer::Error(number)) => AnswerValue::Decision(Err(error(number)?)),
        _ => return None,
    })
}

fn list(answer: Answer) -> Option<Result<Vec<String>, QueryError>> {
    match answer {
        Answer::List(Texts(list)) => Some(Ok(list)),
        Answer::Error(number) => error(number).map(Err),
        _ => None,
    }
}

fn error(number: u8) -> Option<QueryError> {
    from_code(number)?.err()
}
