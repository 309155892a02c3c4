//! Which reviews a revision needs.
//!
//! One rule so far: one person of the group `approvers`, for everything. It is a real
//! [`Requirement`], so a request keeps what it was staged under when there are more.

use domain::Requirement;

use crate::caller::APPROVERS;

/// The requirements of a new revision. Never empty (I5).
pub fn requirements() -> Vec<Requirement> {
    vec![Requirement {
        id: "need.one".to_owned(),
        group: APPROVERS.to_owned(),
        seats: 1,
        reauth_s: None,
        why: "every staged action needs one person".to_owned(),
    }]
}
