//! `millstream parity`.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use millstream::parity::{self, Outcome, ParityError, ParityOptions, Report, Verdict};

use crate::args::{ParityArgs, SessionArgs};
use crate::files::Files;
use crate::kafka_wait::telling;
use crate::{run_command, sql_command};

/// Something differs.
const DIFFERENT: u8 = 1;
/// Nothing differs, and not everything could be compared.
const NOT_COMPARABLE: u8 = 2;

/// Holds files against a ksqlDB: 0 if all is equal, 1 if not, 2 where that cannot be said.
pub(crate) async fn run(args: ParityArgs) -> ExitCode {
    run_command::start_tracing("warn,millstream::parity=info");
    match try_run(&args).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(NOT_COMPARABLE)
        }
    }
}

async fn try_run(args: &ParityArgs) -> anyhow::Result<ExitCode> {
    let files = Files::read(&args.files)?;
    let properties = run_command::kafka_properties(&args.kafka)?;
    run_command::warn_of(&properties);
    // The properties are those of our side; of the connection to the other one, ssl.* counts.
    let session = SessionArgs {
        user: args.user.clone(),
        password: args.password.clone(),
        properties: args.kafka.properties.properties.clone(),
        variables: args.variables.clone(),
        config_file: args.kafka.properties.config.clone(),
    };
    let (session, client) = sql_command::connect(&args.against, &session, |_| true)?;
    let options = ParityOptions {
        properties,
        variables: session.variables.into_iter().collect(),
        within: Duration::from_secs(args.timeout),
        keeps: args.keep,
    };
    let cluster = millstream::engine::Services::new(&options.properties)?.cluster;
    let stop = run_command::stop_signal()?;
    let running = Box::pin(parity::run(files.text(), client, &options, stop));
    let Outcome { found, left } = telling(&cluster, running).await;
    for left in left {
        eprintln!("warning: left behind: {left}");
    }
    match found {
        Ok(Some(report)) => tell(args, &report),
        Ok(None) => anyhow::bail!("stopped before anything was compared"),
        Err(error) => Err(shown(error, &files)),
    }
}

/// Shows what is wrong with statements where they stand.
fn shown(error: ParityError, files: &Files) -> anyhow::Error {
    match &error {
        ParityError::Statements(faults) => files.show(faults),
        ParityError::Theirs { place, .. } => {
            let place = files.place(*place);
            return anyhow::Error::new(error).context(place);
        }
        _ => {}
    }
    anyhow::Error::new(error).context(files.names())
}

/// Writes what was found.
fn tell(args: &ParityArgs, report: &Report) -> anyhow::Result<ExitCode> {
    if let Some(path) = &args.report {
        let text = format!("{:#}\n", report.json());
        let written = std::fs::write(path, text);
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    let mut out = std::io::stdout().lock();
    let written = out.write_all(report.text().as_bytes()).and_then(|()| out.flush());
    match written {
        // Whoever closes the pipe has seen enough; the code says the rest.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(match report.verdict() {
        Verdict::Equal => ExitCode::SUCCESS,
        Verdict::Different => ExitCode::from(DIFFERENT),
        Verdict::NotComparable => ExitCode::from(NOT_COMPARABLE),
    })
}
