//! The example and the console in a browser, against a gateway with a Postgres of its own.

use crate::command::path;
use crate::packages;
use crate::prerequisites::chromium;
use crate::server::{Postern, WORLD};
use crate::steps::{Count, run_tests};
use anyhow::{Context, Result};
use std::fs;
use std::net::TcpListener;

/// Starts everything in a fresh folder, runs the browser tests and stops it again.
pub fn run(tests: &mut Count) -> Result<()> {
    let folder = path("target").join(format!("e2e-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let log = folder.join("gateway.log");
    let postern = Postern::new("debug", folder.join("data"));
    // Before the gateway starts: it brings the built-in roles and their catalog to the organizations that are there.
    postern.import(&path(WORLD))?;
    let webhooks = format!("http://127.0.0.1:{}", free_port()?);
    let gateway = postern.start(&log, &webhooks)?;
    println!("gateway on {}, log in {}", gateway.address, log.display());
    let result = prepare_and_test(&postern, &gateway.address, &webhooks, tests);
    let stopped = gateway.stop();
    if result.is_err() {
        println!("the gateway's log:\n{}", fs::read_to_string(&log).unwrap_or_default());
    } else {
        // Kept where something failed, so that it can be looked at.
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    result.and(stopped)
}

fn prepare_and_test(postern: &Postern, address: &str, webhooks: &str, tests: &mut Count) -> Result<()> {
    postern.write_personas("2h")?;
    for workspace in ["examples/fleet", "packages/console"] {
        let mut browser = packages::browser_test(workspace);
        browser
            .env("BASE_URL", address)
            .env("WEBHOOKS", webhooks)
            .env("DATABASE_URL", postern.database_url()?)
            .env("CHROMIUM", chromium()?);
        run_tests(&mut browser, tests)?;
    }
    Ok(())
}

/// A port where nobody listens now: a test receives webhooks there, which the gateway has to allow when it starts.
fn free_port() -> Result<u16> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
    Ok(listener.local_addr().context("no free port")?.port())
}
