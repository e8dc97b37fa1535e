//! What becomes of a test that lacks something of the machine that it runs on: it is ignored, and says why.
//!
//! `MILLSTREAM_REQUIRE` names, with blanks between, what must be there: `reference`, `clients`. What it names and is
//! missing makes the tests fail that need it.

use libtest_mimic::{Completion, Failed};

/// Something that a test needs, and that is not there.
#[derive(Clone)]
pub(crate) struct Missing {
    /// As `MILLSTREAM_REQUIRE` names it.
    pub(crate) what: &'static str,
    /// Where it is looked for, or how to get it.
    pub(crate) reason: String,
}

impl Missing {
    /// How a test ends that needs it.
    pub(crate) fn outcome(self) -> Result<Completion, Failed> {
        let required = std::env::var("MILLSTREAM_REQUIRE").unwrap_or_default();
        if required.split_whitespace().any(|required| required == self.what) {
            return Err(self.reason.into());
        }
        Ok(Completion::ignored_with(self.reason))
    }
}
