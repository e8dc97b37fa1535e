//! `millstream apply`, and `--apply` of a server.

mod shown;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use millstream::apply::{self, ApplyError, ApplyOptions, Decision, Target};
use millstream::engine::host::Host;
use millstream::engine::{Properties, registry};
use millstream::sql::Variables;

use crate::args::{ApplyArgs, ApplyOutput};
use crate::files::Files;
use crate::{run_command, sql_command};
use shown::Shown;

/// The code of a dry run that finds something to be done.
const HAS_CHANGES: u8 = 2;
/// How properties begin that say where the registry is; they are none of the session.
const REGISTRY: &str = "ksql.schema.registry.";

/// Applies files to a server.
pub(crate) async fn run(args: ApplyArgs) -> ExitCode {
    run_command::start_tracing("warn");
    match try_run(&args).await {
        Ok(code) => code,
        Err(error) if run_command::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn try_run(args: &ApplyArgs) -> anyhow::Result<ExitCode> {
    if let Some(url) = args.files.iter().find(|file| is_url(file)) {
        anyhow::bail!(
            "{}: a server is named with --server, and files alone stand for themselves",
            url.display()
        );
    }
    let files = Files::read(&args.files)?;
    let is_of_registry = |name: &str| name.starts_with(REGISTRY);
    let (session, client) = sql_command::connect(&args.server, &args.session, is_of_registry)?;
    let given = run_command::properties(&args.session.property_args(), None)?.to_map();
    let of_registry = given.into_iter().filter(|(name, _)| is_of_registry(name));
    let options = ApplyOptions {
        properties: session.properties,
        variables: session.variables.into_iter().collect::<Variables>(),
        registry: registry(&Properties::new(of_registry.collect::<BTreeMap<_, _>>()))?,
    };
    let target = Target::Rest(client);
    let decision = decide(&target, &files, &options).await?;
    let is_only_shown = args.dry_run || decision.is_refused();
    let done = if is_only_shown {
        Ok(())
    } else {
        apply::carry_out(&target, files.text(), &decision, &options).await
    };
    // What the server did not take is not said to be done.
    show(&Shown::new(&decision, &files, is_only_shown || done.is_err()), args.output)?;
    told(done, &decision, &files)?;
    Ok(match (decision.is_refused(), args.dry_run && decision.has_changes()) {
        (true, _) => ExitCode::FAILURE,
        (false, true) => ExitCode::from(HAS_CHANGES),
        (false, false) => ExitCode::SUCCESS,
    })
}

/// Whether somebody names a server where files are named, as `millstream sql` takes it.
fn is_url(file: &Path) -> bool {
    let scheme = ["http:", "https:"].into_iter().any(|scheme| file.starts_with(scheme));
    scheme && !file.exists()
}

fn show(shown: &Shown<'_>, output: ApplyOutput) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let text = match output {
        ApplyOutput::Text => shown.text(sql_command::color(&std::io::stdout())),
        ApplyOutput::Json => shown.json(),
    };
    out.write_all(text.as_bytes())?;
    out.flush()?;
    Ok(())
}

/// Lets a server in this process have what files define; an error where any of it is refused.
pub(crate) async fn apply_here(host: &Arc<Host>, files: &Files) -> anyhow::Result<()> {
    let options =
        ApplyOptions { registry: registry(host.properties())?, ..ApplyOptions::default() };
    let target = Target::Here(Arc::clone(host));
    let decision = decide(&target, files, &options).await?;
    if decision.is_refused() {
        eprintln!(
            "{}",
            Shown::new(&decision, files, true).text(sql_command::color(&std::io::stderr()))
        );
        anyhow::bail!("{} is not applied, and nothing of it is done", files.names());
    }
    told(apply::carry_out(&target, files.text(), &decision, &options).await, &decision, files)?;
    for action in &decision.actions {
        let (word, name) = (shown::word(&action.verdict, false), &action.name);
        let note = action.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        tracing::info!("{} {name} is {word}{note}", action.kind.to_lowercase());
    }
    Ok(())
}

/// What was done, or what the server did not do: shown where it stands in the files, if that is known.
fn told(done: Result<(), ApplyError>, decision: &Decision, files: &Files) -> anyhow::Result<()> {
    let Err(error) = done else { return Ok(()) };
    let Some(placed) = error.diagnostic(decision) else { return Err(error.into()) };
    files.show(&[placed]);
    // What is shown with its place is not said twice.
    anyhow::bail!("{}: the server refuses what is to be done", files.names())
}

/// Decides what is to be done; shows statements that cannot be read.
async fn decide(
    target: &Target,
    files: &Files,
    options: &ApplyOptions,
) -> anyhow::Result<Decision> {
    let decided = apply::decide(target, files.text(), options).await;
    if let Err(ApplyError::Statements(faults)) = &decided {
        files.show(faults);
    }
    decided.with_context(|| files.names())
}
