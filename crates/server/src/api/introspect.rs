//! `POST /api/v1/releases/introspect`: whether a release token is good now (the shape of RFC 7662).

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};
use service::describe;
use utoipa::ToSchema;

use super::authn::Agent;
use super::input::Form;
use crate::AppState;
use crate::problem::Problem;

/// The token that is asked about.
#[derive(Deserialize, ToSchema)]
#[schema(as = IntrospectionForm)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    /// The `release_token` that redeeming answered.
    token: String,
    /// RFC 7662 lets clients say what they believe it is; there is one sort here.
    #[serde(rename = "token_type_hint")]
    _token_type_hint: Option<String>,
}

/// Whether a release token is good now, and what it says (RFC 7662).
///
/// For its executor and its stager. Whatever is wrong with a token: `{"active": false}`.
#[utoipa::path(post, path = "/api/v1/releases/introspect", operation_id = "introspect",
    tag = "Execution", security(("agent_key" = [])),
    request_body(content = Body, content_type = "application/x-www-form-urlencoded", description = "The token."),
    responses((status = 200, description = "Whether it is active; if so, its claims.", body = describe::Introspection)))]
pub(super) async fn introspect(
    State(state): State<AppState>,
    Agent(agent): Agent,
    Form(body): Form<Body>,
) -> Result<Json<Value>, Problem> {
    let claims = state.service.introspect(&agent, &body.token).await?;
    Ok(Json(match claims {
        Some(mut claims) => {
            claims["active"] = json!(true);
            claims
        }
        None => json!({"active": false}),
    }))
}
