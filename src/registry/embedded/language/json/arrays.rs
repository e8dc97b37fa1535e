//! How arrays differ: items by their place, and what may follow them.

use super::compare::Comparison;
use super::{Arrays, Kind, More, NodeId};

impl<'a> Comparison<'a> {
    pub(super) fn arrays(&mut self, original: &'a Arrays, update: &'a Arrays) {
        self.within("items", |comparison| match (original.all, update.all) {
            (Some(original), Some(update)) => comparison.schemas(original, update),
            (None, Some(_)) => comparison.tell("SCHEMA_ADDED"),
            (_, None) => {}
        });
        self.items(original, update);
        self.within("additionalItems", |comparison| {
            let kinds = ["ADDITIONAL_ITEMS_REMOVED", "ADDITIONAL_ITEMS_NARROWED"];
            comparison.more(original.additional, update.additional, kinds);
        });
        self.upper(
            "maxItems",
            [original.items_max, update.items_max],
            ["MAX_ITEMS_ADDED", "MAX_ITEMS_DECREASED"],
        );
        self.lower(
            "minItems",
            [original.items_min, update.items_min],
            ["MIN_ITEMS_ADDED", "MIN_ITEMS_INCREASED"],
        );
        if update.is_unique && !original.is_unique {
            self.tell_at("uniqueItems", "UNIQUE_ITEMS_ADDED");
        }
    }

    fn items(&mut self, original: &'a Arrays, update: &'a Arrays) {
        for index in 0..original.items.len().max(update.items.len()) {
            let step = format!("items/{index}");
            self.within(&step, |comparison| {
                match (original.items.get(index), update.items.get(index)) {
                    (Some(original), Some(update)) => comparison.schemas(*original, *update),
                    (Some(original), None) => comparison.item_removed(*original, update.additional),
                    (None, Some(update)) => comparison.item_added(*update, original.additional),
                    (None, None) => {}
                }
            });
        }
    }

    fn item_removed(&mut self, original: NodeId, covering: More) {
        match covering {
            More::Open => {}
            More::Of(covering) => {
                if !self.gets_on(original, covering) {
                    self.tell("ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
                }
            }
            More::Closed => {
                if !matches!(self.original.resolve(original).1.kind, Kind::Never) {
                    self.tell("ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL");
                }
            }
        }
    }

    fn item_added(&mut self, update: NodeId, covering: More) {
        match covering {
            More::Open => {
                if !matches!(self.update.resolve(update).1.kind, Kind::Any) {
                    self.tell("ITEM_ADDED_TO_OPEN_CONTENT_MODEL");
                }
            }
            More::Of(covering) => {
                if !self.gets_on(covering, update) {
                    self.tell("ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
                }
            }
            More::Closed => {}
        }
    }
}
