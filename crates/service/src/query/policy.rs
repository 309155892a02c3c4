//! The policy as the dashboard shows it, and what a draft would have changed.

use domain::Requirement;
use policy::{OWNING_GROUP, Policy, replay};
use store::read::RequestQuery;

use crate::caller::PersonCaller;
use crate::house::HouseError;
use crate::view::{PolicyAsk, PolicyVersion, PolicyView, ReplayRow, ReplayView};
use crate::{Failure, Service};

/// The newest requests that a draft is held against.
const REPLAYED: u32 = 200;

impl Service {
    /// The policy in force, and every version there was.
    ///
    /// # Errors
    /// When the store is away.
    pub async fn policy_view(&self, caller: &PersonCaller) -> Result<PolicyView, Failure> {
        let version = |stored: &store::read::StoredPolicy| PolicyVersion {
            version: stored.version,
            digest: domain::Digest::of(stored.text.as_bytes()),
            at: stored.at,
            text: stored.text.clone(),
        };
        let versions: Vec<PolicyVersion> =
            self.store.policies().await?.iter().map(version).collect();
        let current = versions.first().cloned();
        let house = self.house().await?;
        let asks = self.in_force(&house)?.policy.asks().into_iter().map(ask).collect();
        Ok(PolicyView {
            now: self.now(),
            current: current.ok_or_else(|| Failure::defect("there is no policy"))?,
            asks,
            versions,
            may_propose: caller.is_administrator(),
            needs_second_person: house.instance().is_some_and(|house| house.changes_gated),
        })
    }

    /// What a draft would have asked of the newest requests, beside what the policy in force asks.
    ///
    /// # Errors
    /// `Policy` names line and column of what is wrong with the draft.
    pub async fn replay(
        &self,
        _caller: &PersonCaller,
        draft: &str,
    ) -> Result<ReplayView, HouseError> {
        let draft = Policy::parse(draft).map_err(HouseError::Policy)?;
        let house = self.house().await?;
        let current = self.in_force(&house)?;
        let newest = RequestQuery { limit: REPLAYED, ..RequestQuery::default() };
        let (mut subjects, mut effects) = (Vec::new(), Vec::new());
        for stored in self.store.list(newest).await? {
            let sealed = self.sealed(&stored.request).await?;
            // What the policy cannot be asked about at all is the same under every draft.
            if let Ok(subject) =
                self.subject(&house, &sealed.revision, &stored.request.risk).await?
            {
                effects.push((stored.request.id, stored.effect));
                subjects.push((stored.request.id, subject));
            }
        }
        let replayed = subjects.len();
        let changes = replay(&draft, &current.policy, subjects);
        let row = |change: policy::Replayed| {
            let effect = effects.iter().find(|(id, _)| *id == change.request);
            ReplayRow {
                effect: effect.map(|(_, effect)| effect.clone()).unwrap_or_default(),
                request: change.request,
                added: change.added,
                removed: change.removed,
                changed: change.changed,
                refused: change.refused,
                would_be_refused: change.would_be_refused,
            }
        };
        let rows: Vec<ReplayRow> = changes.into_iter().map(row).collect();
        let laxer = rows.iter().filter(|row| asks_fewer(row)).count();
        Ok(ReplayView { replayed, laxer, rows })
    }
}

fn ask(need: Requirement) -> PolicyAsk {
    let Requirement { id, group, seats, reauth_s, why, .. } = need;
    PolicyAsk { group: (group != OWNING_GROUP).then_some(group), id, seats, reauth_s, why }
}

/// Whether the draft asks for fewer seats than the policy in force.
fn asks_fewer(row: &ReplayRow) -> bool {
    let seats = |needs: &[Requirement]| needs.iter().map(|need| need.seats).sum::<u32>();
    let (now, then): (Vec<_>, Vec<_>) = row.changed.iter().cloned().unzip();
    seats(&then) + seats(&row.added) < seats(&now) + seats(&row.removed)
}
