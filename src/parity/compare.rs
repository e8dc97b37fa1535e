//! The rules by which records of two runs over one input are held against one another.
//!
//! | records | compared | as |
//! |---|---|---|
//! | of a key that one source partition feeds | partition, value, timestamp and headers of each | a sequence |
//! | the last one of such a key | all of it, also where a compacted topic has lost those before | the final row |
//! | without a key | all but their partition, which the producer picks | a multiset |
//! | of a key that several partitions feed, or of a query whose results depend on times | – | not comparable |

use std::collections::{BTreeMap, BTreeSet};

use super::differences::{Comparison, Difference, DifferenceKind, Origin};
use super::feeding::{Feeding, Keyed};
use super::record::{Placed, Record};

/// Why the order of a key's records is open.
const SHARED: &str = "several partitions of the input feed a key, and nobody orders these";
/// Why keys are open that the trace does not have.
const UNTRACED: &str =
    "keys that depend on how records of several partitions of the input came to be mixed";
/// Why sequences of a compacted topic are open.
const COMPACTED: &str = "the topic is compacted, so records before the final rows are gone";

/// Where two sequences first differ: at the end of the shorter one, if not before.
pub fn first_difference<T: PartialEq>(ours: &[T], theirs: &[T]) -> Option<usize> {
    let unequal = ours.iter().zip(theirs).position(|(ours, theirs)| ours != theirs);
    unequal.or_else(|| (ours.len() != theirs.len()).then(|| ours.len().min(theirs.len())))
}

/// The positions of those of each side that the other one lacks, as multisets.
pub fn unmatched<T: Ord>(ours: &[T], theirs: &[T]) -> (Vec<usize>, Vec<usize>) {
    let mut places: BTreeMap<&T, Vec<usize>> = BTreeMap::new();
    for (at, one) in theirs.iter().enumerate().rev() {
        places.entry(one).or_default().push(at);
    }
    let lacks = |at: &usize| places.get_mut(&ours[*at]).and_then(Vec::pop).is_none();
    let only_ours: Vec<usize> = (0..ours.len()).filter(lacks).collect();
    let mut only_theirs: Vec<usize> = places.into_values().flatten().collect();
    only_theirs.sort_unstable();
    (only_ours, only_theirs)
}

/// Compares the records of two topics, which are of one sink.
pub fn compare(ours: &[Placed], theirs: &[Placed], feeding: &Feeding) -> Comparison {
    let mut found = Comparison { ours: ours.len(), theirs: theirs.len(), ..Comparison::default() };
    if let Some(reason) = &feeding.open {
        found.leaves_open(ours.len().max(theirs.len()), reason);
        return found;
    }
    let (ours, theirs) = (by_key(ours), by_key(theirs));
    let keys: BTreeSet<&[u8]> = ours.keyed.keys().chain(theirs.keyed.keys()).copied().collect();
    for key in keys {
        compare_key(&mut found, key, (ours.of(key), theirs.of(key)), feeding);
    }
    compare_free(&mut found, &ours.free, &theirs.free, feeding);
    found
}

/// The records of a side.
struct Side<'a> {
    keyed: BTreeMap<&'a [u8], Vec<&'a Placed>>,
    free: Vec<&'a Placed>,
}

impl<'a> Side<'a> {
    fn of(&self, key: &[u8]) -> &[&'a Placed] {
        self.keyed.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

fn by_key(records: &[Placed]) -> Side<'_> {
    let mut side = Side { keyed: BTreeMap::new(), free: Vec::new() };
    for placed in records {
        match &placed.record.key {
            Some(key) => side.keyed.entry(key.as_slice()).or_default().push(placed),
            None => side.free.push(placed),
        }
    }
    side
}

type Both<'a, 'r> = (&'a [&'r Placed], &'a [&'r Placed]);

fn compare_key(found: &mut Comparison, key: &[u8], both: Both<'_, '_>, feeding: &Feeding) {
    let (ours, theirs) = both;
    let count = ours.len().max(theirs.len());
    let origins = match feeding.of(key) {
        Keyed::Shared => return found.leaves_open(count, SHARED),
        Keyed::Unknown => return found.leaves_open(count, UNTRACED),
        Keyed::One(origins) => origins,
    };
    let is_same_row =
        ours.last().map(|last| &last.record) == theirs.last().map(|last| &last.record);
    if feeding.is_compacted {
        found.leaves_open(count.saturating_sub(1), COMPACTED);
        if is_same_row {
            found.equal += 1;
            return;
        }
        return found.differs(Difference {
            kind: DifferenceKind::FinalRow,
            number: count,
            ours: ours.last().map(|last| (*last).clone()),
            theirs: theirs.last().map(|last| (*last).clone()),
            input: origins.last().cloned(),
            note: String::new(),
        });
    }
    let content = |all: &[&Placed]| -> Vec<(i32, Record)> {
        all.iter().map(|placed| (placed.partition, placed.record.clone())).collect()
    };
    let (our_content, their_content) = (content(ours), content(theirs));
    let Some(at) = first_difference(&our_content, &their_content) else {
        found.equal += count;
        return;
    };
    found.equal += at;
    let kind = kind(both, at, &unmatched(&our_content, &their_content));
    found.differs(Difference {
        kind,
        number: at + 1,
        ours: ours.get(at).map(|placed| (*placed).clone()),
        theirs: theirs.get(at).map(|placed| (*placed).clone()),
        input: origins.get(at).cloned(),
        note: String::new(),
    });
    if !is_same_row && !ours.is_empty() && !theirs.is_empty() {
        *found.different.entry(DifferenceKind::FinalRow).or_default() += 1;
    }
}

