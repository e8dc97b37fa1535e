//! Groups of an aggregation, for whoever asks what there is now.

use super::QueryError;
use super::groups::{Emission, Groups};
use super::held::Look;
use crate::state::SessionIndex;
use crate::types::{Meta, Rows, Window};

impl Groups {
    /// The rows of groups, as they are.
    pub(super) fn held<'a>(
        &mut self,
        slots: impl IntoIterator<Item = u32>,
        look: &Look<'_, 'a>,
    ) -> Rows<'a> {
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

    /// The rows of groups without windows that are looked for, if they are in this store.
    pub(super) fn held_by_key<'a>(
        &mut self,
        look: &Look<'_, 'a>,
    ) -> Option<Result<Rows<'a>, QueryError>> {
        (look.store == self.store).then(|| {
            let slots = match look.keys(self.codecs())? {
                Some(keys) => keys.iter().filter_map(|key| self.find(key)).collect(),
                None => self.slots().collect::<Vec<_>>(),
            };
            Ok(self.held(slots, look))
        })
    }

    /// The rows of sessions that are looked for.
    pub(super) fn held_sessions<'a>(
        &mut self,
        index: &SessionIndex,
        look: &Look<'_, 'a>,
    ) -> Result<Rows<'a>, QueryError> {
        let found: Vec<(Window, u32)> = if let Some(keys) = look.keys(self.codecs())? {
            keys.iter().flat_map(|key| index.find(key, i64::MIN, i64::MAX)).collect()
        } else {
            let all = index.ending(i64::MIN, i64::MAX).into_iter();
            all.map(|(_, window, slot)| (window, slot)).collect()
        };
        let found = found.into_iter().filter(|(window, _)| look.wants_window(*window));
        let slots: Vec<u32> = found.map(|(_, slot)| slot).collect();
        Ok(self.held(slots, look))
    }
}
