//! What Java does with text and numbers where its result reaches a topic.

/// The first of the 2,048 private-use characters that stand for Java's lone surrogates.
///
/// A Java string may hold half of a surrogate pair, which UTF-8 cannot. `U+D800 + n` alone is
/// carried as `U+10F800 + n`, which no real text uses, counts as one UTF-16 unit, and is written
/// back as `\uD800` by JSON and as `?` by UTF-8.
pub const LONE_SURROGATE_FIRST: u32 = 0x10_F800;
