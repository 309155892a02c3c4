//! The facts by name. Closed: pages have a sentence for each, the documentation a row.

use serde::{Deserialize, Serialize};

/// Which fact it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RiskCode {
    /// The kind's own base risk.
    BaseRisk,
    /// The environment is production.
    Production,
    /// The kind says that the action cannot be undone.
    Irreversible,
    /// The agent that staged it will also execute it.
    SelfExecuted,
    /// There is no rollback plan.
    NoRollbackPlan,
    /// The rollback plan was never tested, as far as the agent says.
    RollbackUntested,
    /// The kind calls this size medium or high, or the size is not known.
    Size,
    /// It names many targets.
    ManyTargets,
    /// The agent leaves people little time to decide.
    LittleTime,
    /// The window is so short that nobody may be there to watch.
    ShortWindow,
    /// The window is so long that what was approved may be out of date.
    LongWindow,
    /// It was staged outside the kind's working hours.
    StagedOffHours,
    /// Its window begins outside the kind's working hours.
    WindowOffHours,
    /// The agent never staged this kind before.
    FirstOfKind,
    /// The agent never named these targets before.
    FirstOnTarget,
    /// Nobody ever staged this kind on these targets before.
    NewTarget,
    /// Many requests on one target within an hour.
    Burst,
    /// The same content was denied a short while ago.
    RepeatOfDenied,
    /// The same content expired a short while ago.
    RepeatOfExpired,
    /// The agent claims a higher risk than we compute.
    ClaimedHigher,
    /// The agent claims a lower risk than we compute.
    ClaimedLower,
}

impl RiskCode {
    /// All codes, in the order of the rules.
    pub const ALL: [Self; 21] = [
        Self::BaseRisk,
        Self::Production,
        Self::Irreversible,
        Self::SelfExecuted,
        Self::NoRollbackPlan,
        Self::RollbackUntested,
        Self::Size,
        Self::ManyTargets,
        Self::LittleTime,
        Self::ShortWindow,
        Self::LongWindow,
        Self::StagedOffHours,
        Self::WindowOffHours,
        Self::FirstOfKind,
        Self::FirstOnTarget,
        Self::NewTarget,
        Self::Burst,
        Self::RepeatOfDenied,
        Self::RepeatOfExpired,
        Self::ClaimedHigher,
        Self::ClaimedLower,
    ];
}
