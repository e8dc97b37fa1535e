//! A suite: cases of one kind, and one list of those that do not pass yet.
//!
//! A file of cases is a test, unless the command line asks for some of its cases only: then each of these is one.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use libtest_mimic::{Arguments, Completion, Failed, Trial};
use millstream::testing::{
    Batched, CaseReport, EngineSystems, Feed, Golden, Verdict, run_batched, run_case,
    run_golden_case, run_topologies_case,
};

use super::file::{Answers, CaseFile, Read, name};
use super::pending::Pending;

/// What a case is held against.
pub(crate) enum Check {
    /// The values and errors that it states itself.
    Values,
    /// The bytes and the errors that ksqlDB answered with.
    Bytes(Answers),
    /// The topologies of queries that ksqlDB described.
    Topologies(Answers),
    /// Itself: records give the same one by one as if they are fed in another way. The bytes that are fed are those of the
    /// answers.
    Fed(&'static [Feed], Answers),
}

/// Cases of one kind.
pub(crate) struct Suite {
    name: String,
    files: Vec<Arc<CaseFile>>,
    check: Check,
    pending: Pending,
    /// The test that counts the cases that are ignored, if some are.
    ignored: Option<&'static str>,
    /// Whether there has to be an answer to each case.
    is_answered: bool,
    outcomes: Vec<OnceLock<Vec<(String, Outcome)>>>,
}

/// What came of a case.
enum Outcome {
    Passed,
    Failed(String),
    /// It is one of those that are ignored, and counted.
    Ignored(String),
    /// Neither way of running it is there yet.
    Unsupported(String),
}

impl Suite {
    pub(crate) fn new(name: &str, files: Vec<Arc<CaseFile>>, check: Check) -> Self {
        let outcomes = files.iter().map(|_| OnceLock::new()).collect();
        let pending = Pending::of(name);
        let (name, ignored) = (name.to_owned(), None);
        Self { name, files, check, pending, ignored, is_answered: true, outcomes }
    }

    /// The same, but cases without an answer are none of it.
    pub(crate) fn answered_in_part(self) -> Self {
        Self { is_answered: false, ..self }
    }

    /// The same, but cases are ignored that differ, fed in batches, in the order of the processing log; the test called
    /// `name` counts them.
    pub(crate) fn ignoring(self, name: &'static str) -> Self {
        Self { ignored: Some(name), ..self }
    }

    /// The tests that the command line asks for.
    pub(crate) fn trials(self: &Arc<Self>, arguments: &Arguments) -> Vec<Trial> {
        let mut trials = Vec::new();
        for file in 0..self.files.len() {
            let whole = self.of_file(file);
            if is_plain(arguments) || (arguments.exact && !arguments.is_filtered_out(&whole)) {
                trials.push(whole);
                continue;
            }
            let cases = self.of_cases(file);
            let is_out = arguments.is_filtered_out(&whole);
            if cases.iter().all(|case| arguments.is_filtered_out(case) == is_out) {
                trials.push(whole);
            } else {
                trials.extend(cases);
            }
        }
        let suite = Arc::clone(self);
        let of_list = move || suite.check_list();
        trials
            .push(Trial::ignorable_test(format!("{}: list of pending cases", self.name), of_list));
        if let Some(name) = self.ignored {
            let suite = Arc::clone(self);
            let of_ignored = move || suite.check_ignored();
            trials.push(Trial::ignorable_test(format!("{}: {name}", self.name), of_ignored));
        }
        trials
    }

    /// Writes the list of pending cases anew.
    pub(crate) fn update(&self) {
        let all_ran = self.outcomes.iter().all(|outcomes| outcomes.get().is_some());
        let ignored = if all_ran { self.ignored().len() } else { usize::MAX };
        self.pending.update(&self.names(), ignored);
    }

