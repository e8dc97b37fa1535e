//! Where the clocks of a query's stores stand, which their changelogs do not say: they travel beside the
//! offsets that they belong to.
//!
//! ```text
//! "<store>"                 EMIT FINAL: closed windows were given up to here (as Kafka Streams has it)
//! "millstream.time.<store>" stream time
//!                  …#<n>    of shard n, where the topic has not that many partitions
//! ```
//! They are values beside the offset of the partition of the query's first source that has the number of
//! their shard. No store has a `#` in its name, as the topic of its changelog has none.

use std::collections::BTreeMap;

use super::ids::TaskId;
use super::offset_metadata::OffsetMetadata;
use super::tasks::Tasks;
use crate::operators::Clocks;
use crate::plan::StoreId;
use crate::types::Partition;

/// How the name of a stream time begins.
const STREAM_TIME: &str = "millstream.time.";

/// The clocks of a store's shard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardClocks {
    /// The store.
    pub store: StoreId,
    /// The partition of its changelog.
    pub partition: Partition,
    /// Where they stand.
    pub clocks: Clocks,
}

impl Tasks {
    /// The clocks of all shards that have any.
    pub fn clocks(&mut self) -> Vec<ShardClocks> {
        let of_task = |(id, seat): (&TaskId, &mut super::tasks::Seat)| {
            let partition = id.partition;
            let clocks = seat.task.clocks().into_iter();
            clocks.map(move |(store, clocks)| ShardClocks { store, partition, clocks })
        };
        self.seats.iter_mut().flat_map(of_task).collect()
    }

    /// Takes back where the clocks of a shard stood, if it is here.
    pub fn restore_clocks(&mut self, shard: ShardClocks) {
        let ShardClocks { store, partition, clocks } = shard;
        let part = self.layout.keeper_of(store);
        let seat = part.and_then(|part| self.seats.get_mut(&TaskId { part, partition }));
        if let Some(seat) = seat {
            seat.task.restore_clocks(store, clocks);
        }
    }
}

impl ShardClocks {
    /// The partition, of a topic with so many, beside whose offset they travel.
    pub fn place(self, partitions: i32) -> Partition {
        Partition(self.partition.0.checked_rem_euclid(partitions).unwrap_or_default())
    }

    /// Adds them to what an offset of a topic with so many partitions carries; `stores` are the names of the
    /// plan's stores, in order.
    pub fn write(self, stores: &[&str], partitions: i32, beside: &mut OffsetMetadata) {
        let Some(store) = stores.get(self.store.0) else { return };
        let shard = self.partition.0;
        let of_shard = if shard < partitions { String::new() } else { format!("#{shard}") };
        let Clocks { stream_time, emitted_to, .. } = self.clocks;
        let emitted_to = emitted_to.map(|time| (format!("{store}{of_shard}"), time));
        let stream_time = stream_time.map(|time| (format!("{STREAM_TIME}{store}{of_shard}"), time));
        beside.values.extend(emitted_to.into_iter().chain(stream_time));
    }
}

/// Finds clocks in what the offset of a partition carries; `stores` are the names of the plan's stores, in
/// order.
pub fn read_clocks(stores: &[&str], at: Partition, beside: &OffsetMetadata) -> Vec<ShardClocks> {
    let mut found: BTreeMap<(StoreId, Partition), Clocks> = BTreeMap::new();
    for (name, time) in &beside.values {
        let (name, is_stream_time) = match name.strip_prefix(STREAM_TIME) {
            Some(rest) => (rest, true),
            None => (name.as_str(), false),
        };
        let shard_of = |store: &str| match name.strip_prefix(store)? {
            "" => Some(at),
            rest => rest.strip_prefix('#')?.parse().ok().map(Partition),
        };
        let mut stores = stores.iter().enumerate();
        let shard = stores.find_map(|(id, store)| Some((StoreId(id), shard_of(store)?)));
        let Some(shard) = shard else { continue };
        let clocks = found.entry(shard).or_default();
        let clock = if is_stream_time { &mut clocks.stream_time } else { &mut clocks.emitted_to };
        *clock = Some(*time);
    }
    let shard = |((store, partition), clocks)| ShardClocks { store, partition, clocks };
    found.into_iter().map(shard).collect()
}

#[cfg(test)]
mod tests {
    use super::super::offset_metadata::{decode_metadata, encode_metadata};
    use super::*;

    const STORES: [&str; 3] = ["A", "A-1", "Aggregate-Aggregate-Materialize"];

    fn shard(store: usize, partition: i32, clocks: [Option<i64>; 2]) -> ShardClocks {
        let [stream_time, emitted_to] = clocks;
        let clocks = Clocks { stream_time, emitted_to, ..Clocks::default() };
        ShardClocks { store: StoreId(store), partition: Partition(partition), clocks }
    }

    #[test]
    fn law_8_clocks_are_found_where_they_were_written() {
        let shards = [
            shard(0, 1, [Some(1_000), None]),
            shard(0, 3, [Some(-5), Some(7)]),
            shard(1, 1, [None, Some(8)]),
            shard(2, 0, [Some(i64::MIN), Some(i64::MAX)]),
        ];
        let mut topic = vec![OffsetMetadata::default(); 2];
        for shard in shards {
            let Partition(place) = shard.place(2);
            shard.write(&STORES, 2, &mut topic[place as usize]);
        }
        let read = (0..).zip(&topic).flat_map(|(at, beside)| {
            let beside = decode_metadata(&encode_metadata(beside));
            read_clocks(&STORES, Partition(at), &beside)
        });
        let mut read: Vec<_> = read.collect();
        read.sort_by_key(|shard| (shard.store, shard.partition));
        assert_eq!(read, shards);
    }

    #[test]
    fn kafka_streams_has_the_emitted_time_under_the_same_name() {
        let values = [(STORES[2].to_owned(), 60_000), ("other".to_owned(), 1)];
        let beside = OffsetMetadata { values: values.into(), ..OffsetMetadata::default() };
        let expected = shard(2, 4, [None, Some(60_000)]);
        assert_eq!(read_clocks(&STORES, Partition(4), &beside), [expected]);
    }
}
