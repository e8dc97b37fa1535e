//! Which rows of the left table of a foreign-key join ask for which row of the right one.
//!
//! ```text
//! registration   key: foreign key           value: a subscription
//! store          key: length, foreign key,  value: the subscription
//!                     primary key
//! response       key: primary key           value: a hash, then the row of the right table
//! ```
//! Bytes are those of Kafka Streams' `SubscriptionWrapperSerde`, `CombinedKeySchema` and
//! `SubscriptionResponseWrapperSerde`, so that topics of a ksqlDB are read and go on.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Murmur3 of the bytes of a left row's value, by which an answer to an older one is known.
pub type ValueHash = [u8; 16];

/// The newest version of a subscription, the first with a partition.
const VERSION: u8 = 1;
/// Set in the first byte where there is no hash; the other bits are the version.
const NO_HASH: u8 = 0x80;

/// What is to be done with a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// The left row asks for another right row now, which will answer.
    Forget = 0,
    /// The left row is gone, and so is what was joined to it.
    ForgetAndAnswer = 1,
    /// Answer, even if there is no right row.
    Answer = 2,
    /// Answer if there is a right row.
    AnswerIfFound = 3,
}

impl Instruction {
    /// Whether the subscription is kept.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Answer | Self::AnswerIfFound)
    }

    fn of(byte: u8) -> Result<Self, SubscriptionError> {
        [Self::Forget, Self::ForgetAndAnswer, Self::Answer, Self::AnswerIfFound]
            .into_iter()
            .find(|instruction| *instruction as u8 == byte)
            .ok_or(SubscriptionError::Instruction(byte as i8))
    }
}

/// What a left row asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription<'b> {
    /// What the row's value was; nothing if it is gone.
    pub hash: Option<ValueHash>,
    /// What is to be done.
    pub instruction: Instruction,
    /// The bytes of the row's key.
    pub primary_key: &'b [u8],
    /// The partition that answers go to; Kafka Streams before 3.4 leaves it to the key.
    pub partition: Option<i32>,
}

/// Bytes that are no subscription and no response, in Java's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SubscriptionError {
    /// They are of a version that is not known.
    #[error("SubscriptionWrapper does not support version {0}")]
    Version(u8),
    /// They say to do what is not known.
    #[error("Unknown instruction byte value = {0}")]
    Instruction(i8),
    /// They end too early.
    #[error("java.nio.BufferUnderflowException")]
    TooShort,
}

impl<'b> Subscription<'b> {
    /// Appends its bytes to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        let version = if self.partition.is_some() { VERSION } else { 0 };
        write_version(version, self.hash.is_some(), out);
        out.push(self.instruction as u8);
        out.extend_from_slice(self.hash.as_ref().map_or(&[], |hash| hash));
        out.extend_from_slice(self.primary_key);
        if let Some(partition) = self.partition {
            out.extend_from_slice(&partition.to_be_bytes());
        }
    }

    /// Reads it back.
    pub fn read(bytes: &'b [u8]) -> Result<Self, SubscriptionError> {
        let (first, rest) = split(bytes, 1)?;
        let version = first[0] & !NO_HASH;
        let (instruction, rest) = split(rest, 1)?;
        let instruction = Instruction::of(instruction[0])?;
        let (hash, rest) = read_hash(first[0], rest)?;
        let (primary_key, partition) = match version {
            0 => (rest, None),
            VERSION => {
                let (primary_key, partition) =
                    rest.split_last_chunk::<4>().ok_or(SubscriptionError::TooShort)?;
                (primary_key, Some(i32::from_be_bytes(*partition)))
            }
            version => return Err(SubscriptionError::Version(version)),
        };
        Ok(Self { hash, instruction, primary_key, partition })
    }
}

/// Appends the head of a response to `out`; the bytes of the right row follow, if there is one.
pub fn write_response_head(hash: Option<&ValueHash>, out: &mut Vec<u8>) {
    write_version(0, hash.is_some(), out);
    out.extend_from_slice(hash.map_or(&[], |hash| hash));
}

/// The hash of a response, and the bytes of the right row.
pub fn read_response(
    bytes: &[u8],
) -> Result<(Option<ValueHash>, Option<&[u8]>), SubscriptionError> {
    let (first, rest) = split(bytes, 1)?;
    match first[0] & !NO_HASH {
        0 => {}
        version => return Err(SubscriptionError::Version(version)),
    }
    let (hash, row) = read_hash(first[0], rest)?;
    Ok((hash, (!row.is_empty()).then_some(row)))
}

