//! The list of a suite's cases that do not pass yet. It only ever gets shorter.
//!
//! Its first line may say how many cases are ignored, as their log has another order in batches. A case that is to stay
//! on the list has its reason beside it, behind a tab.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Mutex;

use super::data;

/// What stands before the number of ignored cases.
const IGNORED: &str = "#ignored ";

/// A list, and what was found out about it.
pub(crate) struct Pending {
    path: PathBuf,
    /// The names, each with its reason, which may be empty.
    names: BTreeMap<String, String>,
    /// How many cases may be ignored.
    pub(crate) ignored: usize,
    settled: Mutex<BTreeSet<String>>,
}

impl Pending {
    /// The list of a suite; without a file it is empty.
    pub(crate) fn of(suite: &str) -> Self {
        let path = data::path_in_tests(&format!("cases/pending/{suite}.txt"));
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (notes, names): (Vec<&str>, Vec<&str>) =
            text.lines().partition(|line| line.starts_with('#'));
        let number = notes.iter().find_map(|line| line.strip_prefix(IGNORED));
        Self {
            path,
            names: names.into_iter().map(named).collect(),
            ignored: number.and_then(|number| number.parse().ok()).unwrap_or_default(),
            settled: Mutex::default(),
        }
    }

    /// Whether lists are written anew.
    pub(crate) fn is_updated() -> bool {
        std::env::var_os("UPDATE_PENDING").is_some()
    }

    /// Whether a case is on the list.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The names of the list.
    pub(crate) fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Notes that a case need not be listed any more.
    pub(crate) fn settle(&self, name: &str) {
        self.settled.lock().expect("nothing panics while it is held").insert(name.to_owned());
    }

    /// Writes the list anew, without what is settled, without what is none of the `known` cases, and with no more than
    /// `ignored` cases to ignore.
    pub(crate) fn update(&self, known: &BTreeSet<&str>, ignored: usize) {
        let settled = self.settled.lock().expect("nothing panics while it is held");
        let is_left = |name: &String| !settled.contains(name) && known.contains(name.as_str());
        let ignored = self.ignored.min(ignored);
        let mut text = String::new();
        if ignored > 0 {
            text = format!("{IGNORED}{ignored}\n");
        }
        for (name, reason) in self.names.iter().filter(|(name, _)| is_left(name)) {
            let gap = if reason.is_empty() { "" } else { "\t" };
            text.extend([name, gap, reason, "\n"]);
        }
        if text.is_empty() {
            let _ = std::fs::remove_file(&self.path);
        } else {
            std::fs::write(&self.path, text).expect("the list can be written");
        }
    }
}

/// A line of the list: a name, and a reason if it has one.
fn named(line: &str) -> (String, String) {
    let (name, reason) = line.split_once('\t').unwrap_or((line, ""));
    (name.to_owned(), reason.to_owned())
}
