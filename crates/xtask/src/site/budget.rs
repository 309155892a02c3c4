//! How much a browser has to load, and the limit on it.
//!
//! Pages work without any of this, so the bundle may never grow unnoticed.

use anyhow::{Result, ensure};

use super::Site;
use crate::progress::bytes;

/// JavaScript and WASM together, compressed. People decide on phones, too.
const LIMIT_BYTES: usize = 150_000;

/// The sizes of one sort of file, as they are and compressed.
struct Size {
    sort: &'static str,
    raw: usize,
    compressed: usize,
}

/// Prints the sizes of a compressed site and holds them against the limit.
///
/// # Errors
/// When JavaScript and WASM together are over the limit.
pub fn check(site: &Site) -> Result<()> {
    let sizes =
        [size(site, "JavaScript", ".js"), size(site, "WASM", ".wasm"), size(site, "CSS", ".css")];
    for Size { sort, raw, compressed } in &sizes {
        eprintln!("  {sort:10}  {:>17}, {:>15} as brotli", bytes(*raw), bytes(*compressed));
    }
    let [javascript, wasm, _] = sizes;
    let total = javascript.compressed + wasm.compressed;
    ensure!(
        total <= LIMIT_BYTES,
        "JavaScript and WASM are {} as brotli, over the limit of {}",
        bytes(total),
        bytes(LIMIT_BYTES)
    );
    Ok(())
}

fn size(site: &Site, sort: &'static str, ending: &str) -> Size {
    let sum = |ending: &str| {
        let files = site.files.iter().filter(|(path, _)| path.ends_with(ending));
        files.map(|(_, content)| content.len()).sum()
    };
    Size { sort, raw: sum(ending), compressed: sum(&format!("{ending}.br")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(compressed_bytes: usize) -> Site {
        let mut site = Site::default();
        for (path, length) in
            [("a.js", 9), ("a.js.br", 2), ("a.wasm", 9), ("a.css.br", LIMIT_BYTES)]
        {
            site.files.insert(path.to_owned(), vec![0; length]);
        }
        site.files.insert("a.wasm.br".to_owned(), vec![0; compressed_bytes - 2]);
        site
    }

    #[test]
    fn the_limit_counts_compressed_javascript_and_wasm_and_nothing_else() {
        check(&site(LIMIT_BYTES)).unwrap();
        let error = check(&site(LIMIT_BYTES + 1)).unwrap_err().to_string();
        assert!(error.contains("150,001 bytes") && error.contains("150,000 bytes"), "{error}");
    }
}
