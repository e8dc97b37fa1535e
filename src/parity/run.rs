//! A comparison from its files to its report, and everything taken back.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::error::ParityError;
use super::feeding::Feeding;
use super::known_schemas::KnownSchemas;
use super::names::{Names, Side};
use super::ours::{self, Ours};
use super::record::Placed;
use super::report::{Report, SinkReport};
use super::rewrite::{FIXED, Rewritten, World, rewrite};
use super::sink;
use super::theirs::{TheirQuery, Theirs};
use super::topics;
use super::trace::{Traced, trace};
use super::wait::{Reader, ends_of, until_at_ends};
use crate::apply::There;
use crate::cli::client::Client;
use crate::engine::headless::HeadlessError;
use crate::engine::{Properties, Services, unread};
use crate::kafka::admin::Admin;
use crate::registry::Registry;
use crate::sql::{Diagnostic, Text, Variables, read};

/// What the other side's names of topics begin with.
const TOPIC_PREFIX: &str = "ksql.output.topic.name.prefix";
/// Properties of a server that say what statements mean: ours are those of the other side, unless they are given.
const MEANING: [&str; 3] = ["ksql.persistence.", "ksql.functions.", "ksql.cast."];
/// How often it is tried to read while an input grows.
const ROUNDS_MAX: usize = 5;

/// What a comparison is made with.
#[derive(Clone, Debug)]
pub struct ParityOptions {
    /// The properties of our side: brokers, registry, and what they are asked with.
    pub properties: Properties,
    /// Variables by their names in small letters; those that files define come over them.
    pub variables: Variables,
    /// How long both sides may take to come to the ends of their inputs.
    pub within: Duration,
    /// Whether what was made is left there.
    pub keeps: bool,
}

/// How a comparison ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was found, unless it was stopped.
    pub found: Result<Option<Report>, ParityError>,
    /// What could not be taken back.
    pub left: Vec<String>,
}

/// Both sides, as far as they have come.
struct Sides {
    names: Names,
    services: Services,
    theirs: Option<Theirs>,
    ours: Option<Ours>,
}

/// Runs statements on both sides and compares what they write; takes it all back at the end, or when `stop` is ready.
pub async fn run(
    text: &Text,
    client: Client,
    options: &ParityOptions,
    stop: impl Future<Output = ()>,
) -> Outcome {
    let names = Names::new();
    let mut properties = options.properties.clone();
    properties.set("ksql.service.id", names.service_id());
    for (name, value) in FIXED {
        properties.set(name, value);
    }
    let services = match Services::new(&properties) {
        Ok(services) => services,
        Err(error) => return Outcome { found: Err(error.into()), left: Vec::new() },
    };
    let mut sides = Sides { names, services, theirs: None, ours: None };
    let found = tokio::select! {
        found = sides.compare(text, client, (properties, options)) => found.map(Some),
        () = stop => Ok(None),
    };
    let left = sides.end(options.keeps).await;
    Outcome { found, left }
}

impl Sides {
    async fn compare(
        &mut self,
        text: &Text,
        client: Client,
        (mut properties, options): (Properties, &ParityOptions),
    ) -> Result<Report, ParityError> {
        let admin = Admin::new(&self.services.cluster);
        let (theirs, there) = Theirs::meet(client).await?;
        self.theirs = Some(theirs);
        take_meaning(&mut properties, &there);
        let read = read(text.clone(), &properties.parse_options(options.variables.clone()));
        if !read.faulty.is_empty() {
            let faulty = read.faulty.iter().map(|one| unread(&one.errors)).collect();
            return Err(ParityError::Statements(faulty));
        }
        let world = world(&admin, &there).await?;
        let rewritten = rewrite(&read.statements, &self.names, &world);
        let rewritten = rewritten.map_err(ParityError::Statements)?;
        let started = Ours::start(&self.services, &properties, &rewritten.ours).await;
        self.ours = Some(started.map_err(|error| self.placed(error, &rewritten))?);
        let theirs = self.send(&rewritten).await?;
        self.found(&admin, &rewritten, &theirs, options).await
    }

