//! What a committed offset carries besides its number, in Kafka Streams' own form.
//!
//! ```text
//! base64( 2 | partition time: 8 bytes | [ count: 4 bytes | ( length: 4 | name | value: 8 )* ] )
//! ```
//! Numbers are big-endian and signed. A partition time of -1 is none; without values there is no
//! count. Version 1 had the partition time alone. What is of no known version, or broken, says
//! nothing: so Kafka Streams reads it, and reads ours.
//!
//! The fingerprint of the plan to which the offset belongs is the name of a value:
//! `millstream.plan.<32 digits>`. Other values are clocks of operators, by names of their own.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// The version that is written.
const VERSION: u8 = 2;

/// The most bytes of a text that is written, well below the broker's `offset.metadata.max.bytes`.
pub const ENCODED_BYTES_MAX: usize = 1_024;

/// How the name of the value begins that holds a plan's fingerprint.
const PLAN: &str = "millstream.plan.";

/// How long a fingerprint is.
const FINGERPRINT_DIGITS: usize = 32;

/// Java's decoder takes texts with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a committed offset carries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetMetadata {
    /// The highest timestamp of the partition's records before the offset, if there was one.
    pub partition_time: Option<i64>,
    /// Numbers by name.
    pub values: BTreeMap<String, i64>,
}

impl OffsetMetadata {
    /// The fingerprint of the plan to which the offset belongs, if it says so.
    pub fn fingerprint(&self) -> Option<&str> {
        self.values.keys().find_map(|name| fingerprint(name))
    }

    /// The same with this fingerprint, and no other.
    #[must_use]
    pub fn with_fingerprint(mut self, digits: &str) -> Self {
        self.values.retain(|name, _| fingerprint(name).is_none());
        self.values.insert(format!("{PLAN}{digits}"), 1);
        self
    }
}

/// The digits of a fingerprint, if this is the name of one.
fn fingerprint(name: &str) -> Option<&str> {
    let digits = name.strip_prefix(PLAN)?;
    let is_hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(is_hex)).then_some(digits)
}

/// Writes what an offset carries. Where it would be longer than [`ENCODED_BYTES_MAX`], clocks are
/// left out, the last by name first; the fingerprint never is.
///
/// ```
/// use millstream::runtime::{OffsetMetadata, decode_metadata, encode_metadata};
///
/// let metadata = OffsetMetadata { partition_time: Some(1_700_000_000_000), ..Default::default() };
/// assert_eq!(encode_metadata(&metadata), "AgAAAYvP5WgA");
/// assert_eq!(decode_metadata("AgAAAYvP5WgA"), metadata);
/// ```
pub fn encode_metadata(metadata: &OffsetMetadata) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend(metadata.partition_time.unwrap_or(-1).to_be_bytes());
    let (plan, clocks): (Vec<_>, Vec<_>) =
        metadata.values.iter().partition(|(name, _)| fingerprint(name).is_some());
    let mut left = (ENCODED_BYTES_MAX / 4 * 3).saturating_sub(bytes.len() + COUNT_BYTES);
    let fits = |(name, _): &(&String, &i64)| {
        let length = ENTRY_BYTES + name.len();
        let fits = length <= left;
        left = if fits { left - length } else { 0 };
        fits
    };
    let values: Vec<_> = plan.into_iter().chain(clocks).take_while(fits).collect();
    if !values.is_empty() {
        bytes.extend((values.len() as i32).to_be_bytes());
        for (name, value) in values {
            bytes.extend((name.len() as i32).to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(value.to_be_bytes());
        }
    }
    BASE64.encode(bytes)
}

/// The bytes of the number of values.
const COUNT_BYTES: usize = 4;

/// The bytes of a value besides its name.
const ENTRY_BYTES: usize = 4 + 8;

/// Reads what an offset carries; nothing where it is of no known form.
pub fn decode_metadata(text: &str) -> OffsetMetadata {
    let Ok(bytes) = BASE64.decode(text) else { return OffsetMetadata::default() };
    read(&mut Reader(&bytes)).unwrap_or_default()
}

