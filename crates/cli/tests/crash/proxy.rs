//! A line to PostgreSQL that is cut at the worst moment: around a COMMIT.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// The simple query by which a transaction ends well, as it stands on the wire.
const COMMIT: &[u8] = b"COMMIT\0";

/// Where the next line is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Cut {
    /// Nowhere.
    Not = 0,
    /// The COMMIT does not arrive.
    Before = 1,
    /// The COMMIT arrives, and its answer does not.
    After = 2,
}

/// Listens for the server that is tested, and carries everything on to PostgreSQL.
pub struct Proxy {
    pub port: u16,
    next: Arc<AtomicU8>,
    cuts: Arc<AtomicUsize>,
}

impl Proxy {
    pub async fn start(postgres: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (next, cuts) = (Arc::new(AtomicU8::new(0)), Arc::new(AtomicUsize::new(0)));
        let proxy = Self { port, next: Arc::clone(&next), cuts: Arc::clone(&cuts) };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                // PostgreSQL may be away: then so is the line.
                if let Ok(server) = UnixStream::connect(&postgres).await {
                    tokio::spawn(carry(client, server, Arc::clone(&next), Arc::clone(&cuts)));
                }
            }
        });
        proxy
    }

    /// Cuts the line on which the next COMMIT goes.
    pub fn cut(&self, at: Cut) {
        self.next.store(at as u8, Ordering::SeqCst);
    }

    /// How many lines were cut.
    pub fn cuts(&self) -> usize {
        self.cuts.load(Ordering::SeqCst)
    }
}

/// Carries bytes both ways until one side ends, or the line is cut.
async fn carry(
    mut client: TcpStream,
    mut server: UnixStream,
    next: Arc<AtomicU8>,
    cuts: Arc<AtomicUsize>,
) {
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut cut = Cut::Not as u8;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let bytes = &asked[..read.unwrap()];
                if bytes.windows(COMMIT.len()).any(|window| window == COMMIT) {
                    cut = next.swap(Cut::Not as u8, Ordering::SeqCst);
                    cuts.fetch_add(usize::from(cut != Cut::Not as u8), Ordering::SeqCst);
                }
                if cut == Cut::Before as u8 || server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                // What would have been the answer to the COMMIT: it is done, and nobody hears of it.
                if cut == Cut::After as u8 || client.write_all(&answered[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}
