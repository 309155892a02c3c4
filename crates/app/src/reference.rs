//! An OpenAPI document, read for a page: calls by group, with rows for tables.
//!
//! Shows what an author needs to write a call; it validates nothing.

use serde_json::Value;

use crate::schema::{Parameter, parameter};

/// How deep fields of fields are listed.
const MAX_DEPTH: usize = 6;

/// The longest example that a command has in it, in bytes.
const MAX_INLINE: usize = 200;

/// Calls of one tag.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub about: String,
    pub calls: Vec<Call>,
}

/// One call.
#[derive(Clone, Debug)]
pub struct Call {
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub about: String,
    /// Whose key it takes.
    pub key: Option<&'static str>,
    pub parameters: Vec<Parameter>,
    pub body: Option<Body>,
    pub answers: Vec<Answer>,
    /// Status and codes of each answer that is a problem.
    pub problems: Vec<(String, String)>,
    /// Headers that the command shows.
    headers: Vec<String>,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Body {
    pub media_type: String,
    pub about: String,
    pub fields: Vec<Parameter>,
    pub example: Option<Value>,
}

/// What is answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: String,
    pub about: String,
    pub headers: Vec<Parameter>,
    pub fields: Vec<Parameter>,
    pub example: Option<Value>,
}

/// The groups of `document`, in the order of its tags.
pub fn groups(document: &Value) -> Vec<Group> {
    let calls = calls(document);
    let group = |tag: &Value| {
        let name = text(tag, "name");
        let of_it = calls.iter().filter(|(of, _)| *of == name).map(|(_, call)| call.clone());
        Group { about: text(tag, "description"), calls: of_it.collect(), name }
    };
    list(&document["tags"]).iter().map(group).collect()
}

fn calls(document: &Value) -> Vec<(String, Call)> {
    let mut operations = Vec::new();
    for (path, item) in members(&document["paths"]) {
        // What makes a thing goes before what lists it: `post` before `get`.
        let of_it = members(item).collect::<Vec<_>>().into_iter().rev();
        operations.extend(of_it.map(|(method, operation)| (path, method, operation)));
    }
    operations.sort_by_key(|(_, _, operation)| operation["x-order"].as_u64());
    let tagged = operations.into_iter().map(|(path, method, operation)| {
        let tag = operation["tags"][0].as_str().unwrap_or_default().to_owned();
        (tag, call(document, path, method, operation))
    });
    tagged.collect()
}

