//! `--config FILE`: settings of a command from a file. A flag comes before its environment variable, that before the
//! file, and the file before the default.

use crate::{Cli, Failure};
use clap::builder::OsStr;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::path::PathBuf;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The flag that names the file, in those commands that take one.
const CONFIG: &str = "config";

impl Cli {
    /// What the command line says, with the settings of the file that it names. Ends the program where clap does: with
    /// a help text, or a mistake in the arguments.
    ///
    /// # Errors
    /// The file cannot be read, or has something that the command does not take: its line, and what it takes.
    pub fn read() -> anyhow::Result<Cli> {
        let arguments: Vec<OsString> = std::env::args_os().collect();
        match with_file(&arguments)?.try_get_matches_from(arguments) {
            Ok(matches) => Ok(Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())),
            Err(error) => error.exit(),
        }
    }
}

/// The program's commands, with the file's values as the defaults of the command that names it.
fn with_file(arguments: &[OsString]) -> anyhow::Result<Command> {
    let command = Cli::command();
    // What is wrong with the arguments is told when they are read for good.
    let Ok(matches) = command.clone().ignore_errors(true).try_get_matches_from(arguments) else {
        return Ok(command);
    };
    let Some((name, file)) = named(&matches) else { return Ok(command) };
    let wrong = |what: String| Failure { exit_code: 2, message: format!("{}{what}", file.display()) };
    let text = std::fs::read_to_string(&file).map_err(|error| wrong(format!(": {error}")))?;
    let taking = command.find_subcommand(&name).map(|command| command.get_arguments().cloned().collect());
    let arguments: Vec<Arg> = taking.unwrap_or_default();
    let values = settings(&text, &arguments).map_err(wrong)?;
    Ok(command.mut_subcommand(name, |command| {
        values.into_iter().fold(command, |command, (id, values)| {
            command.mut_arg(id, |argument| argument.default_values(values).required(false))
        })
    }))
}

/// The command, and the file that it names.
fn named(matches: &ArgMatches) -> Option<(String, PathBuf)> {
    let (name, matches) = matches.subcommand()?;
    let file = matches.try_get_one::<PathBuf>(CONFIG).ok()??;
    Some((name.to_owned(), file.clone()))
}

/// The values that a file gives to arguments: of each its id, and what it is by default from now on.
fn settings(text: &str, arguments: &[Arg]) -> Result<Vec<(String, Vec<OsStr>)>, String> {
    let at = |offset: usize| {
        let before = text.get(..offset).unwrap_or_default();
        format!(":{}: ", before.matches('\n').count() + 1)
    };
    let table = DeTable::parse(text)
        .map_err(|error| at(error.span().map_or(0, |span| span.start)) + error.message().trim_end())?;
    let mut settings = Vec::new();
    for (key, value) in table.get_ref() {
        let (name, line) = (key.get_ref().as_ref(), at(key.span().start));
        let Some(argument) = arguments.iter().find(|argument| takes(argument, name)) else {
            let mut known: Vec<&str> =
                arguments.iter().filter_map(Arg::get_long).filter(|name| *name != CONFIG).collect();
            known.sort_unstable();
            return Err(format!("{line}there is no setting `{name}`: there are {}", known.join(", ")));
        };
        let values = texts(value).ok_or_else(|| {
            format!("{line}`{name}` is a text, a number, true or false, or a list of texts, without a table")
        })?;
        if values.len() != 1 && !matches!(argument.get_action(), ArgAction::Append) {
            return Err(format!("{line}`{name}` takes one value"));
        }
        checked(argument, &values).map_err(|what| format!("{line}`{name}`: {what}"))?;
        settings.push((argument.get_id().to_string(), values.into_iter().map(OsStr::from).collect()));
    }
    Ok(settings)
}

fn takes(argument: &Arg, name: &str) -> bool {
    name != CONFIG && argument.get_long() == Some(name)
}

/// A value as it would be written behind the flag.
fn texts(value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    match value.get_ref() {
        DeValue::String(text) => Some(vec![text.to_string()]),
        DeValue::Integer(number) if number.radix() == 10 => Some(vec![number.as_str().replace('_', "")]),
        DeValue::Boolean(value) => Some(vec![value.to_string()]),
        DeValue::Array(items) => {
            let item = |item| match texts(item)?.as_slice() {
                [text] => Some(text.clone()),
                _ => None,
            };
            items.iter().map(item).collect()
        }
        _ => None,
    }
}

/// Asks the argument itself, so that a mistake is told with the line of the file.
fn checked(argument: &Arg, values: &[String]) -> Result<(), String> {
    let name = argument.get_long().unwrap_or_default().to_owned();
    if !argument.get_action().takes_values() {
        return match values {
            [value] if value == "true" || value == "false" => Ok(()),
            _ => Err("is true or false".to_owned()),
        };
    }
    let alone = Command::new("settings")
        .arg(argument.clone().env(None::<&'static str>).required(false))
        .no_binary_name(true);
    let arguments = values.iter().map(|value| format!("--{name}={value}"));
    alone.try_get_matches_from(arguments).map(|_| ()).map_err(|error| match error.kind() {
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let text = error.to_string();
            let first = text.trim_start_matches("error: ").lines().next().unwrap_or_default().to_owned();
            let more = text.lines().find(|line| line.contains("possible values")).unwrap_or_default();
            format!("{first} {}", more.trim()).trim_end().to_owned()
        }
        _ => error.to_string().lines().next().unwrap_or_default().to_owned(),
    })
}
