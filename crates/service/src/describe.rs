//! How values of `domain` look in JSON, for the API's OpenAPI document; `domain` itself knows
//! nothing of it.
//!
//! Types of answers name these where their field has a domain type:
//! `#[schema(value_type = describe::Digest)]`. Closed sets of words come from the domain's own
//! lists, so that none can be missing.

use domain::canonical::MAX_INTEGER;
use domain::risk::RiskCode;
use domain::{Outcome, RiskLevel, RollbackOutcome, Signal, StateName};
use serde::Serialize;
use utoipa::openapi::{
    ArrayBuilder, KnownFormat, Object, ObjectBuilder, RefOr, Schema, SchemaFormat, Type,
};
use utoipa::{PartialSchema, ToSchema};

macro_rules! described {
    ($($(#[$doc:meta])* $name:ident: $schema:expr;)*) => {$(
        $(#[$doc])*
        pub enum $name {}
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }
        impl ToSchema for $name {}
    )*};
}

described! {
    /// A digest, in its one form.
    Digest: text("SHA-256, in lower-case hexadecimal digits.")
        .pattern(Some("^sha256:[0-9a-f]{64}$"))
        .examples([format!("sha256:{}", "0a".repeat(32))]);
    /// An instant, as answers write it.
    Time: text("An instant, RFC 3339; answers have UTC with microseconds.")
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .examples(["2026-11-22T18:40:00.123456Z"]);
    /// Any of our ids.
    Id: text("A UUID in lower case with hyphens.")
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .pattern(Some("^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"))
        .examples(["01a2056c-8d2b-7dc2-917d-36f536c1660c"]);
    /// The state of a request.
    State: words("Where a request stands.", StateName::ALL);
    /// The computed risk.
    Level: words("How much a mistake could cost.", RiskLevel::ALL);
    /// A fact of the computed risk.
    Fact: words("A fact that the server checked itself.", RiskCode::ALL);
    /// What a heartbeat tells.
    Beat: words("Go on; or stop, and follow the rollback plan.", [Signal::Continue, Signal::Halt]);
    /// How an execution ended.
    Ended: words(
        "How the execution ended.",
        [Outcome::Succeeded, Outcome::Failed, Outcome::Halted],
    );
    /// How undoing it ended.
    Undone: words(
        "How undoing it ended.",
        [RollbackOutcome::RolledBack, RollbackOutcome::RollbackFailed],
    );
    /// A kind, by name and version.
    KindVersion: ObjectBuilder::new()
        .description(Some("The kind, in the version that it was staged under."))
        .property("name", text("Name of a kind of the catalogue."))
        .required("name")
        .property("version", whole(1))
        .required("version");
    /// The index of an entry of the ledger.
    Index: whole(0);
    /// A size of the ledger that has something in it.
    Size: whole(1);
    /// A raw body.
    Bytes: text("").format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
    /// The body that stages; in the document it is replaced by [`crate::schema::STAGE_BODY`].
    StageBody: ObjectBuilder::new();
    /// A kind; in the document it is replaced by [`crate::kind::SCHEMA`] and its version.
    Kind: ObjectBuilder::new();
    /// What a release token is worth; its claims only where it is active.
    Introspection: introspection();
    /// Keys of release tokens.
    JwkSet: ObjectBuilder::new()
        .property("keys", ArrayBuilder::new().items(jwk()))
        .required("keys");
}

fn text(description: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description))
}

fn whole(from: u64) -> ObjectBuilder {
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(from));
    number.maximum(Some(MAX_INTEGER))
}

/// The answer of RFC 7662 §2.2 with the claims of a release token.
fn introspection() -> ObjectBuilder {
    let active = ObjectBuilder::new().schema_type(Type::Boolean);
    let object = ObjectBuilder::new().property("active", active).required("active");
    let texts = ["iss", "sub", "aud", "jti", "txn", "digest", "action_hash"];
    let object = texts.iter().fold(object, |object, name| object.property(*name, text("")));
    let numbers = ["exp", "iat", "nbf", "revision", "max_uses"];
    let object = numbers.iter().fold(object, |object, name| object.property(*name, whole(0)));
    object.property("kind", KindVersion::schema())
}

/// A public key (RFC 8037).
fn jwk() -> Object {
    let members = ["kty", "crv", "use", "alg", "kid", "x"];
    let of = ObjectBuilder::new;
    members.iter().fold(of(), |key, name| key.property(*name, text("")).required(*name)).build()
}

/// One of `all`, as serde writes them.
fn words(description: &str, all: impl IntoIterator<Item = impl Serialize>) -> Object {
    let words = all.into_iter().map(|word| serde_json::to_value(word).unwrap_or_default());
    text(description).enum_values(Some(words)).build()
}
