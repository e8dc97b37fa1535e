//! `millstream healthcheck` and `millstream top`: how a server is, and what it counts.

mod look;
mod screen;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use millstream::cli::client::Client;
use millstream::cli::top::{Line, Sort, lines};

use crate::args::{HealthcheckArgs, TopArgs, TopSort, WatchedArgs};
use crate::{run_command, sql_command};
use look::Look;

/// How wide tables are where nobody says how wide the screen is.
const WIDTH: usize = 120;

/// Asks a server whether it is healthy: 0 if it says so, else 1.
pub(crate) async fn healthcheck(args: HealthcheckArgs) -> ExitCode {
    match try_healthcheck(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("unhealthy: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn try_healthcheck(args: &HealthcheckArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let within = Duration::from_secs(args.timeout);
    let health = match tokio::time::timeout(within, client.health()).await {
        Ok(health) => health?,
        Err(_) => anyhow::bail!("{} has not answered within {within:?}", client.url()),
    };
    if health["isHealthy"] == true {
        return Ok(());
    }
    let details = health["details"].as_object().into_iter().flatten();
    let ill = details.filter(|(_, part)| part["isHealthy"] == false);
    let ill: Vec<&str> = ill.map(|(name, _)| name.as_str()).collect();
    anyhow::bail!("{} says that it is not healthy: {}", client.url(), ill.join(", "))
}

fn client(server: &WatchedArgs) -> anyhow::Result<Client> {
    if let Some(property) = server.other_property() {
        anyhow::bail!("--property {property}: expected one of the connection, ssl.…");
    }
    let (_, client) = sql_command::connect(&server.url, &server.session(), |_| true)?;
    Ok(client)
}

/// Shows what a server counts: on a terminal until it is ended, else once each interval.
pub(crate) async fn top(args: TopArgs) -> anyhow::Result<()> {
    let client = client(&args.server)?;
    let mut look = Look::new(client);
    let interval = Duration::from_secs(args.interval);
    let sort = sort(args.sort);
    if !args.once && run_command::is_screen() && io::stdin().is_terminal() {
        return screen::run(look, sort, interval).await;
    }
    let mut stop = std::pin::pin!(run_command::stop_signal()?);
    loop {
        let figures = tokio::select! {
            () = &mut stop => return Ok(()),
            figures = look.figures() => figures?,
        };
        if let Err(error) = print(&lines(&figures, sort, width())) {
            // Who reads it has seen enough.
            return if error.kind() == io::ErrorKind::BrokenPipe {
                Ok(())
            } else {
                Err(error.into())
            };
        }
        if args.once {
            return Ok(());
        }
        tokio::select! {
            () = &mut stop => return Ok(()),
            () = tokio::time::sleep(interval) => {}
        }
    }
}

fn print(lines: &[Line]) -> io::Result<()> {
    let lines: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
    let text = lines.join("\n") + "\n\n";
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// How wide the screen is; a file or a pipe is wide enough for names.
fn width() -> usize {
    let size = io::stdout().is_terminal().then(crossterm::terminal::size);
    size.and_then(Result::ok).map_or(WIDTH, |(columns, _)| usize::from(columns))
}

fn sort(sort: TopSort) -> Sort {
    match sort {
        TopSort::Name => Sort::Name,
        TopSort::Read => Sort::Read,
        TopSort::Written => Sort::Written,
        TopSort::Lag => Sort::Lag,
        TopSort::Skipped => Sort::Skipped,
    }
}
