//! What came of a run, for people and for programs.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Whether a case gave what it expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It did.
    Passed,
    /// It did not, and this is why.
    Failed(String),
}

/// What came of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseReport {
    /// The name of the case.
    pub name: String,
    /// Whether it expects an error.
    pub expects_error: bool,
    /// How it went.
    pub verdict: Verdict,
}

impl CaseReport {
    pub(super) fn new(name: String, expects_error: bool, result: Result<(), String>) -> Self {
        let verdict = result.map_or_else(Verdict::Failed, |()| Verdict::Passed);
        Self { name, expects_error, verdict }
    }

    /// Whether it passed.
    pub fn is_passed(&self) -> bool {
        self.verdict == Verdict::Passed
    }
}

/// What came of all cases of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The cases, in the order in which they ran.
    pub cases: Vec<CaseReport>,
}

impl Report {
    pub(super) fn add(&mut self, case: CaseReport) {
        self.cases.push(case);
    }

    /// How many cases passed, and how many did not.
    pub fn counts(&self) -> (usize, usize) {
        counts(self.cases.iter())
    }

    /// The report as one JSON object.
    pub fn to_json(&self) -> String {
        let cases: Vec<_> = self
            .cases
            .iter()
            .map(|case| {
                let reason = match &case.verdict {
                    Verdict::Passed => serde_json::Value::Null,
                    Verdict::Failed(reason) => reason.as_str().into(),
                };
                serde_json::json!({
                    "name": case.name,
                    "expectsError": case.expects_error,
                    "passed": case.is_passed(),
                    "reason": reason,
                })
            })
            .collect();
        let (passed, failed) = self.counts();
        serde_json::json!({ "passed": passed, "failed": failed, "cases": cases }).to_string()
    }
}

fn counts<'a>(cases: impl Iterator<Item = &'a CaseReport>) -> (usize, usize) {
    cases.fold(
        (0, 0),
        |(passed, failed), case| {
            if case.is_passed() { (passed + 1, failed) } else { (passed, failed + 1) }
        },
    )
}

impl fmt::Display for Report {
    /// The failed cases with their reasons, then the counts; `N passed, M failed` comes last.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in &self.cases {
            if let Verdict::Failed(reason) = &case.verdict {
                writeln!(f, "FAILED {}: {reason}", case.name)?;
            }
        }
        let of = |expects_error| {
            counts(self.cases.iter().filter(|case| case.expects_error == expects_error))
        };
        let ((passed, failed), (refused, other)) = (of(false), of(true));
        writeln!(f, "results: {passed} passed, {failed} failed")?;
        writeln!(f, "expected errors: {refused} passed, {other} failed")?;
        let (passed, failed) = self.counts();
        writeln!(f, "{passed} passed, {failed} failed")
    }
}

/// Runs a case; one that panics has failed.
pub(super) fn guarded(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().copied().map(str::to_owned);
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(format!("panicked: {}", text.unwrap_or_default()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_counts_all_cases() {
        let mut report = Report::default();
        report.add(CaseReport::new("a".into(), false, Ok(())));
        report.add(CaseReport::new("b".into(), true, Err("no".into())));
        assert_eq!(
            report.to_string(),
            "FAILED b: no\nresults: 1 passed, 0 failed\nexpected errors: 0 passed, 1 failed\n\
             1 passed, 1 failed\n"
        );
        assert!(report.to_json().contains(r#""reason":"no""#));
        let panicked = guarded(|| panic!("oh"));
        assert_eq!(panicked, Err("panicked: oh".into()));
    }
}
