//! What the check needs of an entry, read from its end without parsing the whole.
//!
//! In canonical form an entry ends with
//! `"type":"FACT"},"format":"countersign/entry/v1","index":N,"instance":"ID"[,"request":"ID"]}`.
//! Within a string the quotation marks would be escaped, and inside a nested object more than one
//! brace would close it, so these bytes at the end can be nothing else.

use crate::checkpoint::decimal;
use crate::entry::FORMAT;

const REQUEST: &str = "\",\"request\":\"";
const INSTANCE: &str = ",\"instance\":\"";
const INDEX: &str = "\",\"index\":";
const FORMAT_FIELD: &str = "\"},\"format\":\"";
const TYPE: &str = "\"type\":\"";
/// Longer than the longest tail: two ids, a number and a name.
const TAIL_BYTES: usize = 320;
const ID_CHARS: usize = 36;

/// The last fields of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Tail<'a> {
    pub fact: &'a str,
    pub index: u64,
    pub instance: &'a str,
}

impl<'a> Tail<'a> {
    /// The tail of an entry's bytes; `None` when they do not end as an entry of version 1 does.
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        let (_, end) = body.split_at(body.len().saturating_sub(TAIL_BYTES));
        let start = end.iter().position(u8::is_ascii)?;
        let mut text = std::str::from_utf8(end.get(start..)?).ok()?.strip_suffix("\"}")?;
        // The request's id is there or not; either way 36 characters follow the field's name.
        let id_start = text.len().checked_sub(ID_CHARS)?;
        if let Some(rest) = text.get(..id_start)?.strip_suffix(REQUEST) {
            text = rest;
        }
        let (rest, instance) = text.split_at_checked(text.len().checked_sub(ID_CHARS)?)?;
        let rest = rest.strip_suffix(INSTANCE)?;
        let (rest, index) = rest.rsplit_once(INDEX)?;
        let rest = rest.strip_suffix(FORMAT)?.strip_suffix(FORMAT_FIELD)?;
        let (_, fact) = rest.rsplit_once(TYPE)?;
        let plain = !fact.is_empty() && fact.bytes().all(|byte| byte.is_ascii_alphanumeric());
        plain.then_some(Self { fact, index: decimal(index)?, instance })
    }
}
