//! What Java does with text and numbers where its result reaches a topic.
//!
//! ksqlDB runs on a JVM, so the text of a DOUBLE, the length of a VARCHAR and the order of a MAP are
//! Java's. [`double`] prints numbers and [`parse_double`] reads them, [`text`] counts in UTF-16,
//! [`hash`] orders maps, and [`time`] prints and reads times by a pattern.

pub mod base64;
pub mod double;
mod double_text;
pub mod hash;
pub mod number;
pub mod text;
pub mod time;

pub use base64::decode_base64;
pub use double::{double_to_string, float_to_string, write_double};
pub use double_text::parse_double;
pub use hash::{DEFAULT_CAPACITY, hash_code, hash_map_order};
pub use number::{parse_int, parse_long, printed_decimal};
pub use text::{
    compare_utf16, from_utf16_units, is_lone_surrogate, substring_utf16, to_utf8_bytes, trim,
    utf16_len, utf16_units,
};

/// The first of the 2,048 private-use characters that stand for Java's lone surrogates.
///
/// A Java string may hold half of a surrogate pair, which UTF-8 cannot. `U+D800 + n` alone is
/// carried as `U+10F800 + n`, which no real text uses, counts as one UTF-16 unit, and is written
/// back as `\uD800` by JSON and as `?` by UTF-8.
pub const LONE_SURROGATE_FIRST: u32 = 0x10_F800;
