//! Strict JSON in, canonical JSON out.
//!
//! What comes in is read so that no two parsers can disagree about it: no duplicate keys, no
//! fractions, integers within ±(2^53−1), no U+0000, no lone surrogates, depth at most
//! [`MAX_DEPTH`]. What goes into a digest is written in JCS (RFC 8785). Strings are kept byte for
//! byte; nothing is normalised.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::Serialize;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// How deep arrays and objects may nest.
pub const MAX_DEPTH: usize = 32;
/// The largest integer that every JSON reader keeps exactly (RFC 7493 §2.2).
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// Why a text is not the JSON that the gate reads, and where (RFC 6901 pointer).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at `{pointer}`: {problem}")]
pub struct Malformed {
    pub pointer: String,
    pub problem: Problem,
}

/// What is wrong with a JSON text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("not well-formed JSON: {0}")]
    Syntax(String),
    #[error("the key `{0}` appears twice")]
    DuplicateKey(String),
    #[error("numbers are integers within ±9007199254740991; send this one as a string: \"{0}\"")]
    Number(String),
    #[error("U+0000 is not allowed in a string")]
    Nul,
    #[error("nested deeper than 32 levels")]
    Depth,
}

/// Reads one JSON text strictly.
///
/// # Errors
/// [`Malformed`] names the first problem and where it is.
pub fn parse(text: &[u8]) -> Result<Value, Malformed> {
    let trail = Trail::default();
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict { trail: &trail, depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value));
    value.map_err(|error| Malformed {
        pointer: trail.pointer(),
        problem: trail.problem.take().unwrap_or_else(|| Problem::Syntax(error.to_string())),
    })
}

/// Writes the canonical form (JCS).
///
/// # Errors
/// When the value has a number or key that JSON cannot carry.
pub fn to_bytes<T: Serialize>(value: &T) -> Result<Vec<u8>, NotCanonical> {
    serde_json_canonicalizer::to_vec(value).map_err(|error| NotCanonical(error.to_string()))
}

/// A value that has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no canonical form: {0}")]
pub struct NotCanonical(String);

/// Escapes one reference token of a JSON Pointer (RFC 6901 §3).
pub fn escape_token(token: &str) -> String {
    token.replace('~', "~0").replace('/', "~1")
}

/// Where the reader is, and what it objected to. The path is left as it was when reading stopped.
#[derive(Default)]
struct Trail {
    path: RefCell<Vec<String>>,
    problem: Cell<Option<Problem>>,
}

impl Trail {
    fn object<E: de::Error>(&self, problem: Problem) -> E {
        let error = E::custom(&problem);
        self.problem.set(Some(problem));
        error
    }
    fn pointer(&self) -> String {
        self.path.borrow().iter().map(|token| format!("/{}", escape_token(token))).collect()
    }
    fn enter(&self, token: String) {
        self.path.borrow_mut().push(token);
    }
    fn leave(&self) {
        self.path.borrow_mut().pop();
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    trail: &'a Trail,
    depth: usize,
}

impl Strict<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(self.trail.object(Problem::Depth));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
    fn text<E: de::Error>(self, text: String) -> Result<String, E> {
        if text.contains('\0') { Err(self.trail.object(Problem::Nul)) } else { Ok(text) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;
    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        if value > MAX_INTEGER {
            return Err(self.trail.object(Problem::Number(value.to_string())));
        }
        Ok(Value::Number(Number::from(value)))
    }
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > MAX_INTEGER {
            return Err(self.trail.object(Problem::Number(value.to_string())));
        }
        Ok(Value::Number(Number::from(value)))
    }
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Err(self.trail.object(Problem::Number(value.to_string())))
    }
    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        self.text(value.to_owned()).map(Value::String)
    }
    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        self.text(value).map(Value::String)
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        loop {
            self.trail.enter(items.len().to_string());
            let Some(item) = access.next_element_seed(inner)? else { break };
            items.push(item);
            self.trail.leave();
        }
        self.trail.leave();
        Ok(Value::Array(items))
    }
    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let key = self.text(key)?;
            if object.contains_key(&key) {
                return Err(self.trail.object(Problem::DuplicateKey(key)));
            }
            self.trail.enter(key.clone());
            let value = access.next_value_seed(inner)?;
            self.trail.leave();
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Digest;

    fn refused(text: &str) -> (String, Problem) {
        let Malformed { pointer, problem } = parse(text.as_bytes()).unwrap_err();
        (pointer, problem)
    }

    #[test]
    fn e08_two_readers_cannot_disagree_about_what_is_accepted() {
        let cases = [
            (r#"{"a":{"cmd":"rm a","cmd":"rm b"}}"#, "/a", Problem::DuplicateKey("cmd".into())),
            (r#"{"a":[1,2.5]}"#, "/a/1", Problem::Number("2.5".into())),
            (r#"{"a":1.0}"#, "/a", Problem::Number("1".into())),
            (r#"{"a":-0}"#, "/a", Problem::Number("-0".into())),
            (r#"{"a/b":9007199254740992}"#, "/a~1b", Problem::Number("9007199254740992".into())),
            (r#"{"a":-9007199254740992}"#, "/a", Problem::Number("-9007199254740992".into())),
            (r#"{"a":"x\u0000y"}"#, "/a", Problem::Nul),
        ];
        for (text, pointer, problem) in cases {
            assert_eq!(refused(text), (pointer.into(), problem), "{text}");
        }
        for syntax in
            ["", "{", "[1,]", "{\"a\":NaN}", "\u{feff}{}", "{} {}", "// x\n{}", r#"{"a":"\ud800"}"#]
        {
            assert!(matches!(refused(syntax).1, Problem::Syntax(_)), "{syntax}");
        }
        assert!(matches!(parse(b"{\"a\":\"\xff\"}").unwrap_err().problem, Problem::Syntax(_)));
    }

    #[test]
    fn h04_depth_is_limited_to_32() {
        let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(parse(nested(32).as_bytes()).is_ok());
        assert_eq!(refused(&nested(33)).1, Problem::Depth);
        assert!(parse(nested(100_000).as_bytes()).is_err());
    }

    #[test]
    fn the_limits_themselves_are_allowed_and_strings_are_kept() {
        let text = "{\"a\":9007199254740991,\"b\":-9007199254740991,\"c\":\"e\u{301}\"}";
        assert_eq!(to_bytes(&parse(text.as_bytes()).unwrap()).unwrap(), text.as_bytes());
    }

    #[test]
    fn rfc8785_vectors() {
        let sorted = serde_json::json!({"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty",
            "a":{},"111":[{"e":"yes","E":"no"}],"A":{}});
        let bytes = to_bytes(&sorted).unwrap();
        assert_eq!(
            Digest::of(&bytes).hex(),
            "605f65004ec2db7692522a0852c22f1c989e036d547e88963d1a3143cf3195d5"
        );
    }
}
