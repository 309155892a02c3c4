//! Lends a test that is not written in Rust a new database, with nothing in it, on the tests' own
//! PostgreSQL: prints its URL, and keeps the server running until standard input ends.

use std::io::{Read, stdin};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("{}", testing::postgres::empty_database().await);
    stdin().read_to_end(&mut Vec::new()).expect("standard input ends");
}
