//! What goes wrong with local checkpoints.

use std::io;
use std::path::{Path, PathBuf};

use super::Owner;

/// Why a local checkpoint cannot be used or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The file system said no.
    #[error("local state {}: {cause}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        cause: String,
    },
    /// Another process uses the directory.
    #[error("state directory {} is in use by another process; give each its own", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
    },
    /// The directory is that of another query, or of another version of it.
    #[error(
        "state directory {} holds {found}, but this is {expected}; restore the statement as it was, \
         or delete the directory and, for a query that is to start anew, its changelog topics and \
         its consumer group",
        path.display()
    )]
    Mismatch {
        /// The directory.
        path: PathBuf,
        /// Whose state it holds.
        found: Box<Owner>,
        /// Who wants it.
        expected: Box<Owner>,
    },
}

impl CheckpointError {
    /// An error of the file system, at `path`.
    pub(super) fn io(path: &Path) -> impl Fn(io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |error| Self::Io { path: path.clone(), cause: error.to_string() }
    }
}
