//! The parts of a topology: sources, processors and sinks, with Kafka Streams' names.

/// A part of a topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) kind: PartKind,
    /// The parts that it reads, by their places.
    pub(super) before: Vec<usize>,
    /// The stores that it uses.
    pub(super) stores: Vec<String>,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PartKind {
    /// It reads a topic.
    Source(String),
    /// It does something with rows.
    Processor,
    /// It writes a topic.
    Sink(String),
}

/// Parts as they are added, and Kafka Streams' count of them.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) parts: Vec<Part>,
    count: usize,
}

impl Parts {
    /// The next number.
    pub(super) fn number(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    /// Takes numbers that show in no name: parts that are called otherwise are counted all the same.
    pub(super) fn skip(&mut self, numbers: usize) {
        self.count += numbers;
    }

    /// A name with the next number.
    pub(super) fn named(&mut self, prefix: &str) -> String {
        numbered(prefix, self.number())
    }

    /// Adds a source of a topic.
    pub(super) fn source(&mut self, name: String, topic: &str) -> usize {
        self.add(name, PartKind::Source(topic.to_owned()), vec![], vec![])
    }

    /// Adds a processor that uses no store.
    pub(super) fn processor(&mut self, name: String, before: usize) -> usize {
        self.add(name, PartKind::Processor, vec![before], vec![])
    }

    /// Adds a processor that uses stores.
    pub(super) fn storing(&mut self, name: String, before: usize, stores: &[String]) -> usize {
        self.add(name, PartKind::Processor, vec![before], stores.to_vec())
    }

    /// Adds a processor that reads two others.
    pub(super) fn merge(&mut self, name: String, before: [usize; 2]) -> usize {
        self.add(name, PartKind::Processor, before.to_vec(), vec![])
    }

    /// Adds a sink of a topic.
    pub(super) fn sink(&mut self, name: String, topic: &str, before: &[usize]) -> usize {
        self.add(name, PartKind::Sink(topic.to_owned()), before.to_vec(), vec![])
    }

    fn add(
        &mut self,
        name: String,
        kind: PartKind,
        before: Vec<usize>,
        stores: Vec<String>,
    ) -> usize {
        self.parts.push(Part { name, kind, before, stores });
        self.parts.len() - 1
    }
}

/// A name with a number, as Kafka Streams writes it.
pub(super) fn numbered(prefix: &str, number: usize) -> String {
    format!("{prefix}-{number:010}")
}
