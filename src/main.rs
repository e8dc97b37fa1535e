//! The `millstream` command: parses arguments and wires the layers together.

mod args;
mod broker_command;
mod demo;
mod devices_command;
mod files;
mod run_command;
mod test_command;

use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Broker(args) => broker_command::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Consume(args) => devices_command::consume(args).await,
        Command::Produce(args) => devices_command::produce(args).await,
        Command::Register(args) => devices_command::register(args).await,
        Command::Run(args) => return run_command::run(args).await,
        Command::Check(args) => return run_command::check(args).await,
        Command::Test(args) => test_command::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
