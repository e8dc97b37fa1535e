//! Which partitions of the input feed the keys of a sink: what of its order is fixed.

use std::collections::HashMap;

use super::differences::Origin;
use super::record::Record;

/// What is known of how the records of a sink came to be.
#[derive(Clone, Debug, Default)]
pub struct Feeding {
    /// Why none of it can be compared.
    pub open: Option<String>,
    /// Whether records before the last one of a key may be gone.
    pub is_compacted: bool,
    /// How each key is fed; `None` where there is one partition to feed all of them, and nothing was traced.
    pub keys: Option<HashMap<Vec<u8>, Fed>>,
    /// What made the records without keys.
    pub free: HashMap<Record, Origin>,
}

/// How a key is fed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fed {
    /// By one source partition, all the way: the records that made its own, in order.
    ByOne(Vec<Origin>),
    /// By several.
    BySeveral,
}

/// What is known of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed<'a> {
    /// Its records have one order; what made each of them, as far as that is known.
    One(&'a [Origin]),
    /// Its records have no order.
    Shared,
    /// No such key is fed by one partition alone.
    Unknown,
}

impl Feeding {
    /// A sink that cannot be compared.
    pub fn open(reason: impl Into<String>) -> Self {
        Self { open: Some(reason.into()), ..Self::default() }
    }

    /// What is known of a key.
    pub fn of(&self, key: &[u8]) -> Keyed<'_> {
        let Some(keys) = &self.keys else { return Keyed::One(&[]) };
        match keys.get(key) {
            Some(Fed::ByOne(origins)) => Keyed::One(origins),
            Some(Fed::BySeveral) => Keyed::Shared,
            // The other side has it alone: where keys depend on the mix of partitions, this may be one of these.
            None if keys.values().any(|fed| *fed == Fed::BySeveral) => Keyed::Unknown,
            None => Keyed::One(&[]),
        }
    }

    /// What made a record without a key.
    pub fn of_free(&self, record: &Record) -> Option<&Origin> {
        self.free.get(record)
    }
}
