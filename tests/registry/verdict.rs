//! Pairs of schemas, and whether a reader with one reads what a writer with the other wrote.
//!
//! ```text
//! what changes | source | B yes | F no READER_FIELD_MISSING_DEFAULT_VALUE | apicurio F yes
//! the old schema
//! the new schema
//! ```
//! `apicurio old 422` is where it does not take the old schema, `apicurio B 422` where it does not take the new one.
//! B is whether the new one may follow under BACKWARD, F under FORWARD; of both follows FULL. A refusal may name the
//! kind of difference that must be told.

use libtest_mimic::Failed;
use serde_json::json;

use super::http;
use super::registry::{self, Registry};

/// A pair of schemas.
pub(crate) struct Verdict {
    pub(crate) name: String,
    backward: Expected,
    forward: Expected,
    old: String,
    new: String,
    /// The status with which Apicurio refuses the old schema.
    apicurio_old: Option<u16>,
}

#[derive(Default)]
struct Expected {
    gets_on: bool,
    kind: Option<String>,
    apicurio: Option<bool>,
    /// The status with which Apicurio refuses the new schema.
    apicurio_status: Option<u16>,
}

impl Verdict {
    /// How many answers it holds.
    #[expect(clippy::unused_self, reason = "as many in each")]
    pub(crate) fn answers(&self) -> usize {
        2
    }

    pub(crate) fn run(&self, ty: &str) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let registry = Registry::start().await;
            let schema = |text: &str| json!({ "schemaType": ty, "schema": text }).to_string();
            let (old, new) = (schema(&self.old), schema(&self.new));
            let path = "/subjects/s/versions";
            let registered = http::send(&registry.url, "POST", path, Some(old), &[]).await;
            if self.apicurio_old.filter(|_| registry::is_foreign()) == Some(registered.status) {
                return Ok(());
            }
            if registered.status != 200 {
                return Err(format!("the old schema: {}", registered.text).into());
            }
            let is_full = self.backward.is_told() && self.forward.is_told();
            let apicurio_status = self.backward.apicurio_status.or(self.forward.apicurio_status);
            let full = Expected { gets_on: is_full, apicurio_status, ..Expected::default() };
            for (level, expected) in
                [("BACKWARD", &self.backward), ("FORWARD", &self.forward), ("FULL", &full)]
            {
                let config = Some(json!({ "compatibility": level }).to_string());
                http::send(&registry.url, "PUT", "/config", config, &[]).await;
                let path = "/compatibility/subjects/s/versions/latest?verbose=true";
                let answer = http::send(&registry.url, "POST", path, Some(new.clone()), &[]).await;
                let told = answer.json()["is_compatible"] == true;
                let has_kind = expected
                    .kind
                    .as_ref()
                    .is_none_or(|kind| registry::is_foreign() || answer.text.contains(kind));
                let refused = expected.apicurio_status.filter(|_| registry::is_foreign());
                // Apicurio takes a Protobuf file under FULL that it refuses under FORWARD.
                if refused == Some(answer.status) || (registry::is_foreign() && level == "FULL") {
                    continue;
                }
                if answer.status != 200 || told != expected.is_told() || !has_kind {
                    let wanted = (expected.is_told(), &expected.kind);
                    return Err(format!("{level}: wanted {wanted:?}, got {}", answer.text).into());
                }
            }
            registry.stop().await;
            Ok(())
        })
    }
}

impl Expected {
    fn is_told(&self) -> bool {
        self.apicurio.filter(|_| registry::is_foreign()).unwrap_or(self.gets_on)
    }
}

/// Reads the verdicts of a file.
pub(crate) fn parse(text: &str) -> Vec<Verdict> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let lines: Vec<&str> = lines.collect();
    lines
        .chunks(3)
        .map(|lines| {
            let [head, old, new] = lines else { panic!("{lines:?}") };
            let mut parts = head.split(" | ").map(str::trim);
            let (name, source) = (parts.next().unwrap(), parts.next().unwrap());
            let (mut backward, mut forward): (Option<Expected>, Option<Expected>) = (None, None);
            let mut apicurio_old = None;
            for part in parts {
                let words: Vec<&str> = part.split(' ').collect();
                let is_yes = |word: &str| match word {
                    "yes" => true,
                    "no" => false,
                    _ => panic!("{head}"),
                };
                match *words {
                    ["apicurio", "old", status] => apicurio_old = Some(status.parse().unwrap()),
                    ["apicurio", way @ ("B" | "F"), verdict] => {
                        let expected = if way == "B" { &mut backward } else { &mut forward };
                        let expected = expected.get_or_insert_default();
                        match verdict.parse() {
                            Ok(status) => expected.apicurio_status = Some(status),
                            Err(_) => expected.apicurio = Some(is_yes(verdict)),
                        }
                    }
                    ["B", verdict, ref kind @ ..] => {
                        backward = Some(expected(is_yes(verdict), kind));
                    }
                    ["F", verdict, ref kind @ ..] => {
                        forward = Some(expected(is_yes(verdict), kind));
                    }
                    _ => panic!("{head}"),
                }
            }
            Verdict {
                name: format!("{name} | {source}"),
                backward: backward.unwrap_or_else(|| panic!("{head}")),
                forward: forward.unwrap_or_else(|| panic!("{head}")),
                old: (*old).to_owned(),
                new: (*new).to_owned(),
                apicurio_old,
            }
        })
        .collect()
}

fn expected(gets_on: bool, kind: &[&str]) -> Expected {
    Expected { gets_on, kind: kind.first().map(|kind| (*kind).to_owned()), ..Expected::default() }
}
