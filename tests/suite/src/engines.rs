//! The engines behind one trait, and what the specification lets each of them answer.

mod resolve;
mod wasm;

use postern_compile::Facts;
use postern_oracle::Oracle;
use postern_snapshot::Snapshot;
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::random::NOW;
use postern_world::{Op, Query, World};
use std::collections::HashMap;

/// An engine with one world loaded.
pub trait Loaded {
    /// The answer line.
    fn answer(&mut self, query: &Query) -> String;

    /// Whether it sees only what the subject of the query may see.
    fn is_slice(&self) -> bool {
        false
    }
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// The resolver on compiled facts in memory.
    Native,
    /// The resolver on bytes.
    Snapshot,
    /// The resolver on the bytes of the slice of each query's subject.
    Slice,
    /// The shipped WASM module, in wasmtime, on bytes.
    Wasm,
}

impl Engine {
    /// Those that are measured: all, or the one that the environment variable `POSTERN_ENGINE` names.
    pub fn measured() -> Vec<Engine> {
        let only = std::env::var("POSTERN_ENGINE").unwrap_or_default();
        let is_meant = |engine: &Engine| only.is_empty() || format!("{engine:?}").eq_ignore_ascii_case(&only);
        let all = [Engine::Native, Engine::Snapshot, Engine::Slice, Engine::Wasm];
        all.into_iter().filter(is_meant).collect()
    }

    /// Loads a world.
    pub fn load(self, world: &World) -> Box<dyn Loaded> {
        match self {
            Engine::Native => Box::new(compile(world)),
            Engine::Snapshot => Box::new(Bytes(compile(world).to_bytes())),
            Engine::Slice => Box::new(Slices { whole: compile(world).to_bytes(), cut: HashMap::new() }),
            Engine::Wasm => wasm::load(&compile(world).to_bytes()),
        }
    }
}

/// Compiles a world that has been accepted: it cannot fail for the small worlds of this suite.
pub fn compile(world: &World) -> Facts {
    match postern_compile::compile(world) {
        Ok(facts) => facts,
        Err(error) => {
            panic!("an accepted world was not compiled: {error}\n{}", world_text(world, Style::Terse))
        }
    }
}

/// Interprets a world, by way of its text.
pub fn oracle(world: &World) -> Oracle {
    let text = world_text(world, Style::Terse);
    Oracle::parse(text.as_bytes())
        .unwrap_or_else(|error| panic!("the oracle does not read it: {error}\n{text}"))
}

impl Loaded for Facts {
    fn answer(&mut self, query: &Query) -> String {
        resolve::answer(self, query)
    }
}

/// Answers on bytes that were just written. That they cannot be opened is an answer, and a wrong one, so that the world
/// that they are of is shrunk and shown.
pub fn on(bytes: &[u8], query: &Query) -> String {
    match Snapshot::open(bytes) {
        Ok(snapshot) => resolve::answer(&snapshot, query),
        Err(error) => format!("cannot be opened: {error:?}"),
    }
}

struct Bytes(Vec<u8>);

impl Loaded for Bytes {
    fn answer(&mut self, query: &Query) -> String {
        on(&self.0, query)
    }
}

/// Whose slice refuses `subjects`, which no subject asks: any slice may.
const NOBODY: &str = "user:-";

struct Slices {
    whole: Vec<u8>,
    cut: HashMap<String, Vec<u8>>,
}

impl Loaded for Slices {
    fn answer(&mut self, query: &Query) -> String {
        let subject = if query.op == Op::Subjects { NOBODY } else { &query.subject };
        if !self.cut.contains_key(subject) {
            match slice_bytes(&self.whole, subject) {
                Ok(bytes) => self.cut.insert(subject.to_string(), bytes),
                Err(error) => return format!(r#"{{"error":"{error}"}}"#),
            };
        }
        on(&self.cut[subject], query)
    }

    fn is_slice(&self) -> bool {
        true
    }
}

/// The bytes of a subject's slice.
pub fn slice_bytes(whole: &[u8], subject: &str) -> Result<Vec<u8>, postern_vocab::QueryError> {
    Ok(postern_snapshot::slice(&open(whole), subject)?.to_bytes())
}

/// Opens what was just written.
pub fn open(bytes: &[u8]) -> Snapshot<'_> {
    match Snapshot::open(bytes) {
        Ok(snapshot) => snapshot,
        Err(error) => panic!("a snapshot that was just written cannot be opened: {error:?}"),
    }
}

/// The answer that the specification gives to a query.
pub fn expected(oracle: &Oracle, is_slice: bool, query: &Query) -> String {
    let line = query_text(query, Style::Terse);
    match (is_slice, query.op) {
        (false, _) => oracle.answer(&line, NOW),
        (true, Op::Subjects) => oracle.answer_in_slice(NOBODY, &line, NOW),
        (true, _) => oracle.answer_in_slice(&query.subject, &line, NOW),
    }
}
