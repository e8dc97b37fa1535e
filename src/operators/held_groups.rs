//! Groups of an aggregation, for whoever asks what there is now.

use super::QueryError;
use super::groups::{Emission, Groups};
use super::held::{Held, Look};
use crate::types::{Meta, Rows};

impl Groups {
    /// The rows of groups, as they are.
    fn held<'a>(&mut self, slots: impl IntoIterator<Item = u32>, look: &Look<'_, 'a>) -> Rows<'a> {
        let meta = Meta { partition: look.partition, ..Meta::default() };
        let mut builder = self.builder(&meta, false);
        for slot in slots {
            let head = self.head(slot);
            if !head.exists {
                continue;
            }
            let timestamp_ms = head.timestamp_ms;
            let emission = Emission { slot, is_live: true, timestamp_ms, headers: &[] };
            self.emit(&emission, None, &mut builder, look.arena);
        }
        builder.finish()
    }

    /// The rows of groups that are looked for, if they are in this store; those of a key are in the slots that `of_key` says.
    pub(super) fn look_up<'a>(
        &mut self,
        look: &Look<'_, 'a>,
        of_key: impl Fn(&Self, &[u8]) -> Vec<u32>,
    ) -> Option<Result<Held<'a>, QueryError>> {
        (look.store == self.store).then(|| {
            let (slots, next) = match look.keys(self.codecs())? {
                Some(keys) => (keys.iter().flat_map(|key| of_key(self, key)).collect(), None),
                None => look.slots(self.slots_end(), |slot| self.store_key(slot)),
            };
            let is_wanted = |slot: &u32| {
                let window = self.window(*slot);
                window.is_none_or(|window| look.wants_window(window))
            };
            let slots: Vec<u32> = slots.into_iter().filter(is_wanted).collect();
            // Most tasks have nothing of a key.
            let rows = if slots.is_empty() { Rows::default() } else { self.held(slots, look) };
            Ok(Held { rows, next })
        })
    }
}
