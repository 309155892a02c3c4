//! Our two streams while a command runs, each written by a thread of its own: whoever reads one of
//! them slowly, or not at all, holds nothing else up.

use std::io::{self, Write};
use std::sync::OnceLock;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

static OUT: OnceLock<Writer> = OnceLock::new();
static ERR: OnceLock<Writer> = OnceLock::new();

/// The way to a thread that writes.
#[derive(Clone)]
pub struct Writer(mpsc::UnboundedSender<Piece>);

struct Piece {
    bytes: Vec<u8>,
    /// Given back once it is written.
    _room: Option<OwnedSemaphorePermit>,
    /// Dropped once it is written.
    _written: Option<oneshot::Sender<()>>,
}

/// Standard output, from here on by its thread.
pub fn out() -> Writer {
    OUT.get_or_init(|| Writer::to(io::stdout())).clone()
}

/// Standard error, from here on by its thread.
pub fn err() -> Writer {
    ERR.get_or_init(|| Writer::to(io::stderr())).clone()
}

/// One line on standard error, by the thread if there is one.
pub fn line(text: &str) {
    let bytes = format!("{text}\n").into_bytes();
    match ERR.get() {
        Some(writer) => writer.write(bytes, None),
        // Nobody reads it any more: that is no reason to stop.
        None => drop(io::stderr().write_all(&bytes)),
    }
}

/// Returns once everything is written.
pub async fn all_written() {
    for writer in [&OUT, &ERR].into_iter().filter_map(OnceLock::get) {
        let (sender, written) = oneshot::channel();
        let piece = Piece { bytes: Vec::new(), _room: None, _written: Some(sender) };
        let _ = writer.0.send(piece);
        // The sender says nothing; it is gone.
        let _ = written.await;
    }
}

impl Writer {
    fn to(mut stream: impl Write + Send + 'static) -> Self {
        let (pieces, mut queue) = mpsc::unbounded_channel::<Piece>();
        std::thread::spawn(move || {
            while let Some(piece) = queue.blocking_recv() {
                // Nobody reads it any more: that is no reason to stop.
                let _ = stream.write_all(&piece.bytes).and_then(|()| stream.flush());
            }
        });
        Self(pieces)
    }

    /// Has it written after all that came before; `room` is given back once that is done.
    pub fn write(&self, bytes: Vec<u8>, room: Option<OwnedSemaphorePermit>) {
        let _ = self.0.send(Piece { bytes, _room: room, _written: None });
    }
}
