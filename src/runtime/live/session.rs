//! A query while it runs: its tasks work on the workers, and here is sent and committed what comes of it.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::watch;
use tokio::task::JoinError;

use super::changelog_retention::ChangelogRetention;
use super::commit::{Committer, Interval};
use super::commit_trace::NextCommit;
use super::cut::{Barrier, Next};
use super::error::LiveError;
use super::figures::Figures;
use super::ids::{QueryId, SessionId};
use super::log_writer::LogWriter;
use super::message::{Command, Event, LanePosition, Reached, Start};
use super::offsets::{Offsets, partition_times};
use super::outbox::{Outbox, Sender};
use super::progress_round::{Following, LOOK_EVERY, WrittenUpTo};
use super::purge::Purge;
use super::quarantine::{PartitionPositions, Quarantine};
use super::restore::Restored;
use super::restoring::Restoring;
use super::stop::stopped;
use super::time_order::TimeOrder;
use super::trail::Trail;
use super::workers::Workers;
use crate::kafka::TopicPartition;
use crate::kafka::group::Membership;
use crate::kafka::lease::Lease;
use crate::plan::SubTopologyId;
use crate::runtime::{Layout, RecordId, RecordPlace, clock};

/// From how many bytes of changelog records on a commit comes before its time.
const EARLY_COMMIT_BYTES: usize = 32 << 20;

/// Numbers sessions.
static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// A number that no other session has.
pub(super) fn session_number() -> u64 {
    SESSIONS.fetch_add(1, Relaxed)
}

/// What a session is made of besides what was restored.
pub(super) struct SessionParts {
    pub(super) query: QueryId,
    pub(super) workers: Arc<Workers>,
    pub(super) figures: Arc<Figures>,
    pub(super) log: Arc<LogWriter>,
    /// Whether the member that runs the query may write.
    pub(super) lease: Lease,
    pub(super) quarantine: Quarantine,
}

/// A running query.
pub(super) struct Session {
    id: SessionId,
    lease: Lease,
    workers: Arc<Workers>,
    /// The workers that run its tasks.
    members: Vec<usize>,
    layout: Arc<Layout>,
    topics: Arc<super::query_topics::QueryTopics>,
    events: UnboundedReceiver<Event>,
    outbox: Outbox,
    following: Following,
    /// Away while it commits.
    committer: Option<Committer>,
    barrier: Option<Barrier>,
    trail: Arc<Trail>,
    /// Up to where it goes one row at a time, to find a record.
    looks_to: Option<PartitionPositions>,
    /// The fingerprint of its plan.
    fingerprint: String,
    /// The highest time of each partition's rows when it began.
    times: BTreeMap<TopicPartition, i64>,
    /// How many commits have begun.
    interval: u64,
    /// How the next one comes about.
    trace: NextCommit,
    commit_interval: Duration,
    commit_at: Instant,
    /// Whether something was committed, so that it does run.
    pub(super) has_committed: bool,
}

/// A commit under way.
type Committing<'m> = Pin<Box<dyn Future<Output = (Committer, Result<(), LiveError>)> + Send + 'm>>;

