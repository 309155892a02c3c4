//! Debian's packages: which are missing, and installing them.
//!
//! Only packages that are missing are installed, only as root and only where apt-get exists.
//! Anywhere else the caller's exact commands are the error, so that a person can run them.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::process;

/// Installs those of `packages` that are missing; `purpose` tells people what for.
///
/// # Errors
/// Without root or apt-get, with the commands to run; or when apt-get fails.
pub fn install(packages: &[&str], purpose: &str) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !is_installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !can_install() {
        bail!(
            "{purpose} is missing and cannot be installed from here; run\n{}",
            commands(&missing)
        );
    }
    eprintln!("  installing {purpose} (packages: {}), about a minute", missing.join(" "));
    process::run(apt().args(["-q", "update"])).context("cannot update the list of packages")?;
    process::run(apt().args(["-q", "install", "-y", "--no-install-recommends"]).args(&missing))
        .with_context(|| format!("cannot install {purpose}"))
}

/// Tells whether this machine lets us install packages: root, and apt-get present.
pub fn can_install() -> bool {
    let root = process::ask(Command::new("id").arg("-u")).is_some_and(|id| id.trim() == "0");
    root && Path::new("/usr/bin/apt-get").exists()
}

/// The commands that install `packages` by hand.
pub fn commands(packages: &[&str]) -> String {
    let list = packages.join(" ");
    format!("sudo apt-get update\nsudo apt-get install -y --no-install-recommends {list}")
}

fn is_installed(package: &str) -> bool {
    let mut query = Command::new("dpkg-query");
    query.args(["--show", "--showformat", "${db:Status-Status}", package]);
    process::ask(&mut query).is_some_and(|status| status == "installed")
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    // Another installation may be running: wait for it instead of failing at once.
    command.args(["-o", "DPkg::Lock::Timeout=120"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_that_does_not_exist_is_not_installed() {
        assert!(!is_installed("no-such-package"));
    }

    #[test]
    fn the_commands_for_people_name_every_package() {
        let commands = commands(&["nodejs", "npm"]);
        assert!(commands.ends_with("--no-install-recommends nodejs npm"), "{commands}");
    }

    #[test]
    fn nothing_missing_is_nothing_to_do() {
        install(&[], "nothing").unwrap();
    }
}
