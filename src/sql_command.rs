//! `millstream sql`: statements of the command line, of files, of a pipe, or typed.

mod embedded;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Read as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use millstream::cli::client::{Client, Login};
use millstream::cli::interactive::interact;
use millstream::cli::printer::Format;
use millstream::cli::reading::Limits;
use millstream::cli::session::Session;
use millstream::cli::shell::{Flow, Shell, ShellOptions};
use millstream::engine::{check_property, is_of_servers};
use millstream::plan::PlanError;
use millstream::sql::diagnostic::Color;
use millstream::sql::{Diagnostic, Variables};

use crate::args::{OutputFormat, SessionArgs, SqlArgs};
use crate::run_command;
use embedded::Embedded;

/// The code of a process that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Runs statements, or lets the user type them.
pub(crate) async fn run(args: SqlArgs) -> ExitCode {
    run_command::start_tracing("error,millstream::kafka::cluster=warn");
    match try_run(args).await {
        Ok(code) => code,
        Err(error) if run_command::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn try_run(args: SqlArgs) -> anyhow::Result<ExitCode> {
    if let Some(url) = args.url.clone() {
        return run_at(&url, args, None).await;
    }
    let given = run_command::properties(&args.session.property_args(), None)?;
    // What is wrong with the properties is said before anything starts.
    session(&args.session, is_of_servers)?;
    let embedded = Embedded::start(args.bootstrap_servers.as_deref(), given).await?;
    let about = match &args.bootstrap_servers {
        Some(brokers) => format!("an engine of this shell, beside {brokers}"),
        None => "an engine and a broker of this shell, in memory: all of it is gone at its end"
            .to_owned(),
    };
    let about = format!("{about}; millstream sql URL asks a server that runs");
    let done = run_at(&embedded.url(), args, Some(about)).await;
    embedded.stop().await;
    done
}

/// Runs what is to be run at a server. One that is the shell's own has a text about it, and the properties of servers.
async fn run_at(url: &str, args: SqlArgs, own: Option<String>) -> anyhow::Result<ExitCode> {
    let texts = texts(&args)?;
    let is_elsewhere = |name: &str| own.is_some() && is_of_servers(name);
    let (session, client) = connect(url, &args.session, is_elsewhere)?;
    let options = ShellOptions {
        format: format(args.output),
        color: color(&io::stderr()),
        is_interactive: texts.is_none(),
        is_terminal: io::stdout().is_terminal(),
        limits: Limits {
            rows: args.query_row_limit,
            time: args.query_timeout.map(Duration::from_millis),
        },
        session,
        about_server: own,
        check_property: |name, value| check_property(name, value).map_err(|error| unplaced(&error)),
    };
    let mut shell = Shell::new(client, options)?;
    let Some(texts) = texts else {
        let has_colors = color(&io::stdout()) == Color::Ansi;
        let Err(refusal) = interact(&mut shell, has_colors).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        eprint!("{}", refusal.diagnostic("", &Variables::new()).render("", color(&io::stderr())));
        return Ok(ExitCode::FAILURE);
    };
    for (text, file) in texts {
        match shell.run(&text, file.as_deref()).await? {
            Flow::On => {}
            Flow::Quit => return Ok(ExitCode::SUCCESS),
            Flow::Failed => return Ok(ExitCode::FAILURE),
            Flow::Cancelled => return Ok(ExitCode::from(INTERRUPTED)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A text to run, and the file that it comes from, if it comes from one.
type Given = (String, Option<String>);

/// The texts to run, each with the file that it comes from; `None` where the user is to type.
fn texts(args: &SqlArgs) -> anyhow::Result<Option<Vec<Given>>> {
    let mut texts: Vec<_> = args.execute.iter().map(|text| (text.clone(), None)).collect();
    for file in &args.file {
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file);
        texts.push((text.with_context(|| format!("cannot read {name}"))?, Some(name)));
    }
    if !texts.is_empty() {
        return Ok(Some(texts));
    }
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(Some(vec![(text, Some("standard input".to_owned()))]))
}

/// A client of a server, and what its session begins with: all properties but those of the connection, and those of these
/// names, which are for others.
pub(crate) fn connect(
    url: &str,
    args: &SessionArgs,
    is_elsewhere: impl Fn(&str) -> bool,
) -> anyhow::Result<(Session, Client)> {
    let (session, connection) = session(args, is_elsewhere)?;
    let password = args.password.clone().unwrap_or_default();
    let login = args.user.clone().map(|user| Login { user, password });
    Ok((session, Client::new(url, login, &connection)?))
}

/// What a session begins with, and the properties of the connection.
fn session(
    args: &SessionArgs,
    is_elsewhere: impl Fn(&str) -> bool,
) -> anyhow::Result<(Session, BTreeMap<String, String>)> {
    let properties = run_command::properties(&args.property_args(), None)?;
    let (connection, mut properties): (BTreeMap<_, _>, BTreeMap<_, _>) =
        properties.to_map().into_iter().partition(|(name, _)| name.starts_with("ssl."));
    properties.retain(|name, _| !is_elsewhere(name));
    for (name, value) in &properties {
        check_property(name, value).map_err(|error| {
            let help = error.notes.help.join("; ");
            if help.is_empty() {
                anyhow::anyhow!("{error}")
            } else {
                anyhow::anyhow!("{error}; {help}")
            }
        })?;
    }
    let mut variables = BTreeMap::new();
    for variable in &args.variables {
        let parts = variable.split_once('=');
        let (name, value) =
            parts.with_context(|| format!("--define {variable}: expected NAME=VALUE"))?;
        let value = value.trim();
        let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        variables.insert(name.trim().to_lowercase(), inner.unwrap_or(value).to_owned());
    }
    Ok((Session { properties, variables, sequence_number: None }, connection))
}

/// An error as it is shown, but for its place.
fn unplaced(error: &PlanError) -> Diagnostic {
    let help = error.notes.help.iter();
    help.fold(Diagnostic::new(error.to_string()), |shown, help| shown.help(help.as_str()))
}

fn format(output: OutputFormat) -> Format {
    match output {
        OutputFormat::Table => Format::Table,
        OutputFormat::Vertical => Format::Vertical,
        OutputFormat::Json => Format::Json,
        OutputFormat::Csv => Format::Csv,
        OutputFormat::Markdown => Format::Markdown,
    }
}

/// Whether colours are used there: on a terminal, unless `NO_COLOR` is set.
pub(crate) fn color(out: &impl io::IsTerminal) -> Color {
    let is_unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if out.is_terminal() && !is_unwanted { Color::Ansi } else { Color::Never }
}
