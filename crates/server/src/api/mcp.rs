//! `POST /mcp`: the agents' API as tools for models, by the Model Context Protocol.
//!
//! Each tool is one call of the use case that a route of the API calls, and none decides (I10).
//! Nothing is kept between two calls: no session and no stream. `rmcp` speaks the protocol; what a
//! tool is called with is read here, from the bytes that arrived, as strictly as any body.

mod call;
mod next;
mod run;
mod schema;
mod tool;

use std::sync::{Arc, LazyLock};

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, Implementation, ListToolsResult,
    PaginatedRequestParams, ServerCapabilities, ServerConfig,
};
use rmcp::service::RequestContext;
use rmcp::transport::StreamableHttpServerConfig;
use rmcp::transport::streamable_http_server::StreamableHttpService;
use rmcp::transport::streamable_http_server::session::never::NeverSessionManager;
use rmcp::{ErrorData, RoleServer, ServerHandler, model};

use super::MAX_JSON_BYTES;
use super::authn::Agent;
use super::input::JsonBytes;
use crate::AppState;
use crate::problem::Problem;
use call::Call;
use tool::Tool;

/// What a model is told before it sees a tool.
const INSTRUCTIONS: &str = "An approval gate: you stage a sensitive action, people decide on pages \
    of their own, and only then may it be carried out, once, exactly as it was shown. No tool \
    here approves anything, and silence is never a yes. The way: list_kinds, get_kind, \
    validate_request, stage_request; give review_url and binding_code to whoever you work for; \
    wait_for_decision until it is no longer pending; where it is approved, redeem_release, carry \
    it out with send_heartbeat, report_outcome. Whatever the answer is, do not act without a \
    redeemed release, and do not route around a no.";

type Transport = StreamableHttpService<Gate, NeverSessionManager>;

/// What a client is told of the tools.
static TOOLS: LazyLock<Vec<model::Tool>> = LazyLock::new(|| Tool::ALL.map(Tool::definition).into());

/// What answers `rmcp`: cheap to clone, made anew for each call.
#[derive(Clone)]
struct Gate {
    state: AppState,
}

/// A message of the Model Context Protocol.
///
/// `tools/list` describes the tools; each is one of the calls above, and none decides. Every message
/// stands alone: no session, no stream.
#[utoipa::path(post, path = "/mcp", operation_id = "mcp", tag = "Tools", security(("agent_key" = [])),
    request_body(content = Object, description = "A JSON-RPC request or notification."),
    responses((status = 200, description = "The JSON-RPC response; a refusal of a tool is a result with `isError`.", body = Object),
        (status = 202, description = "The notification was heard."),
        (status = 400, description = "A JSON-RPC error of the protocol, or a problem.", body = Object),
        (status = 404, description = "The JSON-RPC error of a method that there is not.", body = Object)),
    extensions(("x-problems" = json!(["invalid_message", "foreign_origin", "not_acceptable"]))))]
pub(super) async fn message(
    State(state): State<AppState>,
    Agent(agent): Agent,
    mut parts: Parts,
    JsonBytes(body): JsonBytes,
) -> Response {
    let url = state.service.public_url();
    let (address, config) = (format!("{url}/mcp"), config(url));
    let gate = Gate { state };
    let transport =
        Transport::new(move || Ok(gate.clone()), Arc::new(NeverSessionManager::default()), config);
    // SECURITY: the key has done its work; nothing behind this line can show it.
    parts.headers.remove(header::AUTHORIZATION);
    parts.extensions.insert(Call { agent, body: body.clone() });
    let message = Request::from_parts(parts, Body::from(body));
    as_the_api(transport.handle(message).await.map(Body::new), &address).await
}

/// Who may call: the hosts and origins of the public URL, so that no page that a browser shows can
/// reach a gate by a name of its own (DNS rebinding).
///
/// INVARIANT: neither list is empty, because an empty one lets everybody in; a public URL without
/// a host lets nobody in. The stop of the server is not told to the transport: it would drop the
/// answers that are under way, while waits end by themselves.
fn config(public_url: &str) -> StreamableHttpServerConfig {
    let url: Uri = public_url.parse().unwrap_or_default();
    let (scheme, host) = (url.scheme_str().unwrap_or("http"), url.host().unwrap_or_default());
    let port = url.port_u16().unwrap_or(if scheme == "https" { 443 } else { 80 });
    StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_max_request_body_bytes(MAX_JSON_BYTES)
        .with_allowed_hosts([url.authority().map(ToString::to_string).unwrap_or_default()])
        .with_allowed_origins([format!("{scheme}://{host}:{port}")])
        .enforce_origin_validation()
}

/// What the transport refuses before it is a message, in the form of the API's other refusals.
async fn as_the_api(answer: Response, address: &str) -> Response {
    let media_type = answer.headers().get(header::CONTENT_TYPE);
    let is_message = media_type.is_some_and(|it| it == "application/json");
    if answer.status().is_success() || is_message {
        return answer;
    }
    let (status, code) = match answer.status() {
        StatusCode::FORBIDDEN => (StatusCode::FORBIDDEN, "foreign_origin"),
        StatusCode::NOT_ACCEPTABLE => (StatusCode::NOT_ACCEPTABLE, "not_acceptable"),
        status if status.is_server_error() => return Problem::internal().into_response(),
        _ => (StatusCode::BAD_REQUEST, "invalid_message"),
    };
    let said = to_bytes(answer.into_body(), MAX_JSON_BYTES).await.unwrap_or_default();
    let detail = format!("{}. The address is {address}.", String::from_utf8_lossy(&said));
    Problem::new(status, code, detail).into_response()
}

impl ServerHandler for Gate {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("countersign", env!("CARGO_PKG_VERSION")))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(TOOLS.clone()))
    }

    /// INVARIANT: what `rmcp` made of the message is not looked at. It reads a key that is there
    /// twice, or a fraction, as it likes; what acts is what `Call` reads.
    async fn call_tool(
        &self,
        _: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let parts = context.extensions.get::<Parts>();
        let call = parts.and_then(|parts| parts.extensions.get::<Call>());
        let call = call.ok_or_else(|| ErrorData::internal_error("no call", None))?;
        call.answer(&self.state).await.map(CallToolResponse::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transport_serves_the_public_url_and_never_everybody() {
        for (url, host, origin) in [
            ("https://gate.example.com", "gate.example.com", "https://gate.example.com:443"),
            ("http://localhost:8080", "localhost:8080", "http://localhost:8080"),
            ("https://[2001:db8::1]", "[2001:db8::1]", "https://[2001:db8::1]:443"),
            // No host is among the allowed ones, which is not the same as none.
            ("", "", "http://:80"),
            ("no url at all", "", "http://:80"),
        ] {
            let config = config(url);
            assert_eq!(config.allowed_hosts, [host], "{url}");
            assert_eq!(config.allowed_origins, [origin], "{url}");
        }
    }
}
