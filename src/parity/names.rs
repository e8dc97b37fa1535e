//! The names that a comparison gives to what it makes, by which it is known, and deleted.

use crate::kafka::random::random_u128;
use crate::runtime::live::group_prefix;
use crate::runtime::plans_topic;

/// Which side something is made on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// This process.
    Ours,
    /// The server that it is held against.
    Theirs,
}

impl Side {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Theirs => "theirs",
        }
    }
}

/// The names of one comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    id: String,
}

impl Names {
    /// Names that no other comparison has.
    pub fn new() -> Self {
        Self { id: format!("{:08x}", random_u128() as u32) }
    }

    /// The name that a stream, table or type of the files is declared under, on both sides.
    pub fn of(&self, name: &str) -> String {
        format!("{}{name}", self.prefix())
    }

    /// What these names begin with.
    pub fn prefix(&self) -> String {
        format!("PARITY_{}_", self.id.to_uppercase())
    }

    /// The topic that takes a topic's place on a side.
    pub fn topic(&self, side: Side, topic: &str) -> String {
        format!("{}{}_{topic}", self.service_id(), side.name())
    }

    /// The service that our side is.
    pub fn service_id(&self) -> String {
        format!("parity_{}_", self.id)
    }

    /// Whether a topic, a group or a subject belongs to this comparison.
    pub fn owns(&self, name: &str) -> bool {
        let own = self.service_id();
        name.starts_with(&own) || name.starts_with(&group_prefix(&own)) || name == plans_topic(&own)
    }
}

impl Default for Names {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_is_known_by_its_name() {
        let (names, others) = (Names::new(), Names::new());
        let topic = names.topic(Side::Theirs, "HITS");
        assert!(topic.ends_with("_theirs_HITS"), "{topic}");
        let internal = format!("{}CTAS_HITS_1-x", group_prefix(&names.service_id()));
        assert!(names.owns(&topic) && names.owns(&internal));
        assert!(!names.owns("HITS") && !others.owns(&topic) && !others.owns(&internal));
    }
}
