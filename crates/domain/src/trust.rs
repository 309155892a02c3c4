//! Trust in tokens of somebody else: which workloads speak as an agent.
//!
//! A trust names an issuer, an audience and claims; a token is accepted only where all of them are
//! exactly so. There are no patterns: what is not named is not compared, and what is named is
//! compared whole. Signatures and times are not looked at here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::scope::{BadScope, Scope};

/// The longest issuer and audience, in bytes.
pub const MAX_NAME_BYTES: usize = 255;
/// The most claims that a trust compares.
pub const MAX_CLAIMS: usize = 10;
/// The longest value of a claim, in bytes.
pub const MAX_VALUE_BYTES: usize = 500;
/// The largest set of keys that comes with a trust, in bytes.
pub const MAX_JWKS_BYTES: usize = 16 * 1024;

/// Claims that say nothing about who holds the token, or that every token is checked for.
const NOT_IDENTIFYING: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];
/// Where tokens of GitHub Actions come from; a path behind it is that of an enterprise.
const GITHUB: &str = "https://token.actions.githubusercontent.com";
/// Claims of GitHub Actions of which one must be compared: anybody there can get a token else.
const GITHUB_IDENTITY: [&str; 3] = ["repository_id", "repository_owner_id", "sub"];

/// What a token has to say to be accepted, and what it then opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// The `iss` of the tokens, an address.
    pub issuer: String,
    /// The only `aud` of the tokens: this gate.
    pub audience: String,
    /// Claims and their whole values. A name that begins with `/` is a JSON Pointer (RFC 6901).
    pub claims: BTreeMap<String, String>,
    /// Absent where a token opens whatever the agent may do.
    #[serde(default, skip_serializing_if = "Scope::is_all")]
    pub scope: Scope,
    /// The issuer's keys (RFC 7517), where it cannot be asked for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<String>,
}

/// Why nobody is trusted on these terms.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTerms {
    #[error(
        "the issuer is an https:// address without user, query and fragment, of at most {MAX_NAME_BYTES} bytes"
    )]
    Issuer,
    #[error(
        "the audience is a name of this gate, of at most {MAX_NAME_BYTES} visible ASCII characters"
    )]
    Audience,
    #[error(
        "`{0}` is what tokens for others say too: have yours made for an audience of your own, such as the address of this gate"
    )]
    AudienceOfOthers(String),
    #[error(
        "name 1 to {MAX_CLAIMS} claims, beside issuer and audience, that tell your workload from all others of the issuer"
    )]
    Claims,
    #[error("`{0}` is compared for every token, and tells nobody apart: name another claim")]
    NotIdentifying(String),
    #[error(
        "the value of `{0}` has 1 to {MAX_VALUE_BYTES} bytes, without `*` or control characters: it is compared whole"
    )]
    Value(String),
    #[error(
        "everybody on GitHub can get such a token: name `repository_id`, `repository_owner_id` or `sub`"
    )]
    AllOfGithub,
    #[error(
        "keys that come with a trust are a JWKS of at most {MAX_JWKS_BYTES} bytes with a usable public key, each with a `kid`"
    )]
    Jwks,
    #[error(transparent)]
    Scope(#[from] BadScope),
}

impl Terms {
    /// Refuses what would let in anybody but one's own workload. Whether there are usable keys in
    /// `jwks` is for those to say who can verify with them.
    ///
    /// # Errors
    /// [`BadTerms`] says what to write instead.
    pub fn check(&self) -> Result<(), BadTerms> {
        if !is_issuer(&self.issuer) {
            return Err(BadTerms::Issuer);
        }
        let visible = self.audience.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*');
        if self.audience.is_empty() || self.audience.len() > MAX_NAME_BYTES || !visible {
            return Err(BadTerms::Audience);
        }
        let github = self.issuer == GITHUB || self.issuer.starts_with(&format!("{GITHUB}/"));
        let of_github = github && self.audience.starts_with("https://github.com/");
        if of_github || self.audience == self.issuer {
            return Err(BadTerms::AudienceOfOthers(self.audience.clone()));
        }
        if self.claims.is_empty() || self.claims.len() > MAX_CLAIMS {
            return Err(BadTerms::Claims);
        }
        for (name, value) in &self.claims {
            check_claim(name, value)?;
        }
        if github && !GITHUB_IDENTITY.iter().any(|claim| self.claims.contains_key(*claim)) {
            return Err(BadTerms::AllOfGithub);
        }
        if self.jwks.as_ref().is_some_and(|jwks| jwks.len() > MAX_JWKS_BYTES) {
            return Err(BadTerms::Jwks);
        }
        Ok(self.scope.check()?)
    }

    /// Whether a token with these claims is one of those meant. It must be for this audience alone:
    /// whoever else it was for could hand it on.
    pub fn accepts(&self, token: &Value) -> bool {
        let said = |name: &str| match name.starts_with('/') {
            true => token.pointer(name),
            false => token.get(name),
        };
        let is = |found: Option<&Value>, wanted: &str| {
            #[cfg(planted = "a_claim_is_compared_by_its_beginning")]
            return found.and_then(Value::as_str).is_some_and(|found| found.starts_with(wanted));
            found.and_then(Value::as_str) == Some(wanted)
        };
        let audience = match token.get("aud") {
            Some(Value::Array(items)) if items.len() == 1 => items.first(),
            other => other,
        };
        is(token.get("iss"), &self.issuer)
            && is(audience, &self.audience)
            && !self.claims.is_empty()
            && self.claims.iter().all(|(name, value)| is(said(name), value))
    }

