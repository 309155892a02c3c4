//! Whether changes need requests: from the moment that two people could decide on one, for ever.

use domain::entry::HouseFact;
use domain::revision::Identity;
use domain::risk::{RiskInput, assess};
use domain::{Actor, AgentId, Kind, KindRef, PersonId, RequestId, Revision, StageBody};
use policy::{House, Policy, Subject, Unsatisfiable, could_ever_be_met};
use store::StoreError;
use uuid::Uuid;

use super::CHANGE_KINDS;
use crate::caller::ADMINISTRATORS;
use crate::house::HouseError;
use crate::{Failure, Service};

impl Service {
    /// Whether a change to the house needs a second person now; records the moment it does.
    pub(crate) async fn changes_need_requests(&self) -> Result<bool, Failure> {
        let house = self.house().await?;
        let instance = house.instance();
        let instance = instance.ok_or_else(|| Failure::defect("nothing is initialised"))?;
        if instance.changes_gated {
            return Ok(true);
        }
        let policy = self.in_force(&house)?.policy;
        let never = |found: &Unsatisfiable| !matches!(found, Unsatisfiable::TooFew { .. });
        if self.impossible(&policy, false).await?.iter().any(never) {
            return Ok(false);
        }
        let fact = self.fact(Actor::System, HouseFact::ChangesGated);
        match self.commit_authority(Some(instance.epoch), vec![fact], Vec::new()).await {
            // Somebody changed the house meanwhile: whatever they did, this one asks for two.
            Ok(()) | Err(HouseError::Failed(Failure::Store(StoreError::Stale))) => Ok(true),
            Err(HouseError::Failed(failure)) => Err(failure),
            Err(other) => Err(Failure::defect(other)),
        }
    }

    /// Refuses a policy that the people there are could never satisfy, or never change again.
    pub(super) async fn could_hold(&self, policy: &Policy) -> Result<(), HouseError> {
        let impossible = self.impossible(policy, true).await?;
        if impossible.is_empty() { Ok(()) } else { Err(HouseError::Impossible(impossible)) }
    }

    /// What speaks against a policy. A house that is still being set up is judged as if it had its
    /// administrators already: it must be able to come to where two of them decide.
    async fn impossible(
        &self,
        policy: &Policy,
        to_publish: bool,
    ) -> Result<Vec<Unsatisfiable>, Failure> {
        let there = self.house().await?;
        let mut groups = there.groups().clone();
        let gated = there.instance().is_some_and(|found| found.changes_gated);
        if to_publish && !gated {
            let administrators = groups.entry(ADMINISTRATORS.to_owned()).or_default();
            administrators.extend([1, 2].map(|number| PersonId(Uuid::from_u128(number))));
        }
        let kinds = there.kinds();
        let house = House {
            stagers: groups.get(ADMINISTRATORS).cloned().unwrap_or_default(),
            owning_groups: kinds.iter().filter_map(|(kind, _)| kind.owning_group.clone()).collect(),
            groups,
        };
        let mut changes = Vec::new();
        for text in CHANGE_KINDS {
            changes.push(self.sample(&there, text).await?);
        }
        Ok(could_ever_be_met(policy, &house, &changes).err().unwrap_or_default())
    }

    /// A change of this kind as the policy would see it.
    async fn sample(&self, there: &store::House, kind: &str) -> Result<Subject, Failure> {
        let kind: Kind = serde_json::from_str(kind).map_err(Failure::defect)?;
        let body: StageBody =
            serde_json::from_value(kind.example.clone()).map_err(Failure::defect)?;
        let identity = Identity {
            instance: self.instance().await?,
            request_id: RequestId(Uuid::nil()),
            revision: 1,
            agent: AgentId::HOUSE,
            executor: AgentId::HOUSE,
            kind: KindRef { name: kind.name.clone(), version: 1 },
        };
        let (self_executed, history, now) = (true, None, self.now());
        let risk = assess(RiskInput { kind: &kind, body: &body, self_executed, history, now });
        let revision = Revision::new(identity, body, Vec::new());
        self.subject(there, &revision, &risk).await?.map_err(Failure::defect)
    }
}