fn write_version(version: u8, has_hash: bool, out: &mut Vec<u8>) {
    out.push(if has_hash { version } else { version | NO_HASH });
}

fn read_hash(first: u8, rest: &[u8]) -> Result<(Option<ValueHash>, &[u8]), SubscriptionError> {
    if first & NO_HASH != 0 {
        return Ok((None, rest));
    }
    let (hash, rest) = rest.split_first_chunk().ok_or(SubscriptionError::TooShort)?;
    Ok((Some(*hash), rest))
}

fn split(bytes: &[u8], at: usize) -> Result<(&[u8], &[u8]), SubscriptionError> {
    bytes.split_at_checked(at).ok_or(SubscriptionError::TooShort)
}

/// Writes what all keys of the subscriptions to a right row begin with over `out`; the bytes of the
/// left row's key follow.
pub fn write_subscription_prefix(foreign_key: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(&(foreign_key.len() as u32).to_be_bytes());
    out.extend_from_slice(foreign_key);
}

/// The subscriptions of one partition of the right table.
#[derive(Debug, Default)]
pub struct SubscriptionStore {
    /// By foreign key with its length, then primary key: the order of RocksDB.
    rows: BTreeMap<Box<[u8]>, Kept>,
}

#[derive(Clone, Copy, Debug)]
struct Kept {
    hash: Option<ValueHash>,
    partition: Option<i32>,
}

/// A left row that asks for a right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscriber<'s> {
    /// The bytes of its key.
    pub primary_key: &'s [u8],
    /// What its value was when it asked.
    pub hash: Option<ValueHash>,
    /// The partition that answers go to, where it is known.
    pub partition: Option<i32>,
}

impl SubscriptionStore {
    /// Keeps a subscription under the whole of its key.
    pub fn put(&mut self, key: &[u8], subscription: &Subscription<'_>) {
        let kept = Kept { hash: subscription.hash, partition: subscription.partition };
        match self.rows.get_mut(key) {
            Some(row) => *row = kept,
            None => {
                self.rows.insert(key.into(), kept);
            }
        }
    }

    /// Forgets the subscription at `key`.
    pub fn remove(&mut self, key: &[u8]) {
        self.rows.remove(key);
    }

    /// Takes back a record of the changelog.
    pub fn restore(&mut self, key: &[u8], value: Option<&[u8]>) -> Result<(), SubscriptionError> {
        match value {
            Some(value) => self.put(key, &Subscription::read(value)?),
            None => self.remove(key),
        }
        Ok(())
    }

