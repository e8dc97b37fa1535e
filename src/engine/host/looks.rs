//! What keeps figures over time: once a second it is looked at what is counted, and once in ten seconds Kafka is asked
//! where the topics end that statements name.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior};

use super::history::{Ends, Step, Subject, TopicGrowth, Window};
use super::{Host, Shared};
use crate::runtime::clock;

/// How often it is looked at what is counted.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often Kafka is asked where topics end, and how long it may take to answer.
const ASK_EVERY: Duration = Duration::from_secs(10);
const ASK_WITHIN: Duration = Duration::from_secs(10);

impl Host {
    /// Begins to keep figures over time, for those who may look at them.
    pub fn keep_history(&self) {
        let shared = Arc::downgrade(&self.shared);
        let mut looking = self.shared.history.looking();
        looking.get_or_insert_with(|| tokio::spawn(look(shared)));
    }

    /// Figures of the subjects that are wanted from a second since 1970 on, as far as they are kept. Of very many subjects
    /// only the newest points are given; the window says from when on.
    pub fn history(&self, since: i64, step: Step, wanted: impl Fn(&Subject) -> bool) -> Window {
        self.shared.history.since(since, step, wanted)
    }

    /// How much came to the topics that statements name or queries read.
    pub fn topic_growth(&self) -> Vec<TopicGrowth> {
        self.shared.history.growth(&self.shared.instance.figures().topics)
    }
}

/// Looks and asks, as long as there is somebody to do it for. A Kafka that does not answer delays no look.
async fn look(shared: Weak<Shared>) {
    let looking = async {
        let mut every = ticks(LOOK_EVERY);
        loop {
            every.tick().await;
            let Some(shared) = shared.upgrade() else { return };
            shared.history.note(clock::now(), &shared.instance.figures());
        }
    };
    let asking = async {
        let mut every = ticks(ASK_EVERY);
        let mut ends = Ends::default();
        loop {
            every.tick().await;
            let Some(shared) = shared.upgrade() else { return };
            ends = shared.ask_ends(ends).await;
        }
    };
    tokio::join!(looking, asking);
}

fn ticks(every: Duration) -> Interval {
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    ticks
}

impl Shared {
    /// Asks Kafka where topics end. What it does not tell in time is asked for again.
    async fn ask_ends(&self, before: Ends) -> Ends {
        let topics = self.named_topics();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        let cluster = self.services.cluster.with_patience(ASK_WITHIN);
        let unknown = before.without_growth();
        let asked = tokio::time::timeout(ASK_WITHIN, before.ask(&cluster, &topics)).await;
        let ends = match asked {
            Ok(Ok(ends)) => ends,
            Ok(Err(error)) => {
                tracing::debug!("it is not known where topics end: {error}");
                unknown
            }
            Err(_) => unknown,
        };
        self.instance.note_ends(&ends.offsets, &ends.ids);
        self.history.note_ends(&ends);
        ends
    }

    /// The topics of all streams and tables.
    fn named_topics(&self) -> Vec<String> {
        let state = self.state();
        let mut topics: Vec<String> =
            state.engine().catalog().sources().map(|source| source.topic.clone()).collect();
        topics.sort_unstable();
        topics.dedup();
        topics
    }
}
