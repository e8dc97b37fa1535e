//! Fetch: waits until there is enough to read, and hands out batches as they lie in the log.
//!
//! The answer is written here, and not by the protocol crate, so that batches go to the socket without being copied.
//! Fetch sessions are not kept: every answer says session 0, and clients name all partitions each time.
use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::error::ResponseError;
use kafka_protocol::messages::FetchRequest;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use tokio::sync::Notify;

use super::call::{Call, header};
use super::core::Core;
use super::error::ConnectionError;
use super::producers::Aborted;
use super::shared::Broker;
use super::storage::Place;

/// The most that one answer holds, whatever the client allows.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// The longest wait.
const WAIT_MAX: Duration = Duration::from_mins(1);

/// What is read of one partition.
struct Read {
    partition: i32,
    error: i16,
    high_watermark: i64,
    last_stable: i64,
    start: i64,
    /// Only for readers of committed records.
    aborted: Option<Vec<Aborted>>,
    places: Vec<Place>,
    /// What lies at the places, once it is loaded.
    batches: Vec<Bytes>,
}

/// Answers a fetch, once there are enough bytes or its time is over.
pub(super) async fn fetch(
    broker: &Arc<Broker>,
    call: &Call,
    request: FetchRequest,
) -> Result<Vec<Bytes>, ConnectionError> {
    if request.session_id != 0 {
        let error = ResponseError::FetchSessionIdNotFound.code();
        return Ok(write(call, error, &request, Vec::new()));
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(WAIT_MAX);
    let deadline = tokio::time::sleep(wait);
    tokio::pin!(deadline);
    let notify = Arc::new(Notify::new());
    let mut late = wait.is_zero();
    let reads = loop {
        {
            let mut core = broker.core();
            if late || is_enough(&mut core, call, &request, &notify) {
                break read_all(&mut core, call, &request);
            }
        }
        tokio::select! {
            () = notify.notified() => {}
            () = &mut deadline => late = true,
        }
    };
    let reads = if broker.config.data_dir.is_some() {
        // Files may have to come from the disk, which is not for a thread that serves sockets.
        tokio::task::spawn_blocking(|| load(reads)).await.map_err(std::io::Error::other)??
    } else {
        load(reads)?
    };
    Ok(write(call, 0, &request, reads))
}

/// Brings the batches that were found into memory.
fn load(mut reads: Vec<Vec<Read>>) -> std::io::Result<Vec<Vec<Read>>> {
    for read in reads.iter_mut().flatten() {
        read.batches =
            read.places.drain(..).map(|place| place.bytes()).collect::<Result<_, _>>()?;
    }
    Ok(reads)
}

/// Whether there is an error to tell or enough to read; if not, `notify` is woken by what comes.
fn is_enough(core: &mut Core, call: &Call, request: &FetchRequest, notify: &Arc<Notify>) -> bool {
    let enough =
        usize::try_from(request.min_bytes).unwrap_or(0).min(request.max_bytes.max(0) as usize);
    let mut found = 0;
    for topic in &request.topics {
        let Ok(name) = name_of(core, call, topic) else { return true };
        for wanted in &topic.partitions {
            let Ok(log) = core.topics.log(&name, wanted.partition) else { return true };
            if !(log.start()..=log.end()).contains(&wanted.fetch_offset) {
                return true;
            }
            let to = if request.isolation_level == 1 { log.last_stable() } else { log.end() };
            found += log.available(wanted.fetch_offset, to, enough - found.min(enough));
            if found >= enough {
                return true;
            }
        }
    }
    for topic in &request.topics {
        let Ok(name) = name_of(core, call, topic) else { return true };
        for wanted in &topic.partitions {
            if let Ok(log) = core.topics.log(&name, wanted.partition) {
                log.wake(notify);
            }
        }
    }
    false
}

/// The name of a topic that is asked for, by its id from version 13 on.
fn name_of(core: &Core, call: &Call, topic: &FetchTopic) -> Result<String, ResponseError> {
    if call.version < 13 {
        return Ok(topic.topic.to_string());
    }
    let name = core.topics.name_of(topic.topic_id);
    name.map(str::to_owned).ok_or(ResponseError::UnknownTopicId)
}

/// What an answer may still hold.
struct Room {
    bytes: usize,
    /// Then one batch is given even if it is too large, so that readers get on.
    is_untouched: bool,
}

fn read_all(core: &mut Core, call: &Call, request: &FetchRequest) -> Vec<Vec<Read>> {
    let bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(ANSWER_BYTES_MAX);
    let mut room = Room { bytes, is_untouched: true };
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut reads = Vec::with_capacity(topic.partitions.len());
        let name = name_of(core, call, topic);
        for wanted in &topic.partitions {
            let read = name
                .as_ref()
                .map_err(|error| *error)
                .and_then(|name| read(core, name, wanted, request.isolation_level == 1, &room));
            let read = read.unwrap_or_else(|error| Read::failed(wanted.partition, error));
            let bytes: usize = read.places.iter().map(Place::size).sum();
            room.bytes -= bytes.min(room.bytes);
            room.is_untouched &= bytes == 0;
            reads.push(read);
        }
        topics.push(reads);
    }
    topics
}

