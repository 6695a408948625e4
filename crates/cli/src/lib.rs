//! The commands of `postern`: `docs/semantics.md` section 6.
//!
//! Each command is a module with its arguments and a `run`. Every failure is one line on standard error that names
//! the file, and for documents the line and the JSON path, and exit code 2; the gateway's commands end with 1 where not
//! their input is at fault but the database or the network, and `codegen --check` where a file is not what it should be. Answers that are decisions or errors of a
//! question (`{"error":"invalid_request"}`) are answers: they go to standard output, and the exit code stays 0.

#![forbid(unsafe_code)]

mod answer;
mod codegen;
mod command;
mod engine;
mod output;
mod settings;

use clap::{Parser, Subcommand};
use command::{codegen as generated, gateway, snapshot, world};
use postern_edge::config::EdgeArgs;
use postern_gateway::cli::{
    self as served, AdoptArgs, DevIssuerArgs, DirectoryArgs, KeyArgs, PreflightArgs, ServeArgs,
    StatementKeyArgs, TokenArgs, VaultKeyArgs,
};

pub use command::gateway::Failure;

/// Who may do what where: worlds, snapshots and the gateway of Postern.
#[derive(Debug, Parser)]
#[command(name = "postern", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check and compile world documents.
    #[command(subcommand)]
    World(world::Command),
    /// Look into snapshots, and cut them to what one subject may see.
    #[command(subcommand)]
    Snapshot(snapshot::Command),
    /// Write the names of a catalog as code, so that a wrong one does not compile.
    Codegen(generated::Args),
    /// Map an existing database into facts.
    Adopt(AdoptArgs),
    /// Say what an organization lacks before its decisions can be relied on.
    Preflight(PreflightArgs),
    /// Run the gateway.
    Serve(ServeArgs),
    /// Run the agent: follow a gateway, and answer applications and proxies from memory.
    Edge(EdgeArgs),
    /// Make keys for enforcement points.
    Key(KeyArgs),
    /// Manage the keys that snapshots and slices are signed with.
    StatementKey(StatementKeyArgs),
    VaultKey(VaultKeyArgs),
    /// Run an issuer of tokens for trying things out, on loopback.
    DevIssuer(DevIssuerArgs),
    /// See whether an organization is what its directory says.
    Directory(DirectoryArgs),
    /// Make a token with which a browser reads one subject's slice.
    Token(TokenArgs),
}

impl Cli {
    /// Runs the command.
    ///
    /// # Errors
    /// One line for people, the whole chain of causes in it (`{error:#}`).
    pub fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::World(command) => command.run(),
            Command::Snapshot(command) => command.run(),
            Command::Codegen(args) => args.run(),
            Command::Adopt(args) => gateway::run(served::adopt(args)),
            Command::Preflight(args) => gateway::run(served::preflight(args)),
            Command::Serve(args) => gateway::run(served::serve(args)),
            Command::Edge(args) => gateway::run_edge(postern_edge::edge(args)),
            Command::Key(args) => gateway::run(served::key(args)),
            Command::StatementKey(args) => gateway::run(served::statement_key(args)),
            Command::VaultKey(args) => gateway::run(served::vault_key(args)),
            Command::DevIssuer(args) => gateway::run(served::dev_issuer(args)),
            Command::Directory(args) => gateway::run(served::directory(args)),
            Command::Token(args) => gateway::run(served::token(args)),
        }
    }
}
