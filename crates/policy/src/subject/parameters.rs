//! Parameters, whose names only the kind knows, as typed tags.
//!
//! A record of open shape would not validate strictly, so each sort of value has its own map from
//! name to value: `resource.numbers.getTag("row_limit")`. The validator insists on `hasTag` first.
//! A value inside another is named by its path, `limits/rows`, with `~` and `/` written `~0` and
//! `~1` as in a JSON Pointer, so no two values have one name.

use std::collections::BTreeMap;

use cedar_policy::{Entity, EntityUid, RestrictedExpression};
use domain::canonical::escape_token;
use domain::{Kind, RequestId, Revision};
use serde_json::{Map, Value};

use super::{engine, set, text};
use crate::PolicyFailure;
use crate::vocabulary::Vocabulary;

/// The parameters of one revision, by sort and name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    numbers: BTreeMap<String, i64>,
    texts: BTreeMap<String, String>,
    lists: BTreeMap<String, Vec<String>>,
    flags: BTreeMap<String, bool>,
}

impl Parameters {
    /// Sorts the parameters of a revision; those that the kind calls `int64` are numbers too.
    ///
    /// # Errors
    /// When a number is no whole number of 64 bits.
    pub fn of(revision: &Revision, kind: &Kind) -> Result<Self, PolicyFailure> {
        let mut found = Self::default();
        found.sort("", &revision.parameters)?;
        for (name, value) in &revision.parameters {
            let format = kind.parameters_schema.pointer(&format!("/properties{}/format", at(name)));
            if format.and_then(Value::as_str) == Some("int64")
                && let Some(digits) = value.as_str()
            {
                let number = digits.parse().map_err(|_| not_whole())?;
                found.numbers.insert(escape_token(name), number);
            }
        }
        Ok(found)
    }

    fn sort(&mut self, prefix: &str, values: &Map<String, Value>) -> Result<(), PolicyFailure> {
        for (name, value) in values {
            let name = format!("{prefix}{}", escape_token(name));
            match value {
                // A parameter without a value is an absent one.
                Value::Null => {}
                Value::Bool(flag) => {
                    self.flags.insert(name, *flag);
                }
                Value::Number(number) => {
                    let number = number.as_i64().ok_or_else(not_whole)?;
                    self.numbers.insert(name, number);
                }
                Value::String(text) => {
                    self.texts.insert(name, text.clone());
                }
                Value::Array(items) => {
                    self.lists.insert(name, items.iter().map(element).collect());
                }
                Value::Object(inner) => self.sort(&format!("{name}/"), inner)?,
            }
        }
        Ok(())
    }

    /// The four maps as entities.
    pub fn entities(self, words: &Vocabulary, id: RequestId) -> Result<[Entity; 4], PolicyFailure> {
        let long = RestrictedExpression::new_long;
        let list = |items: &Vec<String>| set(items.iter().map(String::as_str));
        let flag = RestrictedExpression::new_bool;
        Ok([
            tagged(words.numbers(id), &self.numbers, |number| long(*number))?,
            tagged(words.texts(id), &self.texts, |value| text(value))?,
            tagged(words.lists(id), &self.lists, list)?,
            tagged(words.flags(id), &self.flags, |value| flag(*value))?,
        ])
    }
}

fn tagged<T>(
    uid: EntityUid,
    values: &BTreeMap<String, T>,
    typed: impl Fn(&T) -> RestrictedExpression,
) -> Result<Entity, PolicyFailure> {
    let tags = values.iter().map(|(name, value)| (name.clone(), typed(value)));
    Entity::new_with_tags(uid, [], [], tags).map_err(engine)
}

fn element(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The JSON Pointer to a member of this name.
fn at(name: &str) -> String {
    format!("/{}", escape_token(name))
}

fn not_whole() -> PolicyFailure {
    let message = "a number is not a whole number of 64 bits".to_owned();
    PolicyFailure::Subject { field: "parameters", message }
}
