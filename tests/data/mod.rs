//! The files that tests read: our own, compressed under `tests/cases`, and those of ksqlDB, which may lie elsewhere.
//!
//! `tests/cases/fresh` holds cases that were made for us, `tests/cases/golden` what a real ksqlDB 7.4.0 answered.
//! ksqlDB's own cases and its answers to them are not in the repository: `KSQLDB_REFERENCE` names their folder, which
//! is `../shared/ksqldb` unless it is set.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files has failed")]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

use missing::Missing;

pub(crate) mod missing;

/// The families of our own cases.
pub(crate) const FRESH: [&str; 7] = ["A", "B", "C", "D", "E", "F", "G"];

/// The files of answers to our own cases.
pub(crate) const FRESH_ANSWERS: [&str; 3] = ["fresh", "fresh-F", "fresh-G"];

/// A file of this folder.
pub(crate) fn path_in_tests(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(path)
}

/// The folder of ksqlDB's own cases.
pub(crate) fn reference() -> Result<PathBuf, Missing> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/ksqldb");
    let folder = std::env::var_os("KSQLDB_REFERENCE").map_or(default, PathBuf::from);
    if folder.is_dir() {
        return Ok(folder);
    }
    let reason = format!("no cases at {}, KSQLDB_REFERENCE may say where", folder.display());
    Err(Missing { what: "reference", reason })
}

/// The text of a family of our own cases.
pub(crate) fn fresh(family: &str) -> String {
    compressed(&format!("cases/fresh/{family}.json.gz"))
}

/// The text of a file of answers to our own cases.
pub(crate) fn fresh_answers(file: &str) -> String {
    compressed(&format!("cases/golden/{file}.jsonl.gz"))
}

fn compressed(path: &str) -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path_in_tests(path)).unwrap();
    GzDecoder::new(file).read_to_string(&mut text).unwrap();
    text
}
