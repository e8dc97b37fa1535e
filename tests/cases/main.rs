//! Cases: statements, records, and what a real ksqlDB 7.4.0 made of them, against what this engine makes of them.
//!
//! Our own cases are in `fresh`, with ksqlDB's answers in `golden`. ksqlDB's own lie outside of the repository:
//! `KSQLDB_REFERENCE` says where, `../shared/ksqldb` unless it is set; without them their suites are ignored.
//!
//! ```sh
//! cargo test --test cases                       # a line for each file of cases
//! cargo test --test cases -- 'joins - stream'   # a line for each case with these words in its name
//! UPDATE_PENDING=1 cargo test --test cases      # cases that pass now leave the list
//! ```
//!
//! `pending/<suite>.txt` names the cases that do not pass, with the reason where that is a decision. Any other case that fails fails the tests, and so does
//! one of the list that passes.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};
use millstream::testing::{EngineSystems, Feed, run_paths};

use data::missing::Missing;
use file::{Answers, CaseFile};
use pending::Pending;
use suite::{Check, Suite};

#[path = "../data/mod.rs"]
mod data;
mod file;
mod pending;
mod suite;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    // A panic is a failed case; its text is in the report.
    std::panic::set_hook(Box::new(|_| {}));
    let mut suites: Vec<Suite> = data::FRESH.into_iter().map(fresh).collect();
    suites.extend([fresh_in_batches(), fresh_cut(), fresh_restarted(), fresh_topologies()]);
    let mut trials = Vec::new();
    match data::reference() {
        Ok(folder) => {
            suites.extend(ksqldbs_own(&folder));
            suites.push(sql_tests(&folder));
            trials.extend(data::FRESH.map(|family| copy_of_family(&folder, family)));
            trials.extend(data::FRESH_ANSWERS.map(|file| copy_of_answers(&folder, file)));
            trials.push(wrong_triples(&folder));
        }
        Err(missing) => trials.extend(REFERENCE_SUITES.map(|name| lacking(name, &missing))),
    }
    let suites: Vec<Arc<Suite>> = suites.into_iter().map(Arc::new).collect();
    let of_suites = suites.iter().flat_map(|suite| suite.trials(&arguments));
    let conclusion = libtest_mimic::run(&arguments, of_suites.chain(trials).collect());
    if Pending::is_updated() && !arguments.list {
        for suite in &suites {
            suite.update();
        }
    }
    conclusion.exit_code()
}

/// The suites that need the reference.
const REFERENCE_SUITES: [&str; 9] = [
    "qtt",
    "golden",
    "topologies",
    "qtt-batches",
    "qtt-cut",
    "qtt-restarted",
    "test-runner",
    "sql-tests",
    "fresh",
];

/// Batches that are cut anywhere, in three ways.
const CUT: &[Feed] = &[Feed::cut(1), Feed::cut(2), Feed::cut(3)];

/// The test that counts the cases whose log has another order in batches.
const LOG_ORDER: &str = "order of the processing log";

/// A test that is ignored, or fails, as its cases are missing.
fn lacking(suite: &str, missing: &Missing) -> Trial {
    let missing = missing.clone();
    Trial::ignorable_test(format!("{suite}: all of the reference"), move || missing.outcome())
}

/// A family of our own cases, held against ksqlDB's answers.
fn fresh(family: &'static str) -> Suite {
    let answers = match family {
        "F" => "fresh-F",
        "G" => "fresh-G",
        _ => "fresh",
    };
    let answers = Answers::new(move || vec![data::fresh_answers(answers)]);
    let files = vec![Arc::new(CaseFile::fresh(family))];
    let name = format!("fresh-{family}");
    Suite::new(&name, files, Check::Bytes(answers))
}

/// The topologies of our own cases.
fn fresh_topologies() -> Suite {
    let answers = Answers::new(|| data::FRESH_ANSWERS.map(data::fresh_answers).into());
    let files = data::FRESH.map(|family| Arc::new(CaseFile::fresh(family))).into();
    Suite::new("fresh-topologies", files, Check::Topologies(answers))
}

/// Our own cases, record by record and in whole batches.
fn fresh_in_batches() -> Suite {
    let answers = Answers::new(|| data::FRESH_ANSWERS.map(data::fresh_answers).into());
    let files = data::FRESH.map(|family| Arc::new(CaseFile::fresh(family))).into();
    Suite::new("fresh-batches", files, Check::Fed(&[Feed::WHOLE], answers)).ignoring(LOG_ORDER)
}

