//! A query whose rows go to whoever asked for them: no group, no changelog, no commit, and over when nobody asks any more.
//!
//! ```text
//! workers ─ Given ─▶ session: unpacks rows ─▶ a channel of few portions ─▶ PushRows::next
//!    ▲                                                                         │
//!    └──────────── no more is taken while 1 MiB waits to be sent ◀─────────────┘
//! ```
//! It is run by the workers that run all other queries, and shares what these have fetched and decoded where it stands with
//! them. Whoever takes rows too slowly slows down this query alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, channel, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::cut::{Barrier, Next};
use super::error::LiveError;
use super::figures::{Figures, QueryState, QueryStatus};
use super::ids::{QueryId, SessionId};
use super::lane_start::LaneStart;
use super::manner::Manner;
use super::message::{Command, Event, Portion, Start};
use super::node_figures::Nodes;
use super::placements::Placements;
use super::positions::{Positions, ReadInput, reset_of};
use super::pressure::Pressure;
use super::query_topics::{Topic, read_topics};
use super::record_counts::settle;
use super::session::session_number;
use super::settings::QuerySettings;
use super::time_order::TimeOrder;
use super::trail::Trail;
use super::workers::Workers;
use crate::kafka::Cluster;
use crate::kafka::admin::{Admin, OffsetSpec};
use crate::kafka::partitioner::partition_for_key;
use crate::operators::TopologyOptions;
use crate::plan::{Input, PartitionCounts, QueryPlan};
use crate::runtime::panics::guarded;
use crate::runtime::{
    ClientRow, Layout, LayoutOptions, Tasks, client_rows, clock, private_schemas,
};

/// How many bytes of rows wait to be taken before no more are made.
const WAITING_BYTES: usize = 1 << 20;

/// How many portions of rows wait to be taken besides.
const WAITING_PORTIONS: usize = 2;

/// How often it is looked whether everything is read, where a query ends there.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// A query whose rows go to whoever asked for them.
#[derive(Clone, Debug)]
pub struct PushSpec {
    /// Its id, which no other query of the instance has.
    pub id: String,
    /// What it does.
    pub plan: Arc<QueryPlan>,
    /// How it runs.
    pub settings: QuerySettings,
    /// After how many rows it is over.
    pub limit: Option<u64>,
    /// Whether it is over where its sources end when it begins, and reads them from their beginning.
    pub is_over_at_end: bool,
    /// Whether it reads all of its sources, tables among them, from where they end when it begins.
    pub begins_at_end: bool,
}

/// The rows of a query, which runs until this is dropped.
#[derive(Debug)]
pub struct PushRows {
    id: String,
    begun: Option<oneshot::Receiver<()>>,
    rows: Receiver<Result<Vec<ClientRow>, LiveError>>,
    running: JoinHandle<()>,
    figures: Arc<Figures>,
}

impl PushRows {
    /// Waits until it is settled where the query begins to read: what is written from then on is seen. One that cannot begin
    /// says so with its rows.
    pub async fn begun(&mut self) {
        if let Some(begun) = self.begun.take() {
            // Whoever would have told is gone if there is nothing to wait for.
            let _ = begun.await;
        }
    }

    /// The next rows, at least one; `None` once there are no more. After an error there are none.
    pub async fn next(&mut self) -> Option<Result<Vec<ClientRow>, LiveError>> {
        self.rows.recv().await
    }

    /// Where the query stands.
    pub fn status(&self) -> QueryStatus {
        self.figures.status(&self.id)
    }
}

impl Drop for PushRows {
    fn drop(&mut self) {
        self.running.abort();
    }
}

/// What a query is run by.
pub(super) struct PushParts {
    pub(super) cluster: Cluster,
    pub(super) workers: Arc<Workers>,
    pub(super) placements: Arc<Placements>,
}

impl PushParts {
    /// Starts a query.
    pub(super) fn start(self, spec: PushSpec) -> PushRows {
        let (sender, rows) = channel(WAITING_PORTIONS);
        let topics = Arc::clone(self.workers.topics());
        let figures = Arc::new(Figures::new(Nodes::of(&spec.plan), topics, None));
        let id = spec.id.clone();
        let (begin, begun) = oneshot::channel();
        let giving = Giving { sender, begin: Some(begin) };
        let running = tokio::spawn(live(self, spec, giving, Arc::clone(&figures)));
        PushRows { id, begun: Some(begun), rows, running, figures }
    }
}

/// To whom rows are given.
struct Giving {
    sender: Sender<Result<Vec<ClientRow>, LiveError>>,
    /// Told once it is settled where the query begins.
    begin: Option<oneshot::Sender<()>>,
}

