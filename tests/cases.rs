//! ksqlDB's own cases and those made for us, held against what ksqlDB did.
//!
//! They lie outside of the repository: `KSQLDB_REFERENCE` says where, `../shared/ksqldb` unless
//! set; without them these tests are skipped, saying so. `tests/cases/pending/<suite>.txt` names
//! the cases that do not pass yet. Any other case that fails fails the test. With
//! `UPDATE_PENDING=1` those that pass now are taken out of the list; it never grows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use millstream::testing::{EngineSystems, Report, Verdict, run_golden, run_paths};

fn reference() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = env::var_os("KSQLDB_REFERENCE")
        .map_or_else(|| root.join("../shared/ksqldb"), PathBuf::from);
    if path.is_dir() {
        return Some(path);
    }
    eprintln!("skipped: {} is missing; KSQLDB_REFERENCE may say where it is", path.display());
    None
}

/// Holds a report against the list of cases that do not pass yet.
fn hold(suite: &str, report: &Report) {
    let list =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/cases/pending/{suite}.txt"));
    let text = fs::read_to_string(&list).unwrap_or_default();
    let pending: BTreeSet<&str> = text.lines().collect();
    let (mut broken, mut still, mut fixed) = (Vec::new(), Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for case in &report.cases {
        seen.insert(&*case.name);
        let is_pending = pending.contains(&*case.name);
        match &case.verdict {
            Verdict::Passed if is_pending => fixed.push(&*case.name),
            Verdict::Passed => {}
            Verdict::Failed(_) if is_pending => still.push(&*case.name),
            Verdict::Failed(reason) => broken.push(format!("{}: {reason}", case.name)),
        }
    }
    let (passed, failed) = report.counts();
    eprintln!("{suite}: {passed} passed, {failed} failed, {} pass now", fixed.len());
    let gone: Vec<_> = pending.iter().filter(|name| !seen.contains(*name)).collect();
    if env::var_os("UPDATE_PENDING").is_some() {
        still.sort_unstable();
        still.extend((!still.is_empty()).then_some(""));
        fs::write(&list, still.join("\n")).expect("the list can be written");
    } else if !fixed.is_empty() || !gone.is_empty() {
        eprintln!("{suite}: take these out of the list with UPDATE_PENDING=1: {fixed:?} {gone:?}");
    }
    assert!(broken.is_empty(), "{} cases of {suite} fail:\n{}", broken.len(), broken.join("\n"));
}

fn run(suite: &str, path: &str) {
    let Some(reference) = reference() else { return };
    hold(
        suite,
        &run_paths(&EngineSystems, &[reference.join(path)]).expect("the cases can be read"),
    );
}

fn compare(suite: &str, golden: &str, path: &str) {
    let Some(reference) = reference() else { return };
    let (golden, path) = (reference.join(golden), reference.join(path));
    hold(suite, &run_golden(&EngineSystems, &golden, &[path]).expect("the answers can be read"));
}

#[test]
fn ksqldbs_own_cases() {
    run("qtt", "cases/query-validation-tests");
}

#[test]
fn ksqldbs_own_cases_to_the_byte() {
    compare("golden", "golden/query-validation.jsonl", "cases/query-validation-tests");
}

#[test]
fn ksqldbs_own_cases_of_protobuf_to_the_byte() {
    let golden = "golden/query-validation-protobuf.jsonl";
    compare("golden-protobuf", golden, "cases/query-validation-tests");
}

#[test]
fn triples_that_are_right() {
    run("test-runner", "cases/test-runner/correct");
}

#[test]
fn functions_and_expressions_to_the_byte() {
    compare("fresh-A", "golden/fresh.jsonl", "fresh/A.json");
}

#[test]
fn aggregates_to_the_byte() {
    compare("fresh-B", "golden/fresh.jsonl", "fresh/B.json");
}

#[test]
fn joins_to_the_byte() {
    compare("fresh-C", "golden/fresh.jsonl", "fresh/C.json");
}

#[test]
fn pipelines_to_the_byte() {
    compare("fresh-D", "golden/fresh.jsonl", "fresh/D.json");
}

#[test]
fn refused_statements_to_the_letter() {
    compare("fresh-E", "golden/fresh.jsonl", "fresh/E.json");
}

#[test]
fn protobuf_and_registry_formats_to_the_byte() {
    compare("fresh-F", "golden/fresh-F.jsonl", "fresh/F.json");
}

#[test]
fn triples_that_are_wrong_are_told_apart() {
    let Some(reference) = reference() else { return };
    let report =
        run_paths(&EngineSystems, &[reference.join("cases/test-runner/incorrect")]).unwrap();
    assert_eq!(report.counts(), (0, 7), "{report}");
}
