//! A command while it runs: its output passes through, signals reach it, and it can be stopped.

use std::future::Future;
use std::io::{self, IsTerminal};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::signals::{Signals, code};
use super::tail::Tail;
use crate::agent::say;
use crate::agent::writer::{self, Writer};

/// For so long the output is read on after the command ended: what it left running may hold it.
const AFTERWARDS: Duration = Duration::from_secs(2);
/// So much is read at once, in bytes.
const PIECE_BYTES: usize = 16 << 10;
/// So many pieces may wait for whoever reads our output; then the command waits, as without us.
const ROOM: usize = 4;
/// So many more once the command has ended: what it left in a pipe, also in the largest one (pipe(7)).
const LAST_ROOM: usize = 64;

/// What became of a command.
pub enum Run {
    NotStarted(io::Error),
    Ended(Ended),
}

/// A command that ended.
pub struct Ended {
    pub status: ExitStatus,
    pub took: Duration,
    /// Why it was stopped, if it was.
    pub stopped: Option<String>,
    pub tail: Tail,
}

impl Ended {
    /// The code that a shell would have for it.
    pub fn code(&self) -> u8 {
        let ended = self.status.signal().map(code);
        let exited = self.status.code().and_then(|code| u8::try_from(code).ok());
        ended.or(exited).unwrap_or(u8::MAX)
    }

    /// How it ended, in a sentence.
    pub fn sentence(&self) -> String {
        let seconds = self.took.as_secs();
        let how = match (self.status.code(), self.status.signal()) {
            (Some(code), _) => format!("Exit code {code}"),
            (None, Some(signal)) => format!("Ended by signal {signal}"),
            (None, None) => "Ended".to_owned(),
        };
        match &self.stopped {
            Some(why) => format!("Stopped: {why}. {how} after {seconds} s."),
            None => format!("{how} after {seconds} s."),
        }
    }
}

/// Runs it in a process group of its own until it ends; stops it once `stop` says why.
///
/// # Errors
/// When it was started, and its end cannot be seen.
pub async fn run(
    mut command: Command,
    stop: impl Future<Output = String>,
    signals: &mut Signals,
    grace: Duration,
) -> anyhow::Result<Run> {
    use std::os::unix::process::CommandExt;
    // A group in the background must not read from the terminal: it would be suspended.
    let stdin = if io::stdin().is_terminal() { Stdio::null() } else { Stdio::inherit() };
    command.process_group(0).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let began = Instant::now();
    let mut child = match tokio::process::Command::from(command).spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Run::NotStarted(error)),
    };
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let tail = Tail::default();
    let out = pass(child.stdout.take(), writer::out(), tail.clone());
    let err = pass(child.stderr.take(), writer::err(), tail.clone());
    let (status, stopped) = watch(&mut child, group, stop, signals, grace).await?;
    for Passing { mut reader, room } in [out, err] {
        room.add_permits(LAST_ROOM);
        if tokio::time::timeout(AFTERWARDS, &mut reader).await.is_err() {
            reader.abort();
        }
    }
    Ok(Run::Ended(Ended { status, took: began.elapsed(), stopped, tail }))
}

async fn watch(
    child: &mut Child,
    group: Option<Pid>,
    stop: impl Future<Output = String>,
    signals: &mut Signals,
    grace: Duration,
) -> anyhow::Result<(ExitStatus, Option<String>)> {
    let signal = |signal: Signal| {
        // The group may have ended by itself.
        let _ = group.map(|group| kill_process_group(group, signal));
    };
    let mut stop = std::pin::pin!(stop);
    let mut kill = std::pin::pin!(tokio::time::sleep(Duration::MAX));
    let mut stopped = None;
    loop {
        tokio::select! {
            status = child.wait() => {
                // What was told to stop leaves nothing running.
                if stopped.is_some() {
                    signal(Signal::KILL);
                }
                return Ok((status?, stopped));
            }
            asked = signals.next() => signal(asked),
            why = &mut stop, if stopped.is_none() => {
                signal(Signal::TERM);
                say(&format!("{why}; stopping the command"));
                kill.set(tokio::time::sleep(grace));
                stopped = Some(why);
            }
            () = &mut kill, if stopped.is_some() => {
                signal(Signal::KILL);
                say("it does not stop by itself: killed");
                kill.set(tokio::time::sleep(Duration::MAX));
            }
        }
    }
}

/// An output on its way through.
struct Passing {
    reader: JoinHandle<()>,
    room: Arc<Semaphore>,
}

/// Passes an output through as it comes, and keeps its end. Nothing here waits for whoever reads it:
/// heartbeats, signals and a halt would wait as well.
fn pass(from: Option<impl AsyncRead + Unpin + Send + 'static>, to: Writer, tail: Tail) -> Passing {
    let room = Arc::new(Semaphore::new(ROOM));
    let places = Arc::clone(&room);
    let reader = tokio::spawn(async move {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; PIECE_BYTES];
        while let Ok(read @ 1..) = from.read(&mut buffer).await {
            let bytes = buffer.get(..read).unwrap_or_default();
            tail.push(bytes);
            let place = Arc::clone(&places).acquire_owned().await.ok();
            to.write(bytes.to_vec(), place);
        }
    });
    Passing { reader, room }
}
