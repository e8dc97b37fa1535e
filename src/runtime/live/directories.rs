//! Where queries keep copies of their state.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::PathBuf;
use std::sync::Arc;

use super::error::LiveError;
use super::settings::QuerySettings;
use crate::state::checkpoint::{CheckpointError, StateDirectory};

/// The state directories of an instance, by their root and service.
#[derive(Default)]
pub(super) struct Directories(BTreeMap<(PathBuf, String), Option<Arc<StateDirectory>>>);

impl Directories {
    /// Where the queries of a service keep their checkpoints, if they do; the directory is locked. One
    /// that cannot be used is done without, but none is shared with another process.
    pub(super) fn open(
        &mut self,
        settings: &QuerySettings,
    ) -> Result<Option<Arc<StateDirectory>>, LiveError> {
        let Some(root) = &settings.state_dir else { return Ok(None) };
        let entry = match self.0.entry((root.clone(), settings.service_id.clone())) {
            Entry::Occupied(entry) => return Ok(entry.get().clone()),
            Entry::Vacant(entry) => entry,
        };
        let directory = match StateDirectory::open(root, &settings.service_id) {
            Ok(directory) => Some(Arc::new(directory)),
            Err(error @ CheckpointError::Io { .. }) => {
                tracing::warn!("{error}; queries go on without local checkpoints");
                None
            }
            Err(error) => return Err(error.into()),
        };
        Ok(entry.insert(directory).clone())
    }
}
