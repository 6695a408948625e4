//! Deciding in V8: a Node process that holds the same workload and answers when it is told to.
//!
//! It waits on its standard input while the other engines run, so that all of them take turns on the same machine in
//! the same minutes.

use crate::hosted::EMPTY_MODULE;
use crate::measure::Engine;
use crate::workload::Work;
use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// What it can do; the names are the same in `bench/node/main.mjs`.
const ENGINES: [(&str, &str); 7] = [
    ("map", "floor: JavaScript Map by strings"),
    ("empty", "floor: V8 empty WASM call, three integers"),
    ("handle", "V8: by handle"),
    ("interned", "V8: by text id, interned in JavaScript"),
    ("crossing", "V8: by text id, every text crossing"),
    ("batch", "V8: batch, triples written and answers read"),
    ("mask", "V8: mask of all 200 permissions"),
];

/// The running process.
pub(crate) struct Node {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    folder: PathBuf,
}

/// What Node says of itself once it has read the workload.
#[derive(Deserialize)]
pub(crate) struct Loaded {
    pub node: String,
    pub v8: String,
    /// To build the floor's `Map`.
    pub map_ms: f64,
    /// To hand the snapshot to WebAssembly and open it there.
    pub open_ms: f64,
    /// To copy the same bytes within JavaScript.
    pub copy_ms: f64,
    /// What the `Map` takes on the heap.
    pub map_bytes: f64,
}

#[derive(Deserialize)]
struct Verified {
    wrong: Option<usize>,
}

#[derive(Deserialize)]
struct Passed {
    ns: f64,
    allowed: usize,
}

impl Node {
    /// Writes the workload into a folder of its own and starts Node on it.
    pub fn start(work: &Work, wasm: &Path) -> Result<(Node, Loaded)> {
        let folder = std::env::temp_dir().join(format!("postern-bench-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        work.write_to(&folder)?;
        std::fs::write(folder.join("empty.wasm"), EMPTY_MODULE)?;
        let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("node/main.mjs");
        let mut child = Command::new("node")
            // The glue is a module of no package of its own.
            .args([
                "--expose-gc",
                "--max-old-space-size=8192",
                "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON",
            ])
            .arg(main)
            .arg(&folder)
            .arg(wasm)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot run `node`; version 20 or later is needed")?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("node was started without pipes");
        };
        let mut node = Node { child, commands, answers: BufReader::new(answers), folder };
        let loaded = node.read()?;
        Ok((node, loaded))
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            bail!("node ended; what it wrote above says why");
        }
        serde_json::from_str(&line).with_context(|| format!("node answered {line:?}"))
    }

    fn ask<T: DeserializeOwned>(&mut self, command: &str, engine: &str) -> Result<T> {
        writeln!(self.commands, "{}", json!({ "command": command, "engine": engine }))?;
        self.read()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It ends with its standard input; should it not, nothing waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub(crate) fn engines<'w>(work: &'w Work, node: &'w RefCell<Node>) -> Result<Vec<Engine<'w>>> {
    let mut engines = Vec::new();
    for (key, name) in ENGINES {
        let Verified { wrong } = node.borrow_mut().ask("verify", key)?;
        if let Some(number) = wrong {
            bail!("{name} answers question {number} wrongly");
        }
        let pass = Box::new(move || {
            let Passed { ns, allowed } = node.borrow_mut().ask("pass", key)?;
            if key != "empty" {
                work.expect(name, allowed)?;
            }
            Ok(ns)
        });
        engines.push(Engine { name, pass });
    }
    Ok(engines)
}
