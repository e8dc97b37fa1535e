//! How tasks are told to end, or to rest.

use tokio::sync::watch;

/// Waits until it is told so, or else; for ever if nobody is left who could tell it.
pub(super) async fn told(told: &mut watch::Receiver<bool>, wanted: bool) {
    if told.wait_for(|told| *told == wanted).await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until it is told to stop.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that whoever could tell it to stop is gone.
    drop(stop.wait_for(|stop| *stop).await);
}