    /// Starts the other side; the queries there that fill sinks.
    async fn send(&mut self, rewritten: &Rewritten) -> Result<Vec<TheirQuery>, ParityError> {
        let Some(theirs) = &mut self.theirs else { return Ok(Vec::new()) };
        for sent in &rewritten.theirs {
            theirs.send(sent).await?;
        }
        theirs.queries(&self.names).await
    }

    /// Waits for both sides, and compares what they wrote.
    async fn found(
        &self,
        admin: &Admin,
        rewritten: &Rewritten,
        theirs: &[TheirQuery],
        options: &ParityOptions,
    ) -> Result<Report, ParityError> {
        let Some(ours) = &self.ours else { return Err(ParityError::Untold("anything".to_owned())) };
        let readers = readers(ours, rewritten, theirs)?;
        let inputs = inputs(ours, rewritten);
        let (sinks, read) = self.settled(admin, &readers, &inputs, options).await?;
        tracing::info!("both sides are at the ends of {}", inputs.join(", "));
        let sinks = Arc::new(sinks);
        let mut feedings = self.trace(ours, read, &sinks, rewritten).await?;
        let mut rows = Vec::with_capacity(rewritten.sinks.len());
        for pair in &rewritten.sinks {
            let feeding =
                feedings.remove(&pair.ours).unwrap_or_else(|| Feeding::open("no query fills it"));
            let records = sinks.get(&pair.ours).map_or(&[][..], Vec::as_slice);
            let found = sink::compare(&self.services, pair, records, feeding).await?;
            rows.push(SinkReport { pair: pair.clone(), found });
        }
        Ok(Report { prefix: self.names.prefix(), sinks: rows, notes: rewritten.notes.clone() })
    }

    /// What our sinks and the inputs hold once both sides have processed all of these.
    async fn settled(
        &self,
        admin: &Admin,
        readers: &[Reader],
        inputs: &[String],
        options: &ParityOptions,
    ) -> Result<(Records, Records), ParityError> {
        let Some(ours) = &self.ours else { return Ok((Records::new(), Records::new())) };
        let cluster = &self.services.cluster;
        let sinks: BTreeSet<&str> =
            ours.queries.iter().map(|spec| spec.plan.sink.topic.as_str()).collect();
        let mut grown = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let before = ends_of(admin, inputs).await?;
            until_at_ends(admin, ours, readers, options.within).await?;
            let written = topics::read(cluster, sinks.iter().copied()).await?;
            let given = topics::read(cluster, inputs.iter().map(String::as_str)).await?;
            let after = ends_of(admin, inputs).await?;
            if before == after {
                return Ok((written, given));
            }
            let has_grown = |(at, end): (&crate::kafka::TopicPartition, &i64)| {
                let was = before.get(at).copied().unwrap_or_default();
                (was < *end).then(|| format!("both: {at} grows, from {was} to {end} meanwhile"))
            };
            grown = after.iter().filter_map(has_grown).collect();
        }
        Err(ParityError::Behind { within_s: options.within.as_secs(), behind: grown })
    }

    /// Finds out which partitions feed what.
    async fn trace(
        &self,
        ours: &Ours,
        inputs: Records,
        sinks: &Arc<Records>,
        rewritten: &Rewritten,
    ) -> Result<HashMap<String, Feeding>, ParityError> {
        let registry: Option<Arc<dyn Registry>> = match &self.services.registry {
            Some(client) => Some(Arc::new(KnownSchemas::of(client, &ours.queries).await?)),
            None => None,
        };
        let traced = Traced {
            queries: ours.queries.clone(),
            inputs,
            sinks: Arc::clone(sinks),
            open: rewritten.open.clone(),
            registry,
        };
        // It computes for as long as there are records.
        let tracing = tokio::task::spawn_blocking(move || trace(&traced));
        match tracing.await {
            Ok(feedings) => Ok(feedings?),
            Err(error) => Err(ParityError::Untraced(error.to_string())),
        }
    }

    /// What our side refuses, at the place in the files.
    fn placed(&self, error: ParityError, rewritten: &Rewritten) -> ParityError {
        let ParityError::Ours { error, text } = error else { return error };
        let HeadlessError::Statements(faults) = error.as_ref() else {
            return ParityError::Ours { error, text };
        };
        let prefix = self.names.prefix();
        let told = |fault: &Diagnostic| {
            let at = fault.labels.first().map_or(0, |(span, _)| span.start);
            let told = Diagnostic::new(fault.message.replace(&prefix, ""));
            let told =
                fault.help.iter().fold(told, |told, help| told.help(help.replace(&prefix, "")));
            match rewritten.place_of(at) {
                Some(place) => told.at(place, "in this statement"),
                None => told,
            }
        };
        ParityError::Statements(faults.iter().map(told).collect())
    }

    /// Stops both sides, and takes back what they made unless it is kept; says what is left.
    async fn end(self, keeps: bool) -> Vec<String> {
        if let Some(ours) = self.ours {
            ours.stop().await;
        }
        if keeps {
            return Vec::new();
        }
        let Some(mut theirs) = self.theirs else { return Vec::new() };
        let mut left = theirs.clear(&self.names).await;
        left.extend(ours::clear(&self.services, &self.names).await);
        left
    }
}