/// Runs a query to its end.
async fn live(parts: PushParts, spec: PushSpec, mut giving: Giving, figures: Arc<Figures>) {
    let running = run(&parts, &spec, &mut giving, &figures);
    let ended = guarded(running).await.map_err(LiveError::from).and_then(|ended| ended);
    if let Err(error) = ended {
        figures.set_cause(QueryState::Failed, &error.to_string());
        // Whoever asked may have gone by now.
        let _ = giving.sender.send(Err(error)).await;
    }
}

async fn run(
    parts: &PushParts,
    spec: &PushSpec,
    giving: &mut Giving,
    figures: &Arc<Figures>,
) -> Result<(), LiveError> {
    if spec.limit == Some(0) {
        return Ok(());
    }
    let admin = Admin::new(&parts.cluster);
    let (inputs, counts) = read_topics(&admin, &spec.plan).await?;
    let place = Place::hold(parts, spec);
    settle(&parts.placements, &parts.cluster, &place.query, inputs.iter().map(|(_, topic)| topic))
        .await;
    let layout = Arc::new(place.layout(spec, counts)?);
    let lanes = lanes(&admin, spec, &inputs).await?;
    let mut session = PushSession::start(&place, spec, &layout, lanes, figures).await?;
    figures.set_state(QueryState::Running);
    if let Some(begin) = giving.begin.take() {
        // Nobody has to wait for it.
        let _ = begin.send(());
    }
    session.run(spec, &giving.sender).await
}

/// Where the partitions of a query's topics are, as long as it runs.
struct Place<'p> {
    query: QueryId,
    parts: &'p PushParts,
}

impl<'p> Place<'p> {
    fn hold(parts: &'p PushParts, spec: &PushSpec) -> Self {
        let query = QueryId::from(spec.id.as_str());
        parts.placements.place(&query, &spec.plan);
        Self { query, parts }
    }

    fn layout(&self, spec: &PushSpec, counts: PartitionCounts) -> Result<Layout, LiveError> {
        let settings = &spec.settings;
        let options = LayoutOptions {
            // Whoever looks on wants to see each change.
            topology: TopologyOptions {
                cached_groups: 0,
                emit_interval_ms: settings.emit_interval_ms,
            },
            is_in_memory: true,
            partitioner: partition_for_key,
            max_idle: settings.max_idle,
            placement: self.parts.placements.of(&self.query),
        };
        let schemas = private_schemas(&spec.plan)?;
        let layout = Layout::new(Arc::clone(&spec.plan), &spec.id, counts, options);
        Ok(layout.with_schemas(schemas))
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.parts.placements.release(&self.query);
    }
}

/// Where a query begins to read, and where it ends if it does.
async fn lanes(
    admin: &Admin,
    spec: &PushSpec,
    inputs: &[(Input, Topic)],
) -> Result<Vec<LaneStart>, LiveError> {
    let positions = Positions {
        query: QueryId::from(spec.id.as_str()),
        admin,
        committed: &BTreeMap::new(),
        stops_at_lost: spec.settings.stops_at_lost_records,
    };
    let mut lanes = Vec::new();
    for (input, topic) in inputs {
        let from_earliest = spec.is_over_at_end || spec.settings.from_earliest;
        let reset = match reset_of(&spec.plan, *input, from_earliest) {
            _ if spec.begins_at_end => OffsetSpec::Latest,
            OffsetSpec::Latest => begin_of(spec.settings.push_since),
            reset => reset,
        };
        let read = ReadInput { input: *input, topic, reset, is_made_again: false };
        lanes.extend(positions.of(read).await?);
    }
    if spec.is_over_at_end {
        for lane in &mut lanes {
            lane.stop = Some(lane.end);
        }
    }
    Ok(lanes)
}

/// Where a stream is read from of which not all is wanted: where it is now, or was a while ago.
fn begin_of(since: Option<Duration>) -> OffsetSpec {
    let Some(since) = since else { return OffsetSpec::Latest };
    let since_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
    OffsetSpec::At(clock::now().0.saturating_sub(since_ms).max(0))
}

/// A query while workers run its tasks.
struct PushSession {
    id: SessionId,
    workers: Arc<Workers>,
    members: Vec<usize>,
    layout: Arc<Layout>,
    events: UnboundedReceiver<Event>,
    pressure: Arc<Pressure>,
    trail: Arc<Trail>,
    stops: Vec<LaneStart>,
    figures: Arc<Figures>,
    columns: usize,
    /// How many rows may still be given.
    left: u64,
}

