//! docs/api.md lists every fact of risk, with the limits of the code.

use domain::risk::{
    BURST, BURST_COUNTED, BURST_HIGH, LITTLE_TIME_S, LONG_WINDOW_S, MANY_TARGETS,
    MANY_TARGETS_HIGH, REPEAT_S, RiskCode, SHORT_WINDOW_S,
};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");

/// When the fact holds, to which level it leads, and what it names beside that.
fn row(code: RiskCode) -> [String; 3] {
    let [when, level, data]: [&str; 3] = match code {
        RiskCode::BaseRisk => ["always", "the kind's `base_risk`", ""],
        RiskCode::Production => [
            "a part of `environment` between hyphens begins with `prod`, or is `prd` or `live`",
            "medium",
            "",
        ],
        RiskCode::Irreversible => {
            ["the kind is not `reversible`", "a level above the base; high in production", ""]
        }
        RiskCode::SelfExecuted => ["the stager is the executor", "base", ""],
        RiskCode::NoRollbackPlan => ["no `rollback_plan`", "a level above the base", ""],
        RiskCode::RollbackUntested => ["a plan without `tested_at`", "base", ""],
        RiskCode::Size => [
            "the parameter that the kind names as its `size` reaches `medium` or `high`; or is no integer",
            "medium or high; high",
            "`value`, `limit`",
        ],
        RiskCode::ManyTargets => {
            let when = format!("{MANY_TARGETS} targets or more; {MANY_TARGETS_HIGH} or more");
            return [when, "medium; high".into(), "`value`, `limit`".into()];
        }
        RiskCode::LittleTime => {
            let minutes = LITTLE_TIME_S / 60;
            let when = format!(
                "`review_deadline` or the window's end, as the agent gave them, is less than {minutes} minutes away"
            );
            return [
                when,
                "medium".into(),
                "`value` and `limit` in seconds, `at`: that instant".into(),
            ];
        }
        RiskCode::ShortWindow => {
            let minutes = SHORT_WINDOW_S / 60;
            let when = format!("less than {minutes} minutes are left of the window");
            return [when, "base".into(), "`value` and `limit` in seconds, `at`: its end".into()];
        }
        RiskCode::LongWindow => {
            let days = LONG_WINDOW_S / 86_400;
            let when = format!("more than {days} days are left of the window");
            return [when, "medium".into(), "`value` and `limit` in seconds, `at`: its end".into()];
        }
        RiskCode::StagedOffHours => {
            ["staged or amended outside the kind's `working_hours_utc`", "base", "`at`"]
        }
        RiskCode::WindowOffHours => [
            "the window begins outside the kind's `working_hours_utc`",
            "medium",
            "`at`: its begin",
        ],
        RiskCode::FirstOfKind => ["the agent never staged this kind", "medium", ""],
        RiskCode::FirstOnTarget => [
            "the agent never named some of the targets, under any kind",
            "base",
            "`targets`: which",
        ],
        RiskCode::NewTarget => {
            ["nobody ever staged this kind on some of the targets", "base", "`targets`: which"]
        }
        RiskCode::Burst => {
            let when = format!(
                "{BURST} requests or more on one target within an hour, of whatever agent, this one \
                 included; {BURST_HIGH} or more"
            );
            let data =
                format!("`value` (up to {}), `limit`, `targets`: the busiest", BURST_COUNTED + 1);
            return [when, "medium; high".into(), data];
        }
        RiskCode::RepeatOfDenied => {
            let when = format!("the same content was denied within {} hours", REPEAT_S / 3600);
            return [when, "a level above the base".into(), "`at`: when".into()];
        }
        RiskCode::RepeatOfExpired => {
            let when = format!("the same content expired within {} hours", REPEAT_S / 3600);
            return [when, "base".into(), "`at`: when".into()];
        }
        RiskCode::ClaimedHigher => [
            "the agent claims a higher level than the facts above lead to",
            "the claim",
            "`claimed`",
        ],
        RiskCode::ClaimedLower => {
            ["the agent claims a lower level than the facts above lead to", "base", "`claimed`"]
        }
    };
    [when.into(), level.into(), data.into()]
}

#[test]
fn every_fact_of_risk_is_on_the_page() {
    let mut wanted = String::from("| code | when | level | names |\n|---|---|---|---|\n");
    for code in RiskCode::ALL {
        let name = serde_json::to_value(code).unwrap();
        let [when, level, data] = row(code);
        let name = name.as_str().unwrap();
        wanted.push_str(&format!("| `{name}` | {when} | {level} | {data} |\n"));
    }
    let page = std::fs::read_to_string(PAGE).unwrap();
    let (open, close) = ("<!-- generated: risk facts -->\n", "<!-- end -->");
    let start = page.find(open).expect("the part's mark") + open.len();
    let end = start + page[start..].find(close).expect("the part's end");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let new = format!("{}\n{wanted}\n{}", &page[..start], &page[end..]);
        std::fs::write(PAGE, new).unwrap();
    } else {
        let found = page[start..end].trim();
        assert_eq!(
            found,
            wanted.trim(),
            "run this test with UPDATE_DOCS=1 to write docs/api.md anew"
        );
    }
}
