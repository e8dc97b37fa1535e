//! The life of a query: its topics, its group, its state, its running, and what becomes of it when it
//! fails.
//!
//! Each query has a life of its own, so that nothing one of them waits for delays another.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::sync::watch;

use super::checkpoint::CheckpointDirectory;
use super::error::LiveError;
use super::figures::{Figures, QueryState};
use super::ids::QueryId;
use super::log_writer::LogWriter;
use super::member::{Standing, join, membership};
use super::placements::Placements;
use super::probe::Probe;
use super::quarantine::Quarantine;
use super::query_topics::{QueryTopics, query_topics};
use super::record_counts::settle;
use super::refused::say_what_sink_refuses;
use super::restoring::Restoring;
use super::schemas;
use super::seen_topics::SeenTopics;
use super::session::{Session, SessionParts};
use super::settings::QuerySpec;
use super::stop::{stopped, told};
use super::topic_watch::TopicWatch;
use super::topics::ensure_topic;
use super::workers::Workers;
use crate::formats::Schemas;
use crate::kafka::admin::Admin;
use crate::kafka::group::{MemberState, Membership};
use crate::kafka::partitioner::partition_for_key;
use crate::kafka::{Cluster, KafkaError, ResponseError};
use crate::operators::{QueryError, TopologyOptions};
use crate::registry::RegistryClient;
use crate::runtime::panics::guarded;
use crate::runtime::{Layout, LayoutOptions, LogEvent, ProcessingLogEntry};

/// How long a failed membership waits before it is tried again.
const REJOIN_WAIT: Duration = Duration::from_millis(500);

/// How long a query waits before it looks again for a topic that is missing.
const TOPIC_WAIT: Duration = Duration::from_secs(1);

/// How long a stop waits for a group that is about to answer.
const JOIN_WAIT: Duration = Duration::from_secs(1);

/// How long a stop waits for its group to take notice.
pub(super) const LEAVE_WAIT: Duration = Duration::from_secs(1);

/// Everything that a query needs to live.
pub(super) struct Life {
    pub(super) id: QueryId,
    pub(super) spec: QuerySpec,
    pub(super) cluster: Cluster,
    pub(super) registry: Option<RegistryClient>,
    /// The schemas that it writes with, once they are registered.
    pub(super) schemas: Option<Schemas>,
    pub(super) workers: Arc<Workers>,
    pub(super) placements: Arc<Placements>,
    pub(super) directory: Option<CheckpointDirectory>,
    pub(super) figures: Arc<Figures>,
    pub(super) log: Arc<LogWriter>,
    pub(super) standing: Standing,
    pub(super) probe: Arc<dyn Probe>,
    /// Whether it is to stop.
    pub(super) stop: watch::Receiver<bool>,
    /// Whether it is to take nothing.
    pub(super) paused: watch::Receiver<bool>,
    /// How long its last commit may take.
    pub(super) stop_within: Duration,
    pub(super) backoff: Duration,
    pub(super) seen: SeenTopics,
    /// Whether it was said what its sink will refuse.
    pub(super) has_told_sink: bool,
    pub(super) quarantine: Quarantine,
}

/// How a session ended.
pub(super) enum Ended {
    /// It was told to stop, and has committed everything.
    Stopped,
    /// It has committed everything, and its tasks wait: its group changes, or it is paused.
    Held,
    /// It has committed everything, and a topic has more partitions than it reads.
    Outgrown,
    /// Its group has gone on without it.
    Lost,
}

impl Life {
    /// Lives until it is told to stop.
    pub(super) async fn live(mut self) {
        while !self.is_stopped() {
            match self.stay().await {
                Ok(()) => break,
                Err(error) => {
                    if !self.recover(&error).await {
                        break;
                    }
                }
            }
        }
        self.log.flush().await;
    }

