//! What is counted of all that a host runs.

use super::Host;
use crate::runtime::clock;
use crate::runtime::live::{CommitTrace, InstanceFigures};
use crate::types::Timestamp;

/// What is counted of all that a host runs.
#[derive(Clone, Debug)]
pub struct HostFigures {
    /// When it was looked at.
    pub at: Timestamp,
    /// Where this host is found, as host and port.
    pub server: String,
    /// The queries, the partitions that they read, and the threads that process them.
    pub instance: InstanceFigures,
    /// How many queries run for clients.
    pub clients: usize,
    /// How many streams and tables there are.
    pub sources: usize,
}

impl Host {
    /// Keeps from now on how commits come about, for who takes that.
    pub fn keep_commit_traces(&self) {
        self.shared.instance.keep_commit_traces();
    }

    /// How the last commits have come about, oldest first; each is given once.
    pub fn take_commit_traces(&self) -> Vec<CommitTrace> {
        self.shared.instance.take_commit_traces()
    }

    /// What is counted, as it is now.
    pub fn figures(&self) -> HostFigures {
        self.shared.figures()
    }
}

impl super::Shared {
    /// What is counted, as it is now.
    pub(super) fn figures(&self) -> HostFigures {
        HostFigures {
            at: clock::now(),
            server: self.address.clone(),
            instance: self.instance.figures(),
            clients: self.reads.count(),
            sources: self.state().engine().catalog().sources().count(),
        }
    }
}
