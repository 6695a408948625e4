//! The gateway as a program: started on a folder of its own, filled, and stopped again.

use crate::command::{command, output, path, run};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// How long a gateway may take to listen: its Postgres is made and started, and the schema applied.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to end after it was told to.
const STOP_MAX: Duration = Duration::from_secs(30);

/// The world of the example.
pub const WORLD: &str = "examples/fleet/world.json";
/// What the example brings along for every organization.
const BUILTINS: &str = "examples/fleet/builtins.json";
/// The built page of the example.
pub const PAGE: &str = "examples/fleet/dist";
/// The built console.
const CONSOLE: &str = "packages/console/dist/app";

/// Where cargo leaves the program of a build profile.
pub fn program(profile: &str) -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| path("target"), PathBuf::from);
    target.join(profile).join("postern")
}

/// The `postern` program with its data in one folder.
#[derive(Clone)]
pub struct Postern {
    program: PathBuf,
    data_dir: PathBuf,
}

impl Postern {
    /// Of a build profile: `debug` or `release`.
    pub fn new(profile: &str, data_dir: PathBuf) -> Postern {
        Postern { program: program(profile), data_dir }
    }

    /// A command of the program, on its own Postgres, whatever the environment says.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut postern = command(&self.program);
        postern.args(arguments).arg("--data-dir").arg(&self.data_dir);
        postern.env_remove("DATABASE_URL").env_remove("POSTERN_LISTEN").env_remove("POSTERN_STATIC");
        postern
    }

    /// The server on an address, with the example's page, built-in roles and organization, and the console.
    pub fn serve(&self, listen: &str, organization: &str) -> Command {
        let mut serve = self.command(&["serve", "--listen", listen, "--default-organization", organization]);
        for name in ["POSTERN_CATALOG", "POSTERN_PUBLIC_URL", "POSTERN_CONFIG", "POSTERN_CONSOLE"] {
            serve.env_remove(name);
        }
        serve.arg("--static").arg(path(PAGE)).arg("--catalog").arg(path(BUILTINS));
        // What the console shows beside the facts.
        serve.arg("--console").arg(path(CONSOLE));
        serve.args(["--decision-log", "all", "--decision-log-to", "database"]);
        serve
    }

    /// A new API key that may write.
    pub fn writing_key(&self, organization: &str) -> Result<String> {
        let mut create = self.command(&["key", "create", "--organization", organization, "--write"]);
        Ok(output(create.args(["--name", "demo"]))?.trim().to_owned())
    }

    /// Loads a world document, in the place of what was there.
    pub fn import(&self, world: &Path) -> Result<()> {
        let mut import = self.command(&["world", "import", "--replace"]);
        run(import.arg(world))
    }

    /// How to connect to the Postgres of a gateway that runs.
    pub fn database_url(&self) -> Result<String> {
        let file = self.data_dir.join("postgres/url");
        let url = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Ok(url.trim().into())
    }

    /// Issues a token for each persona of the example and writes them beside its page.
    pub fn write_personas(&self, ttl: &str) -> Result<Vec<Persona>> {
        let organization = &organization()?;
        let mut personas = read("examples/fleet/personas.json")?;
        let mut written = Vec::new();
        for persona in personas.as_array_mut().context("personas.json is no list")? {
            let subject = persona["subject"].as_str().context("a persona has no subject")?.to_owned();
            let mut token = self.command(&["token", "--organization", organization, "--subject", &subject]);
            let token = output(token.args(["--ttl", ttl]))?;
            persona["token"] = json!(token.trim());
            let field = |name: &str| persona[name].as_str().unwrap_or_default().to_owned();
            let token = token.trim().to_owned();
            written.push(Persona {
                name: field("name"),
                title: field("title"),
                subject: subject.clone(),
                token,
            });
        }
        let folder = path(PAGE).join("demo");
        fs::create_dir_all(&folder)?;
        let file = folder.join("personas.json");
        fs::write(&file, personas.to_string()).with_context(|| format!("cannot write {}", file.display()))?;
        Ok(written)
    }

    /// The keys of a vault of its own, made where there are none.
    fn vault_keys(&self) -> Result<PathBuf> {
        let file = self.data_dir.join("vault.toml");
        if !file.exists() {
            run(command(&self.program).args(["vault-key", "make"]).arg(&file))?;
        }
        Ok(file)
    }

    /// Starts the gateway on a free port, with the example's page, a vault, and webhooks to one origin, its log going to a
    /// file. Waits until it listens.
    pub fn start(&self, log: &Path, webhooks: &str) -> Result<Gateway> {
        let log_file = fs::File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut serve = self.serve("127.0.0.1:0", &organization()?);
        serve.arg("--vault-keys").arg(self.vault_keys()?).args(["--webhook-to", webhooks]);
        serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log_file);
        let mut child = serve.spawn().with_context(|| format!("cannot start {}", self.program.display()))?;
        let lines = BufReader::new(child.stdout.take().context("INVARIANT: its output is piped")?).lines();
        let (sender, receiver) = mpsc::channel();
        // Reads on after the first line: a pipe that nobody reads would stop the server one day.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("listening on ") {
                    let _ = sender.send(address.trim().to_owned());
                }
            }
        });
        match receiver.recv_timeout(START_MAX) {
            Ok(address) => Ok(Gateway { child, address }),
            Err(_) => {
                let _ = Gateway { child, address: String::new() }.stop();
                let said = fs::read_to_string(log).unwrap_or_default();
                bail!("the gateway does not listen; its log:\n{said}")
            }
        }
    }
}

fn read(file: &str) -> Result<Value> {
    let text = fs::read_to_string(path(file)).with_context(|| format!("cannot read {file}"))?;
    serde_json::from_str(&text).with_context(|| format!("{file} is no JSON"))
}

/// The organization of the example's world.
pub fn organization() -> Result<String> {
    let world = read(WORLD)?;
    Ok(world["organization"].as_str().context("the world names no organization")?.to_owned())
}

/// Somebody to sign in as.
pub struct Persona {
    /// What they are called.
    pub name: String,
    /// What they are.
    pub title: String,
    /// Their id.
    pub subject: String,
    /// What they sign in with.
    pub token: String,
}

/// A gateway that runs. Stopped, with its Postgres, when it is dropped.
pub struct Gateway {
    child: Child,
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
}

impl Gateway {
    /// Tells it to end, by its id, and waits until it has.
    pub fn stop(mut self) -> Result<()> {
        self.end()
    }

    fn end(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_some() {
            return Ok(());
        }
        let id = self.child.id().to_string();
        run(command("kill").args(["-TERM", &id]))?;
        let told = Instant::now();
        while self.child.try_wait()?.is_none() {
            if told.elapsed() > STOP_MAX {
                self.child.kill()?;
                self.child.wait()?;
                bail!("the gateway did not end within {} s", STOP_MAX.as_secs());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Where it matters whether it ended well, `stop` was called before.
        let _ = self.end();
    }
}
