//! A figure: what was measured, beside its base and its goal.

use std::fmt;

/// The head of the table that the figures make.
pub const HEAD: &str = "| figure | measured | base | ratio | goal | |\n|---|---|---|---|---|---|";

/// One line of the report.
pub struct Figure {
    pub name: String,
    pub value: f64,
    pub unit: &'static str,
    /// What it is set against, measured in the same run.
    pub base: Option<(&'static str, f64)>,
    pub goal: Option<Goal>,
}

/// What is asked of a figure.
pub enum Goal {
    /// At least this part of the base.
    AtLeast(f64),
    /// At most this many times the base.
    AtMost(f64),
    /// Below this, in the figure's own unit.
    Below(f64),
    /// This or more, in the figure's own unit.
    From(f64),
}

impl Figure {
    fn ratio(&self) -> Option<f64> {
        self.base.map(|(_, base)| self.value / base)
    }

    fn met(&self) -> Option<bool> {
        Some(match self.goal.as_ref()? {
            Goal::AtLeast(part) => self.ratio()? >= *part,
            Goal::AtMost(times) => self.ratio()? <= *times,
            Goal::Below(limit) => self.value < *limit,
            Goal::From(least) => self.value >= *least,
        })
    }
}

/// A row of a Markdown table.
impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, unit, .. } = self;
        write!(f, "| {name} | {} {unit} | ", Short(*value))?;
        match self.base {
            Some((base, of)) => {
                write!(f, "{base}: {} {unit} | {:.2} | ", Short(of), value / of)?;
            }
            None => write!(f, "| | ")?,
        }
        match &self.goal {
            Some(Goal::AtLeast(part)) => write!(f, "≥ {part}")?,
            Some(Goal::AtMost(times)) => write!(f, "≤ {times}")?,
            Some(Goal::Below(limit)) => write!(f, "< {limit} {unit}")?,
            Some(Goal::From(least)) => write!(f, "≥ {least} {unit}")?,
            None => {}
        }
        write!(
            f,
            " | {} |",
            match self.met() {
                Some(true) => "met",
                Some(false) => "missed",
                None => "",
            }
        )
    }
}

/// Three digits are enough.
struct Short(f64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            value if value >= 100.0 => write!(f, "{value:.0}"),
            value if value >= 10.0 => write!(f, "{value:.1}"),
            value => write!(f, "{value:.2}"),
        }
    }
}
