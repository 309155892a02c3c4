//! Starting other programs: their output shown, their time limited, their failure explained.
//!
//! Not a shell: every program is started directly, with its arguments as they are. What a program
//! writes to standard output is shown on standard error, because standard output belongs to the
//! product (`demo -- --print-json`).

use std::io::{self, BufRead, BufReader, IsTerminal};
use std::os::fd::AsFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::progress::elapsed;

/// How often a line is printed where there is no terminal to show a progress bar.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Runs a program to its end and demands success; its output is shown.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run(command: &mut Command) -> Result<()> {
    let status = wait(show(command)?, command, None)?;
    demand(command, status)
}

/// Like [`run`], and gives what stands after `mark` in the lines of the program's output.
///
/// # Errors
/// When it cannot be started, does not succeed, or what it prints is no text.
pub fn run_reading(command: &mut Command, mark: &'static str) -> Result<Vec<String>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child =
        command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))?;
    let output = child.stdout.take().context("a program without an output")?;
    let reader = thread::spawn(move || {
        let mut marked = Vec::new();
        for line in BufReader::new(output).lines() {
            let line = line?;
            eprintln!("{line}");
            marked.extend(line.split_once(mark).map(|(_, rest)| rest.to_owned()));
        }
        io::Result::Ok(marked)
    });
    let status = wait(child, command, None)?;
    demand(command, status)?;
    let read = reader.join().ok().context("a program's output was not read")?;
    read.context("cannot read a program's output")
}

/// Like [`run`], but stops the program after `limit`: for what may wait for a network that is not there.
///
/// # Errors
/// When it cannot be started, does not succeed or takes too long.
pub fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let status = wait(show(command)?, command, Some(limit))?;
    demand(command, status)
}

/// Runs a short program silently and returns what it printed, or nothing if it failed or is missing.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Writes a command as a person would type it.
pub fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

fn show(command: &mut Command) -> Result<Child> {
    let stderr = io::stderr().as_fd().try_clone_to_owned().context("cannot use standard error")?;
    command.stdin(Stdio::null()).stdout(Stdio::from(stderr));
    command.spawn().with_context(|| format!("cannot start `{}`", shown(command)))
}

fn wait(mut child: Child, command: &Command, limit: Option<Duration>) -> Result<ExitStatus> {
    let started = Instant::now();
    let silent = io::stderr().is_terminal();
    let mut next_beat = HEARTBEAT;
    let mut pause = Duration::from_millis(2);
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for a program")? {
            return Ok(status);
        }
        let time = started.elapsed();
        if limit.is_some_and(|limit| time >= limit) {
            child.kill().context("cannot stop a program")?;
            child.wait().context("cannot wait for a program")?;
            bail!("`{}` was stopped after {}", shown(command), elapsed(time));
        }
        if !silent && time >= next_beat {
            eprintln!("  … {} so far: {}", elapsed(time), shown(command));
            next_beat += HEARTBEAT;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn demand(command: &Command, status: ExitStatus) -> Result<()> {
    if status.success() {
        return Ok(());
    }
    bail!("`{}` failed ({status})", shown(command));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_fails_is_named_with_its_arguments() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }

    #[test]
    fn what_stands_after_a_mark_is_read_and_a_failure_is_one_still() {
        let print = |end: &str| {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("echo one; echo 'test t ... seen: 2'; exit {end}"));
            run_reading(&mut command, "seen: ")
        };
        assert_eq!(print("0").unwrap(), ["2"]);
        assert!(print("1").is_err());
    }

    #[test]
    fn a_program_that_is_missing_is_named() {
        let error = run(&mut Command::new("no-such-program")).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `no-such-program`");
        assert_eq!(ask(&mut Command::new("no-such-program")), None);
    }

    #[test]
    fn a_program_that_takes_too_long_is_stopped() {
        let mut command = Command::new("sleep");
        let error = run_within(command.arg("600"), Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().starts_with("`sleep 600` was stopped after"), "{error}");
    }

    #[test]
    fn asking_gives_the_answer_only_on_success() {
        assert_eq!(ask(Command::new("echo").arg("yes")).as_deref(), Some("yes\n"));
        assert_eq!(ask(Command::new("sh").args(["-c", "echo no; exit 1"])), None);
    }
}
