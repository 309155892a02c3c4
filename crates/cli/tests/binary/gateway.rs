//! Something in front of a server, such as an ingress, that answers some calls in its place.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Which calls do not get the server's answer.
pub struct Spoilt {
    /// What the first line of such a call contains.
    pub call: &'static str,
    /// So many of these calls go through first.
    pub after: usize,
    /// So many are answered by a page, then all go through again.
    pub times: usize,
    /// The status of the page.
    pub status: &'static str,
    /// The server gets the call all the same.
    pub arrives: bool,
}

/// The way through it.
pub struct Gateway {
    pub url: String,
    seen: Arc<AtomicUsize>,
}

impl Gateway {
    pub async fn to(server: &str, spoilt: Spoilt) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = server.strip_prefix("http://").unwrap().to_owned();
        let seen = Arc::new(AtomicUsize::new(0));
        let (spoilt, count) = (Arc::new(spoilt), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, spoilt, count) = (to.clone(), Arc::clone(&spoilt), Arc::clone(&count));
                tokio::spawn(async move { pass(client, &to, &spoilt, &count).await });
            }
        });
        Self { url, seen }
    }

    /// How many calls of the sort that is spoilt came.
    pub fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, to: &str, spoilt: &Spoilt, seen: &AtomicUsize) {
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut server = None;
    let mut spoils = false;
    loop {
        // A server that is away is as if it had closed the connection.
        let connected = async {
            match server.as_mut() {
                Some(server) => TcpStream::read(server, &mut answered).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(read @ 1..) = read else { return };
                let bytes = &asked[..read];
                if is_call(bytes, spoilt.call) {
                    let before = seen.fetch_add(1, Ordering::SeqCst);
                    spoils = (spoilt.after..spoilt.after.saturating_add(spoilt.times)).contains(&before);
                }
                if spoils && !spoilt.arrives {
                    client.write_all(page(spoilt.status).as_bytes()).await.unwrap();
                    return;
                }
                if server.is_none() {
                    let Ok(connection) = TcpStream::connect(to).await else { return };
                    server = Some(connection);
                }
                if server.as_mut().unwrap().write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = connected => {
                let Ok(read @ 1..) = read else { return };
                let page = page(spoilt.status);
                let bytes = if spoils { page.as_bytes() } else { &answered[..read] };
                if client.write_all(bytes).await.is_err() || spoils {
                    return;
                }
            }
        }
    }
}

fn is_call(bytes: &[u8], call: &str) -> bool {
    let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
    line.ends_with(b"HTTP/1.1") && String::from_utf8_lossy(line).contains(call)
}

fn page(status: &str) -> String {
    let body = "<h1>There is nothing here</h1>";
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
}
