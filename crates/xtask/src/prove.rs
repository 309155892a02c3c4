//! `prove`: the long forms of the proofs whose short forms are part of `test`.
//!
//! The rule that must hold: a proof is the code that `test` runs, only the counts are others, and
//! one that did not say what it has looked at has failed.

use std::process::Command;

use anyhow::{Result, ensure};
use clap::ValueEnum;

use crate::progress::Steps;
use crate::workspace::Workspace;
use crate::{build, calls, faults, planted, postgres, process, summary};

/// Sets how many rounds a race has, and how many histories there are.
const ROUNDS: &str = "COUNTERSIGN_ROUNDS";
const LONG: &str = "2000";
/// How often the binary is killed.
const KILLS: &str = "200";
/// How often PostgreSQL is cut off, and how often lines are cut at each place.
const CUTS: &str = "50";
/// Stands in a test's output before what it has looked at.
const MARK: &str = "proved: ";

/// A proof that has a short and a long form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proof {
    /// Every order of every command in a small house.
    Worlds,
    /// People, agents and the clock at the same instant, on SQLite.
    Races,
    /// The same on PostgreSQL, at two servers.
    RacesPostgres,
    /// Random histories of a whole server with restarts and lost calls, on SQLite.
    Histories,
    /// The same on PostgreSQL, at two servers.
    HistoriesPostgres,
    /// Every bit of a ledger of a thousand entries flipped, and its entries moved and forged.
    Ledger,
    /// A fault at every system call of the binary that writes something down, on SQLite.
    Crash,
    /// The binary killed two hundred times under load, on SQLite.
    Kills,
    /// Its PostgreSQL cut off under load, and its lines cut around a COMMIT.
    Away,
    /// Its clock set while it runs.
    Clock,
    /// Thousands of calls made from the API's document, against the real binary.
    Api,
    /// Small wrong versions of the product, each of which its tests must catch.
    Planted,
}

/// All proofs, in the order in which they run.
const PROOFS: [Proof; 12] = [
    Proof::Worlds,
    Proof::Races,
    Proof::RacesPostgres,
    Proof::Histories,
    Proof::HistoriesPostgres,
    Proof::Ledger,
    Proof::Crash,
    Proof::Kills,
    Proof::Away,
    Proof::Clock,
    Proof::Api,
    Proof::Planted,
];

impl Proof {
    fn name(self) -> &'static str {
        match self {
            Self::Worlds => "every small world",
            Self::Races => "races on SQLite",
            Self::RacesPostgres => "races on PostgreSQL, two servers",
            Self::Histories => "histories on SQLite",
            Self::HistoriesPostgres => "histories on PostgreSQL, two servers",
            Self::Ledger => "damage to a ledger",
            Self::Crash => "faults at system calls",
            Self::Kills => "kills under load",
            Self::Away => "a database that goes away",
            Self::Clock => "a clock that is set",
            Self::Api => "calls made from the API's document",
            Self::Planted => "planted bugs",
        }
    }

    /// Whether the server's own tests run on PostgreSQL.
    fn on_postgres(self) -> bool {
        matches!(self, Self::RacesPostgres | Self::HistoriesPostgres)
    }

    /// Installs what it stands on.
    fn ensure(self) -> Result<()> {
        if self.on_postgres() || matches!(self, Self::Away | Self::Planted) {
            postgres::ensure()?;
        }
        if matches!(self, Self::Crash | Self::Clock | Self::Planted) {
            faults::ensure()?;
        }
        Ok(())
    }

    /// How many rounds or histories the long form has.
    fn rounds(self) -> &'static str {
        match self {
            Self::Kills => KILLS,
            Self::Away => CUTS,
            _ => LONG,
        }
    }

    /// The tests of the long form, their output shown; none where it builds its own.
    fn command(self, workspace: &Workspace) -> Option<Command> {
        let mut cargo = workspace.product(&["test", "--profile", "proof"]);
        cargo.args(match self {
            Self::Worlds => &["--test", "lifecycle", "--", "--ignored", "larger_world"][..],
            Self::Races | Self::RacesPostgres => &["--test", "races", "--"],
            Self::Histories | Self::HistoriesPostgres => &["--test", "histories", "--"],
            Self::Ledger => &["--test", "ledger", "--", "--ignored", "every_damage"],
            Self::Crash => &["--test", "crash", "--", "--include-ignored", "points::"],
            Self::Kills => &["--test", "crash", "--", "kills::"],
            Self::Away => &["--test", "crash", "--", "postgres::"],
            Self::Clock => &["--test", "crash", "--", "clock::"],
            Self::Api | Self::Planted => return None,
        });
        cargo.env(ROUNDS, self.rounds());
        if self.on_postgres() {
            cargo.env(postgres::TEST_DATABASE, "postgres");
        }
        cargo.arg("--nocapture");
        Some(cargo)
    }

    /// Runs it; answers with what it has looked at.
    fn run(self, workspace: &Workspace) -> Result<Vec<String>> {
        self.ensure()?;
        let proved = match (self, self.command(workspace)) {
            (_, Some(mut command)) => process::run_reading(&mut command, MARK)?,
            (Self::Api, None) => {
                let binary = build::run(workspace, &mut Steps::new(build::STEPS), false)?;
                calls::run(workspace, &binary, calls::LONG)?
            }
            (_, None) => planted::run(workspace)?,
        };
        ensure!(!proved.is_empty(), "nothing says what was proved");
        Ok(proved)
    }
}

/// Runs the proofs asked for (all, if none is named) and tells whether all of them hold.
///
/// # Errors
/// Never: a proof that cannot run has failed, and the next one still runs.
pub fn run(workspace: &Workspace, asked: &[Proof]) -> Result<bool> {
    let mut steps = Steps::new(summary::count(&PROOFS, asked));
    let mut proved = Vec::new();
    let prove = |proof: Proof| {
        let lines = proof.run(workspace)?;
        proved.extend(lines.into_iter().map(|line| format!("{}: {line}", proof.name())));
        Ok(())
    };
    let holds = summary::run_each("proof", (&PROOFS, asked), &mut steps, Proof::name, prove);
    eprintln!();
    proved.iter().for_each(|line| eprintln!("{line}"));
    Ok(holds)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn every_proof_runs_unless_one_is_named() {
        for proof in Proof::value_variants() {
            assert!(PROOFS.contains(proof), "{} never runs", proof.name());
        }
    }

    #[test]
    fn a_long_form_shows_its_output_and_stands_on_the_database_that_its_name_says() {
        for proof in PROOFS {
            let Some(command) = proof.command(&Workspace::at(Path::new("/w"))) else {
                assert!(matches!(proof, Proof::Api | Proof::Planted));
                continue;
            };
            assert_eq!(command.get_args().last().unwrap(), "--nocapture");
            let databases = command.get_envs().filter(|(name, _)| *name == postgres::TEST_DATABASE);
            assert_eq!(databases.count() == 1, proof.name().contains("PostgreSQL"));
        }
    }
}
