//! Makes the cluster, starts it, and stops it whatever happens to this process.

use super::Options;
use super::binaries::Binaries;
use super::error::EmbeddedError;
use super::run_as::{RunAs, works};
use sqlx::{Connection, PgConnection};
use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

const USER: &str = "postern";
const DATABASE: &str = "postern";

/// A running server. Dropping it, and also the death of this process in whatever way, stops it.
pub struct Server {
    url: String,
    // Waits for its standard input to close, which the end of this process does, then stops the server.
    guard: Child,
    folder: Folder,
    // Held until the server has been told to stop.
    _lock: File,
}

/// The files of one cluster.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    /// The version of the data; `None` before the first start.
    pub fn data_major(&self) -> Result<Option<u32>, EmbeddedError> {
        let file = self.data().join("PG_VERSION");
        match std::fs::read_to_string(&file) {
            Ok(text) => Ok(text.trim().parse().ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(EmbeddedError::io("cannot read", file)(error)),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.file(name)).ok().map(|text| text.trim().to_owned())
    }

    /// Writes a file that only its owner reads.
    fn write_secret(&self, name: &str, text: &str) -> Result<(), EmbeddedError> {
        let file = self.file(name);
        let refused = || EmbeddedError::io("cannot write", file.clone());
        // Emptied and closed to others before there is anything in it to read.
        std::fs::write(&file, "").map_err(refused())?;
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).map_err(refused())?;
        std::fs::write(&file, format!("{text}\n")).map_err(refused())
    }
}

impl Server {
    /// Starts the server of a data directory, which no other process may be using.
    pub async fn start(options: &Options) -> Result<Server, EmbeddedError> {
        std::fs::create_dir_all(&options.data_dir)
            .map_err(EmbeddedError::io("cannot make", &options.data_dir))?;
        let data_dir = std::fs::canonicalize(&options.data_dir)
            .map_err(EmbeddedError::io("cannot find", &options.data_dir))?;
        let folder = Folder(data_dir.join("postgres"));
        if !folder.0.exists() {
            std::fs::create_dir(&folder.0).map_err(EmbeddedError::io("cannot make", &folder.0))?;
            std::fs::set_permissions(&folder.0, Permissions::from_mode(0o700))
                .map_err(EmbeddedError::io("cannot change", &folder.0))?;
        }
        let lock = take_lock(&folder)?;
        let run_as = RunAs::choose(&folder.0).await?;
        let binaries = Binaries::find(options, &folder, run_as).await?;
        let programs = Programs { binaries, run_as, folder: folder.clone() };

        if folder.data_major()?.is_none() {
            programs.make_cluster(options.durable).await?;
        }
        programs.clear_leftover().await?;
        let password = folder.read("password").ok_or_else(|| EmbeddedError::Failed {
            program: "embedded Postgres".to_owned(),
            output: format!(
                "`{}` is gone: the data cannot be opened without it",
                folder.file("password").display()
            ),
        })?;
        let port = programs.start(options.durable).await?;
        let guard = programs.guard()?;
        let server = Server {
            url: format!("postgres://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"),
            guard,
            folder: folder.clone(),
            _lock: lock,
        };
        create_database(&format!("postgres://{USER}:{password}@127.0.0.1:{port}/postgres")).await?;
        folder.write_secret("url", &server.url)?;
        Ok(server)
    }

    /// How to connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server, and waits until it has.
    pub async fn stop(mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait().await {
            tracing::warn!(%error, "the embedded Postgres may still be running");
        }
        // Kept where there was a wait for nothing: the next start asks for the same port.
        let _ = std::fs::rename(self.folder.file("url"), self.folder.file("last-url"));
    }
}

