//! What tasks have given.

use super::changes::Changes;
use super::node_counts::NodeCounts;
use super::origin::{LentRows, RekeyedRows};
use super::output::{Output, OutputMark};
use super::processing_log::ProcessingLogEntry;
use super::skipped::{Skipped, SkippedMark};

/// What tasks have given since it was taken last.
#[derive(Debug, Default)]
pub struct Given {
    /// Records for sinks and repartition topics.
    pub output: Output,
    /// Changes of stores, for changelogs.
    pub changelog: Changes,
    /// Rows for other tasks, in memory.
    pub rekeyed: Vec<RekeyedRows>,
    /// Entries of the processing log.
    pub log: Vec<ProcessingLogEntry>,
    /// The records that were skipped.
    pub skipped: Skipped,
    /// How many rows its steps have taken and given.
    pub nodes: NodeCounts,
}

impl Given {
    /// Copies rows that were only lent.
    pub(super) fn keep(&mut self, lent: Vec<LentRows<'_>>) {
        self.rekeyed.extend(lent.into_iter().map(LentRows::into_owned));
    }

    /// Forgets everything, and keeps the memory.
    pub fn clear(&mut self) {
        self.output.clear();
        self.changelog.clear();
        self.rekeyed.clear();
        self.log.clear();
        self.skipped = Skipped::default();
        self.nodes.clear();
    }

    /// How much there is, for [`Self::rewind`].
    pub(super) fn mark(&self) -> GivenMark {
        GivenMark {
            output: self.output.mark(),
            changelog: self.changelog.mark(),
            rekeyed: self.rekeyed.len(),
            log: self.log.len(),
            skipped: self.skipped.mark(),
            nodes: self.nodes.clone(),
        }
    }

    /// Forgets what was given since `mark`.
    pub(super) fn rewind(&mut self, mark: &GivenMark) {
        self.output.rewind(mark.output);
        self.changelog.rewind(mark.changelog);
        self.rekeyed.truncate(mark.rekeyed);
        self.log.truncate(mark.log);
        self.skipped.rewind(&mark.skipped);
        self.nodes.clone_from(&mark.nodes);
    }
}

/// How much tasks had given.
#[derive(Debug)]
pub(super) struct GivenMark {
    output: OutputMark,
    changelog: OutputMark,
    rekeyed: usize,
    log: usize,
    skipped: SkippedMark,
    nodes: NodeCounts,
}
