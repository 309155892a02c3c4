//! Every route, for every kind of caller; every route that reads writes nothing; every answer has
//! its security headers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use axum::body::Body;
use axum::http::{Method, Request, header};
use service::Steward;
use testing::TestApp;

/// Every route with one method a line. `ID` is a pending request of agent-1, `EV` its evidence.
const ROUTES: &[(&str, &str)] = &[
    ("POST", "/api/v1/evidence"),
    ("GET", "/api/v1/evidence/{digest}"),
    ("POST", "/api/v1/requests"),
    ("GET", "/api/v1/requests"),
    ("GET", "/api/v1/requests/{id}"),
    ("POST", "/api/v1/requests/{id}/redeem"),
    ("POST", "/api/v1/requests/{id}/outcome"),
    ("POST", "/api/v1/requests/{id}/revisions"),
    ("POST", "/api/v1/requests/{id}/heartbeat"),
    ("POST", "/api/v1/requests/{id}/rollback"),
    ("GET", "/api/v1/events"),
    ("POST", "/api/v1/releases/introspect"),
    ("GET", "/api/v1/kinds"),
    ("GET", "/api/v1/kinds/{name}"),
    ("GET", "/api/v1/ledger/entries"),
    ("GET", "/api/v1/ledger/checkpoint"),
    ("GET", "/api/v1/ledger/proof/{index}"),
    ("GET", "/api/v1/ledger/consistency"),
    ("POST", "/mcp"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/api/{*rest}"),
    ("GET", "/.well-known/jwks.json"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/"),
    ("GET", "/inbox"),
    ("GET", "/inbox/fingerprint"),
    ("GET", "/requests/{id}"),
    ("GET", "/requests/{id}/version"),
    ("POST", "/requests/{id}/review"),
    ("POST", "/requests/{id}/revoke"),
    ("POST", "/requests/{id}/halt"),
    ("POST", "/requests/{id}/withdraw"),
    ("POST", "/requests/{id}/second-review"),
    ("GET", "/freezes"),
    ("POST", "/freezes"),
    ("POST", "/freezes/{id}/thaw"),
    ("POST", "/requests/{id}/evidence/{digest}/open"),
    ("POST", "/requests/{id}/evidence/{digest}/unmask"),
    ("GET", "/requests/{id}/evidence/{digest}/download"),
    ("GET", "/history"),
    ("GET", "/ledger"),
    ("GET", "/ledger/proof/{index}"),
    ("GET", "/agents"),
    ("POST", "/agents"),
    ("POST", "/agents/{id}/keys"),
    ("POST", "/agents/{id}/keys/{key}/revoke"),
    ("POST", "/agents/{id}/keys/{key}/rotate"),
    ("POST", "/agents/{id}/trusts"),
    ("POST", "/agents/{id}/trusts/{trust}/remove"),
    ("POST", "/agents/{id}/suspend"),
    ("GET", "/people"),
    ("POST", "/people"),
    ("POST", "/people/{id}/invite"),
    ("POST", "/people/{id}/disable"),
    ("POST", "/people/groups"),
    ("GET", "/kinds"),
    ("GET", "/reference"),
    ("POST", "/kinds"),
    ("GET", "/policy"),
    ("POST", "/policy"),
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("GET", "/sign-in/link/{token}"),
    ("POST", "/sign-in/link"),
    ("POST", "/sign-out"),
    ("GET", "/settings"),
    ("POST", "/settings/password"),
    ("POST", "/settings/keys"),
    ("POST", "/settings/keys/{key}/revoke"),
    ("GET", "/settings/webhooks"),
    ("POST", "/settings/webhooks"),
    ("POST", "/settings/webhooks/{id}/rotate"),
    ("POST", "/settings/webhooks/{id}/remove"),
    ("POST", "/settings/webhooks/{id}/replay"),
    ("GET", "/assets/{file}"),
    ("GET", "/pkg/{file}"),
    // Last, because the stager's own call ends the request that all others ask for.
    ("POST", "/api/v1/requests/{id}/withdraw"),
];

#[test]
fn b01_every_route_of_the_router_is_in_the_table() {
    let sources = [include_str!("../../src/api.rs"), include_str!("../../src/web.rs")];
    for source in sources {
        for route in source.split(".route(\"").skip(1) {
            let path = route.split('"').next().unwrap();
            assert!(ROUTES.iter().any(|(_, known)| *known == path), "{path} is not in the table");
        }
    }
    let described = crate::document::operations().map(|(method, path, _)| (method, path));
    let described: BTreeSet<(String, String)> = described.collect();
    let bare = |(_, path): &&(&str, &str)| {
        let route = format!(".route(\"{path}\"");
        sources.iter().any(|source| source.contains(&route))
    };
    let known = ROUTES
        .iter()
        .filter(|route| !bare(route))
        .map(|(method, path)| ((*method).into(), (*path).into()));
    assert_eq!(described, known.collect(), "the document and the table of routes");
}

#[tokio::test]
async fn b01_w02_route_by_role_matrix() {
    let app = TestApp::new().await;
    let owner = app.person("Olga Owner", &[]).await;
    let approver = app.person("Bob Approver", &["approvers"]).await;
    let auditor = app.person("Ida Auditor", &["auditors"]).await;
    let administrator = app.person("Eve Admin", &["administrators"]).await;
    let nobody = app.person("Dan Nobody", &[]).await;
    let spare = app.person("Sue Spare", &[]).await;
    let disabled = app.person("Del Disabled", &["approvers", "administrators"]).await;
    app.service.disable_person(&Steward::Operator, disabled.id).await.unwrap();
    let agent = app.agent("agent-1", owner.id).await;
    let other = app.agent("agent-2", owner.id).await;
    let key = app.auditor_key(auditor.id).await;
    let request = agent.stage().await;
    app.service.issue_checkpoint().await.unwrap();
    let id = request["id"].as_str().unwrap();
    let person = spare.id.to_string();

    let bearer = |key: &str| (header::AUTHORIZATION, format!("Bearer {key}"));
    let cookie = |cookie: &str| (header::COOKIE, cookie.to_owned());
    let callers = [
        ("anonymous", (header::ACCEPT, "*/*".to_owned())),
        ("agent", bearer(&agent.key)),
        ("other agent", bearer(&other.key)),
        ("auditor key", bearer(&key)),
        ("owner", cookie(&owner.cookie)),
        ("approver", cookie(&approver.cookie)),
        ("auditor", cookie(&auditor.cookie)),
        ("administrator", cookie(&administrator.cookie)),
        ("no group", cookie(&nobody.cookie)),
        ("disabled", cookie(&disabled.cookie)),
    ];
    let names: Vec<&str> = callers.iter().map(|(name, _)| *name).collect();
    let mut table =
        format!("| route | {} |\n|---|{}\n", names.join(" | "), "---|".repeat(names.len()));
    for (method, route) in ROUTES {
        let path = route
            // Somebody whom nothing here needs: the administrator does disable them.
            .replace("{id}", if route.starts_with("/people") { &person } else { id })
            .replace("{key}", id)
            .replace("{trust}", id)
            .replace("{digest}", &format!("sha256:{}", "0".repeat(64)))
            // A stream has no end: one that is let in is refused its place.
            .replace("/events", "/events?last_event_id=nowhere")
            .replace("{index}", "3")
            .replace("{name}", "vendor.key_extend")
            .replace("{token}", "nonsense")
            .replace("{file}", "nonsense.css")
            .replace("{*rest}", "nonsense");
        write!(table, "| {method} {route} |").unwrap();
        for (name, (header_name, value)) in &callers {
            let before = app.entries().await;
            // Bodies are empty on purpose: what a caller may not do is refused before they are read.
            let json = route.starts_with("/api") || *route == "/mcp";
            let media_type =
                if json { "application/json" } else { "application/x-www-form-urlencoded" };
            let sent = Request::builder()
                .method(Method::from_bytes(method.as_bytes()).unwrap())
                .uri(&path)
                .header(header_name, value)
                .header(header::CONTENT_TYPE, media_type)
                .body(Body::empty())
                .unwrap();
            // Signing out would end the caller's session for the rest of the table.
            if *route == "/sign-out" && *name != "anonymous" {
                write!(table, " – |").unwrap();
                continue;
            }
            let reply = app.anonymous(sent).await;
            assert!(reply.status.as_u16() < 500, "{name} {method} {path}: {}", reply.text());
            assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
            assert!(reply.header("content-security-policy").contains("frame-ancestors 'none'"));
            assert_ne!(reply.header("cache-control"), "", "{path}");
            let date = chrono::DateTime::parse_from_rfc2822(reply.header("date")).unwrap();
            assert_eq!(date.timestamp(), app.service.now().seconds(), "{path}");
            let to = reply.header("location").split('?').next().unwrap_or_default();
            write!(
                table,
                " {}{}{to} |",
                reply.status.as_u16(),
                if to.is_empty() { "" } else { " " }
            )
            .unwrap();
            if *method == "GET" {
                assert_eq!(app.entries().await, before, "{method} {path} wrote into the ledger");
            }
        }
        table.push('\n');
    }
    insta::assert_snapshot!(table);
}
