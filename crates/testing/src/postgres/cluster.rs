//! One PostgreSQL server for all test processes of this checkout.
//!
//! Every process holds a shared lock on a file while it lives; a shell that runs beside the server
//! stops it when nobody has held that lock for ten seconds. So the server needs no owner that would
//! have to outlive all tests, and a test that is killed leaves nothing behind.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::str::FromStr;
use std::sync::OnceLock;

use domain::Digest;
use sqlx::postgres::PgConnectOptions;

const SOCKET: &str = ".s.PGSQL.5432";
const VARIABLE: &str = "COUNTERSIGN_TEST_POSTGRES";

/// Stops the server `$1` when nobody has held the lock `$2` for ten seconds.
const STOP_WHEN_UNUSED: &str = r#"
idle=0
while sleep 2; do
    if flock --nonblock --exclusive "$2" true; then idle=$((idle + 1)); else idle=0; fi
    [ "$idle" -lt 5 ] && continue
    flock --nonblock --exclusive "$2" sh -c '
        server=$(head -n 1 "$1/data/postmaster.pid") && kill -INT "$server"
        while kill -0 "$server" 2>/dev/null; do sleep 0.1; done
        rm -rf "$1"
    ' sh "$1" && exit
    idle=0
done
"#;

/// The server's superuser.
pub(super) fn admin() -> PgConnectOptions {
    static ADMIN: OnceLock<(PgConnectOptions, Option<File>)> = OnceLock::new();
    let (options, _) = ADMIN.get_or_init(|| match std::env::var(VARIABLE) {
        Ok(url) => (PgConnectOptions::from_str(&url).expect(VARIABLE), None),
        Err(_) => {
            let (directory, in_use) = running();
            (first_database(&directory), Some(in_use))
        }
    });
    options.clone()
}

/// The directory of a running server, and the lock that keeps it running.
fn running() -> (PathBuf, File) {
    let checkout = Digest::of(env!("CARGO_MANIFEST_DIR").as_bytes()).to_string();
    let name = format!("countersign-postgres-{}", &checkout[7..15]);
    let directory = std::env::temp_dir().join(name);
    let in_use = File::create(directory.with_extension("in-use")).expect("a lock file");
    in_use.lock_shared().expect("a lock");
    let starting = File::create(directory.with_extension("starting")).expect("a lock file");
    starting.lock().expect("a lock");
    if UnixStream::connect(socket(&directory)).is_err() {
        start(&directory);
    }
    (directory, in_use)
}

fn start(directory: &Path) {
    if directory.exists() {
        // A server that was killed, or a machine that went down.
        fs::remove_dir_all(directory).expect("the old server's files go");
    }
    fs::create_dir(directory).expect("a directory");
    initialise(directory);
    launch(directory);
    let in_use = directory.with_extension("in-use");
    // `--fork` ends at once, and leaves the shell to itself.
    let stop = ["--fork", "sh", "-c", STOP_WHEN_UNUSED, "sh"];
    let mut setsid = Command::new("setsid");
    run(setsid.args(stop).args([directory, &in_use]).stderr(Stdio::null()), directory);
}

/// Makes the files of a server in an empty directory.
pub(super) fn initialise(directory: &Path) {
    let user = other_user();
    if let Some((uid, gid)) = user {
        chown(directory, Some(uid), Some(gid)).expect("the server's user owns its directory");
    }
    fs::set_permissions(directory, Permissions::from_mode(0o700)).expect("a private directory");
    let data = data(directory);
    let initdb = ["--pgdata", &data, "--username=postgres", "--auth=trust", "--encoding=UTF8"];
    run(server_command("initdb", user).args(initdb).args(["--locale=C", "--no-sync"]), directory);
}

/// Starts the server of a directory, and waits until it answers.
pub(super) fn launch(directory: &Path) {
    let socket = directory.display();
    let options = format!("-k {socket} -c listen_addresses= -c max_connections=300");
    let (data, log) = (data(directory), directory.join("log").display().to_string());
    let pg_ctl = ["start", "--wait", "--pgdata", &data, "--log", &log, "--options", &options];
    run(server_command("pg_ctl", other_user()).args(pg_ctl), directory);
}

/// Ends the server of a directory as a power cut would: nothing is written any more.
pub(super) fn cut_off(directory: &Path) {
    let pg_ctl = ["stop", "--wait", "--mode=immediate", "--pgdata", &data(directory)];
    run(server_command("pg_ctl", other_user()).args(pg_ctl), directory);
}

/// The URL of a server's first database, through its socket.
pub(super) fn first_database(directory: &Path) -> PgConnectOptions {
    let options = PgConnectOptions::new_without_pgpass().socket(directory).port(5432);
    options.username("postgres").database("postgres")
}

/// Where its clients find it.
pub(super) fn socket(directory: &Path) -> PathBuf {
    directory.join(SOCKET)
}

fn data(directory: &Path) -> String {
    directory.join("data").display().to_string()
}

/// Whom the server runs as where this process is root: it refuses to be.
fn other_user() -> Option<(u32, u32)> {
    let owner_of_this = fs::metadata("/proc/self").expect("this process").uid();
    (owner_of_this == 0).then(server_user)
}

fn run(command: &mut Command, directory: &Path) {
    let command = command.current_dir(directory).stdin(Stdio::null()).stdout(Stdio::null());
    let status = command.status().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// A program of the server. It refuses to be root: then it runs as somebody else.
fn server_command(name: &str, user: Option<(u32, u32)>) -> Command {
    let program = program(name);
    let Some((uid, gid)) = user else { return Command::new(program) };
    let mut command = Command::new("setpriv");
    command.args(["--reuid", &uid.to_string(), "--regid", &gid.to_string(), "--clear-groups"]);
    command.arg(program);
    command
}

/// The user `postgres`, or `nobody`.
fn server_user() -> (u32, u32) {
    let users = fs::read_to_string("/etc/passwd").expect("the list of users");
    let find = |name: &str| {
        let mut fields = users.lines().find(|line| line.starts_with(name))?.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    find("postgres:").or_else(|| find("nobody:")).expect("a user that is not root")
}

/// Where a program of the server is: on the path, or where Debian has it, the newest first.
fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|directory| directory.join(name));
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|found| found.flatten().map(|version| version.path()).collect())
        .unwrap_or_default();
    versions.sort_by_key(|path| path.file_name()?.to_str()?.parse::<u32>().ok());
    let installed = versions.into_iter().rev().map(|version| version.join("bin").join(name));
    on_path.chain(installed).find(|file| file.is_file()).unwrap_or_else(|| {
        panic!("no `{name}`: install PostgreSQL 15 or newer, or set {VARIABLE} to a server's URL")
    })
}
