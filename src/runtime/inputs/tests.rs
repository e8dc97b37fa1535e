use proptest::prelude::*;

use super::*;
use crate::plan::{NodeId, RepartitionId, SubTopologyId};
use crate::runtime::{LaneId, Way};
use crate::types::{Column, Meta, Validity};

/// The task that all lanes lead to.
const TASK: TaskId = TaskId { part: SubTopologyId(1), partition: Partition(0) };

/// A lane of the first input.
fn lane(partition: i32) -> Way {
    let input = Input::Repartition(RepartitionId(0));
    Way { lane: LaneId { input, upstream: Partition(partition) }, to: TASK }
}

fn meeting(ways: impl IntoIterator<Item = Way>, max_idle: MaxIdle) -> Inputs {
    Inputs::new(ways, max_idle, |_| false)
}

/// Rows that tell where they come from: each is `number`, `number + 1` ….
fn run(number: i64, times: &[i64]) -> Run {
    let len = times.len();
    let numbers = (number..).take(len).collect();
    let rows = Rows {
        len,
        value: vec![Column::Bigints(numbers, Validity::all())],
        meta: Meta { timestamps: times.to_vec().into(), ..Meta::default() },
        ..Rows::default()
    };
    Run { rows: OwnedRows::of(&rows), times: times.to_vec(), origin: RunOrigin::Unknown }
}

fn at(time: i64) -> Progress {
    Progress { time, is_at_end: false }
}

fn end(time: i64) -> Progress {
    Progress { time, is_at_end: true }
}

