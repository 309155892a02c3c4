//! A PostgreSQL server that one test has to itself, so that it may kill it.

use std::path::PathBuf;

use sqlx::ConnectOptions;
use tempfile::TempDir;

use super::cluster;

/// A server that ends with the test.
pub struct OwnServer(TempDir);

impl OwnServer {
    /// Starts a server with nothing in it.
    pub fn start() -> Self {
        let server = Self(tempfile::tempdir().expect("a directory"));
        cluster::initialise(server.0.path());
        cluster::launch(server.0.path());
        server
    }

    /// Cuts it off as a power cut would (an immediate shutdown).
    pub fn cut_off(&self) {
        cluster::cut_off(self.0.path());
    }

    /// Starts it again on what it has; it recovers.
    pub fn start_again(&self) {
        cluster::launch(self.0.path());
    }

    /// The URL of its first database.
    pub fn url(&self) -> String {
        cluster::first_database(self.0.path()).to_url_lossy().to_string()
    }

    /// The socket on which it listens.
    pub fn socket(&self) -> PathBuf {
        cluster::socket(self.0.path())
    }
}

impl Drop for OwnServer {
    fn drop(&mut self) {
        if self.socket().exists() {
            cluster::cut_off(self.0.path());
        }
    }
}
