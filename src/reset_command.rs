//! `millstream reset`.

use std::io::{IsTerminal, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use millstream::engine::Services;
use millstream::engine::headless::HeadlessError;
use millstream::engine::reset::{QueryReset, Reset, ResetError, ResetOptions, plan_reset};

use crate::args::ResetArgs;
use crate::files::Files;
use crate::run_command;

/// Resets queries: 0 when that is done, 1 if it is not.
pub(crate) async fn run(args: ResetArgs) -> ExitCode {
    run_command::start_tracing("warn");
    match try_run(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "what is to be deleted is its output")]
async fn try_run(args: &ResetArgs) -> anyhow::Result<ExitCode> {
    let (paths, queries) = files_and_queries(&args.names);
    anyhow::ensure!(!paths.is_empty(), "{}: there is no such file", args.names[0]);
    let files = Files::read(&paths)?;
    let mut properties = run_command::kafka_properties(&args.kafka)?;
    run_command::set_state_dir(&mut properties, args.state_dir.as_deref())?;
    run_command::warn_of(&properties);
    let services = Services::new(&properties)?;
    let options = ResetOptions { queries, sinks: args.sinks };
    let planned = plan_reset(&services, files.text(), &properties, &options).await;
    if let Err(ResetError::File(HeadlessError::Statements(faults))) = &planned {
        files.show(faults);
    }
    let reset = planned.with_context(|| files.names())?;
    print!("{}", told(&reset));
    if reset.queries.iter().all(QueryReset::is_empty) {
        return Ok(ExitCode::SUCCESS);
    }
    if !args.yes && !is_confirmed()? {
        return Ok(ExitCode::FAILURE);
    }
    reset.run(&services).await?;
    println!("deleted");
    Ok(ExitCode::SUCCESS)
}

/// The names that are files come first; what follows are ids of queries.
fn files_and_queries(names: &[String]) -> (Vec<PathBuf>, Vec<String>) {
    let files = names.iter().take_while(|name| Path::new(name).is_file()).count();
    let (files, queries) = names.split_at(files);
    (files.iter().map(PathBuf::from).collect(), queries.to_vec())
}

/// What there is of each query, a line for each thing.
fn told(reset: &Reset) -> String {
    let mut lines = Vec::new();
    for query in &reset.queries {
        lines.push(query.id.clone());
        let before = lines.len();
        lines.extend(query.things().map(|thing| format!("  {thing}")));
        if lines.len() == before {
            lines.push("  nothing to delete".to_owned());
        }
    }
    lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Asks whether all of it is to be deleted; nobody to ask means no.
fn is_confirmed() -> anyhow::Result<bool> {
    anyhow::ensure!(
        std::io::stdin().is_terminal(),
        "nothing was deleted: standard input is no terminal to ask at; --yes deletes without asking"
    );
    eprint!("Delete all of this? [y/N] ");
    std::io::stderr().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}
