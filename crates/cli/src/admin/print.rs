//! What the commands say.

use anyhow::bail;
use serde_json::{Value, json};

use crate::client::{Answer, Session};
use crate::wire::{printable, rows};

/// What became of a change that a second administrator may have to approve.
pub fn proposed(session: &Session, answer: Answer) -> anyhow::Result<()> {
    let to = match answer {
        Answer::SeeOther(to) => to,
        Answer::Document(_) => bail!("the server answered with a page, not with what it did"),
    };
    let url = session.address_of(&to)?;
    match to.strip_prefix("/requests/") {
        Some(id) if session.json => {
            println!("{}", json!({"applied": false, "request": id, "review_url": url}));
        }
        Some(_) => println!("It waits for another administrator: {url}"),
        None if session.json => println!("{}", json!({"applied": true})),
        None => println!("Done. It holds at once, and the ledger says that nobody else decided."),
    }
    Ok(())
}

/// That something is so now.
pub fn done(session: &Session, text: &str) {
    if session.json { println!("{}", json!({"applied": true})) } else { println!("{text}") }
}

/// Something that is shown this once.
pub fn secret(session: &Session, answer: Answer) -> anyhow::Result<()> {
    let Answer::Document(document) = answer else {
        bail!("the server answered with an address, not with what it made");
    };
    if session.json {
        println!("{document}");
    } else {
        let said = ["title", "explanation"].map(|member| printable(text(&document[member])));
        println!("{}", said.join(". "));
        println!("{}", text(&document["value"]));
    }
    Ok(())
}

/// A list: its rows under its headings, or the document itself.
pub fn list<const N: usize>(
    session: &Session,
    document: &Value,
    headings: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) {
    if session.json {
        println!("{document}");
        return;
    }
    let rows = rows.map(|row| row.map(|cell| printable(&cell)));
    let rows: Vec<[String; N]> = std::iter::once(headings.map(str::to_owned)).chain(rows).collect();
    let mut widths = [0; N];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
}

/// The text of a member.
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The texts of a list.
pub fn texts(value: &Value) -> Vec<&str> {
    rows(value).map(text).collect()
}

/// The one of `rows` with this name; otherwise says which there are.
pub fn named<'a>(
    sort: &str,
    name: &str,
    rows: impl Iterator<Item = (&'a str, &'a Value)> + Clone,
) -> anyhow::Result<&'a Value> {
    let found = rows.clone().find(|(row, _)| *row == name).map(|(_, value)| value);
    found.ok_or_else(|| {
        let names = rows.map(|(row, _)| row).collect::<Vec<_>>().join(", ");
        anyhow::anyhow!("there is no {sort} `{name}`; there is: {names}")
    })
}
