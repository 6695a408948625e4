//! `cargo xtask demo`: builds everything and starts the example on this machine.

use crate::command::{self, cargo, path};
use crate::prerequisites::{self, Need};
use crate::server::{Postern, WORLD, organization};
use crate::{packages, wasm};
use anyhow::{Context, Result};
use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

/// Where the demo's database lives, across restarts.
const FOLDER: &str = ".postern/demo";
/// Where the page is.
const LISTEN: &str = "127.0.0.1:8080";
/// Where the example's API is.
const API: &str = "127.0.0.1:8081";
/// Whether Tess may read a rack of her site.
const QUESTION: &str = r#"{"subject": {"type": "user", "id": "tess"}, "action": {"name": "read"}, "resource": {"type": "rack", "id": "r028"}}"#;
/// What makes her a field technician there.
const ASSIGNMENT: &str = r#"{"subject": "user:tess", "role": "role:organization:0192f1c2-7a00-7000-8000-000000000003", "at": {"type": "site", "id": "s03"}}"#;
/// How long the personas stay signed in.
const TOKENS_LAST: &str = "12h";

/// Builds, fills the database once, issues tokens, and then becomes the server, so that Ctrl-C reaches it directly.
pub fn run() -> Result<()> {
    prerequisites::ensure(&[Need::Node, Need::Wasm])?;
    println!("\nbuilding the WASM module");
    wasm::run()?;
    println!("\nbuilding the client and the page");
    packages::install()?;
    packages::build()?;
    println!("\nbuilding postern");
    command::run(cargo().args(["build", "--release", "--package", "postern-cli"]))?;
    prerequisites::embedded_postgres()?;

    let folder = path(FOLDER);
    let postern = Postern::new("release", folder.clone());
    import_once(&postern, &folder)?;
    println!("\nissuing tokens");
    let personas = postern.write_personas(TOKENS_LAST)?;
    let organization = organization()?;
    let key = folder.join("key");
    if !key.exists() {
        let made = postern.writing_key(&organization)?;
        // Whoever can read it may do everything in the demo.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&key)?;
        file.write_all(made.as_bytes()).with_context(|| format!("cannot write {}", key.display()))?;
    }

    let tess = personas.iter().find(|persona| persona.subject == "user:tess");
    let tess = tess.context("nobody is called Tess")?.token.as_str();
    println!("\nThe demo is at http://{LISTEN}. Sign in by choosing a name:");
    for persona in &personas {
        println!("  {:<18} {} ({})", persona.name, persona.title, persona.subject);
    }
    if let Some(persona) = personas.first() {
        println!(
            "\nThe console, for those who manage roles, signed in as {}:\n  \
             http://{LISTEN}/console/#organization={organization}&token={}",
            persona.name, persona.token
        );
    }
    println!(
        "\nTo watch a permission go, sign in as Tess Moreau, open Racks, and take her assignment away by SQL:\n  \
         cargo xtask sql \"DELETE FROM assignments WHERE subject_id = 'user:tess'\"\n\
         (or with a psql of your own: psql \"$(cat {FOLDER}/postgres/url)\")\n\
         To ask the gateway whether she may, and to give it back over the management interface:\n  \
         KEY=$(cat {FOLDER}/key)\n  \
         curl -s http://{LISTEN}/access/v1/evaluation -H \"Authorization: Bearer $KEY\" -H 'Content-Type: application/json' \\\n    \
         -d '{QUESTION}'\n  \
         curl -s http://{LISTEN}/v1/organizations/{organization}/assignments -H \"Authorization: Bearer $KEY\" \\\n    \
         -H 'Content-Type: application/json' -d '{ASSIGNMENT}'\n\
         http://{LISTEN}/openapi.json describes both.\n\
         To run an agent that answers for a proxy whether she may, also while the gateway is away:\n  \
         POSTERN_KEY=$(cat {FOLDER}/key) target/release/postern edge --gateway http://{LISTEN} --organization {organization} \\\n    \
         --routes examples/fleet/routes.json &\n  \
         curl -i http://127.0.0.1:8090/envoy/racks/r028 -H 'X-Auth-Subject: user:tess'\n\
         The fleet's API, which decides in its own process, and lists to Tess the miners of her site only:\n  \
         TESS={tess}\n  \
         curl -s \"http://{API}/api/miners?limit=2\" -H \"Authorization: Bearer $TESS\"\n  \
         curl -s -X POST http://{API}/api/miners/m00541/reboot -H \"Authorization: Bearer $TESS\"\n\
         `rm -r {FOLDER}` brings everything back at the next start. Ctrl-C stops the server and its database.\n"
    );
    start_api(&organization, &fs::read_to_string(&key)?)?;
    // Returns only where the program cannot be started.
    Err(postern.serve(LISTEN, &organization).exec()).context("cannot start the gateway")
}

/// Starts the example's API beside the gateway, which it waits for. Ctrl-C reaches both: they are of one process group.
fn start_api(organization: &str, key: &str) -> Result<()> {
    let mut api = command::command("node");
    api.arg(path("examples/fleet/api/server.mjs"));
    api.env("POSTERN_GATEWAY", format!("http://{LISTEN}")).env("POSTERN_ORGANIZATION", organization);
    api.env("POSTERN_KEY", key.trim())
        .env("FLEET_LISTEN", API)
        .env("FLEET_ORIGIN", format!("http://{LISTEN}"));
    api.env("FLEET_END_WITH_PARENT", "1");
    api.spawn().context("cannot start the fleet's API")?;
    Ok(())
}

/// Runs one statement on the database of the demo while it runs: `cargo xtask sql`.
pub fn sql(statement: &str) -> Result<()> {
    let url = Postern::new("release", path(FOLDER)).database_url().context("is the demo running?")?;
    command::run(command::command("node").arg(path("xtask/node/sql.mjs")).args([&url, statement]))
}

/// Imports the world, unless this very world was imported before: what visitors changed stays.
fn import_once(postern: &Postern, folder: &Path) -> Result<()> {
    let world = fs::read(path(WORLD)).with_context(|| format!("cannot read {WORLD}"))?;
    let imported = folder.join("imported-world.json");
    if fs::read(&imported).is_ok_and(|before| before == world) {
        return Ok(());
    }
    println!("\nimporting {WORLD}");
    postern.import(&path(WORLD))?;
    fs::write(&imported, world).with_context(|| format!("cannot write {}", imported.display()))
}
