//! What must hold for names, the manifest and the writing of a site.

use super::*;

/// The first 16 characters of the SHA-256 of `a`, from `printf a | sha256sum`.
const DIGEST_OF_A: &str = "ca978112ca1bbdca";

fn site(files: &[(&str, &str)]) -> Site {
    let mut site = Site::default();
    for (logical, content) in files {
        site.add("assets", logical, content.as_bytes().to_vec()).unwrap();
    }
    site
}

#[test]
fn the_digest_stands_before_the_last_ending() {
    assert_eq!(hashed_name("main.css", b"a"), format!("main.{DIGEST_OF_A}.css"));
    assert_eq!(hashed_name("icons/a.b.svg", b"a"), format!("icons/a.b.{DIGEST_OF_A}.svg"));
    assert_eq!(hashed_name("v1.2/LICENCE", b"a"), format!("v1.2/LICENCE.{DIGEST_OF_A}"));
    assert_ne!(hashed_name("main.css", b"a"), hashed_name("main.css", b"b"));
}

#[test]
fn the_manifest_leads_from_the_logical_name_to_the_file() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("site");
    assert!(site(&[("main.css", "a")]).publish(&directory).unwrap());
    let manifest = fs::read_to_string(directory.join("manifest.json")).unwrap();
    let manifest: BTreeMap<String, String> = serde_json::from_str(&manifest).unwrap();
    assert_eq!(manifest["main.css"], format!("/assets/main.{DIGEST_OF_A}.css"));
    let file = directory.join(manifest["main.css"].trim_start_matches('/'));
    assert_eq!(fs::read(file).unwrap(), b"a");
}

#[test]
fn an_unchanged_site_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("site");
    assert!(site(&[("main.css", "a")]).publish(&directory).unwrap());
    let written = fs::metadata(directory.join(MANIFEST)).unwrap().modified().unwrap();
    assert!(!site(&[("main.css", "a")]).publish(&directory).unwrap());
    assert_eq!(fs::metadata(directory.join(MANIFEST)).unwrap().modified().unwrap(), written);
}

#[test]
fn a_changed_site_holds_nothing_of_the_old_one() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("site");
    site(&[("main.css", "a"), ("old.svg", "o")]).publish(&directory).unwrap();
    assert!(site(&[("main.css", "b")]).publish(&directory).unwrap());
    let files: Vec<String> = read_tree(&directory).unwrap().into_keys().collect();
    assert_eq!(files, [format!("assets/{}", hashed_name("main.css", b"b")), MANIFEST.to_owned()]);
}

#[test]
fn a_stray_or_damaged_file_makes_the_site_be_written_again() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("site");
    site(&[("main.css", "a")]).publish(&directory).unwrap();
    fs::write(directory.join("stray"), "").unwrap();
    assert!(site(&[("main.css", "a")]).publish(&directory).unwrap());
    fs::write(directory.join("assets").join(hashed_name("main.css", b"a")), "damaged").unwrap();
    assert!(site(&[("main.css", "a")]).publish(&directory).unwrap());
}

#[test]
fn two_files_cannot_have_one_name() {
    let mut site = site(&[("main.css", "a")]);
    assert!(site.add("assets", "main.css", b"b".to_vec()).is_err());
}

#[test]
fn only_what_compresses_well_gets_a_sibling_and_that_is_kept() {
    let root = tempfile::tempdir().unwrap();
    let directory = root.path().join("site");
    let mut first = site(&[("main.css", "a"), ("photo.png", "p")]);
    first.compress(&directory).unwrap();
    let siblings: Vec<&String> = first.files.keys().filter(|path| path.ends_with(".br")).collect();
    assert_eq!(siblings, [&format!("assets/main.{DIGEST_OF_A}.css.br")]);
    first.publish(&directory).unwrap();

    // A sibling that stands there already is taken as it is: compressing is not repeated.
    let sibling = directory.join(format!("assets/main.{DIGEST_OF_A}.css.br"));
    fs::write(&sibling, "kept").unwrap();
    let mut second = site(&[("main.css", "a")]);
    second.compress(&directory).unwrap();
    assert_eq!(second.files[&format!("assets/main.{DIGEST_OF_A}.css.br")], b"kept");
}
