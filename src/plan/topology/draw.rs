//! The parts that Kafka Streams makes of steps, one after the other.
//!
//! Each method follows what ksqlDB's builder of the step calls, and what Kafka Streams adds for it. The numbers in names
//! are those of [`numbers`](crate::plan::join), which names stores by the same count.

use super::parts::{Part, PartKind, Parts, numbered};
use crate::plan::steps::{Step, StepKind};
use crate::plan::{Aggregation, JoinKind, RepartitionTopic, Source, StoreSpec, StreamStreamJoin};

/// How many numbers the parts around a topic take: what leaves rows out, writes it and reads it.
const TOPIC_NUMBERS: usize = 3;

/// The parts of a query whose last step is this.
pub(super) fn draw(last: &Step<'_>) -> Vec<Part> {
    let mut draw = Draw::default();
    let drawn = draw.step(last);
    if !matches!(last.kind, StepKind::Sink(_)) {
        // Rows go to whoever asks.
        let at = draw.as_stream(last, drawn.at);
        let name = draw.parts.named("KSTREAM-PROCESSOR");
        draw.parts.processor(name, at);
    }
    draw.parts.parts
}

/// What is drawn of a step.
#[derive(Clone, Debug)]
struct Drawn {
    /// The part that gives its rows.
    at: usize,
    /// Where they can be looked up.
    stores: Vec<String>,
}

#[derive(Default)]
struct Draw {
    parts: Parts,
}

impl Draw {
    fn step(&mut self, step: &Step<'_>) -> Drawn {
        match &step.kind {
            StepKind::Source { source, store } => self.source(step, source, *store),
            StepKind::Filter { .. } => self.filter(step),
            StepKind::Select { store: Some(store), .. } => {
                let input = self.input(step);
                let name = self.parts.named("KTABLE-TRANSFORMVALUES");
                self.kept(name, input.at, store)
            }
            StepKind::Select { .. } | StepKind::FlatMap { .. } => {
                let input = self.input(step);
                Drawn { at: self.counted(name_of(step), input.at), ..input }
            }
            StepKind::SelectKey { store, .. } => self.select_key(step, *store),
            StepKind::GroupBy { keys } => self.group_by(step, keys.is_some()),
            StepKind::Aggregate(aggregation) => self.aggregate(step, aggregation),
            StepKind::Over(over) => {
                let input = self.input(step);
                let stores: Vec<String> = over.stores().map(|store| store.name.clone()).collect();
                let at = self.parts.storing(name_of(step), input.at, &stores);
                Drawn { at, stores: Vec::new() }
            }
            StepKind::StreamStreamJoin(join) => self.stream_stream(step, join),
            StepKind::StreamTableJoin(_) => self.stream_table(step),
            StepKind::TableTableJoin(joined) => self.table_table(step, joined.kind),
            StepKind::ForeignKeyJoin { subscriptions, output, .. } => {
                self.foreign_key(step, subscriptions, *output)
            }
            StepKind::Sink(sink) => {
                let input = self.input(step);
                let mut at = self.as_stream(step, input.at);
                if sink.timestamp.is_some() {
                    let name = format!("ApplyTimestampTransform-{}", sink.name);
                    at = self.parts.processor(name, at);
                }
                let name = self.parts.named("KSTREAM-SINK");
                Drawn { at: self.parts.sink(name, &sink.topic, &[at]), stores: Vec::new() }
            }
        }
    }

    fn input(&mut self, step: &Step<'_>) -> Drawn {
        self.step(&step.inputs[0])
    }

    /// Adds a processor that has a name of its own, and is counted.
    fn counted(&mut self, name: String, before: usize) -> usize {
        self.parts.skip(1);
        self.parts.processor(name, before)
    }

    /// Adds a processor that keeps the rows of a table.
    fn kept(&mut self, name: String, before: usize, store: &StoreSpec) -> Drawn {
        let stores = vec![store.name.clone()];
        Drawn { at: self.parts.storing(name, before, &stores), stores }
    }

    /// The rows of a stream, or the changes of a table as such.
    fn as_stream(&mut self, step: &Step<'_>, at: usize) -> usize {
        if !step.is_table() {
            return at;
        }
        let name = self.parts.named("KTABLE-TOSTREAM");
        self.parts.processor(name, at)
    }

    fn source(&mut self, step: &Step<'_>, source: &Source, store: Option<&StoreSpec>) -> Drawn {
        if !step.is_table() {
            let name = self.parts.named("KSTREAM-SOURCE");
            let at = self.stream_source(name, &source.topic);
            let name = self.parts.named("KSTREAM-TRANSFORMVALUES");
            return Drawn { at: self.parts.processor(name, at), stores: Vec::new() };
        }
        // The name of its store is counted first.
        self.parts.skip(1);
        let name = self.parts.named("KSTREAM-SOURCE");
        let at = self.parts.source(name, &source.topic);
        let name = self.parts.named("KTABLE-SOURCE");
        let at = self.parts.processor(name, at);
        let name = self.parts.named("KTABLE-TRANSFORMVALUES");
        let stores: Vec<String> = store.iter().map(|store| store.name.clone()).collect();
        let at = self.parts.storing(name, at, &stores);
        let name = self.parts.named("KTABLE-TRANSFORMVALUES");
        Drawn { at: self.parts.processor(name, at), stores }
    }

