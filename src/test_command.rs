//! `millstream test`.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use millstream::testing::{EngineSystems, run_golden, run_paths};

use crate::args::{ReportFormat, TestArgs};

/// Runs cases and prints what came of them. Fails if one of them did, or if there is none.
pub(crate) fn run(args: &TestArgs) -> anyhow::Result<()> {
    // A panic is a failed case; its text is in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let systems = EngineSystems;
    let report = match &args.golden {
        Some(golden) => run_golden(&systems, golden, &args.paths)
            .with_context(|| format!("comparing with {}", golden.display()))?,
        None => run_paths(&systems, &args.paths).context("reading the cases")?,
    };
    let (passed, failed) = report.counts();
    let mut out = std::io::stdout().lock();
    match args.report {
        ReportFormat::Text => write!(out, "{report}")?,
        ReportFormat::Json => {
            writeln!(out, "{}", report.to_json())?;
            writeln!(out, "{passed} passed, {failed} failed")?;
        }
    }
    // Nothing that was tested is nothing that has passed.
    anyhow::ensure!(passed + failed > 0, "there is no case in {}", listed(&args.paths));
    anyhow::ensure!(failed == 0, "{failed} of {} cases failed", passed + failed);
    Ok(())
}

fn listed(paths: &[PathBuf]) -> String {
    let paths: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    paths.join(", ")
}