    /// Says why it has failed, and waits until it is to be tried again. False if it is not.
    async fn recover(&mut self, error: &LiveError) -> bool {
        let id = &self.id;
        if let Some(error) = error.query_error() {
            self.log.write(&[self.thread_failed(error)]).await;
            self.log.flush().await;
        }
        let cause = error.to_string();
        if error.is_final() {
            self.figures.failures.fetch_add(1, Relaxed);
            self.figures.set_cause(QueryState::Failed, &cause);
            stopped(&mut self.stop).await;
            return false;
        }
        let is_new = self.figures.set_cause(QueryState::Retrying, &cause);
        let is_waiting = error.is_about_topics() || error.is_registry_away();
        if is_new || !is_waiting {
            self.figures.failures.fetch_add(1, Relaxed);
        }
        if is_waiting {
            if is_new {
                tracing::warn!("query {id}: {cause}");
            }
            return self.wait(TOPIC_WAIT).await;
        }
        let wait = self.backoff;
        tracing::error!("query {id} has failed and starts again in {wait:?}: {error}");
        self.backoff = (wait * 2).min(self.spec.settings.retry_backoff_max);
        self.wait(wait).await
    }

    /// Waits for a while. False if it is to stop.
    async fn wait(&mut self, wait: Duration) -> bool {
        tokio::select! {
            () = stopped(&mut self.stop) => false,
            () = tokio::time::sleep(wait) => true,
        }
    }

