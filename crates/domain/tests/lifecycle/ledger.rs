//! docs/ledger.md lists every fact with every field that its body can have.

use std::collections::BTreeSet;

use domain::entry::{Attempt, HouseFact, SignInMethod};
use domain::fact::RequestStaged;
use domain::freeze::FreezeScope;
use domain::risk::{RiskCode, RiskFact, RiskLevel};
use domain::stage::Window;
use domain::trust::Terms;
use domain::{
    Actor, AgentId, Fact, Freeze, FreezeId, KeyId, KindRef, PersonId, RequestFact, Requirement,
    Risk, Scope, Timestamp, TrustId, WebhookId,
};
use serde_json::Value;
use uuid::Uuid;

use super::document::check;
use super::facts::one_of_each;
use super::scene::{BOB, at, because, digest, staged};

const PAGE: &str = "docs/ledger.md";

/// What stands in the body of a fact of a request.
fn request_body(fact: &RequestFact) -> &'static str {
    match fact {
        RequestFact::RequestStaged(_) => {
            "`request`, `staged_by` (an actor), `agent`, `executor`, `kind` {`name`,`version`}, `environment`, `revision`, `digest`, `content_digest`, `requirements` [{`id`,`group`,`seats`,`why`, and `reauth_s` where there is one}], `excluded` [[person, reason]], `risk` {`level`,`facts`[{`code`,`level`, and `targets`, `value`, `limit`, `at`, `claimed` where they apply}]}, `review_deadline`, `release_ttl_s`, `lease_ttl_s`, `report_deadline_s`, `window` {`not_before`,`not_after`} or null"
        }
        RequestFact::RequestAmended(_) => {
            "`amended_by` (an actor), and as in `RequestStaged`: `environment`, `revision`, `digest`, `content_digest`, `requirements` [{`id`,`group`,`seats`,`why`}], `excluded`, `risk` {`level`,`facts`}, `review_deadline`, `window`"
        }
        RequestFact::ReviewRecorded { .. } => {
            "`reviewer`, `verdict` (`approve`, `request_changes`, `deny`, `pass`), `revision`, `digest`, `shown_at`, `authenticated_at`, `justification` c"
        }
        RequestFact::ChangesRequested { .. } | RequestFact::RequestDenied { .. } => "`by`",
        RequestFact::RequestApproved { .. } => {
            "`digest`, `approved_until`, `seats` [{`requirement`,`person`}]"
        }
        RequestFact::GlassBroken { .. } => {
            "`by`, `digest`, `approved_until`, `review_by`: one person approved in place of all requirements"
        }
        RequestFact::SecondReviewRecorded { .. } => {
            "`by`, `verdict` (`justified`, `unjustified`), `justification` c"
        }
        RequestFact::SecondReviewMissed { .. } => "`review_by`",
        RequestFact::RequestExpired { .. } => "`review_deadline`",
        RequestFact::RequestWithdrawn { .. } => "`by` (an actor)",
        RequestFact::QuorumLost { .. } => "`void` [person]",
        RequestFact::ReleaseRevoked { .. } | RequestFact::HaltRequested { .. } => {
            "`by`, `reason` c"
        }
        RequestFact::ReleaseRedeemed { .. } => {
            "`digest`, `executor`, `release` {`lease_id`,`redeemed_at`,`token_expires_at`,`lease_until`,`report_by`}"
        }
        RequestFact::ReleaseLapsed { .. } => "`approved_until`",
        RequestFact::ReleaseVoided => {
            "none: the gate went on from a backup, and the release may have been used since it was made"
        }
        RequestFact::LeaseRenewed { .. } => "`lease_until`",
        RequestFact::OutcomeMissed { .. } => "`missed` (`heartbeat`, `report`), `due`",
        RequestFact::OutcomeReported { .. } => {
            "`outcome` (`succeeded`, `failed`, `halted`), `summary` c, `evidence` (its descriptors; absent where there is none)"
        }
        RequestFact::RollbackReported { .. } => {
            "`outcome` (`rolled_back`, `rollback_failed`), `summary` c, `evidence` as above"
        }
    }
}

