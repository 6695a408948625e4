//! `postern world check`: a file of queries, answered by one of the engines.

use crate::engine::{
    Asked, Engine, EngineName, native::Native, oracle::Oracle, slice::Slice, snapshot, wasm,
};
use anyhow::Context as _;
use postern_compile::compile;
use postern_world::{Queries, ReadError, World, read_document};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The world document.
    world: PathBuf,
    /// The queries: one JSON object a line.
    #[arg(long)]
    queries: PathBuf,
    /// What answers. All give the same answers; a slice only to what its subject may ask it.
    #[arg(long, value_enum, default_value_t = EngineName::Native)]
    engine: EngineName,
    /// The WASM module for `--engine wasm`. Without it: `postern.wasm` beside this program, or that of the workspace.
    #[arg(long, env = "POSTERN_WASM", value_name = "FILE")]
    wasm: Option<PathBuf>,
}

impl Args {
    pub fn run(self) -> anyhow::Result<()> {
        let document = read_document(&self.world)?;
        // Read for every engine, also for the oracle, which judges no worlds.
        let world = World::parse(&document)
            .map_err(|source| ReadError::Document { file: self.world.clone(), source })?;
        if self.engine == EngineName::Oracle {
            drop(world);
            return self.answer_all(&mut Oracle::new(&document).with_context(|| self.in_world())?);
        }
        drop(document);
        let facts = compile(&world).with_context(|| self.in_world())?;
        drop(world);
        if self.engine == EngineName::Native {
            return self.answer_all(&mut Native::new(facts));
        }
        let bytes = facts.to_bytes();
        drop(facts);
        match self.engine {
            EngineName::Oracle | EngineName::Native => unreachable!("answered above"),
            EngineName::Snapshot => self.answer_all(&mut snapshot::Opened::new(&bytes)?),
            EngineName::Slice => self.answer_all(&mut Slice::new(&bytes)?),
            EngineName::Wasm => {
                let module = wasm::find(self.wasm.as_deref())?;
                self.answer_all(&mut wasm::Wasm::new(&module, &bytes)?)
            }
        }
    }

    fn in_world(&self) -> String {
        self.world.display().to_string()
    }

    /// Answers in order, each line as its query is read: an unreadable query ends the file after the answers to those
    /// before it.
    fn answer_all(&self, engine: &mut dyn Engine) -> anyhow::Result<()> {
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        let answered = answer_into(&self.queries, engine, &mut out);
        out.flush()?;
        answered
    }
}

fn answer_into(queries: &Path, engine: &mut dyn Engine, out: &mut impl std::io::Write) -> anyhow::Result<()> {
    // One moment for all queries that name none, so that they are answered alike.
    let start = now();
    let mut queries = Queries::open(queries)?;
    while let Some(next) = queries.next() {
        let (_, query) = next?;
        let asked = Asked { text: queries.text(), now: query.now.unwrap_or(start), query: &query };
        engine.answer(&asked)?.write_line(out)?;
    }
    Ok(())
}

/// Microseconds since the epoch.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
