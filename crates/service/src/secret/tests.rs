use serde_json::json;

use super::*;
use crate::entropy::OsEntropy;

fn sorts(text: &str) -> Vec<&'static str> {
    find(text).into_iter().map(|finding| finding.sort).collect()
}

/// Put together here, so that no scanner of this repository takes them for real.
pub(super) fn samples() -> Vec<(&'static str, String)> {
    let letters = |count: usize| "aB3dE6gH9k".repeat(count / 10 + 1)[..count].to_owned();
    vec![
        ("Countersign key", format!("csn_agt_{}", letters(36))),
        ("AWS access key id", format!("AKIA{}", "ABCDEFGH234567QR")),
        ("AWS secret access key", format!("aws_secret_access_key = {}", letters(40))),
        ("Azure storage key", format!("AccountKey={}==;", letters(86))),
        ("Google API key", format!("AIza{}", letters(35))),
        ("Google OAuth token", format!("ya29.{}", letters(40))),
        ("GitHub token", format!("ghp_{}", letters(36))),
        ("GitHub token", format!("github_pat_{}", letters(60))),
        ("GitLab token", format!("glpat-{}", letters(20))),
        ("Slack token", format!("xoxb-{}", letters(30))),
        ("Slack webhook", format!("https://hooks.slack.com/services/T0/B0/{}", letters(24))),
        ("Stripe key", format!("sk_live_{}", letters(24))),
        ("webhook secret", format!("whsec_{}", letters(32))),
        ("API key of a model", format!("sk-ant-{}", letters(40))),
        ("npm token", format!("npm_{}", letters(36))),
        ("PyPI token", format!("pypi-AgEIcHlwaS5vcmc{}", letters(60))),
        ("Hugging Face token", format!("hf_{}", "abCdefGhij".repeat(4)[..34].to_owned())),
        ("SendGrid key", format!("SG.{}.{}", letters(22), letters(43))),
        ("Vault token", format!("hvs.{}", letters(24))),
        ("DigitalOcean token", format!("dop_v1_{}", "0123456789abcdef".repeat(4))),
        ("JSON Web Token", format!("eyJ{}.eyJ{}.{}", letters(20), letters(20), letters(43))),
        ("credential of a request", format!("Authorization: Bearer {}", letters(30))),
        ("password in an address", "postgres://app:hunter2@db.internal/orders".to_owned()),
        ("password or key", "DB_PASSWORD=Tr0ub4dor&3x".to_owned()),
        ("password or key", "\"api_key\": \"correct horse battery\"".to_owned()),
        (
            "private key",
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----",
                letters(64)
            ),
        ),
    ]
}

#[test]
fn every_form_is_found_in_the_middle_of_a_text_and_masked() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyRing::open(&directory.path().join("keys"), &OsEntropy).unwrap();
    for (sort, secret) in samples() {
        let text = format!("first line\nsecond ({secret}) and on\n");
        let found = find(&text);
        assert_eq!(found, [Finding { sort, lines: vec![2] }], "{secret}");
        let masked = mask(&keys, &text);
        assert_eq!(masked.findings, found);
        assert!(masked.text.contains(&format!("[masked: {sort}, ")), "{}", masked.text);
        assert_eq!(masked.text.lines().count(), text.lines().count(), "lines keep their numbers");
        assert!(find(&masked.text).is_empty(), "a mask is no secret: {}", masked.text);
    }
}

#[test]
fn what_is_no_secret_is_left_alone() {
    for text in [
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "0192f0c1-7a5e-7c3b-9a53-0e9b9b5e2a10",
        "password: ${DB_PASSWORD}",
        "password: <your password here>",
        "PASSWORD=$(cat /run/secrets/db)",
        "api_key = os.environ['API_KEY']",
        "access_token: changeme1",
        "rotate the password = yes; the api_key was rotated",
        "password authentication failed for user app",
        "https://example.com:8080/path@2",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "tokens: 1234567890",
    ] {
        assert_eq!(sorts(text), Vec::<&str>::new(), "{text}");
    }
}

#[test]
fn two_secrets_are_masked_differently_and_the_same_one_alike() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyRing::open(&directory.path().join("keys"), &OsEntropy).unwrap();
    let line = |secret: &str| mask(&keys, &format!("password: \"{secret}\"")).text;
    assert_ne!(line("correct horse 1"), line("correct horse 2"));
    assert_eq!(line("correct horse 1"), line("correct horse 1"));
    assert_ne!(tags(&keys, "password: \"one one 1\""), tags(&keys, "password: \"two two 2\""));
}

#[test]
fn stretches_that_overlap_are_masked_whole() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyRing::open(&directory.path().join("keys"), &OsEntropy).unwrap();
    let token = format!("ghp_{}", "a1B2".repeat(9));
    let masked = mask(&keys, &format!("password=\"{token} and the rest\" end"));
    assert!(!masked.text.contains("a1B2") && !masked.text.contains("the rest"), "{}", masked.text);
    assert!(masked.text.ends_with("\" end"), "{}", masked.text);
    assert_eq!(masked.findings.len(), 1);
}

#[test]
fn a_private_key_without_its_end_is_masked_to_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let keys = KeyRing::open(&directory.path().join("keys"), &OsEntropy).unwrap();
    let masked = mask(&keys, "log\n-----BEGIN PRIVATE KEY-----\nMIIEvQ\nIBADAN");
    assert!(!masked.text.contains("MIIEvQ") && masked.text.starts_with("log\n"), "{}", masked.text);
    assert_eq!(masked.text.lines().count(), 4);
}

#[test]
fn strings_of_a_value_are_found_by_their_pointer_and_by_their_name() {
    let value = json!({
        "parameters": {"db": {"password": "1234"}, "note": "x", "a/b": [format!("ghp_{}", "a1B2".repeat(9))]},
        "token": "${FROM_VAULT}", "count": 3
    });
    let found: Vec<(String, &str)> =
        find_in(&value).into_iter().map(|(at, found)| (at, found[0].sort)).collect();
    assert_eq!(
        found,
        [
            ("/parameters/a~1b/0".to_owned(), "GitHub token"),
            ("/parameters/db/password".to_owned(), "password or key"),
        ]
    );
}

/// Texts made to be slow: an engine that went back would not end on them.
#[test]
fn no_text_makes_the_search_endless() {
    let size = usize::try_from(MAX_SEARCHED_BYTES).unwrap();
    for unit in [
        "a",
        "://a:",
        "password=",
        "-----BEGIN PRIVATE KEY-----",
        "eyJaaaaaaaaa.",
        "authorization: bearer ",
        "password=\"aaaaaaaa",
        "AKIA",
        "csn_agt_",
        "://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:",
    ] {
        let text: String = unit.chars().cycle().take(size).collect();
        assert!(stretches(&text).iter().all(|found| found.end <= text.len()), "{unit}");
    }
}