    /// Whether one token could be accepted on both terms.
    pub fn overlaps(&self, other: &Self) -> bool {
        let differs =
            |(name, value): (&String, &String)| other.claims.get(name).is_some_and(|v| v != value);
        self.issuer == other.issuer
            && self.audience == other.audience
            && !self.claims.iter().any(differs)
    }
}

fn is_issuer(issuer: &str) -> bool {
    // Whether plain http may be asked is for those to say who ask.
    let rest = issuer.strip_prefix("https://").or_else(|| issuer.strip_prefix("http://"));
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
    issuer.len() <= MAX_NAME_BYTES
        && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
        && rest.is_some_and(|rest| rest.bytes().all(fits))
}

fn check_claim(name: &str, value: &str) -> Result<(), BadTerms> {
    if NOT_IDENTIFYING.contains(&name.trim_start_matches('/')) {
        return Err(BadTerms::NotIdentifying(name.to_owned()));
    }
    let named = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
    let fits = |c: char| !c.is_control() && c != '*';
    let whole = !value.is_empty() && value.len() <= MAX_VALUE_BYTES && value.chars().all(fits);
    if named && whole { Ok(()) } else { Err(BadTerms::Value(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn terms(issuer: &str, claims: &[(&str, &str)]) -> Terms {
        let claims = claims.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let (issuer, audience) = (issuer.to_owned(), "https://gate.example".to_owned());
        Terms { issuer, audience, claims, scope: Scope::default(), jwks: None }
    }

    const ISSUER: &str = "https://issuer.example/tenant";

    #[test]
    fn a09_terms_that_would_let_in_anybody_are_refused() {
        assert_eq!(terms(ISSUER, &[("sub", "a")]).check(), Ok(()));
        for issuer in [
            "",
            "issuer.example",
            "ftp://issuer.example",
            "https://",
            "https:///x",
            "https://me@issuer.example",
            "https://issuer.example?x=1",
            "https://*.example",
            "https://issuer.example#x",
            "https://issuer.example\n",
        ] {
            assert_eq!(terms(issuer, &[("sub", "a")]).check(), Err(BadTerms::Issuer), "{issuer}");
        }
        assert_eq!(terms(ISSUER, &[]).check(), Err(BadTerms::Claims));
        for claim in ["iss", "aud", "exp", "iat", "nbf", "jti", "/iss"] {
            let refused = terms(ISSUER, &[(claim, "x"), ("sub", "a")]).check();
            assert_eq!(refused, Err(BadTerms::NotIdentifying(claim.into())));
        }
        for value in ["", "*", "repo:org/*", "a\nb", &"a".repeat(501)] {
            let refused = terms(ISSUER, &[("sub", value)]).check();
            assert_eq!(refused, Err(BadTerms::Value("sub".into())), "{value:?}");
        }
        for audience in ["", "*", "a b", "ä"] {
            let terms = Terms { audience: audience.into(), ..terms(ISSUER, &[("sub", "a")]) };
            assert_eq!(terms.check(), Err(BadTerms::Audience), "{audience}");
        }
        let own = Terms { audience: ISSUER.into(), ..terms(ISSUER, &[("sub", "a")]) };
        assert_eq!(own.check(), Err(BadTerms::AudienceOfOthers(ISSUER.into())));
    }

    #[test]
    fn a09_github_is_trusted_for_a_repository_or_an_owner_only() {
        for issuer in [GITHUB, &format!("{GITHUB}/enterprise")] {
            let environment = ("environment", "production");
            assert_eq!(terms(issuer, &[environment]).check(), Err(BadTerms::AllOfGithub));
            for claim in GITHUB_IDENTITY {
                assert_eq!(terms(issuer, &[environment, (claim, "1")]).check(), Ok(()));
            }
        }
        let audience = "https://github.com/octo".to_owned();
        let of_others = Terms { audience, ..terms(GITHUB, &[("sub", "a")]) };
        assert!(matches!(of_others.check(), Err(BadTerms::AudienceOfOthers(_))));
    }

    #[test]
    fn a09_a_token_is_accepted_where_every_claim_is_exactly_so() {
        let terms = terms(ISSUER, &[("sub", "job"), ("/k8s.io/account/uid", "7")]);
        let good = json!({"iss": ISSUER, "aud": "https://gate.example", "sub": "job", "k8s.io": {"account": {"uid": "7"}}});
        assert!(terms.accepts(&good));
        let listed = json!(["https://gate.example"]);
        let with = |pointer: &str, value: Value| {
            let mut token = good.clone();
            *token.pointer_mut(pointer).unwrap() = value;
            terms.accepts(&token)
        };
        assert!(with("/aud", listed));
        for (pointer, value) in [
            ("/iss", json!("https://issuer.example/tenant/")),
            ("/aud", json!("https://gate.example/")),
            ("/aud", json!(["https://gate.example", "https://other.example"])),
            ("/aud", json!([])),
            ("/aud", Value::Null),
            ("/sub", json!("job2")),
            ("/sub", json!("Job")),
            ("/sub", json!(["job"])),
            ("/k8s.io/account/uid", json!(7)),
        ] {
            assert!(!with(pointer, value.clone()), "{pointer} {value}");
        }
        assert!(!terms.accepts(&json!({"iss": ISSUER, "aud": "https://gate.example"})));
    }

    #[test]
    fn two_terms_overlap_unless_a_claim_of_both_differs() {
        let one = terms(ISSUER, &[("repository_id", "1")]);
        assert!(one.overlaps(&one));
        assert!(one.overlaps(&terms(ISSUER, &[("environment", "production")])));
        assert!(!one.overlaps(&terms(ISSUER, &[("repository_id", "2")])));
        assert!(!one.overlaps(&terms("https://other.example", &[("repository_id", "1")])));
    }
}