impl Session {
    /// Gives the workers a query's tasks, which wait until it [goes on](Self::go_on).
    pub(super) async fn start(
        parts: SessionParts,
        restoring: &Restoring,
        activated: Restored,
    ) -> Self {
        let SessionParts { query, workers, figures, log, lease, quarantine } = parts;
        let Restoring { cluster, settings, topics, layout, .. } = restoring;
        let id = SessionId { query, number: session_number() };
        let Restored { tasks, local, producer, lanes, committed, fingerprint } = activated;
        let times = partition_times(&committed);
        let (events, received) = unbounded_channel();
        let order = TimeOrder::of(layout, settings.interleave_ms);
        let pressure = Arc::new(order.pressure(workers.count(), &lanes));
        let trail = Arc::new(Trail::new(&lanes));
        let manner = quarantine.manner(&lanes);
        let shares = tasks.divide(layout).into_iter().enumerate();
        let mut members = Vec::new();
        let own = figures.begin_session(&lanes);
        for (worker, tasks) in shares.filter(|(_, tasks)| !tasks.is_empty()) {
            members.push(worker);
            let read = lanes.iter().filter(|start| tasks.reads(start.lane));
            let start = Start {
                lanes: read.cloned().collect(),
                tasks,
                fault_rules: settings.fault_rules,
                stops_at_lost_records: settings.stops_at_lost_records,
                events: events.clone(),
                pressure: Arc::clone(&pressure),
                trail: Arc::clone(&trail),
                manner: manner.clone(),
                figures: Arc::clone(&figures),
                session: Arc::clone(&own),
            };
            workers.command(worker, &id, Command::Start(Box::new(start))).await;
        }
        let producer = Arc::new(producer);
        let sender = || Sender::new(Arc::clone(&producer), Arc::clone(topics));
        let committer = Committer {
            query: id.query.to_string(),
            cluster: cluster.clone(),
            topics: Arc::clone(topics),
            producer: Arc::clone(&producer),
            sender: sender(),
            pressure: Arc::clone(&pressure),
            log: Arc::clone(&log),
            retention: ChangelogRetention::new(id.query.as_str(), layout.plan(), topics),
            figures: Arc::clone(&figures),
            local,
            committed,
            purge: Purge::every(settings.purge_interval),
        };
        Self {
            trace: NextCommit::begin(id.query.as_str(), &figures.records),
            id,
            lease,
            workers,
            members,
            layout: Arc::clone(layout),
            topics: Arc::clone(topics),
            events: received,
            outbox: Outbox::new(sender(), pressure, figures, log),
            following: Following::new(order.into_followed(), layout, topics, producer),
            committer: Some(committer),
            barrier: None,
            trail,
            looks_to: quarantine.looks_to,
            fingerprint,
            times,
            interval: 0,
            commit_interval: settings.commit_interval,
            commit_at: clock::instant() + settings.commit_interval,
            has_committed: false,
        }
    }

    /// Whether others may have written meanwhile, so that its state is worth nothing any more.
    pub(super) fn is_stale(&self) -> bool {
        self.lease.is_over()
    }

    /// Aborts what it has written and not committed, if it is in a transaction.
    pub(super) async fn abort(&self) {
        self.outbox.sender.abort(self.id.query.as_str()).await;
    }

    /// Begins, or goes on after a rest.
    pub(super) async fn go_on(&mut self) {
        self.commit_at = clock::instant() + self.commit_interval;
        self.tell_all(|| Command::GoOn).await;
    }

    async fn tell_all(&self, command: impl Fn() -> Command) {
        for worker in &self.members {
            self.workers.command(*worker, &self.id, command()).await;
        }
    }

    /// Runs until it is told to end; then everything that was taken is committed, and its tasks wait.
    pub(super) async fn run(
        &mut self,
        membership: &Membership,
        mut end: watch::Receiver<bool>,
    ) -> Result<(), LiveError> {
        let mut committing: Option<Committing<'_>> = None;
        let mut is_ending = false;
        // Whether the barrier after which nothing is taken has begun. Another one may be under way when it is told to end.
        let mut is_last = false;
        loop {
            let is_free = committing.is_none() && self.barrier.is_none();
            let is_full = self.outbox.held_bytes() >= EARLY_COMMIT_BYTES;
            if is_free && (is_ending || is_full) {
                is_last = is_ending;
                self.begin_barrier(!is_last).await;
            }
            let is_free = committing.is_none() && self.barrier.is_none();
            tokio::select! {
                biased;
                (committer, done) = finished(&mut committing), if committing.is_some() => {
                    committing = None;
                    self.committer = Some(committer);
                    done?;
                    self.outbox.go_on().await?;
                    // Rows of repartition topics may come of source records that are read once more, until the first
                    // commit says that these are done.
                    if !std::mem::replace(&mut self.has_committed, true) {
                        self.tell_all(|| Command::ReadRepartitions).await;
                    }
                    if is_last {
                        return Ok(());
                    }
                }
                Some(event) = self.events.recv() => match self.take(event).await {
                    Ok(None) => {}
                    Ok(Some(interval)) => committing = self.commit(interval, membership),
                    Err(error) => {
                        if error.is_of_tasks() && committing.is_some() {
                            // Else its changelogs may be ahead of the offsets that it lacks.
                            let _ = finished(&mut committing).await;
                        }
                        return Err(error);
                    }
                },
                () = tokio::time::sleep_until(self.commit_at.into()), if is_free => {
                    self.begin_barrier(true).await;
                }
                Some(written) = self.following.writing.join_next() => self.tell_written(written).await?,
                () = tokio::time::sleep_until(self.following.look_at.into()), if self.can_look() => {
                    self.look().await;
                }
                () = stopped(&mut end), if !is_ending => is_ending = true,
            }
        }
    }

