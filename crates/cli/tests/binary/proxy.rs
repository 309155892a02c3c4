//! A loopback proxy that loses answers: what was asked arrives, what was answered does not.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A way to a server on which answers get lost.
pub struct Proxy {
    pub url: String,
    lost: Arc<AtomicU32>,
}

impl Proxy {
    /// Passes everything on, but loses the first `answers` answers to requests that begin with `call`.
    pub async fn to(server: &str, call: &'static str, answers: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let to = server.strip_prefix("http://").unwrap().to_owned();
        let lost = Arc::new(AtomicU32::new(0));
        let count = Arc::clone(&lost);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (to, count) = (to.clone(), Arc::clone(&count));
                tokio::spawn(async move { pass(client, &to, call, answers, &count).await });
            }
        });
        Self { url, lost }
    }

    /// How many answers got lost.
    pub fn lost(&self) -> u32 {
        self.lost.load(Ordering::SeqCst)
    }
}

async fn pass(mut client: TcpStream, to: &str, call: &str, answers: u32, lost: &AtomicU32) {
    let mut server = TcpStream::connect(to).await.unwrap();
    let (mut asked, mut answered) = (vec![0; 65536], vec![0; 65536]);
    let mut loses = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(1..) = read else { return };
                let bytes = &asked[..read.unwrap()];
                loses |= bytes.starts_with(call.as_bytes());
                server.write_all(bytes).await.unwrap();
            }
            read = server.read(&mut answered) => {
                let Ok(1..) = read else { return };
                if loses && lost.load(Ordering::SeqCst) < answers {
                    lost.fetch_add(1, Ordering::SeqCst);
                    return;
                }
                loses = false;
                if client.write_all(&answered[..read.unwrap()]).await.is_err() {
                    return;
                }
            }
        }
    }
}
