//! Exchanges with a real ksqlDB 7.4.0, sent to a server of ours in their order, and its answers held against the recorded
//! ones but for what differs from run to run.
//!
//! The recordings lie outside of the repository: `KSQLDB_REFERENCE` says where; without them they are ignored.
//!
//! ```sh
//! cargo test --test rest                          # a line for each exchange
//! UPDATE_PENDING=1 cargo test --test rest         # exchanges that pass now leave the list
//! ```
//!
//! `pending.txt` names the exchanges that are not answered alike. Any other one that is not fails the tests, and so does
//! one of the list that is.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Failed, Trial};

use exchange::Exchange;

mod applied;
#[path = "../data/mod.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod data;
mod exchange;
mod masks;
mod replay;
#[path = "../server/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

const PENDING: &str = "tests/rest/pending.txt";

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = match data::reference() {
        Ok(folder) if !arguments.list => of_folder(&folder),
        Ok(_) => Vec::new(),
        Err(missing) => {
            let missing = move || missing.outcome();
            vec![Trial::ignorable_test("rest: all of the reference", missing)]
        }
    };
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test for each exchange; all of them have been sent before.
fn of_folder(folder: &Path) -> Vec<Trial> {
    let exchanges = exchange::read(&folder.join("rest/transcript.jsonl"));
    let faults = Arc::new(replay::replay(&exchanges));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(PENDING);
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let pending: Vec<u64> = text.lines().filter_map(|line| line.trim().parse().ok()).collect();
    if std::env::var_os("UPDATE_PENDING").is_some() {
        let is_new = text.is_empty();
        let left = faults.keys().filter(|n| is_new || pending.contains(n));
        let left: Vec<String> = left.map(ToString::to_string).collect();
        std::fs::write(&path, left.join("\n") + "\n").unwrap();
    }
    let trial = |exchange: &Exchange| {
        let (n, is_pending) = (exchange.n, pending.contains(&exchange.n));
        let faults: Arc<BTreeMap<u64, String>> = Arc::clone(&faults);
        let outcome = move || match (faults.get(&n), is_pending) {
            (Some(fault), false) => Err(Failed::from(fault.clone())),
            (None, true) => {
                Err(Failed::from(format!("it is answered alike: take {n} out of {PENDING}")))
            }
            (Some(_), true) | (None, false) => Ok(()),
        };
        Trial::test(exchange.name(), outcome)
    };
    let asked = exchanges.iter().filter(|exchange| !exchange.is_wait()).map(trial);
    asked.chain([applied::trial(&exchanges)]).collect()
}
