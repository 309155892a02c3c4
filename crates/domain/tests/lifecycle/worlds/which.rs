//! One of two requests: what it alone has. People, groups, policy, owner and executor are shared.

use domain::{AgentId, Digest, KindRef, LeaseId, Request, RequestId};
use uuid::Uuid;

use super::house::LATE;
use crate::scene::{LEASE, OTHER_AGENT, OTHER_LEASE, STAGER, digest};

/// The request that every world has, or the one that a world of two has beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    First,
    Second,
}

impl Which {
    pub const BOTH: [Self; 2] = [Self::First, Self::Second];

    pub fn of(request: &Request) -> Self {
        if request.id == Self::First.id() { Self::First } else { Self::Second }
    }

    pub fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    pub fn id(self) -> RequestId {
        RequestId(Uuid::from_u128(match self {
            Self::First => 1,
            Self::Second => 2,
        }))
    }

    pub fn stager(self) -> AgentId {
        match self {
            Self::First => STAGER,
            Self::Second => OTHER_AGENT,
        }
    }

    /// The lease that it is given when it is redeemed.
    pub fn lease(self) -> LeaseId {
        match self {
            Self::First => LEASE,
            Self::Second => OTHER_LEASE,
        }
    }

    pub fn digest(self, revision: u32) -> Digest {
        match self {
            Self::First => digest(revision),
            Self::Second => digest(100 + revision),
        }
    }

    pub fn kind(self) -> KindRef {
        let name = match self {
            Self::First => "db.export",
            Self::Second => "deploy.release",
        };
        KindRef { name: name.into(), version: 1 }
    }

    pub fn environment(self) -> &'static str {
        match self {
            Self::First => "production",
            Self::Second => "staging",
        }
    }

    /// The second one is still pending when a glass broken for the first falls due.
    pub fn review_deadline_s(self) -> i64 {
        match self {
            Self::First => 110,
            Self::Second => LATE + 10,
        }
    }
}