/// The address of the server that another process runs on a data directory.
pub(super) async fn running_url(data_dir: &Path) -> Result<String, EmbeddedError> {
    let folder = Folder(data_dir.join("postgres"));
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        if let Some(url) = folder.read("url")
            && let Ok(connection) = PgConnection::connect(&url).await
        {
            let _ = connection.close().await;
            return Ok(url);
        }
        if Instant::now() >= deadline {
            return Err(EmbeddedError::NotRunning { dir: data_dir.to_owned() });
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// The lock is the operating system's: it goes when its holder does, in whatever way.
fn take_lock(folder: &Folder) -> Result<File, EmbeddedError> {
    let path = folder.file("lock");
    let refused = || EmbeddedError::io("cannot lock", path.clone());
    let file =
        File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(refused())?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let pid =
                folder.read("lock").filter(|text| !text.is_empty()).unwrap_or_else(|| "unknown".to_owned());
            let dir = path.parent().and_then(Path::parent).unwrap_or(&path).to_owned();
            return Err(EmbeddedError::InUse { dir, pid });
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(refused()(error)),
    }
    std::fs::write(&path, format!("{}\n", std::process::id())).map_err(refused())?;
    Ok(file)
}

async fn create_database(url: &str) -> Result<(), EmbeddedError> {
    let mut connection = PgConnection::connect(url).await?;
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = 'postern')")
            .fetch_one(&mut connection)
            .await?;
    if !exists {
        sqlx::query("CREATE DATABASE postern").execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}

/// The programs of Postgres, at work on one cluster.
struct Programs {
    binaries: Binaries,
    run_as: RunAs,
    folder: Folder,
}

impl Programs {
    fn command(&self, program: &str) -> Command {
        self.run_as.command(&self.binaries.program(program))
    }

    async fn make_cluster(&self, durable: bool) -> Result<(), EmbeddedError> {
        tracing::info!(folder = %self.folder.0.display(), postgres = self.binaries.major, "making a database cluster");
        let mut secret = [0u8; 24];
        getrandom::fill(&mut secret).map_err(|error| failed("getrandom", error.to_string()))?;
        let password = hex::encode(secret);
        self.folder.write_secret("password", &password)?;
        self.give_away("password").await?;

        // Made beside its place and then moved there: a start that is interrupted leaves no half of a cluster.
        let unfinished = self.folder.file("data.new");
        if unfinished.exists() {
            std::fs::remove_dir_all(&unfinished).map_err(EmbeddedError::io("cannot remove", &unfinished))?;
        }
        let mut initdb = self.command("initdb");
        initdb.arg("-D").arg(&unfinished).args([
            "-U",
            USER,
            "-A",
            "scram-sha-256",
            "-E",
            "UTF8",
            "--locale=C",
        ]);
        initdb.arg("--pwfile").arg(self.folder.file("password")).arg("--data-checksums");
        if !durable {
            initdb.arg("--no-sync");
        }
        works(&mut initdb).await.map_err(|output| failed("initdb", output))?;
        let settings = unfinished.join("postgresql.conf");
        let refused = || EmbeddedError::io("cannot write", settings.clone());
        let text = std::fs::read_to_string(&settings).map_err(refused())?;
        std::fs::write(
            &settings,
            format!("{text}\n# Written at every start.\ninclude_if_exists 'postern.conf'\n"),
        )
        .map_err(refused())?;
        std::fs::rename(&unfinished, self.folder.data()).map_err(EmbeddedError::io("cannot move", unfinished))
    }

    /// Where the programs run as nobody, a file that we made must be readable for them.
    async fn give_away(&self, name: &str) -> Result<(), EmbeddedError> {
        if self.run_as == RunAs::Nobody {
            let mut chown = Command::new("chown");
            chown.arg("65534:65534").arg(self.folder.file(name));
            works(&mut chown).await.map_err(|output| failed("chown", output))?;
        }
        Ok(())
    }

    /// A server that outlived its gateway (both were killed at once) is stopped; a number that the operating system has
    /// given to another program since is forgotten. The lock is ours, so the server is nobody else's.
    async fn clear_leftover(&self) -> Result<(), EmbeddedError> {
        let file = self.folder.data().join("postmaster.pid");
        let Ok(text) = std::fs::read_to_string(&file) else {
            return Ok(());
        };
        let pid = text.lines().next().and_then(|line| line.trim().parse::<u32>().ok());
        let data = self.folder.data();
        let runs = || pid.is_some_and(|pid| is_postmaster_of(pid, &data));
        if runs() {
            tracing::warn!(pid, "stopping a Postgres that an earlier gateway left behind");
            // It may be about to stop by itself, and then there is nobody to tell.
            let told = works(&mut self.stop_command()).await;
            let deadline = Instant::now() + Duration::from_secs(60);
            while runs() {
                if Instant::now() >= deadline {
                    return Err(failed(
                        "pg_ctl stop",
                        told.err().unwrap_or_else(|| "it still runs".to_owned()),
                    ));
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        } else if let Err(error) = std::fs::remove_file(&file)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(EmbeddedError::io("cannot remove", &file)(error));
        }
        Ok(())
    }

    async fn start(&self, durable: bool) -> Result<u16, EmbeddedError> {
        let mut last = String::new();
        for _ in 0..3 {
            let port = self.free_port()?;
            let file = self.folder.data().join("postern.conf");
            let mut settings = format!(
                "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\n\
                 max_connections = 100\nshared_buffers = 128MB\nmax_wal_size = 2GB\ntimezone = 'UTC'\n"
            );
            if !durable {
                settings.push_str("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n");
            }
            std::fs::write(&file, settings).map_err(EmbeddedError::io("cannot write", &file))?;
            let mut start = self.command("pg_ctl");
            start.arg("start").arg("-D").arg(self.folder.data()).arg("-l").arg(self.folder.file("log"));
            match works(start.args(["-w", "-t", "60"])).await {
                Ok(_) => return Ok(port),
                // Most likely somebody took the port since we looked.
                Err(output) => last = output,
            }
        }
        let log = std::fs::read_to_string(self.folder.file("log")).unwrap_or_default();
        let mut tail: Vec<&str> = log.lines().rev().take(5).collect();
        tail.reverse();
        Err(failed("pg_ctl start", format!("{last}; the end of its log: {}", tail.join(" | "))))
    }

    /// The port of last time where it is free, so that an address that somebody noted keeps working.
    fn free_port(&self) -> Result<u16, EmbeddedError> {
        let last = ["url", "last-url"].iter().find_map(|name| self.folder.read(name));
        let last = last.and_then(|url| url.rsplit_once(':')?.1.split('/').next()?.parse::<u16>().ok());
        for port in last.into_iter().chain([0]) {
            if let Ok(listener) = std::net::TcpListener::bind(("127.0.0.1", port)) {
                let address = listener.local_addr();
                return Ok(address.map_err(EmbeddedError::io("cannot listen on", "127.0.0.1"))?.port());
            }
        }
        Err(failed("listen", "there is no free port on 127.0.0.1".to_owned()))
    }

    fn stop_command(&self) -> Command {
        let mut stop = self.command("pg_ctl");
        stop.arg("stop").arg("-D").arg(self.folder.data()).args(["-m", "fast", "-w", "-t", "60"]);
        stop
    }

    /// A shell that does nothing until our end of its standard input closes, and then stops the server.
    fn guard(&self) -> Result<Child, EmbeddedError> {
        let mut guard = Command::new("sh");
        guard.args(["-c", "cat >/dev/null; exec \"$@\"", "sh"]);
        guard.args(self.run_as.words(&self.binaries.program("pg_ctl")));
        guard.arg("stop").arg("-D").arg(self.folder.data()).args(["-m", "fast", "-w", "-t", "60"]);
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        guard.spawn().map_err(EmbeddedError::io("cannot run", "sh"))
    }
}

fn failed(program: &str, output: String) -> EmbeddedError {
    EmbeddedError::Failed { program: program.to_owned(), output }
}

/// A postmaster works in its data directory; where there is no /proc, its command line names it.
fn is_postmaster_of(pid: u32, data: &Path) -> bool {
    if Path::new("/proc/self").exists() {
        return std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data);
    }
    let ps = std::process::Command::new("ps").args(["-o", "args=", "-p", &pid.to_string()]).output();
    ps.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(&*data.to_string_lossy()))
}
