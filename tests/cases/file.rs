//! Files of cases, and of ksqlDB's answers to them. Nothing is read before it is needed.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::LazyLock;

use millstream::testing::{Case, Golden, Unreadable, cases, parse_cases, parse_golden};

use super::data;

/// A case, or why it cannot be read.
pub(crate) type Read = Result<Case, Unreadable>;

type Lazy<T> = LazyLock<T, Box<dyn FnOnce() -> T + Send>>;

/// A file of cases, or a few folders with a case each.
pub(crate) struct CaseFile {
    /// Its name without an ending.
    pub(crate) name: String,
    cases: Lazy<Vec<Read>>,
}

impl CaseFile {
    /// A family of our own cases.
    pub(crate) fn fresh(family: &'static str) -> Self {
        let read = move || parse_cases(family, &data::fresh(family));
        Self { name: family.to_owned(), cases: LazyLock::new(Box::new(read)) }
    }

    /// What lies at some paths.
    pub(crate) fn at(name: String, paths: Vec<PathBuf>) -> Self {
        let read = move || {
            let all = paths.iter().flat_map(|path| {
                cases(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
            });
            all.collect()
        };
        Self { name, cases: LazyLock::new(Box::new(read)) }
    }

    /// Its cases.
    pub(crate) fn cases(&self) -> &[Read] {
        &self.cases
    }
}

/// The name of a case.
pub(crate) fn name(case: &Read) -> &str {
    match case {
        Ok(case) => &case.name,
        Err(unreadable) => &unreadable.name,
    }
}

/// What ksqlDB answered, by the names of the cases.
pub(crate) struct Answers(Lazy<BTreeMap<String, Golden>>);

impl Answers {
    /// Those that `texts` gives, file by file.
    pub(crate) fn new(texts: impl FnOnce() -> Vec<String> + Send + 'static) -> Self {
        let parse = move || {
            let all = texts().into_iter().flat_map(|text| parse_golden(&text).expect("answers"));
            all.filter(|(_, answer)| !answer.is_of_stub()).collect()
        };
        Self(LazyLock::new(Box::new(parse)))
    }

    /// The answer to a case.
    pub(crate) fn get(&self, case: &Case) -> Option<&Golden> {
        self.0.get(&*case.name)
    }

    /// The names of the cases.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
