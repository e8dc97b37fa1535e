//! What was asked for once: each thing is fetched by one who asks, while all others wait for the same answer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::error::RegistryError;

/// Answers by their questions, at most so many of them.
pub(super) struct Cache<K, V> {
    max: usize,
    cells: Mutex<HashMap<K, Arc<OnceCell<V>>>>,
}

impl<K: Eq + Hash + Clone, V: Clone> Cache<K, V> {
    pub(super) fn new(max: usize) -> Self {
        Self { max, cells: Mutex::new(HashMap::new()) }
    }

    /// The answer that is known.
    pub(super) fn get(&self, key: &K) -> Option<V> {
        let cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        cells.get(key).and_then(|cell| cell.get().cloned())
    }

    /// The answer, which is fetched if it is not known. One that could not be had is not remembered.
    pub(super) async fn get_or_fetch<F: Future<Output = Result<V, RegistryError>>>(
        &self,
        key: &K,
        fetch: impl FnOnce() -> F,
    ) -> Result<V, RegistryError> {
        let cell = self.cell(key);
        cell.get_or_try_init(fetch).await.cloned()
    }

    /// The place of an answer. Once there are too many, those go that are known: they can be had again.
    fn cell(&self, key: &K) -> Arc<OnceCell<V>> {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() >= self.max && !cells.contains_key(key) {
            cells.retain(|_, cell| Arc::strong_count(cell) > 1);
        }
        Arc::clone(cells.entry(key.clone()).or_default())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_who_ask_at_once_wait_for_one_answer() {
        let (cache, fetched) = (Cache::new(10), AtomicUsize::new(0));
        let fetch = async || {
            fetched.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            Ok(7)
        };
        let (one, other) =
            tokio::join!(cache.get_or_fetch(&"a", fetch), cache.get_or_fetch(&"a", fetch));
        assert_eq!((one, other), (Ok(7), Ok(7)));
        assert_eq!(fetched.load(Ordering::Relaxed), 1);
        assert_eq!(cache.get(&"a"), Some(7));
    }

    #[tokio::test]
    async fn a_failure_is_not_remembered_and_too_much_is_forgotten() {
        let cache = Cache::new(2);
        let failure = RegistryError::Unreachable { url: "u".into(), cause: "c".into() };
        let failed = cache.get_or_fetch(&0, async || Err(failure.clone())).await;
        assert_eq!(failed, Err(failure.clone()));
        for key in 0..100 {
            assert_eq!(cache.get_or_fetch(&key, async || Ok(key)).await, Ok(key));
        }
        assert!(cache.cells.lock().unwrap().len() <= 2);
    }
}
