//! The client of every measurement: one kept-alive connection, one call at a time.

use anyhow::{Context, ensure};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{HeaderMap, Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One connection.
pub struct Wire {
    sender: SendRequest<Full<Bytes>>,
    address: String,
}

/// What was answered.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// What is sent.
pub struct Call<'a> {
    pub method: Method,
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: Bytes,
}

impl<'a> Call<'a> {
    pub fn get(path: &'a str, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { method: Method::GET, path, headers, body: Bytes::new() }
    }

    pub fn post(path: &'a str, headers: &'a [(&'a str, &'a str)], body: Bytes) -> Self {
        Self { method: Method::POST, path, headers, body }
    }
}

impl Wire {
    /// Connects to `HOST:PORT`.
    pub async fn connect(address: &str) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the server or with this wire.
        tokio::spawn(connection);
        Ok(Self { sender, address: address.to_owned() })
    }

    /// Calls, and reads the whole answer.
    pub async fn send(&mut self, call: Call<'_>) -> anyhow::Result<Answer> {
        let Call { method, path, headers, body } = call;
        let mut request = Request::builder().method(method).uri(path).header("host", &self.address);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body))?).await?;
        let (parts, body) = response.into_parts();
        let body = body.collect().await?.to_bytes();
        Ok(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// Calls, and expects `status`.
    pub async fn expect(&mut self, status: u16, call: Call<'_>) -> anyhow::Result<Answer> {
        let what = format!("{} {}", call.method, call.path);
        let answer = self.send(call).await?;
        let text = String::from_utf8_lossy(&answer.body);
        // Of a page, what it was refused with.
        let text = text.rsplit_once("role=\"alert\"").map_or(&*text, |(_, alert)| alert);
        let text: String = text.chars().take(300).collect();
        ensure!(answer.status == status, "{what}: {}: {text}", answer.status);
        Ok(answer)
    }
}
