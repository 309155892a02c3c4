//! What a change to the house would change: what it replaces, held against what it proposes.

use domain::{Kind, Request, Revision};
use serde_json::Value;

use super::amendment::between;
use crate::caller::PersonCaller;
use crate::change::HouseChange;
use crate::house::HouseError;
use crate::view::{FieldChange, ProposalView, ReplayView};
use crate::{Failure, Service};

impl Service {
    /// `None` for what agents stage, for the first version of a kind, and for groups, of which the
    /// effect says everything.
    pub(super) async fn proposal(
        &self,
        caller: &PersonCaller,
        request: &Request,
        revision: &Revision,
    ) -> Result<Option<ProposalView>, Failure> {
        match HouseChange::read(revision) {
            Some(HouseChange::Policy { text, replaces }) => {
                let versions = self.store.policies().await?;
                let old = versions.into_iter().find(|policy| policy.version == replaces);
                let old = old.ok_or_else(|| Failure::defect("the policy it replaces is gone"))?;
                let open = request.state_at(self.now()).name().is_open();
                let replay = if open { self.replay_of(caller, &text).await? } else { None };
                let changes = policy_change(old.text, text).into_iter().collect();
                Ok(Some(ProposalView { replaces, changes, replay }))
            }
            Some(HouseChange::Kind { name, version, definition }) => {
                let Some(replaces) = version.checked_sub(1).filter(|old| *old > 0) else {
                    return Ok(None);
                };
                let house = self.house().await?;
                let old = self.kind(&house, &name, replaces).await?;
                let old = serde_json::to_value(&*old).map_err(Failure::defect)?;
                let changes = between(&old, &whole(definition));
                Ok(Some(ProposalView { replaces, changes, replay: None }))
            }
            Some(HouseChange::Group { .. }) | None => Ok(None),
        }
    }

    /// What the proposed policy would have changed; nothing where it is none (any more).
    async fn replay_of(
        &self,
        caller: &PersonCaller,
        text: &str,
    ) -> Result<Option<ReplayView>, Failure> {
        match self.replay(caller, text).await {
            Ok(replay) => Ok(Some(replay)),
            Err(HouseError::Failed(failure)) => Err(failure),
            Err(_) => Ok(None),
        }
    }
}

/// The text as one field, like any other.
fn policy_change(old: String, new: String) -> Option<FieldChange> {
    (old != new).then(|| FieldChange {
        pointer: "/policy".to_owned(),
        before: Some(Value::String(old)),
        after: Some(Value::String(new)),
    })
}

/// The definition with every field that it may leave out, as the catalogue would keep it.
fn whole(definition: Value) -> Value {
    let kind: Option<Kind> = serde_json::from_value(definition.clone()).ok();
    kind.and_then(|kind| serde_json::to_value(kind).ok()).unwrap_or(definition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_policy_that_says_the_same_changes_nothing() {
        assert_eq!(policy_change("a".into(), "a".into()), None);
        let change = policy_change("a".into(), "b".into()).unwrap();
        assert_eq!((change.before, change.after), (Some(json!("a")), Some(json!("b"))));
    }

    #[test]
    fn a_field_that_a_definition_leaves_out_is_not_taken_for_a_change() {
        let kind: Kind = serde_json::from_str(crate::change::CHANGE_KINDS[0]).unwrap();
        let full = serde_json::to_value(&kind).unwrap();
        let mut short = full.clone();
        short.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        assert_eq!(between(&full, &whole(short)), []);
    }
}
