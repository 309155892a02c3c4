//! What an endpoint is told: the types of event, and the message about one entry of the ledger.
//!
//! A message is thin: which entry, which request, what it is called now. Whoever wants more asks the
//! gate, which knows who asks. It follows from the entries alone, so that each attempt sends the same.

use domain::entry::HouseFact;
use domain::{Digest, Entry, Fact, Request, RequestFact, RequestId, StateName, Timestamp};
use serde::Serialize;

use crate::recorded::Fold;
use crate::{Failure, Service};

macro_rules! events {
    ($($name:ident $word:literal $when:literal),+ $(,)?) => {
        /// A type of event.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventType {$(
            #[doc = $when]
            $name
        ),+}

        impl EventType {
            /// Every type, in the order in which things happen.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The name by which endpoints choose it and are told of it.
            pub fn word(self) -> &'static str {
                match self {$(Self::$name => $word),+}
            }

            /// When it is sent.
            pub fn when(self) -> &'static str {
                match self {$(Self::$name => $when),+}
            }
        }
    };
}

events! {
    RequestStaged "request.staged" "Something was staged and waits for people.",
    RequestAmended "request.amended" "A new revision was staged; every review of the old one is void.",
    RequestReviewed "request.reviewed" "A person gave a verdict.",
    RequestChangesRequested "request.changes_requested" "A reviewer asked for changes; the stager can amend.",
    RequestApproved "request.approved" "Every seat is filled: the executor can redeem.",
    RequestDenied "request.denied" "A reviewer denied it.",
    RequestExpired "request.expired" "Nobody decided in time.",
    RequestWithdrawn "request.withdrawn" "The stager withdrew it.",
    RequestQuorumLost "request.quorum_lost" "At redemption the approvals no longer sufficed; it waits for people again.",
    GlassBroken "glass.broken" "One person approved in place of all requirements.",
    GlassReviewed "glass.reviewed" "A second person looked at a broken glass.",
    GlassReviewMissed "glass.review_missed" "Nobody looked at a broken glass in time.",
    ReleaseRedeemed "release.redeemed" "The executor took the release and has begun.",
    ReleaseRevoked "release.revoked" "A person revoked an unused release.",
    ReleaseLapsed "release.lapsed" "The release was not used in time.",
    ReleaseVoided "release.voided" "The gate went on from a backup, and the release may have been used.",
    ExecutionHalted "execution.halt_requested" "A running executor was told to stop and roll back.",
    ExecutionMissed "execution.outcome_missed" "A heartbeat or the report did not come in time: nobody knows how it ended.",
    ExecutionReported "execution.reported" "The executor reported how it ended.",
    ExecutionRolledBack "execution.rollback_reported" "The executor reported how the rollback ended.",
    FreezeStarted "freeze.started" "Redemption was stopped, for everything or for a part.",
    FreezeEnded "freeze.ended" "A freeze has ended.",
    PolicyPut "policy.put" "Another version of the policy is in force.",
    KindPut "kind.put" "A kind, or another version of it, is in the catalogue.",
    HouseRecovered "house.recovered" "The operator made an administrator past everybody else.",
    HouseRestored "house.restored" "The gate goes on from a backup.",
}

impl EventType {
    /// The type of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|one| one.word() == word)
    }

    /// What a fact is told as; `None` for one that nobody is told of.
    pub fn of(fact: &Fact) -> Option<Self> {
        match fact {
            Fact::Request(fact) => of_request(fact),
            Fact::House(fact) => of_house(fact),
        }
    }
}

fn of_request(fact: &RequestFact) -> Option<EventType> {
    Some(match fact {
        RequestFact::RequestStaged(_) => EventType::RequestStaged,
        RequestFact::RequestAmended(_) => EventType::RequestAmended,
        RequestFact::ReviewRecorded { .. } => EventType::RequestReviewed,
        RequestFact::ChangesRequested { .. } => EventType::RequestChangesRequested,
        RequestFact::RequestApproved { .. } => EventType::RequestApproved,
        RequestFact::GlassBroken { .. } => EventType::GlassBroken,
        RequestFact::SecondReviewRecorded { .. } => EventType::GlassReviewed,
        RequestFact::SecondReviewMissed { .. } => EventType::GlassReviewMissed,
        RequestFact::RequestDenied { .. } => EventType::RequestDenied,
        RequestFact::RequestExpired { .. } => EventType::RequestExpired,
        RequestFact::RequestWithdrawn { .. } => EventType::RequestWithdrawn,
        RequestFact::QuorumLost { .. } => EventType::RequestQuorumLost,
        RequestFact::ReleaseRevoked { .. } => EventType::ReleaseRevoked,
        RequestFact::ReleaseRedeemed { .. } => EventType::ReleaseRedeemed,
        RequestFact::ReleaseLapsed { .. } => EventType::ReleaseLapsed,
        RequestFact::ReleaseVoided => EventType::ReleaseVoided,
        RequestFact::HaltRequested { .. } => EventType::ExecutionHalted,
        RequestFact::OutcomeMissed { .. } => EventType::ExecutionMissed,
        RequestFact::OutcomeReported { .. } => EventType::ExecutionReported,
        RequestFact::RollbackReported { .. } => EventType::ExecutionRolledBack,
        // That it goes on is no news.
        RequestFact::LeaseRenewed { .. } => return None,
    })
}

