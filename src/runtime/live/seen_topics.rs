//! The topics of a query as they were when it ran last: one that was deleted and made again since is
//! another topic, to which neither offsets nor state belong.

use std::collections::{BTreeMap, BTreeSet};

use super::query_topics::QueryTopics;
use crate::kafka::TopicId;

/// The ids of a query's topics when it ran last; none where nobody knows.
#[derive(Debug, Default)]
pub(super) struct SeenTopics(BTreeMap<String, TopicId>);

impl SeenTopics {
    /// The topics as they are.
    pub(super) fn of(topics: &QueryTopics) -> Self {
        Self(topics.all().map(|topic| (topic.name.clone(), topic.id)).collect())
    }

    /// Those that are other ones now.
    pub(super) fn made_again(&self, topics: &QueryTopics) -> BTreeSet<String> {
        let is_other = |name: &str, id| self.0.get(name).is_some_and(|seen| seen.differs(id));
        let others = topics.all().filter(|topic| is_other(&topic.name, topic.id));
        others.map(|topic| topic.name.clone()).collect()
    }
}