    /// Why its tasks have failed, while they wait; pending as long as they have not.
    pub(super) async fn failed(&mut self) -> LiveError {
        loop {
            match self.events.recv().await {
                Some(Event::Failed { error, .. }) => return error,
                // What they have given was given away before they were to wait.
                Some(_) => {}
                None => std::future::pending().await,
            }
        }
    }

    async fn begin_barrier(&mut self, and_go_on: bool) {
        self.trace.done("fetch and process");
        self.commit_at = clock::instant() + self.commit_interval;
        let ordered = !self.layout.ordered_inputs().is_empty();
        let barrier = Barrier::new(self.members.len(), and_go_on, ordered, clock::now().0);
        self.barrier = Some(barrier.following(self.following.readers()));
        self.tell_all(|| Command::Cut).await;
    }

    /// Whether workers can be asked how far they are.
    fn can_look(&self) -> bool {
        self.barrier.is_none() && self.following.can_look()
    }

    /// Asks workers how far they are, if anything has moved.
    async fn look(&mut self) {
        self.following.look_at = clock::instant() + LOOK_EVERY;
        if self.outbox.pressure.take_has_moved() {
            self.following.begin(self.members.len());
            self.tell_all(|| Command::TellProgress).await;
        }
    }

    /// Tells workers how far repartition topics are written, unless a barrier has begun meanwhile, which reads them to
    /// their ends.
    async fn tell_written(
        &self,
        written: Result<Result<Arc<[WrittenUpTo]>, LiveError>, JoinError>,
    ) -> Result<(), LiveError> {
        // It is not cancelled while its session lives.
        let Ok(written) = written else { return Ok(()) };
        let written = written?;
        if self.barrier.is_none() {
            self.tell_all(|| Command::WrittenUpTo(Arc::clone(&written))).await;
        }
        Ok(())
    }

    /// Has workers read what is written for a sub-topology, as all who write it are drained.
    async fn read_to_ends(&mut self, reader: SubTopologyId) -> Result<(), LiveError> {
        self.outbox.sender.flush().await?;
        let ends = self.following.ends(reader);
        self.tell_all(|| Command::ReadToEnds(Arc::clone(&ends))).await;
        Ok(())
    }

    /// Takes what a worker says. What is to be committed, if a barrier ends with it.
    async fn take(&mut self, event: Event) -> Result<Option<Interval>, LiveError> {
        match event {
            Event::Given(portion) => {
                self.outbox.take(*portion).await?;
                Ok(None)
            }
            Event::Failed { error, record } => {
                // What came before goes out, as ksqlDB's producer does when it is closed. Its changelogs
                // do not, so that the next try begins with the state that belongs to its offsets. In a transaction, nothing
                // does.
                if !error.is_of_tasks() {
                    return Err(error);
                }
                if !self.outbox.sender.is_transactional() {
                    self.outbox.sender.flush().await?;
                }
                Err(match record.and_then(|record| self.place_of(record)) {
                    Some(at) => LiveError::Record { at, cause: Box::new(error) },
                    None => error,
                })
            }
            Event::Progress(parts) => {
                self.following.take(parts);
                Ok(None)
            }
            step => {
                let parts = self.layout.parts_downstream();
                let Some(barrier) = &mut self.barrier else { return Ok(None) };
                match barrier.take(step, parts) {
                    Next::Wait => Ok(None),
                    Next::Tell(tell) => {
                        self.tell_all(|| tell.command()).await;
                        Ok(None)
                    }
                    Next::ReadToEnds(reader) => {
                        self.read_to_ends(reader).await?;
                        Ok(None)
                    }
                    Next::Over(reached) => {
                        let interval = self.end_barrier(reached);
                        self.look_no_further(interval.as_ref()).await;
                        Ok(interval)
                    }
                }
            }
        }
    }

