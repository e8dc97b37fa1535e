//! The case runners behind `millstream test`.
//!
//! A case is statements, input records, and the output records or the error to expect. It runs
//! without a broker and without a clock: one partition a topic, records one by one to completion,
//! queries one after another in the order in which they were made.
//!
//! ```text
//! file ─ case ─▶ Case ─ run ─▶ Observed ─┬─ check ──▶ passed | why not     (values)
//!                   encode ▲             ├─ golden ─▶ passed | why not     (bytes)
//!                                        └─ batches ▶ same | what differs  (the same case in batches)
//! ```
//!
//! Runners see the engine through the traits [`Systems`] and [`System`].

mod actual;
mod batches;
mod case;
mod check;
mod compare;
mod decode;
mod encode;
mod engine_facts;
mod engine_failures;
mod engine_schemas;
mod engine_script;
mod engine_system;
mod engine_systems;
mod expand;
mod failure;
mod golden;
mod json_text;
mod layouts;
mod number;
mod post;
mod registry;
mod report;
mod run;
mod schema_text;
mod script;
mod source_info;
mod system;
mod systems;
mod topic_spec;
mod triple;
mod typed;

pub use actual::Actual;
pub use batches::{Batched, run_batched};
pub use case::{Case, CaseRecord, CaseWindow, ExpectedError, Unreadable};
pub use check::check;
use check::check_failure;
pub use engine_systems::EngineSystems;
pub use expand::{cases, parse_cases};
pub use failure::{Failure, FailureKind};
pub use golden::{Golden, parse_golden, read_golden};
pub use layouts::Layouts;
pub use report::{CaseReport, Report, Verdict};
pub use run::{Feed, Observed, observe};
pub use source_info::{FormatInfo, SourceInfo, TopicInfo, WindowInfo};
pub use system::{Given, Properties, Record, RecordedSchemas, System};
pub use systems::Systems;
pub use topic_spec::TopicSpec;

use std::path::{Path, PathBuf};

/// Runs all cases of `paths`: case files, `.sql` ones too, folders of them, and folders with `statements.sql`.
pub fn run_paths(systems: &dyn Systems, paths: &[PathBuf]) -> std::io::Result<Report> {
    let mut report = Report::default();
    for path in paths {
        for case in cases_of(path)? {
            if case.as_ref().is_ok_and(|case| !case.is_enabled) {
                continue;
            }
            report.add(run_case(systems, case));
        }
    }
    Ok(report)
}

/// The cases of a path; an error names it.
fn cases_of(path: &Path) -> std::io::Result<Vec<Result<Case, Unreadable>>> {
    let named = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    expand::cases(path).map_err(named)
}

/// Runs the cases of `paths` that `golden` has an answer for, and compares bytes.
pub fn run_golden(
    systems: &dyn Systems,
    golden: &Path,
    paths: &[PathBuf],
) -> std::io::Result<Report> {
    let answers = read_golden(golden)?;
    let mut report = Report::default();
    for path in paths {
        for case in cases_of(path)? {
            let case = match case {
                Ok(case) => case,
                Err(unreadable) => {
                    report.add(run_case(systems, Err(unreadable)));
                    continue;
                }
            };
            let Some(answer) = answers.get(&*case.name).or_else(|| answers.get(case.local_name()))
            else {
                continue;
            };
            report.add(run_golden_case(systems, case, answer));
        }
    }
    Ok(report)
}

/// Runs one case, and compares bytes with those of its answer.
pub fn run_golden_case(systems: &dyn Systems, case: Case, answer: &Golden) -> CaseReport {
    let result = report::guarded(|| golden::run(systems, &case, answer));
    CaseReport::new(case.name, answer.is_error(), result)
}

/// Plans the queries of one case, and compares their topologies with those of its answer.
pub fn run_topologies_case(systems: &dyn Systems, case: Case, answer: &Golden) -> CaseReport {
    let result = report::guarded(|| golden::run_topologies(systems, &case, answer));
    CaseReport::new(case.name, answer.is_error(), result)
}

/// Runs one case, or says why it cannot be read.
pub fn run_case(systems: &dyn Systems, case: Result<Case, Unreadable>) -> CaseReport {
    match case {
        Ok(case) => {
            let result = report::guarded(|| match case.script_folder {
                Some(_) => check_failure(&case, systems.run_script(&case).err().as_ref()),
                None => check(&case, &mut observe(systems, &case, Feed::ROWS)),
            });
            CaseReport::new(case.name, case.expected_error.is_some(), result)
        }
        Err(unreadable) => CaseReport::new(unreadable.name, false, Err(unreadable.reason)),
    }
}
