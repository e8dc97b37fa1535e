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
use millstream::sql::Variables;
use millstream::sql::diagnostic::Color;

use crate::args::{OutputFormat, SessionArgs, SqlArgs};
use crate::run_command;
use embedded::Embedded;

/// The code of a process that Ctrl-C has ended.
const INTERRUPTED: u8 = 130;

/// Runs statements, or lets the user type them.
pub(crate) async fn run(args: SqlArgs) -> ExitCode {
    run_command::start_tracing("error");
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
        return run_at(&url, args).await;
    }
    let given = run_command::properties(&args.session.property_args(), None)?;
    let embedded = Embedded::start(args.bootstrap_servers.as_deref(), given).await?;
    let done = run_at(&embedded.url(), args).await;
    embedded.stop().await;
    done
}

/// Runs what is to be run at a server.
async fn run_at(url: &str, args: SqlArgs) -> anyhow::Result<ExitCode> {
    let texts = texts(&args)?;
    let (session, client) = connect(url, &args.session)?;
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
    for text in texts {
        match shell.run(&text).await? {
            Flow::On => {}
            Flow::Quit => return Ok(ExitCode::SUCCESS),
            Flow::Failed => return Ok(ExitCode::FAILURE),
            Flow::Cancelled => return Ok(ExitCode::from(INTERRUPTED)),
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The texts to run; `None` where the user is to type.
fn texts(args: &SqlArgs) -> anyhow::Result<Option<Vec<String>>> {
    let mut texts = args.execute.clone();
    for file in &args.file {
        let text = std::fs::read_to_string(file);
        texts.push(text.with_context(|| format!("cannot read {}", file.display()))?);
    }
    if !texts.is_empty() {
        return Ok(Some(texts));
    }
    if io::stdin().is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).context("cannot read standard input")?;
    Ok(Some(vec![text]))
}

/// A client of a server, and what its session begins with.
pub(crate) fn connect(url: &str, args: &SessionArgs) -> anyhow::Result<(Session, Client)> {
    let properties = run_command::properties(&args.property_args(), None)?;
    let (connection, properties) =
        properties.to_map().into_iter().partition(|(name, _)| name.starts_with("ssl."));
    let mut variables = BTreeMap::new();
    for variable in &args.variables {
        let parts = variable.split_once('=');
        let (name, value) =
            parts.with_context(|| format!("--define {variable}: expected NAME=VALUE"))?;
        let value = value.trim();
        let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
        variables.insert(name.trim().to_lowercase(), inner.unwrap_or(value).to_owned());
    }
    let password = args.password.clone().unwrap_or_default();
    let login = args.user.clone().map(|user| Login { user, password });
    let client = Client::new(url, login, &connection)?;
    Ok((Session { properties, variables, sequence_number: None }, client))
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
