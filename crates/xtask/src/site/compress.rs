//! Brotli, once at build time at the highest quality, so that the server never compresses a file.

use std::io::Cursor;
use std::path::Path;

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;

/// What is put behind the name of a compressed sibling.
pub const EXTENSION: &str = "br";

/// The highest of brotli's qualities (RFC 7932 does not number them; its reference encoder does).
const QUALITY: i32 = 11;

/// Endings of files that get smaller. Pictures and WOFF2 fonts are compressed already.
const WORTHWHILE: [&str; 11] =
    ["css", "html", "ico", "js", "json", "svg", "ttf", "txt", "wasm", "webmanifest", "xml"];

/// Tells whether a file of this name gets a compressed sibling.
pub fn is_worthwhile(path: &str) -> bool {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| WORTHWHILE.contains(&extension))
}

/// Compresses `content`.
///
/// # Errors
/// When the encoder fails.
pub fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = BrotliEncoderParams {
        quality: QUALITY,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    brotli::BrotliCompress(&mut Cursor::new(content), &mut compressed, &parameters)
        .context("brotli failed")?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_compressed_comes_back_whole() {
        let content = "Nothing completes until people decide. ".repeat(100);
        let compressed = brotli(content.as_bytes()).unwrap();
        assert!(compressed.len() < content.len() / 10);
        let mut back = Vec::new();
        brotli::BrotliDecompress(&mut Cursor::new(compressed), &mut back).unwrap();
        assert_eq!(back, content.as_bytes());
    }

    #[test]
    fn pictures_and_fonts_stay_as_they_are() {
        for name in ["a.png", "a.woff2", "a.css.br", "noending"] {
            assert!(!is_worthwhile(name), "{name}");
        }
        for name in ["a.css", "pkg/a.1234.wasm", "favicon.svg"] {
            assert!(is_worthwhile(name), "{name}");
        }
    }
}
