//! The numbers in the names of Kafka Streams' stores.
//!
//! Kafka Streams counts the parts of a topology as they are built, and calls the stores of joins after
//! the count (`KSTREAM-JOINTHIS-0000000016-store`). ksqlDB builds a stream–table join from its table's
//! side, the others from the left.

use super::steps::Step;
use crate::plan::foreign_key::NUMBERS as FOREIGN_KEY;
use crate::plan::query_plan::Gives;

/// How many numbers the parts take.
const STREAM: usize = 2;
const TABLE: usize = 5;
const SELECT: usize = 1;
const SELECT_KEY: usize = 1;
const REPARTITION: usize = 3;
/// A table with a new key: a stream of its changes, the new key, a table of that, and a topic between.
const TABLE_KEY: usize = 3 + REPARTITION;
const TABLE_TABLE: usize = 3;
const STREAM_TABLE: usize = 1;
const STREAM_STREAM: usize = 5;

/// For each join the number before its own parts are counted: the first of its windows' or, for a
/// join on a foreign key, of its topics.
pub(super) fn numbers(steps: &[Step]) -> Vec<usize> {
    let mut numbers = vec![0; steps.len()];
    let mut counter = 0;
    if let Some(last) = steps.len().checked_sub(1) {
        count(steps, last, &mut counter, &mut numbers);
    }
    numbers
}

fn count(steps: &[Step], index: usize, counter: &mut usize, numbers: &mut [usize]) {
    let step = &steps[index];
    let right = |counter: &mut usize| {
        *counter += source(step.right, step.right_rekeyed) + SELECT;
    };
    let left = |counter: &mut usize, numbers: &mut [usize]| {
        if index == 0 {
            *counter += source(step.left, step.left_rekeyed) + SELECT;
            return;
        }
        count(steps, index - 1, counter, numbers);
        *counter += if step.left_rekeyed { SELECT_KEY } else { 0 };
    };
    let is_stream_table = (step.left, step.right) == (Gives::Rows, Gives::Changes);
    if is_stream_table {
        right(counter);
        left(counter, numbers);
    } else {
        left(counter, numbers);
        right(counter);
    }
    let rekeyed_streams = [(step.left, step.left_rekeyed), (step.right, step.right_rekeyed)];
    let rekeyed = rekeyed_streams.into_iter().filter(|side| *side == (Gives::Rows, true)).count();
    *counter += REPARTITION * rekeyed;
    numbers[index] = *counter;
    *counter += match (step.left, step.right) {
        (Gives::Rows, Gives::Rows) => STREAM_STREAM,
        (Gives::Rows, Gives::Changes) => STREAM_TABLE,
        _ if step.is_foreign => FOREIGN_KEY,
        _ => TABLE_TABLE,
    };
}

fn source(gives: Gives, is_rekeyed: bool) -> usize {
    match (gives, is_rekeyed) {
        (Gives::Rows, false) => STREAM,
        (Gives::Rows, true) => STREAM + SELECT_KEY,
        (Gives::Changes, false) => TABLE,
        (Gives::Changes, true) => TABLE + TABLE_KEY,
    }
}
