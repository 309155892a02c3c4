//! Stopping: revoke what is approved, halt what runs, withdraw what is one's own.

use leptos::prelude::*;
use service::view::RequestView;

use crate::components::confirm::Confirm;
use crate::components::deed::Deed;
use crate::page::{Act, Draft};

/// What the viewer may stop, each behind a step of its own.
pub fn ways(view: &RequestView, draft: Option<&Draft>) -> AnyView {
    let address = |what: &str| format!("/requests/{}/{what}", view.id);
    let typed = |act: Act| {
        let draft = draft.filter(|draft| draft.act == act);
        draft.map(|draft| (draft.problem.clone(), draft.text.clone()))
    };
    let revoke = view.stop.may_revoke.then(|| {
        view! {
            <Deed
                action=address("revoke")
                id="revoke-reason"
                label="Revoke the release"
                consequence="The approval ends at once and cannot be redeemed any more. To do it after all, the agent stages it again."
                hint="Kept for ever with your name. Everybody who may see this request reads it."
                typed=typed(Act::Revoke)
                stops=true
            />
        }
    });
    let halt = view.stop.may_halt.then(|| {
        view! {
            <Deed
                action=address("halt")
                id="halt-reason"
                label="Halt it"
                consequence="The executor hears it at its next heartbeat, stops, follows the rollback plan and reports. What it has done by then is done."
                hint="Kept for ever with your name. Everybody who may see this request reads it."
                typed=typed(Act::Halt)
                stops=true
            />
        }
    });
    let withdraw = view.stop.may_withdraw.then(|| {
        view! {
            <Confirm
                action=address("withdraw")
                label="Withdraw"
                name="your proposal".to_owned()
                consequence="It ends undecided and nothing changes. It cannot be undone; you can propose it again."
            />
        }
    });
    view! { {revoke}{halt}{withdraw} }.into_any()
}
