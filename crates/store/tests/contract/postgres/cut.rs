//! A line to the database that is cut at the worst moment: around the COMMIT.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use store::{PostgresStore, Store, StoreError};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

use super::Postgres;
use crate::fixture::{Standing, staging};
use crate::rules::Database;

const WHOLE: u8 = 0;
/// The database never sees the next COMMIT.
const BEFORE: u8 = 1;
/// The database carries it out, and its answer is lost.
const AFTER: u8 = 2;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A line between a store and its database.
struct Line {
    address: SocketAddr,
    cut: Arc<AtomicU8>,
}

impl Line {
    async fn to(database: PgConnectOptions) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let cut = Arc::new(AtomicU8::new(WHOLE));
        let line = Self { address, cut: Arc::clone(&cut) };
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, far_end(&database).await, Arc::clone(&cut)));
            }
        });
        line
    }
}

async fn far_end(database: &PgConnectOptions) -> Box<dyn Stream> {
    let port = database.get_port();
    match database.get_socket() {
        Some(directory) => {
            let file = directory.join(format!(".s.PGSQL.{port}"));
            Box::new(UnixStream::connect(file).await.unwrap())
        }
        None => Box::new(TcpStream::connect((database.get_host(), port)).await.unwrap()),
    }
}

/// Carries bytes both ways until the line is cut, or one end goes.
async fn carry(mut near: TcpStream, mut far: Box<dyn Stream>, cut: Arc<AtomicU8>) {
    let (mut out, mut back) = (vec![0; 65_536], vec![0; 65_536]);
    loop {
        tokio::select! {
            read = near.read(&mut out) => {
                let Ok(count @ 1..) = read else { return };
                let bytes = &out[..count];
                let is_commit = bytes.windows(7).any(|window| window == b"COMMIT\0");
                let cut = if is_commit { cut.swap(WHOLE, Ordering::SeqCst) } else { WHOLE };
                if cut == BEFORE || far.write_all(bytes).await.is_err() {
                    return;
                }
                if cut == AFTER {
                    // The answer says that it is done; nobody gets to hear it.
                    assert!(far.read(&mut back).await.unwrap() > 0);
                    return;
                }
            }
            read = far.read(&mut back) => {
                let Ok(count @ 1..) = read else { return };
                if near.write_all(&back[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn store_over(line: &Line, database: &Postgres) -> PostgresStore {
    let options = PgConnectOptions::from_str(&database.0).unwrap();
    let over = PgConnectOptions::new_without_pgpass()
        .host(&line.address.ip().to_string())
        .port(line.address.port())
        .username(options.get_username())
        .database(options.get_database().unwrap());
    let url = over.to_url_lossy().to_string();
    PostgresStore::open(&url, Arc::<Standing>::default()).await.unwrap()
}

#[tokio::test]
async fn k09_a_commit_whose_answer_is_lost_is_found_and_acknowledged_once() {
    let database = Postgres::new().await;
    database.furnished().await;
    let line = Line::to(PgConnectOptions::from_str(&database.0).unwrap()).await;
    let store = store_over(&line, &database).await;
    line.cut.store(AFTER, Ordering::SeqCst);
    let committed = store.commit(staging(1)).await.unwrap();
    assert_eq!((committed.first_index, committed.size), (5, 6));
    assert_eq!(line.cut.load(Ordering::SeqCst), WHOLE, "the line was cut");
    assert_eq!(store.ledger_size().await.unwrap(), 6);
    assert_eq!(store.commit(staging(2)).await.unwrap().first_index, 6);
}

#[tokio::test]
async fn k09_a_commit_that_never_arrived_is_not_acknowledged() {
    let database = Postgres::new().await;
    database.furnished().await;
    let line = Line::to(PgConnectOptions::from_str(&database.0).unwrap()).await;
    let store = store_over(&line, &database).await;
    line.cut.store(BEFORE, Ordering::SeqCst);
    let lost = store.commit(staging(1)).await;
    assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
    assert_eq!(line.cut.load(Ordering::SeqCst), WHOLE, "the line was cut");
    assert_eq!(store.ledger_size().await.unwrap(), 5);
    assert_eq!(store.commit(staging(1)).await.unwrap().first_index, 5);
}