fn of_house(fact: &HouseFact) -> Option<EventType> {
    Some(match fact {
        HouseFact::Frozen { .. } => EventType::FreezeStarted,
        HouseFact::Thawed { .. } => EventType::FreezeEnded,
        HouseFact::PolicyPut { .. } => EventType::PolicyPut,
        HouseFact::KindPut { .. } => EventType::KindPut,
        HouseFact::Recovered { .. } => EventType::HouseRecovered,
        HouseFact::Restored { .. } => EventType::HouseRestored,
        // Who is who, and who is signed in, stays in the house.
        HouseFact::InstanceCreated { .. }
        | HouseFact::CheckpointKeyNamed { .. }
        | HouseFact::PersonAdded { .. }
        | HouseFact::PasswordSet { .. }
        | HouseFact::PersonDisabled { .. }
        | HouseFact::GroupMemberAdded { .. }
        | HouseFact::GroupMemberRemoved { .. }
        | HouseFact::AgentAdded { .. }
        | HouseFact::AgentSuspended { .. }
        | HouseFact::KeyIssued { .. }
        | HouseFact::KeyRevoked { .. }
        | HouseFact::KeyRetired { .. }
        | HouseFact::TrustAdded { .. }
        | HouseFact::TrustRemoved { .. }
        | HouseFact::ChangedDirectly { .. }
        | HouseFact::ChangesGated
        | HouseFact::WebhookAdded { .. }
        | HouseFact::WebhookSecretRotated { .. }
        | HouseFact::WebhookDisabled { .. }
        | HouseFact::WebhookRemoved { .. }
        | HouseFact::SignInLinkIssued { .. }
        | HouseFact::SignedIn { .. }
        | HouseFact::SignInRefused { .. }
        | HouseFact::SignedOut { .. }
        | HouseFact::EvidenceOpened { .. }
        | HouseFact::AttemptRefused { .. } => return None,
    })
}

/// The body of a message.
///
/// SECURITY: what is not in here cannot leak: no token, key, name of a person, justification,
/// parameter or evidence.
#[derive(Serialize)]
struct Message<'a> {
    #[serde(rename = "type")]
    event: &'static str,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data<'a> {
    Request {
        index: u64,
        request: RequestId,
        revision: u32,
        digest: Digest,
        state: StateName,
        kind: &'a str,
        environment: &'a str,
        review_url: String,
    },
    House {
        index: u64,
        page_url: String,
    },
}

impl Service {
    /// The body of the message about an entry: the same however often, and whenever, it is asked for.
    pub(super) async fn message(
        &self,
        entry: &Entry,
        event: EventType,
    ) -> Result<Vec<u8>, Failure> {
        let (index, url) = (entry.index, self.public_url());
        let request = match entry.request {
            Some(id) => Some(self.request_as_of(id, index).await?),
            None => None,
        };
        let data = match &request {
            Some(request) => Data::Request {
                index,
                request: request.id,
                revision: request.revision,
                digest: request.digest,
                state: request.state.name(),
                kind: &request.kind.name,
                environment: &request.environment,
                review_url: format!("{url}/requests/{}", request.id),
            },
            None => Data::House { index, page_url: format!("{url}{}", page(event)) },
        };
        let message = Message { event: event.word(), timestamp: entry.at, data };
        serde_json::to_vec(&message).map_err(Failure::defect)
    }

    /// A request as it was after an entry about it.
    async fn request_as_of(&self, id: RequestId, index: u64) -> Result<Request, Failure> {
        let mut fold = Fold::default();
        for stored in self.store.entries_of(id).await? {
            if stored.index > index {
                break;
            }
            fold.take(&stored.body)?;
        }
        fold.end().ok_or_else(|| Failure::defect(format!("entry {index} is of no request")))
    }
}

/// The page that says more.
fn page(event: EventType) -> &'static str {
    match event {
        EventType::FreezeStarted | EventType::FreezeEnded => "/freezes",
        EventType::PolicyPut => "/policy",
        EventType::KindPut => "/kinds",
        _ => "/ledger",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn types_are_words_with_dots_and_differ() {
        let words: BTreeSet<&str> = EventType::ALL.iter().map(|one| one.word()).collect();
        assert_eq!(words.len(), EventType::ALL.len());
        let plain = |c: char| c.is_ascii_lowercase() || c == '.' || c == '_';
        assert!(words.iter().all(|word| word.chars().all(plain)), "{words:?}");
        assert_eq!(EventType::from_word("glass.broken"), Some(EventType::GlassBroken));
        assert_eq!(EventType::from_word("glass"), None);
    }

    #[test]
    fn every_type_is_on_the_page() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/webhooks.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let mut wanted = String::from("| type | sent when |\n|---|---|\n");
        for one in EventType::ALL {
            wanted += &format!("| `{}` | {} |\n", one.word(), one.when());
        }
        let (open, close) = ("<!-- generated: events -->\n", "<!-- end -->");
        let start = page.find(open).unwrap() + open.len();
        let end = start + page[start..].find(close).unwrap();
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(path, format!("{}\n{wanted}\n{}", &page[..start], &page[end..]))
                .unwrap();
        } else {
            assert_eq!(page[start..end].trim(), wanted.trim(), "run this with UPDATE_DOCS=1");
        }
    }
}
