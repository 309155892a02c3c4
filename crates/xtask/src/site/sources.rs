//! What a site is made of: the style sheets, the public files, the bundle for the islands.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::{Site, read_tree};
use crate::wasm::{self, Bundle};
use crate::workspace::Workspace;

/// The parts of the style sheet, in the order of the cascade: values, elements, places, components.
const STYLES: [&str; 4] = ["tokens.css", "base.css", "layout.css", "parts.css"];

/// The public file without which no island starts: it loads the bundle.
const BOOT: &str = "boot.js";

/// Puts a site together.
///
/// # Errors
/// When a source is missing or two have the same name.
pub fn collect(workspace: &Workspace, bundle: Bundle) -> Result<Site> {
    let mut site = Site::default();
    site.add("pkg", &format!("{}.js", wasm::NAME), bundle.javascript)?;
    site.add("pkg", &format!("{}.wasm", wasm::NAME), bundle.wasm)?;
    site.add("assets", "main.css", style_sheet(&workspace.path("style"))?)?;
    for (name, content) in public_files(&workspace.path("public"))? {
        site.add("assets", &name, content)?;
    }
    Ok(site)
}

fn style_sheet(directory: &Path) -> Result<Vec<u8>> {
    let mut sheet = Vec::new();
    for name in STYLES {
        let part = fs::read(directory.join(name));
        sheet.extend(part.with_context(|| format!("the style sheet style/{name} is missing"))?);
        if !sheet.ends_with(b"\n") {
            sheet.push(b'\n');
        }
    }
    Ok(sheet)
}

/// Reads `public/`, without files whose name starts with a dot.
fn public_files(directory: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let files = read_tree(directory).context("the directory public/ is missing")?;
    ensure!(files.contains_key(BOOT), "public/{BOOT} is missing; it loads the browser part");
    // The server's route has one segment; a file below a directory would never be found there.
    let nested = files.keys().find(|path| path.contains('/'));
    ensure!(
        nested.is_none(),
        "public/{} must stand in public/ itself",
        nested.map_or("", |path| path)
    );
    Ok(files.into_iter().filter(|(path, _)| !path.starts_with('.')).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources() -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("style")).unwrap();
        fs::create_dir_all(root.path().join("public")).unwrap();
        for name in STYLES {
            fs::write(root.path().join("style").join(name), format!("/* {name} */")).unwrap();
        }
        fs::write(root.path().join("public/boot.js"), "start()").unwrap();
        fs::write(root.path().join("public/.keep"), "").unwrap();
        fs::write(root.path().join("public/logo.svg"), "<svg/>").unwrap();
        root
    }

    fn bundle() -> Bundle {
        Bundle { javascript: b"js".to_vec(), wasm: b"\0asm".to_vec() }
    }

    #[test]
    fn a_site_has_every_source_once() {
        let root = sources();
        let site = collect(&Workspace::at(root.path()), bundle()).unwrap();
        let names: Vec<&String> = site.manifest.keys().collect();
        let expected = ["boot.js", "countersign.js", "countersign.wasm", "logo.svg", "main.css"];
        assert_eq!(names, expected);
        assert!(site.manifest["countersign.wasm"].starts_with("/pkg/countersign."));
        assert!(site.manifest["logo.svg"].starts_with("/assets/logo."));
    }

    #[test]
    fn style_sheets_are_joined_in_the_order_of_the_cascade() {
        let root = sources();
        let sheet = style_sheet(&root.path().join("style")).unwrap();
        let expected = "/* tokens.css */\n/* base.css */\n/* layout.css */\n/* parts.css */\n";
        assert_eq!(sheet, expected.as_bytes());
    }

    #[test]
    fn a_missing_source_is_named() {
        for (path, words) in [("style/base.css", "style/base.css"), ("public/boot.js", "boot.js")] {
            let root = sources();
            fs::remove_file(root.path().join(path)).unwrap();
            let error = collect(&Workspace::at(root.path()), bundle()).err().unwrap();
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn a_public_file_that_could_not_be_served_is_refused() {
        let root = sources();
        fs::create_dir(root.path().join("public/icons")).unwrap();
        fs::write(root.path().join("public/icons/a.svg"), "").unwrap();
        let error = collect(&Workspace::at(root.path()), bundle()).err().unwrap();
        assert_eq!(error.to_string(), "public/icons/a.svg must stand in public/ itself");
    }
}