/// The numbers of the rows of a chunk.
fn numbers(chunk: &Chunk) -> Vec<i64> {
    let arena = Arena::new();
    let rows = chunk.rows(Partition(0), &arena);
    match &rows.value[0] {
        Column::Bigints(numbers, _) => numbers.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The numbers of all rows that come out now.
fn next(inputs: &mut Inputs) -> Vec<i64> {
    std::iter::from_fn(|| inputs.next(0, 1_000)).flat_map(|chunk| numbers(&chunk)).collect()
}

fn two_lanes() -> Inputs {
    meeting([lane(0), lane(1)], MaxIdle::Millis(0))
}

#[test]
fn the_row_with_the_lowest_time_is_next_and_equal_times_go_by_lane() {
    let mut inputs = two_lanes();
    inputs.push(lane(1), Some(run(20, &[1, 5, 5])), end(5));
    inputs.push(lane(0), Some(run(10, &[2, 5, 7])), end(7));
    assert_eq!(next(&mut inputs), [20, 10, 11, 21, 22, 12]);
    assert!(inputs.is_empty() && inputs.bytes() == 0);
}

#[test]
fn a_lane_that_is_behind_is_waited_for_up_to_where_it_has_come() {
    let mut inputs = two_lanes();
    inputs.push(lane(0), Some(run(10, &[1, 4, 9])), at(9));
    assert_eq!(next(&mut inputs), [0; 0]);
    // No later row of lane 1 is below 4; one of 4 would come after lane 0's.
    inputs.push(lane(1), None, at(4));
    assert_eq!(next(&mut inputs), [10, 11]);
    assert_eq!(inputs.progress(), at(4));
    inputs.push(lane(1), Some(run(20, &[6])), at(6));
    assert_eq!(next(&mut inputs), [20]);
    inputs.push(lane(1), None, end(6));
    assert_eq!(next(&mut inputs), [12]);
    assert_eq!(inputs.progress(), at(9));
    inputs.push(lane(0), None, end(9));
    assert_eq!(inputs.progress(), end(9));
}

#[test]
fn a_lane_at_its_end_is_waited_for_as_long_as_is_asked() {
    let mut inputs = meeting([lane(0), lane(1)], MaxIdle::Millis(100));
    inputs.push(lane(0), Some(run(10, &[1])), at(1));
    inputs.push(lane(1), None, end(0));
    assert!(inputs.next(1_000, 10).is_none());
    assert_eq!(inputs.idle_until_ms(), Some(1_100));
    assert!(inputs.next(1_099, 10).is_none());
    assert_eq!(inputs.next(1_100, 10).map(|chunk| numbers(&chunk)), Some(vec![10]));
    let mut inputs = meeting([lane(0), lane(1)], MaxIdle::Never);
    inputs.push(lane(0), Some(run(10, &[1])), at(1));
    assert_eq!(next(&mut inputs), [10]);
}

#[test]
fn nobody_is_asked_again_for_a_lane_that_is_passed_over() {
    let mut inputs = meeting([lane(0), lane(1), lane(2)], MaxIdle::Millis(100));
    inputs.push(lane(0), Some(run(10, &[1])), at(1));
    inputs.push(lane(1), None, end(0));
    assert!(inputs.next(1_000, 10).is_none());
    // Lane 2, which is not at its end, is waited for as long as it takes.
    assert!(inputs.next(1_100, 10).is_none());
    assert_eq!(inputs.idle_until_ms(), None);
    inputs.push(lane(2), None, at(1));
    assert_eq!(inputs.next(1_101, 10).map(|chunk| numbers(&chunk)), Some(vec![10]));
    // Where no row waits, no lane is waited for.
    inputs.push(lane(1), None, at(1));
    inputs.push(lane(1), None, end(1));
    assert!(inputs.next(1_200, 10).is_none());
    assert_eq!(inputs.idle_until_ms(), None);
}

#[test]
fn a_chunk_has_rows_of_one_input_and_no_more_than_are_asked_for() {
    let source = LaneId { input: Input::Source(NodeId(0)), upstream: Partition(0) };
    let other = Way { lane: source, to: TASK };
    let mut inputs = meeting([other, lane(0)], MaxIdle::Millis(0));
    inputs.push(other, Some(run(10, &[1, 2, 7])), end(7));
    inputs.push(lane(0), Some(run(20, &[3, 4, 5])), end(5));
    let chunks: Vec<_> = std::iter::from_fn(|| inputs.next(0, 2))
        .map(|chunk| (chunk.input, numbers(&chunk)))
        .collect();
    let (first, second) = (source.input, lane(0).lane.input);
    let expected =
        [(first, vec![10, 11]), (second, vec![20, 21]), (second, vec![22]), (first, vec![12])];
    assert_eq!(chunks, expected);
}

#[test]
fn law_2_answers_come_before_everything_and_are_not_waited_for() {
    let source = LaneId { input: Input::Source(NodeId(0)), upstream: Partition(0) };
    let asks = Way { lane: source, to: TASK };
    let answers = lane(0);
    let is_answer = |input| input == answers.lane.input;
    let mut inputs = Inputs::new([asks, answers], MaxIdle::Millis(0), is_answer);
    inputs.push(asks, Some(run(10, &[1, 2])), at(2));
    assert_eq!(next(&mut inputs), [10, 11]);
    inputs.push(asks, Some(run(12, &[3])), at(3));
    inputs.push(answers, Some(run(20, &[9])), at(9));
    assert_eq!(next(&mut inputs), [20, 12]);
    assert_eq!(inputs.progress(), at(3));
}

#[test]
fn law_3_what_is_drained_comes_in_order_without_waiting() {
    let mut inputs = two_lanes();
    inputs.push(lane(0), Some(run(10, &[4])), at(4));
    inputs.push(lane(1), Some(run(20, &[2])), at(2));
    assert_eq!(next(&mut inputs), [20]);
    let chunk = inputs.drain(1_000).unwrap();
    assert_eq!(numbers(&chunk), [10]);
}

/// A batch of a lane on its way: the rows before it, and how many it has.
#[derive(Clone, Debug)]
struct Batch {
    lane: i32,
    from: usize,
    len: usize,
}

/// Cuts lanes into batches, and lets those of different lanes come in any order.
fn cut(lanes: &[Vec<i64>], cuts: &[(usize, usize)]) -> Vec<Batch> {
    let mut next = vec![0; lanes.len()];
    let mut batches = Vec::new();
    for (which, len) in cuts.iter().copied().chain((0..lanes.len()).map(|lane| (lane, usize::MAX)))
    {
        let at = which % lanes.len();
        let (from, left) = (next[at], lanes[at].len() - next[at]);
        let len = len.min(left);
        next[at] += len;
        batches.push(Batch { lane: at as i32, from, len });
    }
    batches
}

/// The rows in the order in which they come out.
fn merged(lanes: &[Vec<i64>], batches: &[Batch]) -> Vec<i64> {
    let ids = (0..lanes.len() as i32).map(lane);
    let mut inputs = meeting(ids, MaxIdle::Millis(0));
    let mut out = Vec::new();
    for Batch { lane: at, from, len } in batches {
        let all = &lanes[*at as usize];
        let times = &all[*from..from + len];
        let time = times.last().or(all[..*from].last()).copied().unwrap_or(i64::MIN);
        let progress = Progress { time, is_at_end: from + len == all.len() };
        let first = i64::from(*at) * 1_000 + *from as i64;
        inputs.push(lane(*at), Some(run(first, times)), progress);
        out.extend(next(&mut inputs));
    }
    out
}

proptest! {
    #[test]
    fn law_6_the_order_is_the_same_however_rows_are_cut_and_whenever_they_come(
        lanes in prop::collection::vec(prop::collection::vec(0i64..4, 0..20), 1..4),
        cuts in prop::collection::vec((0usize..4, 0usize..5), 0..30),
    ) {
        // Times on a lane do not fall.
        let lanes: Vec<Vec<i64>> = lanes
            .into_iter()
            .map(|steps| steps.into_iter().scan(0, |time, step| { *time += step; Some(*time) }).collect())
            .collect();
        let mut expected: Vec<(i64, usize, usize)> = Vec::new();
        for (at, times) in lanes.iter().enumerate() {
            expected.extend(times.iter().enumerate().map(|(row, time)| (*time, at, row)));
        }
        expected.sort_unstable();
        let expected: Vec<i64> =
            expected.into_iter().map(|(_, at, row)| (at * 1_000 + row) as i64).collect();
        prop_assert_eq!(merged(&lanes, &cut(&lanes, &cuts)), expected);
    }
}
