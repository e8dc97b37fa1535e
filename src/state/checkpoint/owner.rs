//! Whose state a directory holds.

use std::fmt;

/// The version of everything in a query's directory.
const FORMAT: &str = "2";

/// Whose state it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// The service.
    pub service: String,
    /// The query.
    pub query: String,
    /// The fingerprint of its plan.
    pub fingerprint: String,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, query, fingerprint } = self;
        write!(f, "query {query} of service {service} with plan {fingerprint}")
    }
}

impl Owner {
    /// Whether it is a plan of the same query.
    pub(super) fn is_of_query_of(&self, other: &Self) -> bool {
        (&self.service, &self.query) == (&other.service, &other.query)
    }

    /// What the file says, and a CRC-32C of that, so that damage is not taken for another owner.
    pub(super) fn to_text(&self) -> String {
        let Self { service, query, fingerprint } = self;
        let text =
            format!("format {FORMAT}\nservice {service}\nquery {query}\nplan {fingerprint}\n");
        format!("{text}crc {:08x}\n", crc32c::crc32c(text.as_bytes()))
    }

    /// `None` if the text is damaged, or of another format.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().skip(1);
        let mut field = |name: &str| lines.next()?.strip_prefix(name)?.strip_prefix(' ');
        let (service, query, plan) = (field("service")?, field("query")?, field("plan")?);
        let (service, query, fingerprint) = (service.into(), query.into(), plan.into());
        let owner = Self { service, query, fingerprint };
        (owner.to_text() == text).then_some(owner)
    }
}