    /// The left rows whose keys begin with `prefix`, in the order of their own keys' bytes.
    pub fn subscribers<'s>(&'s self, prefix: &'s [u8]) -> impl Iterator<Item = Subscriber<'s>> {
        let from = (Bound::Included(prefix), Bound::Unbounded);
        let rows = self.rows.range::<[u8], _>(from);
        rows.map_while(|(key, Kept { hash, partition })| {
            let primary_key = key.strip_prefix(prefix)?;
            Some(Subscriber { primary_key, hash: *hash, partition: *partition })
        })
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no subscription.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets all subscriptions.
    pub fn clear(&mut self) {
        self.rows.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Murmur3 of `v`, as the Java classes below were given it.
    const HASH: ValueHash = 0xe001_ba9f_5f75_0d05_18bc_9338_ae3e_72f3_u128.to_be_bytes();

    fn hex(bytes: &[u8]) -> String {
        use std::fmt::Write as _;
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }

    /// The expected bytes are what Kafka Streams 3.4.1's own classes wrote.
    #[test]
    fn subscriptions_as_kafka_streams_writes_them() {
        let check = |subscription: Subscription<'_>, expected: &str| {
            let mut bytes = Vec::new();
            subscription.write(&mut bytes);
            assert_eq!(hex(&bytes), expected);
            assert_eq!(Subscription::read(&bytes), Ok(subscription));
        };
        let primary_key = b"k1";
        let (hash, instruction) = (Some(HASH), Instruction::Answer);
        check(
            Subscription { hash, instruction, primary_key, partition: Some(3) },
            "0102e001ba9f5f750d0518bc9338ae3e72f36b3100000003",
        );
        let (hash, instruction) = (None, Instruction::ForgetAndAnswer);
        check(
            Subscription { hash, instruction, primary_key, partition: Some(0) },
            "81016b3100000000",
        );
        let (hash, instruction) = (Some(HASH), Instruction::AnswerIfFound);
        check(
            Subscription { hash, instruction, primary_key, partition: None },
            "0003e001ba9f5f750d0518bc9338ae3e72f36b31",
        );
    }

    #[test]
    fn responses_as_kafka_streams_writes_them() {
        let check = |hash: Option<ValueHash>, row: Option<&[u8]>, expected: &str| {
            let mut bytes = Vec::new();
            write_response_head(hash.as_ref(), &mut bytes);
            bytes.extend_from_slice(row.unwrap_or_default());
            assert_eq!(hex(&bytes), expected);
            assert_eq!(read_response(&bytes), Ok((hash, row)));
        };
        check(Some(HASH), Some(b"row"), "00e001ba9f5f750d0518bc9338ae3e72f3726f77");
        check(Some(HASH), None, "00e001ba9f5f750d0518bc9338ae3e72f3");
        check(None, None, "80");
    }

    #[test]
    fn bytes_that_are_none_are_refused() {
        use SubscriptionError::{Instruction, TooShort, Version};
        let read = |bytes: &[u8]| Subscription::read(bytes).map(|_| ());
        assert_eq!(read(&[]), Err(TooShort));
        assert_eq!(read(&[1]), Err(TooShort));
        assert_eq!(read(&[1, 2, 0, 0]), Err(TooShort));
        assert_eq!(read(&[0x81, 1, 0, 0, 0]), Err(TooShort));
        assert_eq!(read(&[0x82, 1, 0, 0, 0, 0]), Err(Version(2)));
        assert_eq!(read(&[0x81, 4, 0, 0, 0, 0]), Err(Instruction(4)));
        assert_eq!(read_response(&[]), Err(TooShort));
        assert_eq!(read_response(&[0, 1]), Err(TooShort));
        assert_eq!(read_response(&[0x81]), Err(Version(1)));
    }

    #[test]
    fn subscribers_of_one_row_come_in_the_order_of_their_keys() {
        let mut store = SubscriptionStore::default();
        let key = |foreign: &[u8], primary: &[u8]| {
            let mut key = Vec::new();
            write_subscription_prefix(foreign, &mut key);
            key.extend_from_slice(primary);
            key
        };
        assert_eq!(hex(&key(b"fk", &7_i32.to_be_bytes())), "00000002666b00000007");
        let mut put = |foreign: &[u8], primary: &[u8], partition| {
            let (hash, instruction) = (Some(HASH), Instruction::Answer);
            let subscription = Subscription {
                hash,
                instruction,
                primary_key: primary,
                partition: Some(partition),
            };
            store.put(&key(foreign, primary), &subscription);
        };
        put(b"x", &[0xff], 1);
        put(b"x", b"b", 2);
        put(b"x", b"a", 3);
        put(b"xa", b"", 4);
        put(b"w", b"c", 5);
        put(b"x", b"b", 6);
        store.remove(&key(b"x", b"a"));
        let partitions = |foreign: &[u8]| -> Vec<Option<i32>> {
            let prefix = key(foreign, b"");
            store.subscribers(&prefix).map(|subscriber| subscriber.partition).collect()
        };
        assert_eq!(partitions(b"x"), [Some(6), Some(1)]);
        assert_eq!(partitions(b"xa"), [Some(4)]);
        assert_eq!(partitions(b"v"), []);
    }

    #[test]
    fn a_store_comes_back_from_its_changelog() {
        let mut store = SubscriptionStore::default();
        let mut value = Vec::new();
        let (hash, instruction) = (Some(HASH), Instruction::Answer);
        Subscription { hash, instruction, primary_key: b"p", partition: Some(2) }.write(&mut value);
        assert_eq!(store.restore(b"\0\0\0\x01fp", Some(&value)), Ok(()));
        let subscriber = Subscriber { primary_key: b"p", hash, partition: Some(2) };
        assert_eq!(store.subscribers(b"\0\0\0\x01f").collect::<Vec<_>>(), [subscriber]);
        assert_eq!(store.restore(b"\0\0\0\x01fp", None), Ok(()));
        assert!(store.is_empty());
        assert_eq!(store.restore(b"k", Some(&[9])), Err(SubscriptionError::TooShort));
    }
}
