//! `walinkd completions`: what a shell needs to complete the command line.

use super::{failure::Failure, screen::say};
use clap::ValueEnum;
use clap_complete::{generate, shells};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The shell to print them for
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut command = super::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match arguments.shell {
        Shell::Bash => generate(shells::Bash, &mut command, name, &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, name, &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, name, &mut script),
    }
    say(String::from_utf8_lossy(&script).trim_end())
}
