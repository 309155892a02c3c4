//! Which reviews a revision needs.
//!
//! One rule so far: one person of the group `approvers`, for everything. It is a real
//! [`Requirement`], so a request keeps what it was staged under when there are more.

use domain::{Requirement, Ruling};

use crate::caller::{ADMINISTRATORS, APPROVERS};

/// The groups that have a say in any request: those that the policy names, and the administrators.
pub(crate) fn groups() -> [String; 2] {
    [APPROVERS.to_owned(), ADMINISTRATORS.to_owned()]
}

/// What the policy in force asks. Its requirements are never empty (I5).
pub(crate) fn ruling() -> Ruling {
    let requirements = vec![Requirement {
        id: "need.one".to_owned(),
        group: APPROVERS.to_owned(),
        seats: 1,
        reauth_s: None,
        why: "every staged action needs one person".to_owned(),
    }];
    Ruling { requirements, permits_release: true }
}
