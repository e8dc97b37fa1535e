//! Members that this process was and no longer is, and that their coordinators do not know to be gone.
//!
//! A member that is dropped without a word, or whose farewell reached nobody because the broker was away, holds its place
//! until its session times out, and a rebalance waits for it. Whoever joins the group next through the same cluster
//! handle leaves for it first. A static member needs none of this: it takes its own place.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// How many members are remembered for one group, and for how many groups.
const MEMBERS_MAX: usize = 16;
const GROUPS_MAX: usize = 1_000;

/// The members by their groups.
#[derive(Debug, Default)]
pub(super) struct Ghosts(Mutex<BTreeMap<String, Vec<String>>>);

impl Ghosts {
    /// Remembers a member that may still be thought to be there.
    pub(super) fn add(&self, group: &str, member_id: String) {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if groups.len() >= GROUPS_MAX && !groups.contains_key(group) {
            return;
        }
        let members = groups.entry(group.to_owned()).or_default();
        if members.len() >= MEMBERS_MAX {
            members.remove(0);
        }
        members.push(member_id);
    }

    /// Forgets the members of a group, and gives them to whoever leaves for them.
    pub(super) fn take(&self, group: &str) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(group).unwrap_or_default()
    }
}