fn call(document: &Value, path: &str, method: &str, operation: &Value) -> Call {
    let parameters = list(&operation["parameters"]);
    let row = |of: &Value| {
        let required = of["required"] == true;
        let name = format!("{} ({})", text(of, "name"), text(of, "in"));
        let mut row = parameter(&name, &resolved(document, &of["schema"]), required);
        row.description = plain(of);
        row
    };
    let header = |of: &&Value| of["in"] == "header" && of.get("example").is_some();
    let headers = parameters.iter().filter(header);
    let key = match operation["security"][0].as_object().and_then(|of| of.keys().next()) {
        Some(name) if name == "agent_key" => Some("an agent's key"),
        Some(_) => Some("an auditor's key"),
        None => None,
    };
    let is_problem = |(status, _): &(&String, &Value)| status.starts_with(['4', '5']);
    let answers = members(&operation["responses"]).filter(|answer| !is_problem(answer));
    let problems = members(&operation["responses"]).filter(is_problem);
    Call {
        id: text(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary").trim_end_matches('.').to_owned(),
        about: text(operation, "description"),
        key,
        parameters: parameters.iter().map(row).collect(),
        body: operation.get("requestBody").map(|body| self::body(document, body)),
        answers: answers.map(|(status, answer)| self::answer(document, status, answer)).collect(),
        // A problem has the same fields everywhere; its codes are what differs.
        problems: problems.map(|(status, is)| (status.clone(), text(is, "description"))).collect(),
        headers: headers
            .map(|of| format!("{}: {}", text(of, "name"), text(of, "example")))
            .collect(),
    }
}

fn body(document: &Value, body: &Value) -> Body {
    let (media_type, content) = content(body);
    Body {
        media_type,
        about: text(body, "description"),
        fields: fields(document, &content["schema"]),
        example: content.get("example").cloned(),
    }
}

fn answer(document: &Value, status: &str, answer: &Value) -> Answer {
    let (_, content) = content(answer);
    let header = |(name, of): (&String, &Value)| {
        let mut row = parameter(name, &resolved(document, &of["schema"]), true);
        row.description = plain(of);
        row
    };
    Answer {
        status: status.to_owned(),
        about: text(answer, "description"),
        headers: members(&answer["headers"]).map(header).collect(),
        fields: fields(document, &content["schema"]),
        example: content.get("example").cloned(),
    }
}

/// The first content, by media type.
fn content(of: &Value) -> (String, Value) {
    let first = members(&of["content"]).next();
    first.map(|(media_type, of)| (media_type.clone(), of.clone())).unwrap_or_default()
}

/// Every field of `schema`, those of objects and lists in it after their own.
pub fn fields(document: &Value, schema: &Value) -> Vec<Parameter> {
    let mut rows = Vec::new();
    descend(document, schema, "", MAX_DEPTH, &mut rows);
    rows
}

fn descend(document: &Value, schema: &Value, at: &str, depth: usize, rows: &mut Vec<Parameter>) {
    let schema = resolved(document, schema);
    let required = list(&schema["required"]);
    for part in list(&schema["allOf"]) {
        descend(document, part, at, depth, rows);
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    for (name, rule) in members(&schema["properties"]) {
        let rule = resolved(document, rule);
        let name_here = format!("{at}{name}");
        let is_required = required.iter().any(|one| one == name);
        let mut row = rule.clone();
        if let Some(items) = rule.get("items") {
            row["items"] = resolved(document, items);
            rows.push(parameter(&name_here, &row, is_required));
            descend(document, items, &format!("{name_here}[]."), depth, rows);
        } else {
            rows.push(parameter(&name_here, &row, is_required));
            descend(document, &rule, &format!("{name_here}."), depth, rows);
        }
    }
}

/// `schema`, or what it refers to; what stands beside the reference goes before.
fn resolved(document: &Value, schema: &Value) -> Value {
    let to = schema.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
    let Some(mut found) = to.and_then(|to| document.pointer(to)).cloned() else {
        return schema.clone();
    };
    if let Some(about) = schema.get("description") {
        found["description"] = about.clone();
    }
    found
}

impl Call {
    /// The command that makes the call, to be copied.
    pub fn command(&self, public_url: &str) -> String {
        let path = self.path.replace('{', "$").replace('}', "").replace("$id", "$ID");
        let mut lines = vec![match self.method.as_str() {
            "GET" => format!("curl -sS \"{public_url}{path}\""),
            method => format!("curl -sS -X {method} \"{public_url}{path}\""),
        }];
        if self.key.is_some() {
            lines.push("-H \"Authorization: Bearer $COUNTERSIGN_KEY\"".to_owned());
        }
        lines.extend(self.headers.iter().map(|header| format!("-H '{header}'")));
        if let Some(body) = &self.body {
            lines.push(format!("-H 'Content-Type: {}'", body.media_type));
            let example = body.example.as_ref().filter(|example| example.is_object());
            let short = example.map(Value::to_string).filter(|text| text.len() <= MAX_INLINE);
            lines.push(match short {
                Some(text) => format!("-d '{}'", text.replace('\'', "'\\''")),
                None => "--data-binary @FILE".to_owned(),
            });
        }
        lines.join(" \\\n  ")
    }
}

/// A description without the marks of code, for a cell of a table.
fn plain(of: &Value) -> String {
    text(of, "description").replace('`', "")
}

fn text(of: &Value, member: &str) -> String {
    of.get(member).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list(of: &Value) -> &[Value] {
    of.as_array().map_or(&[], Vec::as_slice)
}

fn members(of: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of.as_object().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_document_becomes_calls_with_their_fields() {
        let document = json!({
            "tags": [{"name": "Things", "description": "All of them."}],
            "paths": {"/things/{id}": {"post": {
                "tags": ["Things"], "operationId": "put", "summary": "Puts it.",
                "security": [{"agent_key": []}],
                "parameters": [{"name": "Once", "in": "header", "example": "k-1", "schema": {"type": "string"}}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"201": {"description": "Put."}, "404": {"description": "- `no`: none."}}
            }}},
            "components": {"schemas": {
                "Thing": {"required": ["parts"], "properties": {"parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}}},
                "Part": {"type": "object", "properties": {"name": {"type": "string", "maxLength": 9}}},
            }},
        });
        let groups = groups(&document);
        let call = &groups[0].calls[0];
        assert_eq!((call.summary.as_str(), call.key), ("Puts it", Some("an agent's key")));
        let body = call.body.as_ref().unwrap();
        let rows: Vec<_> =
            body.fields.iter().map(|row| (row.name.as_str(), row.required)).collect();
        assert_eq!(rows, [("parts", true), ("parts[].name", false)]);
        assert_eq!(body.fields[0].sort, "array of object");
        let command = call.command("http://here");
        assert!(command.starts_with("curl -sS -X POST \"http://here/things/$ID\""), "{command}");
        assert!(command.contains("-H 'Once: k-1'"), "{command}");
        assert_eq!(call.answers.len(), 1);
        assert_eq!(call.problems, [("404".to_owned(), "- `no`: none.".to_owned())]);
    }
}
