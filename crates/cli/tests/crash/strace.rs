//! Faults at system calls, by `strace`.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use crate::server::signal;

/// `strace` on a running server.
pub struct Strace {
    child: Child,
    log: PathBuf,
    /// Kept open: it says more when threads are made.
    _said: BufReader<ChildStderr>,
}

impl Strace {
    /// Attaches to a server; what it traces is in `expressions`. Returns once it has every thread.
    pub fn attach(server: u32, log: PathBuf, expressions: &[String]) -> Self {
        let mut command = Command::new("strace");
        command.args(["-f", "-yy", "-p", &server.to_string(), "-o"]).arg(&log);
        command.args(expressions.iter().flat_map(|expression| ["-e", expression]));
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap_or_else(|error| {
            panic!("no `strace` ({error}): `cargo xtask test` installs it on Debian")
        });
        let mut said = String::new();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        stderr.read_line(&mut said).unwrap();
        assert!(
            said.contains("attached"),
            "strace cannot attach here, so nothing is proved about crashes: {said}\
             Allow ptrace: as root `sysctl kernel.yama.ptrace_scope=0`, or run the container with \
             `--cap-add=SYS_PTRACE`."
        );
        Self { child, log, _said: stderr }
    }

    /// Lets go of a server that goes on, and tells what was seen.
    pub fn detach(self) -> Seen {
        signal(self.child.id(), "-INT");
        self.ended()
    }

    /// Tells what was seen of a server that is no more: strace ends with it. Interrupted while the
    /// last threads go, it would wait for ever.
    pub fn ended(mut self) -> Seen {
        self.child.wait().unwrap();
        Seen::read(&self.log)
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The system calls that were seen, a line each.
#[derive(Debug)]
pub struct Seen(Vec<String>);

impl Seen {
    fn read(log: &Path) -> Self {
        let text = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
        Self(text.lines().map(str::to_owned).collect())
    }

    /// Whether the fault came: the process was killed, or a call was told an error.
    pub fn fault(&self) -> bool {
        let is = |line: &String| line.contains("killed by SIGKILL") || line.contains("(INJECTED)");
        self.0.iter().any(is)
    }

    /// How often a system call was made by the thread that made the most of them.
    pub fn most(&self, syscall: &str) -> usize {
        let mut counts = BTreeMap::<&str, usize>::new();
        let call = format!("{syscall}(");
        for line in &self.0 {
            if let Some((thread, rest)) = line.split_once(' ')
                && rest.trim_start().starts_with(&call)
            {
                *counts.entry(thread).or_default() += 1;
            }
        }
        counts.into_values().max().unwrap_or_default()
    }

    /// Where the last line stands that contains each of these.
    pub fn last(&self, parts: &[&str]) -> Option<usize> {
        self.0.iter().rposition(|line| parts.iter().all(|part| line.contains(part)))
    }
}