/// One of each, with every field that there can be. A new one has no word in [`house_body`] until
/// somebody comes here.
fn house_facts() -> Vec<HouseFact> {
    let (person, agent, at): (PersonId, AgentId, Timestamp) = (BOB, AgentId::HOUSE, at(0));
    let (group, name) = (String::new(), String::new());
    let (key, freeze) = (KeyId(Uuid::nil()), FreezeId(Uuid::nil()));
    let webhook = WebhookId(Uuid::nil());
    let kind = KindRef { name: name.clone(), version: 1 };
    vec![
        HouseFact::InstanceCreated { product_version: name.clone() },
        HouseFact::CheckpointKeyNamed { key: name.clone(), signature: Some(name.clone()) },
        HouseFact::PersonAdded { person, name: because() },
        HouseFact::PasswordSet { person },
        HouseFact::PersonDisabled { person },
        HouseFact::GroupMemberAdded { group: group.clone(), person },
        HouseFact::GroupMemberRemoved { group, person },
        HouseFact::AgentAdded { agent, name: name.clone(), owner: Some(person) },
        HouseFact::AgentSuspended { agent },
        HouseFact::KeyIssued {
            key,
            holder: Actor::Agent(agent),
            expires_at: at,
            shown_to: person,
            scope: Scope { kinds: [name.clone()].into(), environments: [name.clone()].into() },
        },
        HouseFact::KeyRetired { key, expires_at: at },
        HouseFact::KeyRevoked { key },
        HouseFact::TrustAdded {
            trust: TrustId(Uuid::nil()),
            agent,
            terms: Terms {
                issuer: name.clone(),
                audience: name.clone(),
                claims: [("x".into(), name.clone())].into(),
                scope: Scope { kinds: [name.clone()].into(), environments: [name.clone()].into() },
                jwks: Some(name.clone()),
            },
        },
        HouseFact::TrustRemoved { trust: TrustId(Uuid::nil()) },
        HouseFact::KindPut { kind, digest: digest(1) },
        HouseFact::PolicyPut { version: 1, digest: digest(1) },
        HouseFact::ChangedDirectly { kind: name.clone() },
        HouseFact::ChangesGated,
        HouseFact::Recovered { person },
        HouseFact::Restored { entries: 1, checkpointed: Some(1) },
        HouseFact::Frozen {
            freeze: Freeze { id: freeze, scope: FreezeScope::Kind(name.clone()), halts: true },
            reason: because(),
        },
        HouseFact::Thawed { freeze, reason: because() },
        HouseFact::WebhookAdded {
            webhook,
            name: name.clone(),
            url: because(),
            events: vec![name.clone()],
            from: 1,
        },
        HouseFact::WebhookSecretRotated { webhook, version: 2 },
        HouseFact::WebhookDisabled { webhook },
        HouseFact::WebhookRemoved { webhook },
        HouseFact::SignInLinkIssued { person, expires_at: at },
        HouseFact::SignedIn { person, method: SignInMethod::Link },
        HouseFact::SignInRefused { person },
        HouseFact::SignedOut { person },
        HouseFact::EvidenceOpened { revision: 1, evidence: digest(1), unmasked: true },
        HouseFact::AttemptRefused { attempt: Attempt::Review, code: name },
    ]
}