/// What differs where two sequences of a key differ first.
fn kind(
    (ours, theirs): Both<'_, '_>,
    at: usize,
    (only_ours, only_theirs): &(Vec<usize>, Vec<usize>),
) -> DifferenceKind {
    match (ours.is_empty(), theirs.is_empty()) {
        (true, _) => return DifferenceKind::KeyOnlyTheirs,
        (_, true) => return DifferenceKind::KeyOnlyOurs,
        _ => {}
    }
    // A record more or fewer moves all behind it, which are not different for that.
    match (only_ours.is_empty(), only_theirs.is_empty()) {
        (true, true) => return DifferenceKind::Order,
        (true, false) => return DifferenceKind::OnlyTheirs,
        (false, true) => return DifferenceKind::OnlyOurs,
        _ => {}
    }
    match (ours.get(at), theirs.get(at)) {
        (Some(ours), Some(theirs)) if ours.partition != theirs.partition => {
            DifferenceKind::Partition
        }
        (Some(ours), Some(theirs)) => field(&ours.record, &theirs.record),
        (None, _) => DifferenceKind::OnlyTheirs,
        (_, None) => DifferenceKind::OnlyOurs,
    }
}

/// In what two records of a key differ.
fn field(ours: &Record, theirs: &Record) -> DifferenceKind {
    if ours.value.is_some() != theirs.value.is_some() {
        return DifferenceKind::Tombstone;
    }
    if ours.value != theirs.value {
        return DifferenceKind::Value;
    }
    if ours.timestamp_ms != theirs.timestamp_ms {
        return DifferenceKind::Timestamp;
    }
    let names = |record: &Record| -> Vec<String> {
        record.headers.iter().map(|(name, _)| name.clone()).collect()
    };
    let has_same_names = names(ours) == names(theirs);
    if has_same_names { DifferenceKind::HeaderValue } else { DifferenceKind::Headers }
}

fn compare_free(found: &mut Comparison, ours: &[&Placed], theirs: &[&Placed], feeding: &Feeding) {
    let content =
        |all: &[&Placed]| -> Vec<Record> { all.iter().map(|one| one.record.clone()).collect() };
    let (our_content, their_content) = (content(ours), content(theirs));
    let (only_ours, only_theirs) = unmatched(&our_content, &their_content);
    found.equal += ours.len() - only_ours.len();
    let origin = |at: usize| -> Option<Origin> { feeding.of_free(&our_content[at]).cloned() };
    for pair in 0..only_ours.len().max(only_theirs.len()) {
        let (our_at, their_at) = (only_ours.get(pair), only_theirs.get(pair));
        let kind = match (our_at, their_at) {
            // Where they lie says nothing about records without keys.
            (Some(our_at), Some(their_at)) => {
                field(&our_content[*our_at], &their_content[*their_at])
            }
            (Some(_), None) => DifferenceKind::OnlyOurs,
            (None, _) => DifferenceKind::OnlyTheirs,
        };
        found.differs(Difference {
            kind,
            number: 0,
            ours: our_at.map(|at| ours[*at].clone()),
            theirs: their_at.map(|at| theirs[*at].clone()),
            input: our_at.and_then(|at| origin(*at)),
            note: String::new(),
        });
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::parity::feeding::Fed;

    /// Records of one partition, each a key and a value.
    fn records(all: &[(&str, &str)]) -> Vec<Placed> {
        let one = |(offset, (key, value)): (i64, &(&str, &str))| Placed {
            partition: 0,
            offset,
            record: Record {
                key: Some(key.as_bytes().to_vec()),
                value: Some(value.as_bytes().to_vec()),
                ..Record::default()
            },
        };
        (0..).zip(all).map(one).collect()
    }

    #[test]
    fn of_a_compacted_topic_only_final_rows_count() {
        let feeding = Feeding { is_compacted: true, ..Feeding::default() };
        let ours = records(&[("a", "1"), ("a", "2"), ("b", "1")]);
        let found = compare(&ours, &records(&[("a", "2"), ("b", "1")]), &feeding);
        assert_eq!((found.equal, found.open, found.different.len()), (2, 1, 0));
        let found = compare(&ours, &records(&[("a", "3"), ("b", "1")]), &feeding);
        assert_eq!(found.different, [(DifferenceKind::FinalRow, 1)].into());
    }

    #[test]
    fn a_key_that_only_they_have_is_open_where_keys_depend_on_the_mix() {
        let (ours, theirs) = (records(&[("a", "1")]), records(&[("a", "1"), ("b", "1")]));
        let one = |key: &str| (key.as_bytes().to_vec(), Fed::ByOne(Vec::new()));
        let alone = Feeding { keys: Some(HashMap::from([one("a")])), ..Feeding::default() };
        let found = compare(&ours, &theirs, &alone);
        assert_eq!(found.different, [(DifferenceKind::KeyOnlyTheirs, 1)].into());
        let shared = (b"c".to_vec(), Fed::BySeveral);
        let mixed = HashMap::from([one("a"), shared]);
        let found = compare(&ours, &theirs, &Feeding { keys: Some(mixed), ..Feeding::default() });
        assert_eq!((found.equal, found.open, found.different.len()), (1, 1, 0));
    }
}