    fn of_file(self: &Arc<Self>, file: usize) -> Trial {
        let suite = Arc::clone(self);
        let name = format!("{}: {}", self.name, self.files[file].name);
        Trial::ignorable_test(name, move || suite.check_file(file))
    }

    fn of_cases(self: &Arc<Self>, file: usize) -> Vec<Trial> {
        let trial = |(index, case): (usize, &Read)| {
            let suite = Arc::clone(self);
            let run = move || suite.check_case(&suite.files[file].cases()[index]);
            Trial::ignorable_test(format!("{}: {}", self.name, name(case)), run)
        };
        let cases = self.files[file].cases().iter().enumerate();
        cases.filter(|(_, case)| self.has(case)).map(trial).collect()
    }

    fn check_case(&self, case: &Read) -> Result<Completion, Failed> {
        let name = name(case);
        match self.run(case) {
            Outcome::Failed(reason) if self.pending.has(name) => {
                Ok(Completion::ignored_with(format!("pending: {reason}")))
            }
            Outcome::Failed(reason) => Err(reason.into()),
            _ if self.pending.has(name) && !Pending::is_updated() => Err(unlist(&[name])),
            Outcome::Passed => Ok(Completion::Completed),
            Outcome::Ignored(reason) | Outcome::Unsupported(reason) => {
                Ok(Completion::ignored_with(reason))
            }
        }
    }

    fn check_file(&self, file: usize) -> Result<Completion, Failed> {
        let (mut failed, mut settled) = (Vec::new(), Vec::new());
        let outcomes = self.outcomes(file);
        for (name, outcome) in outcomes {
            match (outcome, self.pending.has(name)) {
                (Outcome::Failed(reason), false) => failed.push(format!("{name}: {reason}")),
                (Outcome::Failed(_), true) | (_, false) => {}
                (_, true) => settled.push(name.as_str()),
            }
        }
        if !failed.is_empty() {
            return Err(format!("{} cases fail:\n{}", failed.len(), failed.join("\n")).into());
        }
        if !settled.is_empty() && !Pending::is_updated() {
            return Err(unlist(&settled));
        }
        if outcomes.iter().any(|(_, outcome)| matches!(outcome, Outcome::Passed)) {
            return Ok(Completion::Completed);
        }
        Ok(Completion::ignored_with("no case passes yet"))
    }

    /// Every name of the list is that of a case, and every answer is held against one.
    fn check_list(&self) -> Result<Completion, Failed> {
        let known = self.names();
        let gone: Vec<&str> = self.pending.names().filter(|name| !known.contains(name)).collect();
        if !gone.is_empty() && !Pending::is_updated() {
            return Err(unlist(&gone));
        }
        if let Check::Bytes(answers) = &self.check {
            let alone: Vec<_> = answers
                .names()
                .filter(|answer| self.is_of_suite(answer) && !known.contains(answer))
                .collect();
            if !alone.is_empty() {
                return Err(format!("answers to no case:\n{}", alone.join("\n")).into());
            }
        }
        match self.pending.names().len() {
            0 => Ok(Completion::Completed),
            count => Ok(Completion::ignored_with(format!("{count} of {} cases", known.len()))),
        }
    }

    /// No more cases are ignored than were, and no fewer, so that one that is not ignored any more stays so.
    fn check_ignored(&self) -> Result<Completion, Failed> {
        let found = self.ignored();
        let reasons: BTreeSet<&str> = found.iter().map(|(_, reason)| *reason).collect();
        let (count, most) = (found.len(), self.pending.ignored);
        if count > most {
            let names: Vec<_> =
                found.iter().map(|(name, reason)| format!("{name}: {reason}")).collect();
            return Err(format!("{count} are ignored, not {most}:\n{}", names.join("\n")).into());
        }
        if count < most && !Pending::is_updated() {
            return Err(
                format!("only {count} are ignored, not {most}: run with UPDATE_PENDING=1").into()
            );
        }
        if count == 0 {
            return Ok(Completion::Completed);
        }
        let reasons = reasons.into_iter().collect::<Vec<_>>().join(", ");
        Ok(Completion::ignored_with(format!("{count} cases: {reasons}")))
    }

