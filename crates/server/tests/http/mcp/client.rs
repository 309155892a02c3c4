//! The client of `rmcp`, on the routes of this process.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Request, StatusCode, header};
use axum::response::Response;
use futures::stream::BoxStream;
use rmcp::model::{
    CallToolRequestParams, CallToolResult, ClientConfig, ClientJsonRpcMessage, ProtocolVersion,
};
use rmcp::service::RunningService;
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{
    AuthRequiredError, StreamableHttpClient, StreamableHttpClientTransportConfig,
    StreamableHttpError, StreamableHttpPostResponse,
};
use rmcp::{ClientLifecycleMode, ClientServiceExt, RoleClient, ServiceError};
use serde_json::Value;
use tower::ServiceExt;

type Failed = StreamableHttpError<Infallible>;

/// The protocol as it is, and as most clients spoke it before.
pub fn eras() -> [ClientLifecycleMode; 2] {
    let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
    [ClientLifecycleMode::Discover { preferred_versions }, ClientLifecycleMode::Initialize]
}

/// Sends to a router instead of a socket.
#[derive(Clone)]
struct InProcess(Router);

impl StreamableHttpClient for InProcess {
    type Error = Infallible;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        key: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        assert!(session.is_none(), "there are no sessions");
        let mut request = Request::post(&*uri)
            .header(header::HOST, "localhost")
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream");
        if let Some(key) = key {
            request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let body = Body::from(serde_json::to_vec(&message)?);
        let answer = self.0.clone().oneshot(request.body(body).unwrap()).await.unwrap();
        read(answer).await
    }

    async fn delete_session(
        &self,
        _: Arc<str>,
        _: Arc<str>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        Err(Failed::ServerDoesNotSupportDeleteSession)
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        _: Option<Arc<str>>,
        _: Option<String>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<sse_stream::Sse, sse_stream::Error>>, Failed> {
        Err(Failed::ServerDoesNotSupportSse)
    }
}

async fn read(answer: Response) -> Result<StreamableHttpPostResponse, Failed> {
    let (status, headers) = (answer.status(), answer.headers().clone());
    let is_json = headers.get(header::CONTENT_TYPE).is_some_and(|it| it == "application/json");
    if status == StatusCode::ACCEPTED {
        return Ok(StreamableHttpPostResponse::Accepted);
    }
    if status == StatusCode::UNAUTHORIZED {
        let challenge = headers[header::WWW_AUTHENTICATE].to_str().unwrap().to_owned();
        return Err(Failed::AuthRequired(AuthRequiredError::new(challenge)));
    }
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    if is_json {
        return Ok(StreamableHttpPostResponse::Json(serde_json::from_slice(&body)?, None));
    }
    let text = String::from_utf8_lossy(&body).into_owned();
    Err(Failed::UnexpectedServerResponse(format!("{status}: {text}").into()))
}

/// A client that is connected, as an agent.
pub struct Model(RunningService<RoleClient, ClientConfig>);

impl Model {
    /// Connects; `None` where the server does not let it in.
    pub async fn connect(router: &Router, key: &str, era: ClientLifecycleMode) -> Option<Self> {
        let config = StreamableHttpClientTransportConfig::with_uri("/mcp").auth_header(key);
        let transport =
            StreamableHttpClientTransport::with_client(InProcess(router.clone()), config);
        ClientConfig::default().serve_with_lifecycle(transport, era).await.ok().map(Self)
    }

    /// The tools, as they are listed.
    pub async fn tools(&self) -> Vec<rmcp::model::Tool> {
        self.0.list_all_tools().await.unwrap()
    }

    /// What a tool answers, a refusal too; an error where the call does not get through.
    pub async fn try_call(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<CallToolResult, ServiceError> {
        let Value::Object(arguments) = arguments else { panic!("arguments are an object") };
        self.0.call_tool(CallToolRequestParams::new(tool).with_arguments(arguments)).await
    }

    /// What a tool answers, a refusal too.
    pub async fn call(&self, tool: &'static str, arguments: Value) -> CallToolResult {
        self.try_call(tool, arguments).await.unwrap()
    }

    /// The object that a tool answers, where it does what it was asked to.
    pub async fn done(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(false), "{tool}: {result:?}");
        object(&result)
    }

    /// The problem that a tool refuses with.
    pub async fn refused(&self, tool: &'static str, arguments: Value) -> Value {
        let result = self.call(tool, arguments).await;
        assert_eq!(result.is_error, Some(true), "{tool}: {result:?}");
        object(&result)
    }
}

/// The structured answer, after checking that the text says the same.
fn object(result: &CallToolResult) -> Value {
    let object = result.structured_content.clone().expect("a structured answer");
    let texts: Vec<&str> =
        result.content.iter().map(|block| &*block.as_text().expect("text").text).collect();
    let [says, whole] = texts[..] else { panic!("{texts:?}") };
    assert!(says.len() > 10, "{says}");
    assert_eq!(serde_json::from_str::<Value>(whole).unwrap(), object);
    object
}
