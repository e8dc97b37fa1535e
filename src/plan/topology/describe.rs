//! The text of a topology: parts that belong together, the ones before the others.
//!
//! As Kafka Streams' `InternalTopologyBuilder.describe`: parts are one sub-topology that hand rows to each other or
//! share a store. In each, parts come first that have more behind them; of equals, the first by name.

use std::fmt::Write as _;

use super::parts::{Part, PartKind};
use crate::java::{DEFAULT_CAPACITY, hash_code, hash_map_order};

/// The description of parts.
pub(super) fn describe(parts: &[Part]) -> String {
    let mut out = "Topologies:\n ".to_owned();
    for (id, group) in groups(parts).iter().enumerate() {
        // Writing to a text cannot fail.
        let _ = writeln!(out, "  Sub-topology: {id}");
        let graph = Graph::of(parts, group);
        for index in graph.sorted() {
            graph.write(index, &mut out);
        }
        out.push('\n');
    }
    out
}

/// The parts of each sub-topology, in the order of the first of each.
fn groups(parts: &[Part]) -> Vec<Vec<usize>> {
    let mut of: Vec<usize> = (0..parts.len()).collect();
    let mut unite = |a: usize, b: usize| {
        let (from, to) = (of[a].max(of[b]), of[a].min(of[b]));
        of.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
    };
    for (index, part) in parts.iter().enumerate() {
        part.before.iter().for_each(|before| unite(index, *before));
        for store in &part.stores {
            let shares = |other: &Part| other.stores.contains(store);
            if let Some(other) = parts.iter().position(shares) {
                unite(index, other);
            }
        }
    }
    let mut firsts = of.clone();
    firsts.sort_unstable();
    firsts.dedup();
    let group = |first: usize| (0..parts.len()).filter(|part| of[*part] == first).collect();
    firsts.into_iter().map(group).collect()
}

/// The parts of one sub-topology with what is before and behind each.
struct Graph<'p> {
    parts: &'p [Part],
    members: &'p [usize],
    /// How many paths lead on from each, itself counted.
    sizes: Vec<usize>,
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
}

impl<'p> Graph<'p> {
    fn of(parts: &'p [Part], members: &'p [usize]) -> Self {
        let none = vec![Vec::new(); parts.len()];
        let sizes = vec![1; parts.len()];
        let mut graph = Self { parts, members, sizes, before: none.clone(), behind: none };
        let hashes: Vec<i32> = members.iter().map(|part| hash_code(&parts[*part].name)).collect();
        // Sizes grow while parts are put in order by them, so that the order in which parts come shows.
        for place in hash_map_order(&hashes, DEFAULT_CAPACITY) {
            let index = members[place];
            for before in &parts[index].before {
                graph.insert_before(index, *before);
                graph.insert_behind(*before, index);
                graph.grow(*before, graph.sizes[index]);
            }
        }
        graph
    }

    fn insert_before(&mut self, index: usize, other: usize) {
        let place = self.place_among(&self.before[index], other);
        self.before[index].insert(place, other);
    }

    fn insert_behind(&mut self, index: usize, other: usize) {
        let place = self.place_among(&self.behind[index], other);
        self.behind[index].insert(place, other);
    }

    fn place_among(&self, others: &[usize], part: usize) -> usize {
        others.iter().position(|other| self.key(part) < self.key(*other)).unwrap_or(others.len())
    }

    fn grow(&mut self, index: usize, by: usize) {
        self.sizes[index] += by;
        for before in self.before[index].clone() {
            self.grow(before, by);
        }
    }

    /// What parts are ordered by: the one with more behind it first.
    fn key(&self, index: usize) -> (std::cmp::Reverse<usize>, &str) {
        (std::cmp::Reverse(self.sizes[index]), &self.parts[index].name)
    }

    fn sorted(&self) -> Vec<usize> {
        let mut sorted = self.members.to_vec();
        sorted.sort_by(|a, b| self.key(*a).cmp(&self.key(*b)));
        sorted
    }

    fn write(&self, index: usize, out: &mut String) {
        let part = &self.parts[index];
        let name = &part.name;
        let (before, behind) = (self.names(&self.before[index]), self.names(&self.behind[index]));
        // Writing to a text cannot fail.
        let _ = match &part.kind {
            PartKind::Source(topic) => {
                writeln!(out, "    Source: {name} (topics: [{topic}])\n      --> {behind}")
            }
            PartKind::Processor => {
                let stores = stores(part);
                writeln!(
                    out,
                    "    Processor: {name} (stores: [{stores}])\n      --> {behind}\n      <-- {before}"
                )
            }
            PartKind::Sink(topic) => {
                writeln!(out, "    Sink: {name} (topic: {topic})\n      <-- {before}")
            }
        };
    }

    fn names(&self, parts: &[usize]) -> String {
        if parts.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<&str> = parts.iter().map(|part| self.parts[*part].name.as_str()).collect();
        names.join(", ")
    }
}

/// The stores of a part, in the order of a set of Java's.
fn stores(part: &Part) -> String {
    let hashes: Vec<i32> = part.stores.iter().map(|store| hash_code(store)).collect();
    let order = hash_map_order(&hashes, DEFAULT_CAPACITY).into_iter();
    order.map(|place| part.stores[place].as_str()).collect::<Vec<_>>().join(", ")
}
