//! How many files the process may have open. A connection is one, and what is left has to do for Kafka.

/// The most files that the process may have open, once it has asked for all that it may have; none where that is not known.
#[cfg(target_os = "linux")]
pub(super) fn files_max() -> Option<usize> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: maximum, maximum };
    let most = if current == maximum || setrlimit(Resource::Nofile, wanted).is_ok() {
        maximum
    } else {
        current
    };
    most.map(|most| usize::try_from(most).unwrap_or(usize::MAX))
}

/// The most files that the process may have open; none where that is not known.
#[cfg(not(target_os = "linux"))]
pub(super) fn files_max() -> Option<usize> {
    None
}
