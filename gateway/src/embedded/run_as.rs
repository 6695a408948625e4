//! Postgres refuses to run as root. Where the gateway is root (a container, a CI machine), its programs run as somebody
//! else.

use super::EmbeddedError;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

/// Whose rights the programs of Postgres run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunAs {
    /// Ours: an ordinary user.
    Ourselves,
    /// In a user namespace in which root is called otherwise. The files stay root's, and readable where root reads.
    Namespace,
    /// `nobody`, who then owns the files.
    Nobody,
}

impl RunAs {
    /// Chooses for the folder `postgres` of a data directory, and gives it to whoever was chosen.
    pub async fn choose(folder: &Path) -> Result<RunAs, EmbeddedError> {
        if !we_are_root(folder)? {
            return Ok(RunAs::Ourselves);
        }
        let owner = std::fs::metadata(folder).map_err(EmbeddedError::io("cannot read", folder))?.uid();
        let namespace = works(&mut RunAs::Namespace.command(Path::new("true"))).await;
        if owner == 0 && namespace.is_ok() {
            return Ok(RunAs::Namespace);
        }
        let failed = |cause: String| EmbeddedError::Root { cause };
        let mut chown = Command::new("chown");
        works(chown.args(["-R", "65534:65534"]).arg(folder)).await.map_err(failed)?;
        let mut list = RunAs::Nobody.command(Path::new("ls"));
        works(list.arg(folder)).await.map_err(|cause| {
            failed(format!("{cause}; unshare: {}", namespace.err().unwrap_or_else(|| "not tried".to_owned())))
        })?;
        Ok(RunAs::Nobody)
    }

    /// A command of this program, with nothing on its standard input.
    pub fn command(self, program: &Path) -> Command {
        let words = self.words(program);
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        // The server outlives the terminal's Ctrl-C: the gateway stops it when it has finished with it.
        command.process_group(0);
        command
    }

    /// The program, behind what changes the user.
    pub fn words(self, program: &Path) -> Vec<std::ffi::OsString> {
        let prefix: &[&str] = match self {
            RunAs::Ourselves => &[],
            RunAs::Namespace => &["unshare", "--map-user=1000", "--map-group=1000"],
            // By number: the group of nobody is called `nogroup` in Debian's family and `nobody` elsewhere.
            RunAs::Nobody => &["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
        };
        let prefix = prefix.iter().map(|word| word.into());
        prefix.chain([program.as_os_str().to_owned()]).collect()
    }
}

/// The owner of a file that we make tells who we are, without asking the operating system in `unsafe` code.
fn we_are_root(folder: &Path) -> Result<bool, EmbeddedError> {
    let probe = folder.with_file_name(format!(".owner-{}", std::process::id()));
    let refused = || EmbeddedError::io("cannot write", probe.clone());
    std::fs::write(&probe, "").map_err(refused())?;
    let owner = std::fs::metadata(&probe).map_err(refused())?.uid();
    std::fs::remove_file(&probe).map_err(refused())?;
    Ok(owner == 0)
}

/// Runs a command to its end; the error is what it said.
pub(super) async fn works(command: &mut Command) -> Result<String, String> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.output().await.map_err(|error| format!("`{name}`: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    Err(format!("`{name}`: {}", if err.is_empty() { out } else { err }))
}