    /// A topic that two streams read has one source.
    fn stream_source(&mut self, name: String, topic: &str) -> usize {
        let is_it = |part: &Part| part.kind == PartKind::Source(topic.to_owned());
        let known = self.parts.parts.iter().position(is_it);
        known.unwrap_or_else(|| self.parts.source(name, topic))
    }

    fn filter(&mut self, step: &Step<'_>) -> Drawn {
        let input = self.input(step);
        let name = name_of(step);
        if !step.is_table() {
            return Drawn { at: self.counted(name, input.at), ..input };
        }
        let mut at = input.at;
        for part in ["ApplyPredicate", "Filter", "PostProcess"] {
            at = self.counted(format!("{name}-{part}"), at);
        }
        Drawn { at, ..input }
    }

    fn select_key(&mut self, step: &Step<'_>, store: Option<&StoreSpec>) -> Drawn {
        let input = self.input(step);
        let name = format!("{}-SelectKey", name_of(step));
        let Some(store) = store else {
            let at = self.counted(name, input.at);
            // Where nothing stands between, the topic is added with the new key, and counted later.
            let at = self.topic(step.through, at);
            return Drawn { at, stores: Vec::new() };
        };
        // A table gets another key as the stream of its changes, which becomes a table again.
        let to_stream = self.parts.named("KTABLE-TOSTREAM");
        let at = self.parts.processor(to_stream, input.at);
        let at = self.counted(format!("{name}-Mapper"), at);
        self.parts.skip(1);
        let at = self.through(step.through, at);
        self.kept(name, at, store)
    }

    /// Rows of a join's side, which may go through a topic.
    fn sent(&mut self, side: &Step<'_>, at: usize) -> usize {
        if matches!(side.kind, StepKind::SelectKey { store: None, .. }) && side.through.is_some() {
            self.parts.skip(TOPIC_NUMBERS);
            return at;
        }
        self.through(side.through, at)
    }

    /// Rows that go through a topic, which is counted.
    fn through(&mut self, topic: Option<&RepartitionTopic>, at: usize) -> usize {
        self.parts.skip(if topic.is_some() { TOPIC_NUMBERS } else { 0 });
        self.topic(topic, at)
    }

    fn topic(&mut self, topic: Option<&RepartitionTopic>, at: usize) -> usize {
        let Some(RepartitionTopic { name, .. }) = topic else { return at };
        let at = self.parts.processor(format!("{name}-filter"), at);
        self.parts.sink(format!("{name}-sink"), name, &[at]);
        self.parts.source(format!("{name}-source"), name)
    }

    fn group_by(&mut self, step: &Step<'_>, has_new_key: bool) -> Drawn {
        let input = self.input(step);
        if !has_new_key {
            return input;
        }
        let prefix = if step.is_table() { "KTABLE-FILTER" } else { "KSTREAM-FILTER" };
        let name = self.parts.named(prefix);
        let at = self.parts.processor(name, input.at);
        Drawn { at: self.counted(name_of(step), at), stores: Vec::new() }
    }

    fn aggregate(&mut self, step: &Step<'_>, aggregation: &Aggregation) -> Drawn {
        let grouped = &step.inputs[0];
        let at = self.step(grouped).at;
        let drawn = match grouped.through {
            Some(topic) if grouped.is_table() => {
                let sink = self.parts.named("KSTREAM-SINK");
                self.parts.sink(sink, &topic.name, &[at]);
                let source = self.parts.named("KSTREAM-SOURCE");
                let at = self.parts.source(source, &topic.name);
                let name = self.parts.named("KTABLE-AGGREGATE");
                self.kept(name, at, &aggregation.store)
            }
            topic => {
                let name = self.parts.named("KSTREAM-AGGREGATE");
                let at = self.through(topic, at);
                self.kept(name, at, &aggregation.store)
            }
        };
        let name = name_of(step);
        let mut at = self.counted(format!("{name}-ToOutputSchema"), drawn.at);
        if aggregation.window.is_some() {
            at = self.counted(format!("{name}-WindowSelect"), at);
        }
        Drawn { at, ..drawn }
    }

    /// Both sides of a join, in their order.
    fn sides<'s, 'p>(&mut self, step: &'s Step<'p>) -> [(&'s Step<'p>, Drawn); 2] {
        let [left, right] = [&step.inputs[0], &step.inputs[1]];
        let drawn = self.step(left);
        [(left, drawn), (right, self.step(right))]
    }

