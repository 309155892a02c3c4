//! The schema, and the names that it gives to things.

use std::sync::LazyLock;

use cedar_policy::{EntityId, EntityTypeName, EntityUid, Schema};

use crate::PolicyFailure;

/// What a policy can speak of, in Cedar's schema language.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// The schema and its names, read once.
pub struct Vocabulary {
    pub schema: Schema,
    pub review: EntityUid,
    pub release: EntityUid,
    person: EntityTypeName,
    group: EntityTypeName,
    agent: EntityTypeName,
    kind: EntityTypeName,
    request: EntityTypeName,
    numbers: EntityTypeName,
    texts: EntityTypeName,
    lists: EntityTypeName,
    flags: EntityTypeName,
}

static VOCABULARY: LazyLock<Result<Vocabulary, String>> = LazyLock::new(read);

/// The vocabulary of every policy.
///
/// # Errors
/// When the built-in schema cannot be read; a test says that it can.
pub fn vocabulary() -> Result<&'static Vocabulary, PolicyFailure> {
    VOCABULARY.as_ref().map_err(|error| PolicyFailure::Engine(error.clone()))
}

fn read() -> Result<Vocabulary, String> {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).map_err(|error| error.to_string())?;
    let entity = |name: &str| name.parse::<EntityTypeName>().map_err(|error| error.to_string());
    let action_type = entity("Action")?;
    let action =
        |name: &str| EntityUid::from_type_name_and_id(action_type.clone(), EntityId::new(name));
    Ok(Vocabulary {
        schema,
        review: action("Review"),
        release: action("Release"),
        person: entity("Person")?,
        group: entity("Group")?,
        agent: entity("Agent")?,
        kind: entity("Kind")?,
        request: entity("Request")?,
        numbers: entity("Numbers")?,
        texts: entity("Texts")?,
        lists: entity("Lists")?,
        flags: entity("Flags")?,
    })
}

macro_rules! named {
    ($($kind:ident),+) => {$(
        /// The thing of this type that `id` names.
        pub fn $kind(&self, id: impl ToString) -> EntityUid {
            EntityUid::from_type_name_and_id(self.$kind.clone(), EntityId::new(id.to_string()))
        }
    )+};
}

impl Vocabulary {
    named!(person, group, agent, kind, request, numbers, texts, lists, flags);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_read_and_has_exactly_the_two_actions() {
        let words = vocabulary().unwrap();
        let mut actions: Vec<_> = words.schema.actions().collect();
        actions.sort();
        assert_eq!(actions, [&words.release, &words.review]);
    }
}
