//! Connections: how many there are, how long each may take to say what it wants, and how it ends.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::entrance::Entrance;
use super::limits::Limits;
use super::requests::{Connection, HEAD_BYTES_MAX};

/// How long is waited where a connection cannot be accepted: its cause is one that passes.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// How many requests one connection may have under way.
const STREAMS_MAX: u32 = 1_000;

/// How many bytes of a request may come before they are read, and of all requests of a connection together. The frames of less
/// than 256 bytes that wait may lack as much of them as half of the latter, or the connection ends
/// (`h2::server::Builder::data_frame_budget`): so rows of 8 bytes, each a frame of its own, may fill the former.
const UNREAD_BYTES: u32 = 64 << 10;
const UNREAD_BYTES_IN_ALL: u32 = 4 << 20;

/// How long requests that are under way may take at a stop.
const DRAIN_WITHIN: Duration = Duration::from_secs(1);

/// How long a client may take to agree on keys.
const TLS_WITHIN: Duration = Duration::from_secs(10);

/// Where clients connect, and what they are served with.
pub(super) struct Port {
    pub(super) entrance: Entrance,
    pub(super) listener: TcpListener,
    /// What encrypts, if anything does.
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) limits: Limits,
}

/// Serves connections until it is to stop.
pub(super) async fn serve(port: Port, mut stopped: watch::Receiver<bool>) {
    let Port { entrance, listener, tls, limits } = port;
    let Limits { connections_max, idle_within, .. } = limits;
    let places = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut is_full = false;
    while !*stopped.borrow() {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            _ = stopped.changed() => break,
        };
        let Ok(place) = place else { break };
        if places.available_permits() == 0 && !std::mem::replace(&mut is_full, true) {
            tracing::warn!("{connections_max} clients are connected, more have to wait");
        }
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!("a client cannot connect: {error}");
                tokio::time::sleep(ACCEPT_AGAIN).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        let (router, tls, stopped) = (entrance.router(), tls.clone(), stopped.clone());
        connections.spawn(async move {
            connection((stream, place), tls, (router, idle_within), stopped).await;
        });
    }
    let drained = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(DRAIN_WITHIN, drained).await;
}

/// Serves one connection.
async fn connection(
    (stream, place): (TcpStream, OwnedSemaphorePermit),
    tls: Option<TlsAcceptor>,
    service: (Router, Duration),
    stopped: watch::Receiver<bool>,
) {
    // Rows are to be seen at once.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!("rows may be late: {error}");
    }
    let Some(tls) = tls else { return requests((stream, place), service, stopped).await };
    match tokio::time::timeout(TLS_WITHIN, tls.accept(stream)).await {
        Ok(Ok(stream)) => requests((stream, place), service, stopped).await,
        Ok(Err(error)) => tracing::debug!("a client has not agreed on keys: {error}"),
        Err(_) => tracing::debug!("a client took too long to agree on keys"),
    }
}

/// How connections are served, in HTTP/1.1 or HTTP/2.
pub(super) fn server() -> auto::Builder<TokioExecutor> {
    let mut server = auto::Builder::new(TokioExecutor::new());
    // The connection itself looks at the time: hyper would end one that rests.
    server.http1().header_read_timeout(None).max_buf_size(HEAD_BYTES_MAX);
    let mut http_2 = server.http2();
    http_2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX);
    http_2.initial_stream_window_size(UNREAD_BYTES);
    http_2.initial_connection_window_size(UNREAD_BYTES_IN_ALL);
    server
}

/// Serves the requests of a connection.
async fn requests<S>(
    (stream, place): (S, OwnedSemaphorePermit),
    (router, idle_within): (Router, Duration),
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let server = server();
    let connection = Connection::new(stream, idle_within).with_place(place);
    let is_upgraded = connection.is_upgraded();
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let (answer, is_upgraded) = (router.call(request), Arc::clone(&is_upgraded));
        async move {
            let answer = answer.await;
            if matches!(&answer, Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS) {
                is_upgraded.store(true, Ordering::Relaxed);
            }
            answer
        }
    });
    let connection = TokioIo::new(connection);
    let mut serving = pin!(server.serve_connection_with_upgrades(connection, service));
    let stop = async {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let served = tokio::select! {
        served = &mut serving => served,
        () = stop => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = served {
        tracing::debug!("a connection has ended: {error}");
    }
}
