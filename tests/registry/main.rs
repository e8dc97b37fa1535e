//! The embedded registry, asked over HTTP, against a table of what registries answer: `cases/*.stories` are requests
//! with their answers, `cases/*.verdicts` pairs of schemas and whether they get on.
//!
//! Each case names where its answer comes from: `spec` is Confluent's public API reference and compatibility rules,
//! `avro` Avro's specification, `client` what a client of others relies on, `ours` a bound of our own. Where Apicurio
//! Registry 2.5.11 (`/apis/ccompat/v7`) answers otherwise, its answer stands beside ours. `MILLSTREAM_REGISTRY_URL` and
//! `MILLSTREAM_REGISTRY_RESET` (a URL whose DELETE empties it) hold the table against such a registry instead.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod client;
mod faults;
mod http;
mod registry;
mod story;
mod verdict;

use std::path::Path;
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

/// How many answers the table must hold at least, so that none gets lost.
const ANSWERS_MIN: usize = 300;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    if registry::is_foreign() {
        // There is one, and each case empties it.
        arguments.test_threads = Some(1);
    }
    let mut trials = Vec::new();
    let mut answers = 0;
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/registry/cases");
    let mut files: Vec<_> =
        std::fs::read_dir(cases).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let stem = file.file_stem().unwrap().to_str().unwrap().to_owned();
        match file.extension().and_then(|extension| extension.to_str()) {
            Some("stories") => {
                for story in story::parse(&stem, &text) {
                    answers += story.answers();
                    let name = format!("{stem}: {}", story.name);
                    trials.push(Trial::test(name, move || story.run()));
                }
            }
            Some("verdicts") => {
                // `avro.verdicts` holds schemas of the type AVRO.
                let ty = stem.to_uppercase();
                for verdict in verdict::parse(&text) {
                    answers += verdict.answers();
                    let (name, ty) = (format!("{stem}: {}", verdict.name), ty.clone());
                    trials.push(Trial::test(name, move || verdict.run(&ty)));
                }
            }
            other => panic!("{}: {other:?}", file.display()),
        }
    }
    trials.extend(client::trials());
    if !registry::is_foreign() {
        trials.extend(faults::trials());
    }
    trials.push(Trial::test("the table is whole", move || {
        if answers >= ANSWERS_MIN {
            return Ok(());
        }
        Err(Failed::from(format!("{answers} answers of {ANSWERS_MIN}")))
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}