    /// Has workers take batches again, once everything is processed where a record was looked for.
    async fn look_no_further(&mut self, interval: Option<&Interval>) {
        let (Some(to), Some(interval)) = (&self.looks_to, interval) else { return };
        let is_past = |at: &TopicPartition, to: &i64| {
            interval.positions.get(at).is_none_or(|committed| committed.offset >= *to)
        };
        if to.iter().all(|(at, to)| is_past(at, to)) {
            self.looks_to = None;
            self.tell_all(|| Command::TakeBatches).await;
        }
    }

    /// Up to where it looks for a record, if it does.
    pub(super) fn looks_to(&self) -> Option<&PartitionPositions> {
        self.looks_to.as_ref()
    }

    /// Everything before these positions was taken, by whatever worker.
    pub(super) fn taken(&self) -> PartitionPositions {
        let mut taken = PartitionPositions::new();
        for (lane, position) in self.trail.positions() {
            let Some(topic) = self.topics.input(lane.input) else { continue };
            let at = TopicPartition::new(topic.name.as_str(), lane.upstream.0);
            taken.entry(at).and_modify(|other| *other = position.max(*other)).or_insert(position);
        }
        taken
    }

    fn place_of(&self, RecordId { input, partition, offset }: RecordId) -> Option<RecordPlace> {
        let topic = self.topics.input(input)?.name.clone();
        Some(RecordPlace { topic, partition, offset })
    }

    fn end_barrier(&mut self, reached: Reached) -> Option<Interval> {
        let barrier = self.barrier.take()?;
        // Workers may be at the next interval already, whose changelogs stay behind in the outbox: they are of state that
        // these offsets do not stand for.
        let changelogs = self.outbox.changelogs_of(self.interval);
        self.interval += 1;
        let mut offsets = Offsets::new(&self.fingerprint, &self.times);
        for LanePosition { lane, position, time } in reached.positions {
            let Some(topic) = self.topics.input(lane.input) else { continue };
            let at = TopicPartition::new(topic.name.as_str(), lane.upstream.0);
            offsets.add(at, position, time);
        }
        if let Some(topic) = self.topics.first_source() {
            offsets.add_clocks(self.layout.plan(), topic, &reached.clocks);
        }
        let (positions, clocks) = (offsets.encode(), reached.clocks);
        let trace = self.trace.next(&self.outbox.figures.records);
        Some(Interval { at_ms: barrier.at_ms(), changelogs, positions, clocks, trace })
    }

    fn commit<'m>(
        &mut self,
        interval: Interval,
        membership: &'m Membership,
    ) -> Option<Committing<'m>> {
        // There is one committer, so no interval is committed while the one before it is.
        let mut committer = self.committer.take()?;
        Some(Box::pin(async move {
            let done = committer.commit(interval, membership).await;
            (committer, done)
        }))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // What it has handed over and is not yet written belongs to a state that is thrown away.
        self.lease.end();
        self.workers.close(&self.id);
        self.outbox.figures.end_session();
    }
}

/// Waits for the end of a commit that is under way.
async fn finished(committing: &mut Option<Committing<'_>>) -> (Committer, Result<(), LiveError>) {
    match committing {
        Some(committing) => committing.await,
        None => std::future::pending().await,
    }
}