    fn stream_stream(&mut self, step: &Step<'_>, join: &StreamStreamJoin) -> Drawn {
        let mut sides = self.sides(step);
        if join.is_exchanged {
            sides.reverse();
        }
        let [this, other] = sides.map(|(side, drawn)| self.sent(side, drawn.at));
        let name = name_of(step);
        let this_name = if join.kind == JoinKind::Full { "outer-this-join" } else { "this-join" };
        let other_name =
            if join.kind == JoinKind::Inner { "other-join" } else { "outer-other-join" };
        let mut windowed = |side: &str, at: usize, store: &StoreSpec| {
            self.parts.skip(1);
            let stores = [store.name.clone()];
            self.parts.storing(format!("{name}-{side}-windowed"), at, &stores)
        };
        let this = windowed("this", this, &join.this_store);
        let other = windowed("other", other, &join.other_store);
        let mut joining = |side: &str, at: usize, store: &StoreSpec| {
            self.parts.skip(1);
            let stores = [store].into_iter().chain(&join.unmatched);
            let stores: Vec<String> = stores.map(|store| store.name.clone()).collect();
            self.parts.storing(format!("{name}-{side}"), at, &stores)
        };
        let this = joining(this_name, this, &join.other_store);
        let other = joining(other_name, other, &join.this_store);
        self.parts.skip(1);
        let at = self.parts.merge(format!("{name}-merge"), [this, other]);
        Drawn { at, stores: Vec::new() }
    }

    /// ksqlDB builds the table first.
    fn stream_table(&mut self, step: &Step<'_>) -> Drawn {
        let [left, right] = [&step.inputs[0], &step.inputs[1]];
        let table = self.step(right);
        let stream = self.step(left);
        let at = self.sent(left, stream.at);
        self.parts.skip(1);
        let at = self.parts.storing(name_of(step), at, &table.stores);
        Drawn { at, stores: Vec::new() }
    }

    fn table_table(&mut self, step: &Step<'_>, kind: JoinKind) -> Drawn {
        let mut sides = self.sides(step).map(|(_, drawn)| drawn);
        if kind == JoinKind::Right {
            sides.reverse();
        }
        let [this, other] = sides;
        let merge = self.parts.named("KTABLE-MERGE");
        let name = self.parts.named("KTABLE-JOINTHIS");
        let this_at = self.parts.storing(name, this.at, &other.stores);
        let name = self.parts.named("KTABLE-JOINOTHER");
        let other_at = self.parts.storing(name, other.at, &this.stores);
        let at = self.parts.merge(merge, [this_at, other_at]);
        Drawn { at, stores: this.stores.into_iter().chain(other.stores).collect() }
    }

    fn foreign_key(
        &mut self,
        step: &Step<'_>,
        subscriptions: &StoreSpec,
        output: Option<&StoreSpec>,
    ) -> Drawn {
        const JOIN: &str = "KTABLE-FK-JOIN";
        let [left, right] = self.sides(step).map(|(_, drawn)| drawn);
        let registration = format!("{JOIN}-SUBSCRIPTION-REGISTRATION");
        let processor = format!("{JOIN}-SUBSCRIPTION-PROCESSOR");
        let topic = self.parts.named(&registration) + "-topic";
        let name = self.parts.named(&registration);
        let at = self.parts.processor(name, left.at);
        let name = self.parts.named("KTABLE-SINK");
        self.parts.sink(name, &topic, &[at]);
        let name = self.parts.named("KTABLE-SOURCE");
        let at = self.parts.source(name, &topic);
        self.parts.skip(1);
        let asked = [subscriptions.name.clone()];
        let name = self.parts.named(&processor);
        let registered = self.parts.storing(name, at, &asked);
        let name = self.parts.named(&processor);
        let answered = self.parts.storing(name, registered, &right.stores);
        let name = self.parts.named(&processor);
        let changed = self.parts.storing(name, right.at, &asked);
        let number = self.parts.number();
        let topic = numbered(&format!("{JOIN}-SUBSCRIPTION-RESPONSE"), number) + "-topic";
        let name = self.parts.named("KTABLE-SINK");
        self.parts.sink(name, &topic, &[answered, changed]);
        let name = self.parts.named("KTABLE-SOURCE");
        let at = self.parts.source(name, &topic);
        let name = self.parts.named(&format!("{JOIN}-SUBSCRIPTION-RESPONSE-RESOLVER-PROCESSOR"));
        let at = self.parts.storing(name, at, &left.stores);
        let name = self.parts.named(&format!("{JOIN}-OUTPUT"));
        self.parts.skip(1);
        let stores: Vec<String> = output.iter().map(|store| store.name.clone()).collect();
        Drawn { at: self.parts.storing(name, at, &stores), stores }
    }
}

/// What a step is called in the topology.
fn name_of(step: &Step<'_>) -> String {
    step.context.replace('.', "-")
}