    fn thread_failed(&self, error: &QueryError) -> ProcessingLogEntry {
        ProcessingLogEntry {
            logger: format!("processing.{}", self.id),
            event: LogEvent::StreamThread {
                message: error.message.clone(),
                thread: format!("{}-1", self.application_id()),
                causes: error.causes.clone(),
            },
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    fn application_id(&self) -> String {
        self.spec.settings.application_id(self.id.as_str())
    }

    /// One stay in the query's group, from its topics on. It ends well only when it is to stop.
    async fn stay(&mut self) -> Result<(), LiveError> {
        let mut stop = self.stop.clone();
        let topics = tokio::select! {
            topics = self.find_topics() => Arc::new(topics?),
            () = stopped(&mut stop) => return Ok(()),
        };
        // Whoever stands by has to be able to take over while the registry is away.
        let schemas = tokio::select! {
            schemas = self.register_schemas() => schemas?,
            () = stopped(&mut stop) => return Ok(()),
        };
        self.schemas = Some(schemas);
        if !std::mem::replace(&mut self.has_told_sink, true) {
            let admin = Admin::new(&self.cluster);
            say_what_sink_refuses(&admin, &self.id, &self.spec).await;
        }
        let mut read: Vec<String> =
            topics.inputs.iter().map(|(_, topic)| topic.name.clone()).collect();
        read.dedup();
        let mut membership =
            membership(&self.cluster, &self.application_id(), &read, &self.standing)?;
        let ended = self.belong(&mut membership, topics).await;
        match ended {
            Ok(()) => match tokio::time::timeout(LEAVE_WAIT, membership.leave()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!("query {}: left without a word: {error}", self.id);
                }
                Err(_) => tracing::warn!("query {}: left without a word", self.id),
            },
            Err(_) => leave(membership),
        }
        ended
    }

    async fn find_topics(&self) -> Result<QueryTopics, LiveError> {
        let admin = Admin::new(&self.cluster);
        let settings = &self.spec.settings;
        if settings.has_processing_log {
            let (topic, replicas) = (&settings.processing_log_topic, settings.internal_replicas);
            ensure_topic(&admin, topic, 1, replicas, &std::collections::BTreeMap::new()).await?;
        }
        query_topics(&admin, &self.spec.plan, settings, &self.application_id()).await
    }

    /// Joins, and runs the query while this member is the one to run it.
    async fn belong(
        &mut self,
        membership: &mut Membership,
        mut topics: Arc<QueryTopics>,
    ) -> Result<(), LiveError> {
        let mut session: Option<Session> = None;
        loop {
            let Some(is_owner) = self.join(membership, &topics).await? else { return Ok(()) };
            if !is_owner {
                drop(session.take());
                self.seen = SeenTopics::default();
                self.figures.set_state(QueryState::Standby);
                match self.stand_by(membership).await {
                    None => return Ok(()),
                    Some(MemberState::Failed(error) | MemberState::Fenced(error)) => {
                        return Err(error.into());
                    }
                    Some(_) => {
                        // They may have changed while another instance looked after them.
                        topics = Arc::new(self.find_topics().await?);
                        continue;
                    }
                }
            }
            // One whose lease is over may be behind what others have written meanwhile.
            let mut running = match session.take().filter(|held| !held.is_stale()) {
                Some(held) => held,
                None => match self.activate(membership, &topics).await {
                    Ok(Some(activated)) => activated,
                    Ok(None) if self.is_stopped() => return Ok(()),
                    Ok(None) => continue,
                    Err(error) if error.is_stale() => {
                        self.joins_again(&error);
                        continue;
                    }
                    Err(error) if error.is_of_transaction() => {
                        self.begins_again(&error).await;
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            let ended = self.work(&mut running, membership, &topics).await;
            if !matches!(ended, Ok(Ended::Held)) {
                running.abort().await;
            }
            if running.has_committed {
                self.backoff = self.spec.settings.retry_backoff;
            }
            match ended {
                Ok(Ended::Stopped) => return Ok(()),
                Ok(Ended::Held) => session = Some(running),
                Ok(Ended::Outgrown) => topics = Arc::new(self.find_topics().await?),
                Ok(Ended::Lost) => {}
                Err(error) if error.is_stale() => self.joins_again(&error),
                Err(error) if error.is_of_transaction() => self.begins_again(&error).await,
                Err(error) => self.get_past(&running, error).await?,
            }
            self.figures.set_state(QueryState::Starting);
        }
    }

    fn joins_again(&self, error: &LiveError) {
        tracing::warn!("query {}: {error}; it joins its group again", self.id);
    }

    /// Waits a moment after a transaction that cannot be committed, before its work is done once more.
    async fn begins_again(&mut self, error: &LiveError) {
        self.figures.aborts.fetch_add(1, Relaxed);
        tracing::warn!("query {}: {error}; it goes back to its last commit", self.id);
        self.wait(REJOIN_WAIT).await;
    }

    /// Joins the group, however long others keep it from that; whether this member runs the query, or
    /// nothing if it is to stop.
    async fn join(
        &mut self,
        membership: &mut Membership,
        topics: &QueryTopics,
    ) -> Result<Option<bool>, LiveError> {
        let partitions = topics.partitions();
        loop {
            let joined = {
                let mut joining = std::pin::pin!(join(membership, &partitions));
                tokio::select! {
                    joined = &mut joining => joined,
                    () = stopped(&mut self.stop) => {
                        // So that it can leave the group that it is about to be in.
                        let _ = tokio::time::timeout(JOIN_WAIT, joining).await;
                        return Ok(None);
                    }
                }
            };
            let cause = match joined {
                Ok(is_owner) => return Ok(Some(is_owner)),
                Err(error) => self.why_not_joined(error)?,
            };
            if self.figures.set_cause(QueryState::Retrying, &cause) {
                tracing::warn!("query {}: {cause}", self.id);
            }
            if !self.wait(REJOIN_WAIT).await {
                return Ok(None);
            }
        }
    }

    /// What is waited for, if waiting may help.
    fn why_not_joined(&self, error: KafkaError) -> Result<String, LiveError> {
        if error.is_code(ResponseError::InconsistentGroupProtocol) {
            let group = self.application_id();
            return Ok(format!(
                "another application runs this query, such as a ksqlDB server; it is waited for \
                 (group {group})"
            ));
        }
        if error.is_retriable() {
            return Ok(format!("cannot join its group yet: {error}"));
        }
        Err(error.into())
    }

    /// Waits until the group changes, and says how; nothing if it is to stop.
    async fn stand_by(&mut self, membership: &Membership) -> Option<MemberState> {
        tokio::select! {
            state = membership.changed() => Some(state),
            () = stopped(&mut self.stop) => None,
        }
    }

    /// Restores the query's state, and starts its tasks; nothing if it is to stop or its group changes
    /// meanwhile.
    async fn activate(
        &mut self,
        membership: &Membership,
        topics: &Arc<QueryTopics>,
    ) -> Result<Option<Session>, LiveError> {
        let inputs = topics.inputs.iter().map(|(_, topic)| topic);
        settle(&self.placements, &self.cluster, &self.id, inputs).await;
        let schemas = self.schemas.clone().unwrap_or_default();
        let restoring = Restoring {
            cluster: self.cluster.clone(),
            settings: self.spec.settings.clone(),
            topics: Arc::clone(topics),
            layout: Arc::new(self.layout(topics).with_schemas(schemas)),
            directory: self.directory.clone(),
            probe: Arc::clone(&self.probe),
            is_replacement: self.spec.is_replacement,
            made_again: self.seen.made_again(topics),
            figures: Arc::clone(&self.figures),
        };
        let activating = guarded(restoring.clone().activate(membership));
        let activated = tokio::select! {
            activated = activating => activated.map_err(LiveError::from)??,
            state = membership.changed() => match state {
                MemberState::Failed(error) | MemberState::Fenced(error) => return Err(error.into()),
                _ => return Ok(None),
            },
            () = stopped(&mut self.stop) => return Ok(None),
        };
        self.seen = SeenTopics::of(topics);
        self.quarantine.forget_before(&activated.committed);
        let parts = SessionParts {
            query: self.id.clone(),
            workers: Arc::clone(&self.workers),
            figures: Arc::clone(&self.figures),
            log: Arc::clone(&self.log),
            lease: membership.lease(),
            quarantine: self.quarantine.clone(),
        };
        Ok(Some(Session::start(parts, &restoring, activated).await))
    }

    /// The schemas that it writes with, registered unless they have been.
    async fn register_schemas(&self) -> Result<Schemas, LiveError> {
        if let Some(schemas) = &self.schemas {
            return Ok(schemas.clone());
        }
        schemas::register(self.registry.as_ref(), &self.spec.plan, &self.application_id()).await
    }

    fn layout(&self, topics: &QueryTopics) -> Layout {
        let settings = &self.spec.settings;
        let options = LayoutOptions {
            topology: TopologyOptions {
                cached_groups: settings.cached_groups(),
                emit_interval_ms: settings.emit_interval_ms,
            },
            is_in_memory: !settings.repartitions_by_topic,
            partitioner: partition_for_key,
            max_idle: settings.max_idle,
            placement: self.placements.of(&self.id),
        };
        let (plan, counts) = (Arc::clone(&self.spec.plan), topics.counts.clone());
        Layout::new(plan, self.id.as_str(), counts, options)
    }

    /// Lets a session run until it fails, is to stop or to rest, or the group changes.
    pub(super) async fn run(
        &mut self,
        session: &mut Session,
        membership: &Membership,
        topics: &QueryTopics,
    ) -> Result<Ended, LiveError> {
        let mut watch = TopicWatch::start(&self.cluster, topics);
        let (end, ended) = watch::channel(false);
        let mut working = std::pin::pin!(session.run(membership, ended));
        let (mut is_ending, mut is_stopping, mut is_outgrown) = (false, false, false);
        let mut give_up = std::pin::pin!(tokio::time::sleep(Duration::MAX));
        loop {
            tokio::select! {
                done = &mut working => {
                    done?;
                    return Ok(match (is_stopping, is_outgrown) {
                        (true, _) => Ended::Stopped,
                        (false, true) => Ended::Outgrown,
                        (false, false) => Ended::Held,
                    });
                }
                state = membership.changed(), if !is_ending => match state {
                    MemberState::Rebalancing => {
                        is_ending = true;
                        end.send_replace(true);
                    }
                    MemberState::Failed(error) | MemberState::Fenced(error) => {
                        return Err(error.into());
                    }
                    _ => return Ok(Ended::Lost),
                },
                () = told(&mut self.paused, true), if !is_ending => {
                    is_ending = true;
                    end.send_replace(true);
                }
                () = stopped(&mut self.stop), if !is_stopping => {
                    (is_ending, is_stopping) = (true, true);
                    give_up.set(tokio::time::sleep(self.stop_within));
                    end.send_replace(true);
                }
                () = &mut give_up => {
                    tracing::warn!(
                        "query {} stopped before everything was committed; it will be read again",
                        self.id
                    );
                    return Ok(Ended::Stopped);
                }
                problem = watch.problem(), if !is_outgrown => match problem {
                    grown @ LiveError::TopicGrown { .. } => {
                        tracing::info!("query {}: {grown}; it goes on with all of them", self.id);
                        (is_ending, is_outgrown) = (true, true);
                        end.send_replace(true);
                    }
                    problem => return Err(problem),
                },
            }
        }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        self.placements.release(&self.id);
    }
}

/// Leaves a group, so that its other members need not wait for the session to time out.
fn leave(membership: Membership) {
    tokio::spawn(async move {
        if let Err(error) = membership.leave().await {
            tracing::debug!("left a group without a word: {error}");
        }
    });
}
