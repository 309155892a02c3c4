//! What the shell and the manual know of the binary, written from the command line itself.

use std::io;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Command};
use clap_complete::Shell;

/// For which shell.
#[derive(Args)]
pub struct Completions {
    /// The shell
    shell: Shell,
}

/// Where to.
#[derive(Args)]
pub struct Manual {
    /// A directory for the pages, one a command; made where it is not there
    directory: PathBuf,
}

/// Prints what a shell needs to complete a command line.
pub fn completions(arguments: &Completions, mut command: Command) {
    let name = command.get_name().to_owned();
    clap_complete::generate(arguments.shell, &mut command, name, &mut io::stdout());
}

/// Writes the pages of the manual.
pub fn pages(arguments: &Manual, command: Command) -> anyhow::Result<()> {
    let directory = &arguments.directory;
    let written = std::fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(command, directory));
    written.with_context(|| format!("cannot write the manual to `{}`", directory.display()))
}
