//! `postern vault-key`

use super::{CliError, Session, secret};
use crate::config::DatabaseArgs;
use crate::store::secrets;
use crate::vault::file::{ID, KeysFile, is_id};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};

/// Manage the file of keys that the values of secrets are encrypted with
#[derive(Clone, Debug, Args)]
pub struct VaultKeyArgs {
    #[command(subcommand)]
    command: VaultKeyCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum VaultKeyCommand {
    /// Add a key to the file, or make the file with one, and print its id; it encrypts nothing before `use`, unless it is
    /// the first
    Make {
        /// The file
        file: PathBuf,

        /// What the key is called; without it, `k` and eight random digits
        #[arg(long, value_name = "ID")]
        id: Option<String>,
    },
    /// Encrypt with a key of the file from now on; running gateways encrypt anew what they have
    Use {
        /// The file
        file: PathBuf,
        /// The key
        id: String,
    },
    /// Print the keys of the file, and how many values each encrypts
    List {
        /// The file
        file: PathBuf,

        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// Take a key out of the file: refused where a value is encrypted with it
    Remove {
        /// The file
        file: PathBuf,
        /// The key
        id: String,

        #[command(flatten)]
        database: DatabaseArgs,
    },
}

/// Makes, chooses, lists or removes keys.
pub async fn vault_key(args: VaultKeyArgs) -> Result<(), CliError> {
    match args.command {
        VaultKeyCommand::Make { file, id } => {
            let keys = match file.exists() {
                true => read(&file)?,
                false => KeysFile::default(),
            };
            // A name that no key had before it: what an old one encrypted is in backups.
            let id = match id {
                Some(id) => id,
                None => format!("k{}", hex::encode(&secret()?[..4])),
            };
            if !is_id(&id) {
                return Err(CliError::Usage(format!("--id: {ID}")));
            }
            if keys.keys.contains_key(&id) {
                return Err(CliError::Usage(format!("{} has a key `{id}` already", file.display())));
            }
            keys.with_new(&id, &secret()?).write(&file)?;
            println!("{id}");
        }
        VaultKeyCommand::Use { file, id } => {
            let mut keys = read(&file)?;
            has(&keys, &id, &file)?;
            keys.current = id;
            keys.write(&file)?;
        }
        VaultKeyCommand::List { file, database } => {
            let keys = read(&file)?;
            let values = values(&database).await?;
            for id in keys.keys.keys() {
                let encrypts = if *id == keys.current { "  encrypts" } else { "" };
                println!("{id}  {} values{encrypts}", count(&values, id));
            }
            for (id, count) in values.iter().filter(|(id, _)| !keys.keys.contains_key(id)) {
                println!("{id}  {count} values, NOT IN THE FILE: they cannot be read");
            }
        }
        VaultKeyCommand::Remove { file, id, database } => {
            let mut keys = read(&file)?;
            has(&keys, &id, &file)?;
            if keys.current == id {
                return Err(CliError::Usage(format!(
                    "`{id}` is the key that encrypts: `postern vault-key use` another one first"
                )));
            }
            match count(&values(&database).await?, &id) {
                0 => {}
                count => {
                    return Err(CliError::Usage(format!(
                        "{count} values are encrypted with `{id}` still: gateways encrypt them anew as long as they run"
                    )));
                }
            }
            keys.keys.remove(&id);
            keys.write(&file)?;
        }
    }
    Ok(())
}

/// A file whose keys are some.
fn read(file: &Path) -> Result<KeysFile, CliError> {
    let keys = KeysFile::read(file)?;
    keys.keys(file)?;
    Ok(keys)
}

fn has(keys: &KeysFile, id: &str, file: &Path) -> Result<(), CliError> {
    match keys.keys.contains_key(id) {
        true => Ok(()),
        false => Err(CliError::Usage(format!("{} has no key `{id}`", file.display()))),
    }
}

async fn values(database: &DatabaseArgs) -> Result<Vec<(String, i64)>, CliError> {
    let mut session = Session::open(database).await?;
    let values = secrets::by_key(&mut session.connection).await;
    session.close().await;
    Ok(values?)
}

fn count(values: &[(String, i64)], id: &str) -> i64 {
    values.iter().find(|(of, _)| of == id).map_or(0, |(_, count)| *count)
}
