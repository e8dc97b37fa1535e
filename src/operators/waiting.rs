//! What an aggregation has changed and not given away yet.

use std::collections::HashMap;

use super::cache::{Cache, FLUSH_ROWS};
use super::groups::{Emission, Groups};
use super::{Context, Outcome, QueryError};
use crate::types::{Arena, Headers, Meta, OwnedHeaders, OwnedValue, Rows, owned_headers};

/// What an aggregation does with its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Emitting {
    /// How many groups may wait in the cache; 0 gives away each change at once.
    pub(super) cached_groups: usize,
    /// Whether what follows needs to know what a row was before.
    pub(super) with_old: bool,
}

/// The groups that wait in a record cache, with what their results need beside their states.
pub(super) struct Waiting {
    emitting: Emitting,
    cache: Cache,
    /// Groups that were given away before the flush, and are logged with it: changes of a store count
    /// once they are committed, and only the last of each group.
    unlogged: Cache,
    /// The headers of the last record of each.
    headers: HashMap<u32, OwnedHeaders>,
    /// The results given away last, where what follows asks for them.
    given: HashMap<u32, Vec<OwnedValue>>,
}

impl Waiting {
    pub(super) fn new(emitting: Emitting) -> Self {
        Self {
            emitting,
            cache: Cache::default(),
            unlogged: Cache::default(),
            headers: HashMap::new(),
            given: HashMap::new(),
        }
    }

    /// Whether there is a cache at all.
    pub(super) fn is_used(&self) -> bool {
        self.emitting.cached_groups > 0
    }

    /// Lets a group wait that a record changed.
    #[inline]
    pub(super) fn hold(&mut self, slot: u32, meta: &Meta<'_>, row: usize) {
        self.cache.touch(slot);
        if meta.headers.is_some() {
            self.hold_headers(slot, meta.headers(row));
        }
    }

    fn hold_headers(&mut self, slot: u32, headers: Headers<'_>) {
        if headers.is_empty() {
            self.headers.remove(&slot);
        } else {
            self.headers.insert(slot, owned_headers(headers));
        }
    }

    fn release_headers<'a>(&mut self, slot: u32, arena: &'a Arena) -> Headers<'a> {
        if self.headers.is_empty() {
            return &[];
        }
        self.headers.remove(&slot).map_or(&[], |headers| lent(&headers, arena))
    }

    /// Gives away the groups that the cache cannot hold: those that waited longest.
    pub(super) fn release_excess<'a>(
        &mut self,
        groups: &mut Groups,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        let excess = self.cache.len().saturating_sub(self.emitting.cached_groups);
        if excess == 0 {
            return Rows::default().into();
        }
        let slots = self.cache.take_oldest(excess);
        if groups.plan.window.is_none() {
            for slot in &slots {
                self.unlogged.touch(*slot);
            }
            return self.release(&slots, Logs::Later, groups, ctx);
        }
        // A window may be gone by the flush.
        self.release(&slots, Logs::Now, groups, ctx)
    }

    /// Gives away the next of all groups that wait, and logs what has changed.
    pub(super) fn release_some<'a>(
        &mut self,
        groups: &mut Groups,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        let slots = self.cache.take_oldest(FLUSH_ROWS);
        if slots.is_empty() {
            let unlogged = self.unlogged.take_oldest(FLUSH_ROWS);
            return log(&unlogged, groups, ctx).map(|()| Rows::default()).into();
        }
        for slot in &slots {
            self.unlogged.forget(*slot);
        }
        self.release(&slots, Logs::Now, groups, ctx)
    }

    /// Whether a group waits.
    pub(super) fn is_any(&self) -> bool {
        self.cache.len() > 0 || self.unlogged.len() > 0
    }

    /// Logs the states of groups if that is to be now, and emits their results, unless only windows that close are
    /// emitted.
    fn release<'a>(
        &mut self,
        slots: &[u32],
        logs: Logs,
        groups: &mut Groups,
        ctx: &mut Context<'_, 'a>,
    ) -> Outcome<'a> {
        groups.touch(slots);
        let mut builder = groups.builder(&Meta::default(), self.emitting.with_old);
        for slot in slots.iter().copied() {
            let headers = self.release_headers(slot, ctx.eval.arena);
            let head = groups.head(slot);
            if !head.exists {
                // Neither was it there before: as `CachingKeyValueStore`, which forwards nothing then.
                continue;
            }
            let timestamp_ms = head.timestamp_ms;
            let emission = Emission { slot, is_live: true, timestamp_ms, headers };
            if logs == Logs::Now
                && let Err(error) = groups.log_change(&emission, ctx)
            {
                return Err(error).into();
            }
            if groups.plan.is_final {
                continue;
            }
            let old = if self.emitting.with_old {
                self.given.insert(slot, groups.snapshot(slot))
            } else {
                None
            };
            groups.emit(&emission, old.as_deref(), &mut builder, ctx.eval.arena);
        }
        builder.finish().into()
    }

    /// Takes a group's restored state for what was given away last.
    pub(super) fn restored(&mut self, slot: u32, groups: &mut Groups) {
        if self.emitting.with_old && self.is_used() {
            self.given.insert(slot, groups.snapshot(slot));
        }
    }

    /// Forgets a group that is gone.
    pub(super) fn forget(&mut self, slot: u32) {
        self.unlogged.forget(slot);
        self.given.remove(&slot);
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        *self = Self::new(self.emitting);
    }
}

/// When states are logged that are given away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Logs {
    Now,
    /// With the flush.
    Later,
}

/// Logs the states of groups.
fn log(slots: &[u32], groups: &mut Groups, ctx: &mut Context<'_, '_>) -> Result<(), QueryError> {
    groups.touch(slots);
    for slot in slots.iter().copied() {
        let head = groups.head(slot);
        if head.exists {
            let timestamp_ms = head.timestamp_ms;
            let change = Emission { slot, is_live: true, timestamp_ms, headers: &[] };
            groups.log_change(&change, ctx)?;
        }
    }
    Ok(())
}

/// Headers, copied into `arena`.
pub(super) fn lent<'a>(headers: &OwnedHeaders, arena: &'a Arena) -> Headers<'a> {
    let bytes = |value: &Option<Vec<u8>>| value.as_deref().map(|value| arena.bytes(value));
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (arena.text(name), bytes(value))).collect();
    arena.headers(&headers)
}
