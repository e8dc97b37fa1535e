//! Where the values of one chunk live that do not borrow from its bytes.

use super::{Decimal, Value};

/// Memory for one chunk of rows: strings, lists and decimals made while it is processed.
///
/// Everything is freed at once when the chunk is done, so nothing in it is freed alone.
#[derive(Default)]
pub struct Arena {
    bump: bumpalo::Bump,
    decimals: typed_arena::Arena<Decimal>,
}

impl std::fmt::Debug for Arena {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Arena").field("allocated_bytes", &self.allocated_bytes()).finish()
    }
}

impl Arena {
    /// Makes an empty arena, which allocates nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Copies text into the arena.
    pub fn text(&self, text: &str) -> &str {
        self.bump.alloc_str(text)
    }

    /// Copies bytes into the arena.
    pub fn bytes(&self, bytes: &[u8]) -> &[u8] {
        self.bump.alloc_slice_copy(bytes)
    }

    /// Moves a decimal into the arena.
    pub fn decimal(&self, decimal: Decimal) -> &Decimal {
        self.decimals.alloc(decimal)
    }

    /// Copies a list of values into the arena.
    pub fn values<'a>(&'a self, values: &[Value<'a>]) -> &'a [Value<'a>] {
        self.bump.alloc_slice_copy(values)
    }

    /// Copies the entries of a map into the arena.
    pub fn entries<'a>(
        &'a self,
        entries: &[(Value<'a>, Value<'a>)],
    ) -> &'a [(Value<'a>, Value<'a>)] {
        self.bump.alloc_slice_copy(entries)
    }

    /// The underlying bump allocator, for collections that grow in place.
    pub fn bump(&self) -> &bumpalo::Bump {
        &self.bump
    }

    /// How many bytes the arena holds, decimals left out.
    pub fn allocated_bytes(&self) -> usize {
        self.bump.allocated_bytes()
    }
}
