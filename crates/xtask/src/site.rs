//! The directory `target/site`: everything that a browser loads, ready to be embedded.
//!
//! Every file has a digest of its content in its name, so that it may be cached for ever; next to a
//! file that compresses well stands its `.br` sibling; `manifest.json` maps logical names to URL paths.
//!
//! The rule that must hold: the directory is written only when its content changes, and then as a
//! whole. The server's build script watches it, and an untouched directory means no rebuild.

pub mod budget;
mod compress;
pub mod sources;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

/// How many hex characters of the SHA-256 stand in a name: 64 bits, to tell versions apart.
const DIGEST_CHARACTERS: usize = 16;

/// The file that maps logical names to URL paths.
const MANIFEST: &str = "manifest.json";

/// The files of a site, by path, before they are written.
#[derive(Default)]
pub struct Site {
    files: BTreeMap<String, Vec<u8>>,
    manifest: BTreeMap<String, String>,
}

impl Site {
    /// Adds a file under its hashed name: `main.css` in `assets` becomes `assets/main.<digest>.css`.
    ///
    /// # Errors
    /// When two files have the same logical name.
    pub fn add(&mut self, directory: &str, logical: &str, content: Vec<u8>) -> Result<()> {
        let path = format!("{directory}/{}", hashed_name(logical, &content));
        let earlier = self.manifest.insert(logical.to_owned(), format!("/{path}"));
        ensure!(earlier.is_none(), "two files of the site are called `{logical}`");
        self.files.insert(path, content);
        Ok(())
    }

    /// Adds the compressed siblings; those already in `published` are taken from there, because a
    /// name with a digest stands for one content.
    ///
    /// # Errors
    /// When compressing fails.
    pub fn compress(&mut self, published: &Path) -> Result<()> {
        let mut siblings = Vec::new();
        for (path, content) in &self.files {
            if compress::is_worthwhile(path) {
                let sibling = format!("{path}.{}", compress::EXTENSION);
                let bytes = match fs::read(published.join(&sibling)) {
                    Ok(bytes) => bytes,
                    Err(_) => compress::brotli(content)
                        .with_context(|| format!("cannot compress {path}"))?,
                };
                siblings.push((sibling, bytes));
            }
        }
        self.files.extend(siblings);
        Ok(())
    }

    /// Writes the site if it differs from what stands in `directory`; tells whether it did.
    ///
    /// # Errors
    /// When files cannot be written.
    pub fn publish(mut self, directory: &Path) -> Result<bool> {
        let manifest = serde_json::to_vec_pretty(&self.manifest).context("cannot write JSON")?;
        self.files.insert(MANIFEST.to_owned(), manifest);
        if read_tree(directory).is_ok_and(|published| published == self.files) {
            return Ok(false);
        }
        let staging = directory.with_extension("new");
        remove(&staging)
            .and_then(|()| write_tree(&staging, &self.files))
            .and_then(|()| replace(directory, &staging))
            .with_context(|| format!("cannot write {}", directory.display()))?;
        Ok(true)
    }
}

/// Puts a digest of the content before the last ending: `a/main.css` gives `a/main.<digest>.css`.
fn hashed_name(logical: &str, content: &[u8]) -> String {
    let digest = sha256_hex(content);
    let digest = digest.get(..DIGEST_CHARACTERS).unwrap_or(&digest);
    let name_starts = logical.rfind('/').map_or(0, |slash| slash + 1);
    match logical.rfind('.').filter(|dot| *dot > name_starts) {
        Some(dot) => format!("{}.{digest}{}", &logical[..dot], &logical[dot..]),
        None => format!("{logical}.{digest}"),
    }
}

/// The SHA-256 of `content` in lower-case hex.
pub fn sha256_hex(content: &[u8]) -> String {
    Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_tree(directory: &Path, files: &BTreeMap<String, Vec<u8>>) -> std::io::Result<()> {
    for (path, content) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap_or(directory))?;
        fs::write(path, content)?;
    }
    Ok(())
}

/// Reads every file below `directory`, by its path relative to it, with `/` between the parts.
fn read_tree(directory: &Path) -> std::io::Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.file_type()?.is_dir() {
            let below = read_tree(&entry.path())?;
            files.extend(below.into_iter().map(|(path, bytes)| (format!("{name}/{path}"), bytes)));
        } else {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

/// Puts `staging` in the place of `directory`, which is missing only between two renames.
fn replace(directory: &Path, staging: &Path) -> std::io::Result<()> {
    let old = directory.with_extension("old");
    remove(&old)?;
    if directory.exists() {
        fs::rename(directory, &old)?;
    }
    fs::rename(staging, directory)?;
    remove(&old)
}

fn remove(directory: &Path) -> std::io::Result<()> {
    if directory.exists() { fs::remove_dir_all(directory) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
