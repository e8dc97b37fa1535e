//! ksqlDB's cases of what clients ask: statements, records, then queries, each sent to a server of ours, and its answers
//! held against those that the case states.
//!
//! The cases lie outside of the repository: `KSQLDB_REFERENCE` says where; without them they are ignored.
//!
//! ```sh
//! cargo test --test rqtt                          # a line for each case
//! UPDATE_PENDING=1 cargo test --test rqtt         # cases that pass now leave the list
//! ```
//!
//! `pending.txt` names the cases that do not pass. Any other one that does not fails the tests, and so does one of the
//! list that does.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};

use case::RestCase;

mod answers;
mod case;
#[path = "../data/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod data;
mod exchange;
mod kafka;
mod matching;
mod protobuf;
mod schemas;
#[path = "../server/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

const PENDING: &str = "tests/rqtt/pending.txt";

/// How many cases run at the same time, unless it is said: each mostly waits.
const THREADS: usize = 6;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    let _ = rustls::crypto::ring::default_provider().install_default();
    arguments.test_threads.get_or_insert(THREADS);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PENDING);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let pending: BTreeSet<String> = text.lines().map(str::to_owned).collect();
    let settled = Arc::default();
    let trials = match data::reference() {
        Ok(folder) => of_folder(&folder, &pending, &settled),
        Err(missing) => {
            let missing = move || missing.outcome();
            vec![Trial::ignorable_test("rqtt: all of the reference", missing)]
        }
    };
    let conclusion = libtest_mimic::run(&arguments, trials);
    if is_updated() && !arguments.list {
        let settled = settled.lock().unwrap();
        let left = pending.iter().filter(|name| !settled.contains(*name));
        let text: String = left.flat_map(|name| [name.as_str(), "\n"]).collect();
        std::fs::write(&path, text).unwrap();
    }
    conclusion.exit_code()
}

/// Whether the list is written anew.
fn is_updated() -> bool {
    std::env::var_os("UPDATE_PENDING").is_some()
}

/// A test for each case.
fn of_folder(
    folder: &Path,
    pending: &BTreeSet<String>,
    settled: &Arc<Mutex<BTreeSet<String>>>,
) -> Vec<Trial> {
    let cases = case::read(&folder.join("cases/rest-query-validation-tests"));
    let trial = |case: RestCase| {
        let name = case.case.name.clone();
        let is_pending = pending.contains(&name);
        let settled = Arc::clone(settled);
        let run = move || match (exchange::run(&case), is_pending) {
            (Err(fault), false) => Err(Failed::from(fault)),
            (Ok(()), true) if is_updated() => {
                settled.lock().unwrap().insert(case.case.name);
                Ok(())
            }
            (Ok(()), true) => Err(format!("it passes: take it out of {PENDING}").into()),
            (Err(_), true) | (Ok(()), false) => Ok(()),
        };
        Trial::test(name, run)
    };
    cases.into_iter().map(trial).collect()
}
