//! The `millstream` command: parses arguments and wires the layers together.

mod apply_command;
mod args;
mod broker_command;
mod check_table;
mod demo;
mod devices_command;
mod dry_run;
mod files;
mod help_command;
mod kafka_wait;
mod listening;
mod minute_line;
mod otlp;
mod parity_command;
mod registry_command;
mod reset_command;
mod run_command;
mod server_command;
mod sql_command;
mod test_command;
mod topics_command;
mod watch_command;

use std::num::NonZero;
use std::process::ExitCode;

use clap::Parser;

use args::{Cli, Command};
use millstream::expr::STACK_BYTES;

/// How a process ends that is called in a way that it does not know, as `sysexits.h` has it; 2 and others say how work went.
const USAGE: u8 = 64;

/// How a process ends that has panicked.
const PANICKED: u8 = 101;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Whoever closes the pipe has seen enough.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(USAGE) } else { ExitCode::SUCCESS };
        }
    };
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.thread_stack_size(STACK_BYTES);
    if let Command::Run(_) = cli.command {
        // Records are processed by threads of their own. These only talk to brokers, and each more of
        // them costs a wake-up for much of what comes.
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        runtime.worker_threads(cores.div_ceil(4));
    }
    let running = runtime.enable_all().build().and_then(|runtime| {
        let first = std::thread::Builder::new().stack_size(STACK_BYTES);
        first.spawn(move || runtime.block_on(run(cli)))
    });
    match running.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // What it panicked with has been told.
        Ok(Err(_)) => ExitCode::from(PANICKED),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> ExitCode {
    let done = match cli.command {
        Command::Server(args) => server_command::run(args).await,
        Command::Broker(args) => broker_command::run(args).await,
        Command::Demo(args) => demo::run(args).await,
        Command::Consume(args) => devices_command::consume(args).await,
        Command::Produce(args) => devices_command::produce(args).await,
        Command::Register(args) => devices_command::register(args).await,
        Command::Run(args) => return run_command::run(args).await,
        Command::Apply(args) => return apply_command::run(args).await,
        Command::Parity(args) => return parity_command::run(args).await,
        Command::Reset(args) => return reset_command::run(args).await,
        Command::Check(args) => return run_command::check(args).await,
        Command::Sql(args) => return sql_command::run(args).await,
        Command::Top(args) => watch_command::top(args).await,
        Command::Healthcheck(args) => return watch_command::healthcheck(args).await,
        Command::Topics(args) => topics_command::run(args).await,
        Command::Completions { shell } => help_command::completions(shell),
        Command::Man { directory } => help_command::man(&directory),
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
