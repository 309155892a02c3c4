//! The people's half: pages, and ordinary form posts that answer 303.
//!
//! Cookies and the CSRF check belong here and nowhere else. A GET never writes a fact.

mod agents;
mod change;
mod desk;
mod evidence;
mod freezes;
mod history;
mod inbox;
mod kinds;
mod ledger;
mod people;
mod policy;
mod program;
mod refusals;
mod request;
mod review;
mod settings;
mod sign_in;
mod stop;
mod webhooks;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tower_http::csrf::CsrfLayer;

use crate::{AppState, assets, sessions};

/// The largest form: 64 KiB.
const MAX_FORM_BYTES: usize = 64 * 1024;

/// The largest form with a policy or a kind in it, percent-encoded: 256 KiB.
const MAX_TEXT_FORM_BYTES: usize = 256 * 1024;

/// Every page and post.
pub fn router(state: AppState) -> Router<AppState> {
    let sessions = sessions::layer(state.service.clone());
    let own_posts = CsrfLayer::new();
    #[cfg(planted = "any_site_posts")]
    let own_posts = tower::layer::util::Identity::new();
    let texts = Router::new()
        .route("/kinds", get(kinds::list).post(kinds::put))
        .route("/policy", get(policy::show).post(policy::change))
        .layer(DefaultBodyLimit::max(MAX_TEXT_FORM_BYTES));
    Router::new()
        .route("/", get(inbox::home))
        .route("/inbox", get(inbox::inbox))
        .route("/inbox/fingerprint", get(inbox::fingerprint))
        .route("/requests/{id}", get(request::show))
        .route("/requests/{id}/version", get(request::version))
        .route("/requests/{id}/review", post(review::review))
        .route("/requests/{id}/revoke", post(stop::revoke))
        .route("/requests/{id}/halt", post(stop::halt))
        .route("/requests/{id}/withdraw", post(stop::withdraw))
        .route("/requests/{id}/second-review", post(stop::second_review))
        .route("/requests/{id}/evidence/{digest}/open", post(evidence::open))
        .route("/requests/{id}/evidence/{digest}/unmask", post(evidence::unmask))
        .route("/requests/{id}/evidence/{digest}/download", get(evidence::download))
        .route("/freezes", get(freezes::list).post(freezes::freeze))
        .route("/freezes/{id}/thaw", post(freezes::thaw))
        .route("/history", get(history::history))
        .route("/ledger", get(ledger::ledger))
        .route("/ledger/proof/{index}", get(ledger::proof))
        .route("/agents", get(agents::list).post(agents::add))
        .route("/agents/{id}/keys", post(agents::issue_key))
        .route("/agents/{id}/keys/{key}/revoke", post(agents::revoke_key))
        .route("/agents/{id}/keys/{key}/rotate", post(agents::rotate_key))
        .route("/agents/{id}/trusts", post(agents::trust))
        .route("/agents/{id}/trusts/{trust}/remove", post(agents::distrust))
        .route("/agents/{id}/suspend", post(agents::suspend))
        .route("/people", get(people::list).post(people::add))
        .route("/people/groups", post(people::change_group))
        .route("/people/{id}/invite", post(people::invite))
        .route("/people/{id}/disable", post(people::disable))
        .route("/sign-in", get(sign_in::form).post(sign_in::sign_in))
        .route("/sign-in/link/{token}", get(sign_in::link))
        .route("/sign-in/link", post(sign_in::spend_link))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/settings", get(settings::show))
        .route("/settings/password", post(settings::set_password))
        .route("/settings/keys", post(settings::issue_key))
        .route("/settings/keys/{key}/revoke", post(settings::revoke_key))
        .route("/settings/webhooks", get(webhooks::list).post(webhooks::add))
        .route("/settings/webhooks/{id}/rotate", post(webhooks::rotate))
        .route("/settings/webhooks/{id}/remove", post(webhooks::remove))
        .route("/settings/webhooks/{id}/replay", post(webhooks::replay))
        .fallback(desk::nothing_here)
        .method_not_allowed_fallback(desk::nothing_here)
        .layer(DefaultBodyLimit::max(MAX_FORM_BYTES))
        .merge(texts)
        .layer(own_posts)
        .layer(sessions)
        .layer(axum::middleware::map_response(sessions::removable))
        .route("/assets/{file}", get(assets::styles_and_pictures))
        .route("/pkg/{file}", get(assets::scripts))
        .with_state(state)
}
