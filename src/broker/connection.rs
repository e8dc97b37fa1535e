//! Connections: frames in, frames out, one request at a time, with limits on all that a client may ask for.
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufWriter};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::client::Client;
use super::dispatch;
use super::error::ConnectionError;
use super::faults::Fault;
use super::shared::Broker;

/// How much is read at once; a claimed length is not reserved before its bytes arrive.
const READ_BYTES: usize = 64 << 10;

/// Takes connections until the broker stops, and then waits for them to end.
pub(super) async fn accept(
    broker: Arc<Broker>,
    listener: TcpListener,
    mut stopped: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(broker.config.connections_max));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            tracing::warn!(max = broker.config.connections_max, "a connection too many is refused");
            continue;
        };
        connections.spawn(serve(Arc::clone(&broker), stream, permit, stopped.clone()));
    }
    connections.shutdown().await;
}

async fn serve(
    broker: Arc<Broker>,
    stream: TcpStream,
    _permit: OwnedSemaphorePermit,
    mut stopped: watch::Receiver<bool>,
) {
    let peer = stream
        .peer_addr()
        .map_or_else(|_| "unknown".to_owned(), |address| address.ip().to_string());
    let ended = tokio::select! {
        ended = converse(&broker, stream, &peer) => ended,
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer, "a connection has ended");
    }
}

async fn converse(
    broker: &Arc<Broker>,
    stream: TcpStream,
    peer: &str,
) -> Result<(), ConnectionError> {
    stream.set_nodelay(true)?;
    let (mut reader, writer) = stream.into_split();
    let mut writer = BufWriter::with_capacity(READ_BYTES, writer);
    let mut client = Client::new(peer);
    let mut buffer = BytesMut::with_capacity(READ_BYTES);
    while let Some((frame, _permit)) = next_frame(broker, &mut reader, &mut buffer).await? {
        let fault = frame
            .get(0..2)
            .and_then(|key| broker.faults.take(i16::from_be_bytes([key[0], key[1]])));
        match fault {
            Some(Fault::DropRequest) => return Err(ConnectionError::Dropped),
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            _ => {}
        }
        let answer = dispatch::answer(broker, &mut client, frame).await?;
        if fault == Some(Fault::DropAnswer) {
            return Err(ConnectionError::Dropped);
        }
        if let Some(pieces) = answer {
            send(&mut writer, &pieces).await?;
        }
    }
    Ok(())
}

async fn send(
    writer: &mut (impl AsyncWriteExt + Unpin),
    pieces: &[Bytes],
) -> Result<(), ConnectionError> {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let length = i32::try_from(length)
        .map_err(|_| ConnectionError::Unwritable(format!("{length} bytes")))?;
    writer.write_i32(length).await?;
    for piece in pieces {
        writer.write_all(piece).await?;
    }
    writer.flush().await?;
    Ok(())
}

/// The next frame without its length, and its share of the bytes in flight; nothing if the client has closed.
async fn next_frame(
    broker: &Broker,
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut BytesMut,
) -> Result<Option<(Bytes, OwnedSemaphorePermit)>, ConnectionError> {
    if !fill(reader, buffer, 4).await? {
        return Ok(None);
    }
    let (length, max) = (buffer.get_i32(), broker.config.request_bytes_max);
    let size = usize::try_from(length).ok().filter(|size| *size <= max);
    let size = size.ok_or(ConnectionError::TooLong { length, max })?;
    // A share is at most the whole, so that a request as large as that can still pass alone.
    let share = size.div_ceil(1024).clamp(1, broker.config.in_flight_bytes_max.div_ceil(1024));
    let permit = Arc::clone(&broker.in_flight).acquire_many_owned(share as u32).await;
    let permit = permit.map_err(|_| ConnectionError::Dropped)?;
    if !fill(reader, buffer, size).await? {
        return Ok(None);
    }
    Ok(Some((buffer.split_to(size).freeze(), permit)))
}

/// Reads until `buffer` has `wanted` bytes; `false` if the client closes before.
async fn fill(
    reader: &mut (impl AsyncReadExt + Unpin),
    buffer: &mut BytesMut,
    wanted: usize,
) -> Result<bool, ConnectionError> {
    while buffer.len() < wanted {
        buffer.reserve(READ_BYTES);
        if reader.read_buf(buffer).await? == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