/// The records of topics.
type Records = HashMap<String, Vec<Placed>>;

/// Lets our side read statements as the other one does.
fn take_meaning(properties: &mut Properties, there: &There) {
    let given = properties.to_map();
    for (name, value) in &there.properties {
        let has_meaning = MEANING.iter().any(|prefix| name.starts_with(prefix));
        if has_meaning && !given.contains_key(name) {
            properties.set(name.as_str(), value.as_str());
        }
    }
}

async fn world(admin: &Admin, there: &There) -> Result<World, ParityError> {
    let listed = admin.list_topics().await?;
    let count = |partitions: usize| i32::try_from(partitions).unwrap_or(i32::MAX);
    Ok(World {
        topic_prefix: there.properties.get(TOPIC_PREFIX).cloned().unwrap_or_default(),
        topics: listed
            .iter()
            .map(|topic| (topic.name.to_string(), count(topic.partitions.len())))
            .collect(),
    })
}

/// The topics that are read and that nobody here writes.
fn inputs(ours: &Ours, rewritten: &Rewritten) -> Vec<String> {
    let is_own = |topic: &&str| rewritten.sinks.iter().any(|pair| pair.ours == **topic);
    let sources = ours.queries.iter().flat_map(|spec| spec.plan.sources());
    let topics = sources.map(|(_, source)| source.topic.as_str()).filter(|topic| !is_own(topic));
    topics.collect::<BTreeSet<_>>().into_iter().map(str::to_owned).collect()
}

/// The queries of both sides, ours first.
fn readers(
    ours: &Ours,
    rewritten: &Rewritten,
    theirs: &[TheirQuery],
) -> Result<Vec<Reader>, ParityError> {
    let (mut readers, mut others) = (Vec::new(), Vec::new());
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for spec in &ours.queries {
        let sink = spec.plan.sink.name.as_str();
        let number = seen.entry(sink).or_default();
        let their = theirs.iter().filter(|query| query.sink == sink).nth(*number);
        let their =
            their.ok_or_else(|| ParityError::Untold(format!("of the query that fills {sink}")))?;
        *number += 1;
        let topics: Vec<String> =
            spec.plan.sources().map(|(_, source)| source.topic.clone()).collect();
        let at_theirs = |topic: &String| {
            let pair = rewritten.sinks.iter().find(|pair| pair.ours == *topic);
            pair.map_or_else(|| topic.clone(), |pair| pair.theirs.clone())
        };
        others.push(Reader {
            side: Side::Theirs,
            group: their.group.clone(),
            topics: topics.iter().map(at_theirs).collect(),
        });
        let group = spec.settings.application_id(&spec.id);
        readers.push(Reader { side: Side::Ours, group, topics });
    }
    readers.append(&mut others);
    Ok(readers)
}
