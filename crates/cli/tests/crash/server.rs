//! A server process on a house's data.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

const BINARY: &str = env!("CARGO_BIN_EXE_countersign");
/// The same at every start, whatever the port: tokens name it.
const PUBLIC_URL: &str = "http://localhost:8080";

/// One agent does all that happens here, with the same content, as fast as it can.
pub const UNLIMITED: [(&str, &str); 4] = [
    ("COUNTERSIGN_AGENT_CALLS", "0"),
    ("COUNTERSIGN_AGENT_OPEN_REQUESTS", "0"),
    ("COUNTERSIGN_AGENT_DUPLICATES", "true"),
    ("COUNTERSIGN_AGENT_COOL_DOWN", "0"),
];

/// Where the data of a server is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The database's address.
    pub database: String,
    pub keys: PathBuf,
    /// Where its log goes.
    pub log: PathBuf,
}

/// A server that is killed when it is dropped.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts a server and waits until it is ready.
    pub async fn start(place: &Place) -> Self {
        Self::start_with(place, &[]).await
    }

    /// Starts a server in an environment. The port is one that the system gives to nobody else: it
    /// stands in the log.
    pub async fn start_with(place: &Place, environment: &[(&str, &Path)]) -> Self {
        let child = Command::new(BINARY)
            .args(["serve", "--listen", "127.0.0.1:0", "--public-url", PUBLIC_URL])
            .args(["--database", &place.database, "--keys"])
            .arg(&place.keys)
            .env("NO_COLOR", "1")
            .envs(UNLIMITED)
            .envs(environment.iter().copied())
            .stderr(std::fs::File::create(&place.log).unwrap())
            .spawn()
            .unwrap();
        let mut server = Self { child, url: String::new() };
        let client = super::caller::client();
        loop {
            let log = std::fs::read_to_string(&place.log).unwrap();
            assert!(server.lives(), "the server does not start:\n{log}");
            if let Some((_, rest)) = log.split_once("serving address=")
                && let Some((address, _)) = rest.split_once(' ')
            {
                server.url = format!("http://{address}");
                let ready = client.get(format!("{}/readyz", server.url)).send().await;
                if ready.is_ok_and(|answer| answer.status().is_success()) {
                    return server;
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has not ended by itself.
    pub fn lives(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Kills it as the kernel does: it does nothing more.
    pub fn kill(mut self) {
        // It may be dead already: then that is what was wanted.
        let _ = self.child.kill();
        self.child.wait().unwrap();
    }

    /// Tells it to end, and waits until it has.
    pub async fn stop(&mut self) {
        signal(self.id(), "-TERM");
        while self.lives() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process that a test started; it may have ended by then.
pub fn signal(process: u32, name: &str) {
    let mut kill = Command::new("kill");
    kill.args([name, &process.to_string()]).stderr(Stdio::null()).status().unwrap();
}

/// Runs a command of the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(BINARY).args(arguments).output().unwrap()
}

/// Starts a server that must not start; what it says.
pub fn refused(place: &Place) -> String {
    let keys = place.keys.to_str().unwrap();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &place.database, "--keys", keys];
    let output = run(&serve);
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

/// The demo until it says that it is ready, and what it printed; the data stays in `directory`.
pub fn demo(directory: &Path, database: &str) -> (Child, serde_json::Value) {
    use std::io::{BufRead, BufReader};
    let mut child = Command::new(BINARY)
        .args(["demo", "--print-json", "--listen", "127.0.0.1:0", "--database", database])
        .env("TMPDIR", directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}
