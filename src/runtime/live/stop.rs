//! How tasks are told to end.

use tokio::sync::watch;

/// Waits until it is told to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could tell it to stop is gone.
    drop(stop.wait_for(|stop| *stop).await);
}
