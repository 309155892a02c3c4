//! Where in a revision something stands, in words instead of a JSON Pointer (RFC 6901).

/// The parts of a pointer from the outside in: `parameters`, `columns`, `item 2`.
///
/// Keys below the first are the agent's own and stay as they are.
pub fn parts(pointer: &str) -> Vec<String> {
    let keys = pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~"));
    keys.enumerate().map(|(depth, key)| part(depth, key)).collect()
}

/// What a reviewer looks at first has the least: what will run, then what undoes it, then what is
/// shown for it, then the agent's own words.
pub fn weight(pointer: &str) -> usize {
    const ORDER: [&str; 12] = [
        "parameters",
        "targets",
        "environment",
        "command",
        "window",
        "on_behalf_of",
        "rollback_plan",
        "evidence",
        "summary",
        "justification",
        "risk",
        "ticket",
    ];
    let field = pointer.split('/').nth(1).unwrap_or_default();
    ORDER.iter().position(|known| *known == field).unwrap_or(ORDER.len())
}

fn part(depth: usize, key: String) -> String {
    match key.parse::<usize>() {
        Ok(index) => format!("item {}", index.saturating_add(1)),
        Err(_) if depth == 0 => field(&key).to_owned(),
        Err(_) => key,
    }
}

/// A field of the revision as the page calls it.
fn field(name: &str) -> &str {
    match name {
        "summary" => "the agent’s summary",
        "justification" => "the agent’s reasons",
        "risk" => "the risk that the agent claims",
        "rollback_plan" => "rollback plan",
        "on_behalf_of" => "on behalf of",
        "review_deadline" => "review deadline",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_read_from_the_outside_in() {
        assert_eq!(parts("/parameters/row_limit"), ["parameters", "row_limit"]);
        assert_eq!(parts("/rollback_plan/steps/1"), ["rollback plan", "steps", "item 2"]);
        assert_eq!(parts("/parameters/a~1b~0c"), ["parameters", "a/b~c"]);
        assert!(weight("/parameters/a") < weight("/command/argv"));
        assert!(weight("/evidence") < weight("/summary") && weight("/summary") < weight("/other"));
        assert_eq!(parts("/summary"), ["the agent’s summary"]);
    }
}