fn read(
    core: &mut Core,
    topic: &str,
    wanted: &FetchPartition,
    committed: bool,
    room: &Room,
) -> Result<Read, ResponseError> {
    let log = core.topics.log(topic, wanted.partition)?;
    check_epoch(wanted.current_leader_epoch)?;
    let from = wanted.fetch_offset;
    if !(log.start()..=log.end()).contains(&from) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    let to = if committed { log.last_stable() } else { log.end() };
    let bytes_max = usize::try_from(wanted.partition_max_bytes).unwrap_or(0).min(room.bytes);
    let aborted = committed.then(|| log.producers.aborted(from, to).copied().collect());
    Ok(Read {
        partition: wanted.partition,
        error: 0,
        high_watermark: log.end(),
        last_stable: log.last_stable(),
        start: log.start(),
        aborted,
        places: log.read(from, to, bytes_max, room.is_untouched),
        batches: Vec::new(),
    })
}

/// Checks the leader epoch that a client knows; here it is always 0, and -1 stands for none.
pub(super) fn check_epoch(current: i32) -> Result<(), ResponseError> {
    if current > 0 { Err(ResponseError::UnknownLeaderEpoch) } else { Ok(()) }
}

impl Read {
    fn failed(partition: i32, error: ResponseError) -> Self {
        Self {
            partition,
            error: error.code(),
            high_watermark: -1,
            last_stable: -1,
            start: -1,
            aborted: None,
            places: Vec::new(),
            batches: Vec::new(),
        }
    }
}

/// Writes the answer as pieces: what stands between the batches, and the batches themselves.
fn write(call: &Call, error: i16, request: &FetchRequest, reads: Vec<Vec<Read>>) -> Vec<Bytes> {
    let mut answer = Answer { version: call.version, bytes: header(call), pieces: Vec::new() };
    answer.bytes.put_i32(0);
    if call.version >= 7 {
        answer.bytes.put_i16(error);
        answer.bytes.put_i32(0);
    }
    answer.length(reads.len());
    for (topic, reads) in request.topics.iter().zip(reads) {
        if call.version >= 13 {
            answer.bytes.put_slice(topic.topic_id.as_bytes());
        } else {
            answer.string(&topic.topic);
        }
        answer.length(reads.len());
        for read in reads {
            answer.partition(read);
        }
        answer.no_tags();
    }
    answer.no_tags();
    answer.cut();
    answer.pieces
}

struct Answer {
    version: i16,
    bytes: BytesMut,
    pieces: Vec<Bytes>,
}

impl Answer {
    fn is_flexible(&self) -> bool {
        self.version >= 12
    }

    fn partition(&mut self, read: Read) {
        self.bytes.put_i32(read.partition);
        self.bytes.put_i16(read.error);
        self.bytes.put_i64(read.high_watermark);
        self.bytes.put_i64(read.last_stable);
        if self.version >= 5 {
            self.bytes.put_i64(read.start);
        }
        match &read.aborted {
            None if self.is_flexible() => self.bytes.put_u8(0),
            None => self.bytes.put_i32(-1),
            Some(aborted) => {
                self.length(aborted.len());
                for range in aborted {
                    self.bytes.put_i64(range.producer_id);
                    self.bytes.put_i64(range.first);
                    self.no_tags();
                }
            }
        }
        if self.version >= 11 {
            self.bytes.put_i32(-1);
        }
        let size = read.batches.iter().map(Bytes::len).sum();
        self.length(size);
        self.cut();
        self.pieces.extend(read.batches);
        self.no_tags();
    }

    /// Ends a piece, so that batches can follow.
    fn cut(&mut self) {
        let piece = self.bytes.split().freeze();
        self.pieces.push(piece);
    }

    fn string(&mut self, text: &str) {
        if self.is_flexible() {
            self.length(text.len());
        } else {
            self.bytes.put_i16(text.len() as i16);
        }
        self.bytes.put_slice(text.as_bytes());
    }

    /// The length of an array or of bytes.
    fn length(&mut self, length: usize) {
        if !self.is_flexible() {
            self.bytes.put_i32(length as i32);
            return;
        }
        let mut rest = length + 1;
        while rest >= 0x80 {
            self.bytes.put_u8(rest as u8 | 0x80);
            rest >>= 7;
        }
        self.bytes.put_u8(rest as u8);
    }

    fn no_tags(&mut self) {
        if self.is_flexible() {
            self.bytes.put_u8(0);
        }
    }
}
