//! `millstream completions` and `millstream man`: what the table of flags gives besides `--help`.

use std::io;
use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::{Cli, ShellName};

/// The name of the command.
const NAME: &str = "millstream";

/// Writes the completions of a shell to standard output.
pub(crate) fn completions(shell: ShellName) -> anyhow::Result<()> {
    let shell = match shell {
        ShellName::Bash => Shell::Bash,
        ShellName::Zsh => Shell::Zsh,
        ShellName::Fish => Shell::Fish,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), NAME, &mut text);
    io::Write::write_all(&mut io::stdout(), &text)?;
    Ok(())
}

/// Writes a page for the command, and one for each of its subcommands.
pub(crate) fn man(directory: &Path) -> anyhow::Result<()> {
    let written = || -> io::Result<()> {
        std::fs::create_dir_all(directory)?;
        clap_mangen::generate_to(Cli::command(), directory)
    };
    written().with_context(|| format!("cannot write man pages to {}", directory.display()))
}
