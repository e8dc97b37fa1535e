//! What patterns compile to, kept so that a constant pattern is compiled once.

use std::cell::RefCell;
use std::rc::Rc;

use hashbrown::HashMap;

/// As many patterns as ksqlDB keeps.
const ENTRIES_MAX: usize = 1_000;

/// What is made of a longer text is not kept: such texts come from records, each another one.
const KEPT_BYTES_MAX: usize = 1_000;

/// Compiled patterns by their text, for one thread.
pub(super) struct Cache<T> {
    entries: RefCell<HashMap<Box<str>, Rc<T>, foldhash::fast::RandomState>>,
}

impl<T> Cache<T> {
    /// Makes an empty cache.
    pub(super) fn new() -> Self {
        Self { entries: RefCell::default() }
    }

    /// What `compile` made of the text, now or earlier. A full cache starts anew.
    pub(super) fn get(&self, text: &str, compile: impl FnOnce() -> T) -> Rc<T> {
        if let Some(found) = self.entries.borrow().get(text) {
            return Rc::clone(found);
        }
        let compiled = Rc::new(compile());
        if text.len() > KEPT_BYTES_MAX {
            return compiled;
        }
        let mut entries = self.entries.borrow_mut();
        if entries.len() >= ENTRIES_MAX {
            entries.clear();
        }
        entries.insert(text.into(), Rc::clone(&compiled));
        compiled
    }
}