/// Our own cases, in batches that are cut anywhere.
fn fresh_cut() -> Suite {
    let answers = Answers::new(|| data::FRESH_ANSWERS.map(data::fresh_answers).into());
    let files = data::FRESH.map(|family| Arc::new(CaseFile::fresh(family))).into();
    Suite::new("fresh-cut", files, Check::Fed(CUT, answers)).ignoring(LOG_ORDER)
}

/// Our own cases, where queries start again in the middle. Unmatched rows of joined streams are looked for once a second,
/// and the clock of the cases stands still: to those of the list a restart is as if that second were over.
fn fresh_restarted() -> Suite {
    let answers = Answers::new(|| data::FRESH_ANSWERS.map(data::fresh_answers).into());
    let files = data::FRESH.map(|family| Arc::new(CaseFile::fresh(family))).into();
    Suite::new("fresh-restarted", files, Check::Fed(&[Feed::RESTARTED], answers))
}

/// ksqlDB's own cases: held against the values that they state, against ksqlDB's answers and its
/// topologies, in whole batches, in batches that are cut anywhere, and where queries start again in the middle.
fn ksqldbs_own(folder: &Path) -> [Suite; 7] {
    let mut files: Vec<_> = fs::read_dir(folder.join("cases/query-validation-tests"))
        .expect("the folder can be read")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    files.sort();
    let file = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Arc::new(CaseFile::at(name, vec![path]))
    };
    let files: Vec<_> = files.into_iter().map(file).collect();
    let answers = || {
        let golden = folder.join("golden");
        Answers::new(move || {
            let files = ["query-validation.jsonl", "query-validation-protobuf.jsonl"];
            files.map(|file| fs::read_to_string(golden.join(file)).expect("the answers")).into()
        })
    };
    let triples = ["correct", "test4", "test5", "test6"];
    let triples = triples.map(|part| folder.join("cases/test-runner").join(part)).into();
    let triples = vec![Arc::new(CaseFile::at("triples".to_owned(), triples))];
    [
        Suite::new("qtt", files.clone(), Check::Values),
        Suite::new("golden", files.clone(), Check::Bytes(answers())).answered_in_part(),
        Suite::new("topologies", files.clone(), Check::Topologies(answers())),
        Suite::new("qtt-batches", files.clone(), Check::Fed(&[Feed::WHOLE], answers()))
            .ignoring(LOG_ORDER),
        Suite::new("qtt-cut", files.clone(), Check::Fed(CUT, answers())).ignoring(LOG_ORDER),
        Suite::new("qtt-restarted", files, Check::Fed(&[Feed::RESTARTED], answers())),
        Suite::new("test-runner", triples, Check::Values),
    ]
}

/// ksqlDB's `.sql` cases: what they assert, among it that queries are replaced and go on with their state.
fn sql_tests(folder: &Path) -> Suite {
    let folder = folder.join("cases/sql-tests");
    let files = ["query-upgrades", "testing-tool", "test.sql"];
    let file = |name: &str| Arc::new(CaseFile::at(name.to_owned(), vec![folder.join(name)]));
    Suite::new("sql-tests", files.map(file).into(), Check::Values)
}

/// The triples that are wrong fail, each of them.
fn wrong_triples(folder: &Path) -> Trial {
    let folder = folder.join("cases/test-runner/incorrect");
    Trial::test("test-runner: triples that are wrong", move || {
        let report = run_paths(&EngineSystems, &[folder])?;
        if report.counts() == (0, 7) { Ok(()) } else { Err(report.to_string().into()) }
    })
}

/// A family of our own cases is as it lies beside the repository.
fn copy_of_family(folder: &Path, family: &'static str) -> Trial {
    let original = folder.join(format!("fresh/{family}.json"));
    Trial::test(format!("fresh: the copy of {family}"), move || {
        same(&fs::read_to_string(original)?, &data::fresh(family))
    })
}

/// A file of answers to our own cases is as it lies beside the repository.
fn copy_of_answers(folder: &Path, file: &'static str) -> Trial {
    let original = folder.join(format!("golden/{file}.jsonl"));
    Trial::test(format!("fresh: the copy of the answers {file}"), move || {
        same(&fs::read_to_string(original)?, &data::fresh_answers(file))
    })
}

fn same(original: &str, copy: &str) -> Result<(), Failed> {
    if original == copy {
        return Ok(());
    }
    Err("the copy under tests/cases is another: compress the file anew with gzip -9n".into())
}