fn read(reader: &mut Reader<'_>) -> Option<OffsetMetadata> {
    let version = reader.take(1)?[0];
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let partition_time = reader.long().map(|time| (time != -1).then_some(time))?;
    // What stands before broken values is still right.
    let values = if version == 1 { None } else { read_values(reader) };
    Some(OffsetMetadata { partition_time, values: values.unwrap_or_default() })
}

fn read_values(reader: &mut Reader<'_>) -> Option<BTreeMap<String, i64>> {
    let count = reader.int()?;
    let mut values = BTreeMap::new();
    for _ in 0..count {
        let length = usize::try_from(reader.int()?).ok()?;
        let name = String::from_utf8_lossy(reader.take(length)?).into_owned();
        values.insert(name, reader.long()?);
    }
    Some(values)
}

/// Bytes that are still to be read.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    fn int(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }

    fn long(&mut self) -> Option<i64> {
        self.take(8)?.try_into().ok().map(i64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINGERPRINT: &str = "7d71b29ea52d8e53204c63f058403991";

    fn metadata(partition_time: Option<i64>, values: &[(&str, i64)]) -> OffsetMetadata {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), *value));
        OffsetMetadata { partition_time, values: values.collect() }
    }

    /// The texts are those that Kafka Streams 3.4 writes.
    #[test]
    fn law_9_it_is_written_and_read_as_kafka_streams_does() {
        let time = Some(1_700_000_000_000);
        let plan = format!("millstream.plan.{FINGERPRINT}");
        for (expected, metadata) in [
            ("AgAAAYvP5WgA", metadata(time, &[])),
            ("Av//////////", metadata(None, &[])),
            (
                "AgAAAYvP5WgAAAAAAgAAADBtaWxsc3RyZWFtLnBsYW4uN2Q3MWIyOWVhNTJkOGU1MzIwNGM2M2YwNTg0MDM5\
                 OTEAAAAAAAAAAQAAAA5zdHJlYW0tdGltZS7DhAAAAYvP5WgA",
                metadata(time, &[(&plan, 1), ("stream-time.Ä", 1_700_000_000_000)]),
            ),
        ] {
            assert_eq!(encode_metadata(&metadata), expected);
            assert_eq!(decode_metadata(expected), metadata);
        }
    }

    #[test]
    fn what_is_of_no_known_form_says_nothing() {
        for (text, partition_time) in [
            ("", None),
            ("not base64!", None),
            ("AQAAAAAAAAAF", Some(5)),
            ("AQAA", None),
            ("AwAAAAAAAAAF", None),
            ("AgAAAYvP5WgAAAAAAQ==", Some(1_700_000_000_000)),
            ("AgAAAYvP5WgAAAAAAf////8=", Some(1_700_000_000_000)),
            ("AgAAAYvP5WgAf////wAAAAA", Some(1_700_000_000_000)),
        ] {
            assert_eq!(decode_metadata(text), metadata(partition_time, &[]), "{text}");
        }
    }

    #[test]
    fn an_offset_has_one_fingerprint() {
        let other = "0".repeat(32);
        let metadata = metadata(None, &[("stream-time.x", 5)]).with_fingerprint(&other);
        let metadata = metadata.with_fingerprint(FINGERPRINT);
        assert_eq!(metadata.fingerprint(), Some(FINGERPRINT));
        assert_eq!(metadata.values.len(), 2);
        let long = format!("millstream.plan.{FINGERPRINT}0");
        for name in [&*long, "millstream.plan.", "millstream.plan.7D71B29EA52D8E53204C63F058403991"]
        {
            assert_eq!(self::metadata(None, &[(name, 1)]).fingerprint(), None);
        }
    }

    #[test]
    fn law_9_clocks_are_left_out_before_it_is_too_long() {
        let mut metadata = OffsetMetadata::default().with_fingerprint(FINGERPRINT);
        for clock in 0..100 {
            metadata.values.insert(format!("a clock with a long name {clock:02}"), 1);
        }
        let encoded = encode_metadata(&metadata);
        assert!((ENCODED_BYTES_MAX - 100..=ENCODED_BYTES_MAX).contains(&encoded.len()));
        let read = decode_metadata(&encoded);
        assert_eq!(read.fingerprint(), Some(FINGERPRINT));
        assert!(read.values.contains_key("a clock with a long name 00"));
        assert!(!read.values.contains_key("a clock with a long name 99"));
    }
}