    fn ignored(&self) -> Vec<(&str, &str)> {
        let all = (0..self.files.len()).flat_map(|file| self.outcomes(file));
        let ignored = all.filter_map(|(name, outcome)| match outcome {
            Outcome::Ignored(reason) => Some((name.as_str(), reason.as_str())),
            _ => None,
        });
        ignored.collect()
    }

    /// What came of the cases of a file, which run once.
    fn outcomes(&self, file: usize) -> &[(String, Outcome)] {
        self.outcomes[file].get_or_init(|| {
            let cases = self.files[file].cases().iter().filter(|case| self.has(case));
            cases.map(|case| (name(case).to_owned(), self.run(case))).collect()
        })
    }

    fn run(&self, case: &Read) -> Outcome {
        let outcome = match (&self.check, case) {
            (Check::Bytes(answers), Ok(case)) => match answers.get(case) {
                Some(answer) => Self::judge(run_golden_case(&EngineSystems, case.clone(), answer)),
                None => Outcome::Failed("there is no answer to this case".to_owned()),
            },
            (Check::Topologies(answers), Ok(case)) => match answers.get(case) {
                Some(answer) => {
                    Self::judge(run_topologies_case(&EngineSystems, case.clone(), answer))
                }
                None => Outcome::Failed("there is no answer to this case".to_owned()),
            },
            (Check::Fed(feeds, answers), Ok(case)) => {
                match run_batched(&EngineSystems, case, answers.get(case), feeds) {
                    Batched::Same => Outcome::Passed,
                    Batched::Unsupported(reason) => Outcome::Unsupported(reason),
                    Batched::LogOrder(_) => {
                        Outcome::Ignored("other order of the processing log".to_owned())
                    }
                    Batched::Other(difference) => Outcome::Failed(difference),
                }
            }
            _ => Self::judge(run_case(&EngineSystems, case.clone())),
        };
        if !matches!(outcome, Outcome::Failed(_)) {
            self.pending.settle(name(case));
        }
        outcome
    }

    fn judge(report: CaseReport) -> Outcome {
        match report.verdict {
            Verdict::Passed => Outcome::Passed,
            Verdict::Failed(reason) => Outcome::Failed(reason),
        }
    }

    /// Whether a case is one of this suite: the values of a disabled one cannot be compared, its bytes can.
    fn has(&self, case: &Read) -> bool {
        match (&self.check, case) {
            (_, Err(_)) | (Check::Fed(..), _) => true,
            (Check::Values, Ok(case)) => case.is_enabled,
            (Check::Bytes(answers), Ok(case)) => {
                answers.get(case).is_some() || case.is_enabled && self.is_answered
            }
            (Check::Topologies(answers), Ok(case)) => {
                answers.get(case).is_some_and(Golden::has_topologies)
            }
        }
    }

    /// The names of all cases.
    fn names(&self) -> BTreeSet<&str> {
        let all = self.files.iter().flat_map(|file| file.cases());
        all.filter(|case| self.has(case)).map(name).collect()
    }

    /// Whether an answer is to a case of these files, by its name.
    fn is_of_suite(&self, answer: &str) -> bool {
        let file = answer.split(" - ").next().unwrap_or_default();
        self.files.iter().any(|own| own.name == file)
    }
}

/// Whether the command line asks for all tests.
fn is_plain(arguments: &Arguments) -> bool {
    arguments.filter.is_none() && arguments.skip.is_empty()
}

/// What is said of names that do not belong on the list any more.
fn unlist(names: &[&str]) -> Failed {
    let (count, names) = (names.len(), names.join("\n"));
    format!(
        "{count} on the list pass, are ignored or are no cases; UPDATE_PENDING=1 takes them out:\n{names}"
    )
    .into()
}
