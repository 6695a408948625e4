//! `postern directory`

use super::{CliError, Session};
use crate::config::DatabaseArgs;
use crate::manage::directory::drift::{Compared, Drift, Listed, compare};
use crate::store::manage::directory::{self, Wanted};
use crate::store::{StoreError, heads};
use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};
use sqlx::{Connection, PgConnection};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// See whether an organization is what its directory says
#[derive(Clone, Debug, Args)]
pub struct DirectoryArgs {
    #[command(subcommand)]
    command: DirectoryCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum DirectoryCommand {
    /// Compare a directory's list of its users and groups with what is here, and print every difference and what mends it
    Compare(CompareArgs),
}

#[derive(Clone, Debug, Args)]
struct CompareArgs {
    /// SCIM users and groups: lists (`{"Resources": […]}`), arrays, or one after the other; `-`: the standard input
    #[arg(value_name = "FILE.json")]
    file: PathBuf,

    /// The organization's id
    #[arg(long, value_name = "ID")]
    organization: String,

    /// Print a line of JSON for each difference, with the SCIM request that mends it
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    database: DatabaseArgs,
}

/// Compares. Fails where there is a difference.
pub async fn directory(args: DirectoryArgs) -> Result<(), CliError> {
    let DirectoryCommand::Compare(args) = args.command;
    // Read first: a bad list needs no database.
    let listed = read(&args.file)?;
    let mut session = Session::open(&args.database).await?;
    let compared = with_what_is_here(&mut session.connection, &args.organization, &listed).await;
    session.close().await;
    let compared = compared?.ok_or_else(|| CliError::no_organization(&args.organization))?;
    let said = |source| CliError::Io { what: "the standard output".to_owned(), source };
    tell(&args, &compared).map_err(said)?;
    match compared.drifts.len() {
        0 => Ok(()),
        differences => Err(CliError::Drifted { organization: args.organization, differences }),
    }
}

/// As of one moment.
async fn with_what_is_here(
    connection: &mut PgConnection,
    organization: &str,
    listed: &[Listed],
) -> Result<Option<Compared>, StoreError> {
    let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    if heads::revision(&mut transaction, organization).await?.is_none() {
        return Ok(None);
    }
    let mut entries = Vec::new();
    for kind in ["user:", "group:"] {
        let all = Wanted { kind, among: None, active: None, part: (0, i64::MAX) };
        entries.extend(directory::list(&mut transaction, organization, &all).await?.1);
    }
    let groups: Vec<String> = entries.iter().map(|entry| entry.subject.clone()).collect();
    let members = directory::members_of(&mut transaction, organization, &groups).await?;
    transaction.commit().await?;
    Ok(Some(compare(listed, &entries, &members)))
}

fn read(file: &Path) -> Result<Vec<Listed>, CliError> {
    let name = file.display();
    let wrong = |what: String| CliError::Usage(format!("{name}: {what}"));
    let text = match file == Path::new("-") {
        true => {
            let mut text = Vec::new();
            io::stdin().read_to_end(&mut text).map(|_| text)
        }
        false => std::fs::read(file),
    };
    let text = text.map_err(|error| wrong(error.to_string()))?;
    let mut listed = Vec::new();
    for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
        for one in elements(value.map_err(|error| wrong(error.to_string()))?) {
            let number = listed.len() + 1;
            let Value::Object(one) = one else {
                return Err(wrong(format!("element {number} is no object: write SCIM users and groups")));
            };
            let of = Listed::of(one).map_err(|error| wrong(format!("element {number}: {}", error.what)))?;
            listed.push(of);
        }
    }
    // An empty list would say that everybody has gone: more likely something went wrong where it was made.
    match listed.is_empty() {
        true => Err(wrong("there are no users and no groups in it".to_owned())),
        false => Ok(listed),
    }
}

fn elements(value: Value) -> Vec<Value> {
    match value {
        Value::Array(all) => all,
        Value::Object(mut list) => match resources(&mut list) {
            Some(all) => all,
            None => vec![Value::Object(list)],
        },
        other => vec![other],
    }
}

fn resources(list: &mut Map<String, Value>) -> Option<Vec<Value>> {
    let name = list.keys().find(|name| name.eq_ignore_ascii_case("resources"))?.clone();
    match list.remove(&name)? {
        Value::Array(all) => Some(all),
        _ => None,
    }
}

fn tell(args: &CompareArgs, compared: &Compared) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for Drift { kind, excess, subject, name, directory, here, fix } in &compared.drifts {
        if args.json {
            let line = json!({"kind": kind, "excess": excess, "subject": subject, "name": name, "directory": directory,
                "here": here, "fix": fix});
            writeln!(out, "{line}")?;
            continue;
        }
        let level = if *excess { "excess" } else { "differs" };
        let subject = subject.as_ref().map(|id| format!(" ({id})")).unwrap_or_default();
        writeln!(out, "{level:<8} {kind}: {name}{subject}: the directory says {directory}, here is {here}")?;
    }
    let excess = compared.drifts.iter().filter(|drift| drift.excess).count();
    let Compared { listed: (users, groups), others, drifts } = compared;
    if args.json {
        let line = json!({"organization": args.organization, "users": users, "groups": groups, "others": others,
            "differences": drifts.len(), "excess": excess});
        return writeln!(out, "{line}");
    }
    writeln!(
        out,
        "{users} users and {groups} groups of the directory; {others} here that it never wrote; {} differences, {excess} of \
         which give more here than there",
        drifts.len()
    )
}
