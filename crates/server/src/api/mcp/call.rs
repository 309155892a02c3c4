//! One call of a tool: read from the bytes that arrived, answered as the protocol wants it.

use std::borrow::Cow;

use axum::body::Bytes;
use domain::canonical::{Malformed, Problem as Fault};
use rmcp::ErrorData;
use rmcp::model::{CallToolResult, ContentBlock};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use service::AgentCaller;
use service::stage::StageError;

use super::{next, tool::Tool};
use crate::AppState;
use crate::problem::Problem;

/// Who calls, and the message as it arrived.
#[derive(Clone)]
pub(super) struct Call {
    pub agent: AgentCaller,
    pub body: Bytes,
}

/// What a tool answers: a sentence for the model, and the API's own object.
pub(super) struct Answer {
    pub says: String,
    pub object: Value,
}

impl Answer {
    pub fn new(says: impl Into<String>, object: &impl Serialize) -> Result<Self, Problem> {
        let object = serde_json::to_value(object).map_err(|_| Problem::internal())?;
        Ok(Self { says: says.into(), object })
    }
}

/// Of the message, what names the tool and its arguments. Each of them twice is an error.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    params: Params<'a>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    /// Not read here: each tool reads them strictly, a stage body as the API reads a body.
    #[serde(borrow)]
    arguments: Option<&'a RawValue>,
}

impl Call {
    /// Runs the tool. A refusal is a result too, because a model sees results, and can mend its call.
    pub async fn answer(&self, state: &AppState) -> Result<CallToolResult, ErrorData> {
        let params = match serde_json::from_slice::<Message<'_>>(&self.body) {
            Ok(message) => message.params,
            Err(error) => return Ok(refused(malformed(&error))),
        };
        let Some(tool) = Tool::named(&params.name) else {
            let names: Vec<&str> = Tool::ALL.into_iter().map(Tool::name).collect();
            let detail = format!("There is no such tool. There are: {}.", names.join(", "));
            return Err(ErrorData::invalid_params(detail, None));
        };
        let arguments = params.arguments.map_or("{}", RawValue::get);
        Ok(match tool.run(state, &self.agent, arguments).await {
            Ok(answer) => result(&answer.says, answer.object, false),
            Err(problem) => refused(problem),
        })
    }
}

fn malformed(error: &serde_json::Error) -> Problem {
    let problem = Fault::Syntax(error.to_string());
    StageError::Malformed(Malformed { pointer: String::new(), problem }).into()
}

fn refused(problem: Problem) -> CallToolResult {
    let says = format!("{}: {} {}", problem.code, problem.detail, next::after(problem.code));
    let object = serde_json::to_value(problem).unwrap_or_default();
    result(says.trim_end(), object, true)
}

/// The object goes out twice, structured and as text: many clients show a model nothing but text.
fn result(says: &str, object: Value, is_error: bool) -> CallToolResult {
    let texts = vec![ContentBlock::text(says), ContentBlock::text(object.to_string())];
    let mut result =
        if is_error { CallToolResult::error(texts) } else { CallToolResult::success(texts) };
    result.structured_content = Some(object);
    result
}
