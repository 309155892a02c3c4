//! Trying a staging out: what would be asked of whom, with nothing stored.

use domain::{Digest, KindRef, RequestId, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::{StageError, Stager, Warning};
use crate::act::ActError;
use crate::caller::AgentCaller;
use crate::query::{AgentRequirement, AgentRisk};
use crate::{Service, describe};

/// What a body would lead to if it were staged now.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Preview {
    #[schema(value_type = describe::KindVersion)]
    pub kind: KindRef,
    #[schema(value_type = describe::Digest)]
    pub content_digest: Digest,
    pub risk: AgentRisk,
    #[schema(value_type = describe::Time)]
    pub review_deadline: Timestamp,
    pub requirements: Vec<AgentRequirement>,
    /// Whether the people who may review could fill every seat.
    pub can_be_met: bool,
    /// What the author should look at before people do.
    pub warnings: Vec<Warning>,
    /// What the agent should do next, in one sentence.
    pub next: &'static str,
}

impl Service {
    /// Does everything that staging does, up to where something would be stored.
    ///
    /// # Errors
    /// [`StageError`] as staging would answer.
    pub async fn preview(&self, caller: &AgentCaller, body: &[u8]) -> Result<Preview, StageError> {
        let (value, _) = super::retry::read(body)?;
        let (now, house) = (self.now(), self.house().await?);
        let checked = self.check(&house, caller, &value, None, now).await?;
        let stager = Stager::agent(caller);
        let id = RequestId(self.entropy.id(now)?);
        let sealed = self.seal(&stager, &checked, id, 1).await?;
        self.admit(&sealed, now).await?;
        let effect = checked.effect();
        let change = self.staging(&house, &stager, checked, sealed, now).await?;
        let staged = change.request.ok_or(ActError::NotFound)?.after;
        let told = self.as_staged(&house, staged, effect, now).await?;
        Ok(Preview {
            kind: told.kind,
            content_digest: told.content_digest,
            risk: told.risk,
            review_deadline: told.review_deadline,
            requirements: told.requirements,
            can_be_met: told.can_be_met,
            warnings: self.warnings(caller, &value).await?,
            next: match told.can_be_met {
                true => {
                    "Nothing was stored. Send the same body without `validate=true` to stage it."
                }
                false => {
                    "Nothing was stored. Tell an administrator: the people there are could never approve it."
                }
            },
        })
    }
}