impl PushSession {
    /// Has the workers run a query's tasks.
    async fn start(
        place: &Place<'_>,
        spec: &PushSpec,
        layout: &Arc<Layout>,
        lanes: Vec<LaneStart>,
        figures: &Arc<Figures>,
    ) -> Result<Self, LiveError> {
        let workers = &place.parts.workers;
        let id = SessionId { query: place.query.clone(), number: session_number() };
        let (events, received) = unbounded_channel();
        let order = TimeOrder::of(layout, spec.settings.interleave_ms);
        let pressure = order.pressure(workers.count(), &lanes).with_outbox(WAITING_BYTES);
        let mut session = Self {
            id,
            workers: Arc::clone(workers),
            members: Vec::new(),
            layout: Arc::clone(layout),
            events: received,
            pressure: Arc::new(pressure),
            trail: Arc::new(Trail::new(&lanes)),
            stops: lanes.iter().filter(|lane| lane.stop.is_some()).cloned().collect(),
            figures: Arc::clone(figures),
            columns: spec.plan.sink.schema.value.len(),
            left: spec.limit.unwrap_or(u64::MAX),
        };
        let own = figures.begin_session(&lanes);
        for worker in 0..workers.count() {
            let tasks = Tasks::new(Arc::clone(layout), worker)?;
            if tasks.is_empty() {
                continue;
            }
            session.members.push(worker);
            let read = lanes.iter().filter(|start| tasks.reads(start.lane));
            let start = Start {
                lanes: read.cloned().collect(),
                tasks,
                fault_rules: spec.settings.fault_rules,
                stops_at_lost_records: spec.settings.stops_at_lost_records,
                events: events.clone(),
                pressure: Arc::clone(&session.pressure),
                trail: Arc::clone(&session.trail),
                manner: Manner::default(),
                figures: Arc::clone(figures),
                session: Arc::clone(&own),
            };
            workers.command(worker, &session.id, Command::Start(Box::new(start))).await;
        }
        session.tell_all(|| Command::GoOn).await;
        Ok(session)
    }

    async fn tell_all(&self, command: impl Fn() -> Command) {
        for worker in &self.members {
            self.workers.command(*worker, &self.id, command()).await;
        }
    }

    /// Gives rows until there are no more, or nobody takes them.
    async fn run(
        &mut self,
        spec: &PushSpec,
        sender: &Sender<Result<Vec<ClientRow>, LiveError>>,
    ) -> Result<(), LiveError> {
        let mut barrier: Option<Barrier> = None;
        loop {
            let looks = spec.is_over_at_end && barrier.is_none();
            if looks && self.is_all_read() {
                barrier = Some(self.last_barrier().await);
            }
            tokio::select! {
                event = self.events.recv() => match event {
                    None => return Ok(()),
                    Some(Event::Given(portion)) => {
                        if !self.give(*portion, sender).await {
                            return Ok(());
                        }
                    }
                    Some(Event::Failed { error, .. }) => return Err(error),
                    Some(step) => {
                        let parts = self.layout.parts_downstream();
                        match barrier.as_mut().map(|barrier| barrier.take(step, parts)) {
                            Some(Next::Tell(tell)) => self.tell_all(|| tell.command()).await,
                            Some(Next::Over(_)) => return Ok(()),
                            None | Some(Next::Wait | Next::ReadToEnds(_)) => {}
                        }
                    }
                },
                () = sender.closed() => return Ok(()),
                () = tokio::time::sleep(LOOK_EVERY), if looks => {}
            }
        }
    }

    /// Begins to have everything processed that was read.
    async fn last_barrier(&self) -> Barrier {
        let is_ordered = !self.layout.ordered_inputs().is_empty();
        let barrier = Barrier::new(self.members.len(), false, is_ordered, clock::now().0);
        self.tell_all(|| Command::Cut).await;
        barrier
    }

    /// Whether everything is read that is to be.
    fn is_all_read(&self) -> bool {
        let read: BTreeMap<_, _> = self.trail.positions().collect();
        let is_read = |start: &LaneStart| {
            let position = read.get(&start.lane).copied().unwrap_or(start.position);
            start.stop.is_none_or(|stop| position >= stop)
        };
        self.stops.iter().all(is_read)
    }

    /// Gives rows to whoever asked. False if that was the last of them.
    async fn give(
        &mut self,
        portion: Portion,
        sender: &Sender<Result<Vec<ClientRow>, LiveError>>,
    ) -> bool {
        let Portion { output, changelog, .. } = portion;
        self.pressure.committed(changelog.bytes());
        let most = usize::try_from(self.left).unwrap_or(usize::MAX);
        let rows: Vec<ClientRow> = client_rows(&output, self.columns).take(most).collect();
        let count = rows.len() as u64;
        if count > 0 && sender.send(Ok(rows)).await.is_err() {
            return false;
        }
        self.pressure.sent(output.bytes());
        self.figures.written.fetch_add(count, Relaxed);
        self.left -= count;
        self.left > 0
    }
}

impl Drop for PushSession {
    fn drop(&mut self) {
        self.workers.close(&self.id);
    }
}