/// What stands in the body of a fact of the house.
fn house_body(fact: &HouseFact) -> &'static str {
    match fact {
        HouseFact::InstanceCreated { .. } => "`product_version`",
        HouseFact::CheckpointKeyNamed { .. } => {
            "`key` (a public key), `signature` (base64; absent for the first key): see [Keys](#keys)"
        }
        HouseFact::PersonAdded { .. } => "`person`, `name` c",
        HouseFact::PasswordSet { .. }
        | HouseFact::PersonDisabled { .. }
        | HouseFact::SignedOut { .. } => "`person`",
        HouseFact::GroupMemberAdded { .. } | HouseFact::GroupMemberRemoved { .. } => {
            "`group`, `person`"
        }
        HouseFact::AgentAdded { .. } => "`agent`, `name`, `owner` (absent for the gate itself)",
        HouseFact::AgentSuspended { .. } => "`agent`",
        HouseFact::KeyIssued { .. } => {
            "`key`, `holder` (an actor), `expires_at`, `shown_to`, `scope` {`kinds`, `environments`: lists of exact names; each absent for all} (absent for everything)"
        }
        HouseFact::KeyRetired { .. } => {
            "`key`, `expires_at`: another key takes its place, and it lives until then, if not shorter"
        }
        HouseFact::KeyRevoked { .. } => "`key`",
        HouseFact::TrustAdded { .. } => {
            "`trust`, `agent`, `terms` {`issuer`, `audience`, `claims` {name: value, as in `x`}, `scope` {`kinds`, `environments`} (as in `KeyIssued`), `jwks` (text; absent where the issuer is asked)}"
        }
        HouseFact::TrustRemoved { .. } => "`trust`",
        HouseFact::KindPut { .. } => {
            "`kind` {`name`,`version`}, `digest` (SHA-256 of the JCS of the kind)"
        }
        HouseFact::PolicyPut { .. } => "`version`, `digest` (SHA-256 of the text)",
        HouseFact::ChangedDirectly { .. } => {
            "`kind`: the house was changed without a request, because not two people could decide on one yet"
        }
        HouseFact::ChangesGated => "none: from here on changes to the house need a second person",
        HouseFact::Recovered { .. } => {
            "`person`, whom the operator made an administrator past everybody else"
        }
        HouseFact::Restored { .. } => {
            "`entries` (of the backup that the gate went on from), `checkpointed` (entries of the newest checkpoint beside the keys; absent where there was none)"
        }
        HouseFact::Frozen { .. } => {
            "`freeze` {`id`,`scope` {`of` (`all`, `agent`, `kind`, `environment`), `name` (absent for `all`)},`halts`}, `reason` c"
        }
        HouseFact::Thawed { .. } => "`freeze` (its id), `reason` c",
        HouseFact::WebhookAdded { .. } => {
            "`webhook`, `name`, `url` c, `events` [type] (empty: all), `from` (the first entry that it is told of)"
        }
        HouseFact::WebhookSecretRotated { .. } => "`webhook`, `version`",
        HouseFact::WebhookDisabled { .. } => "`webhook`, which answered that it is gone (410)",
        HouseFact::WebhookRemoved { .. } => "`webhook`",
        HouseFact::SignInLinkIssued { .. } => "`person`, `expires_at`",
        HouseFact::SignedIn { .. } => "`person`, `method` (`password`, `link`)",
        HouseFact::SignInRefused { .. } => {
            "`person` (only for a person there is; what was typed is kept nowhere)"
        }
        HouseFact::EvidenceOpened { .. } => {
            "`revision`, `evidence` (a digest), `unmasked` (`true` where what is masked was shown too, else absent); the entry has a `request`"
        }
        HouseFact::AttemptRefused { .. } => {
            "`attempt` (`review`, `redeem`), `code`; the entry has a `request`"
        }
    }
}

/// A staging whose lists are not empty, with every field that may be absent.
fn with_everything() -> RequestStaged {
    let requirement = Requirement {
        id: "a".into(),
        group: "b".into(),
        seats: 1,
        reauth_s: Some(300),
        why: "c".into(),
    };
    let level = RiskLevel::High;
    let fact = RiskFact {
        targets: vec![0],
        at: Some(at(0)),
        claimed: Some(level),
        ..RiskFact::new(RiskCode::Production, level).counted(2, 1)
    };
    RequestStaged {
        risk: Risk { level, facts: vec![fact] },
        window: Some(Window { not_before: at(0), not_after: at(1) }),
        ..staged(vec![requirement])
    }
}

/// Every key in the body, but that of a commitment.
fn keys(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields.iter().filter(|(key, _)| *key != "commitment") {
                // An actor is said to be one.
                if inner.get("type").is_none() {
                    keys(inner, found);
                }
                found.insert(key.clone());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

/// Rows of facts, one for each name; fails when a field has no word.
fn table<'a>(facts: impl Iterator<Item = (Fact, &'a str)>) -> String {
    let mut text = String::from("| fact | body |\n|---|---|\n");
    let mut listed = BTreeSet::new();
    for (fact, body) in facts {
        let written = serde_json::to_value(&fact).unwrap();
        let mut fields = BTreeSet::new();
        keys(written.get("body").unwrap_or(&Value::Null), &mut fields);
        for field in fields {
            assert!(body.contains(&format!("`{field}`")), "{}: {field} is not said", fact.name());
        }
        let commitments = written.get("body").and_then(Value::as_object).into_iter().flatten();
        for (field, _) in commitments.filter(|(_, value)| value.get("commitment").is_some()) {
            assert!(body.contains(&format!("`{field}` c")), "{}: {field}", fact.name());
        }
        if listed.insert(fact.name()) {
            text += &format!("| `{}` | {body} |\n", fact.name());
        }
    }
    text
}

#[test]
fn every_fact_is_on_the_page() {
    let whole = RequestFact::RequestStaged(Box::new(with_everything()));
    let of_requests = [whole].into_iter().chain(one_of_each()).map(|fact| {
        let body = request_body(&fact);
        (Fact::Request(fact), body)
    });
    check(PAGE, "request facts", &table(of_requests));
    let of_house = house_facts().into_iter().map(|fact| {
        let body = house_body(&fact);
        (Fact::House(fact), body)
    });
    check(PAGE, "house facts", &table(of_house));
}
