//! The side of the server: statements by its REST, and all of it taken back.

use std::collections::BTreeMap;

use super::error::ParityError;
use super::names::Names;
use super::rewrite::{Made, Sent};
use crate::apply::{Target, There};
use crate::cli::client::Client;
use crate::runtime::live::group_prefix;
use crate::sql::print;

/// The server, and what it was given.
pub(super) struct Theirs {
    target: Target,
    /// Its `ksql.service.id`.
    service_id: String,
    made: Vec<Made>,
}

/// A query of theirs that fills a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TheirQuery {
    /// Its consumer group.
    pub(super) group: String,
    /// The stream or table that it fills, under its prefix.
    pub(super) sink: String,
}

impl Theirs {
    /// A server that was given nothing yet; what it has, and how it is set up.
    pub(super) async fn meet(client: Client) -> Result<(Self, There), ParityError> {
        let info = client.info().await?;
        let service_id = info["ksqlServiceId"].as_str().map(str::to_owned);
        let service_id = service_id
            .ok_or_else(|| ParityError::Untold("its ksqlServiceId in /info".to_owned()))?;
        let target = Target::Rest(client);
        let there = target.look().await?;
        Ok((Self { target, service_id, made: Vec::new() }, there))
    }

    /// Runs a statement, and waits until it is done.
    pub(super) async fn send(&mut self, sent: &Sent) -> Result<(), ParityError> {
        // Where it fails, half of it may be there.
        self.made.push(sent.made.clone());
        let done = self.target.carry_out(&sent.text, &sent.properties).await;
        done.map_err(|error| ParityError::Theirs {
            place: sent.place,
            error: Box::new(error),
            text: sent.text.clone(),
        })
    }

    /// The queries that fill what was made, in the order in which they came to be.
    pub(super) async fn queries(&self, names: &Names) -> Result<Vec<TheirQuery>, ParityError> {
        let there = self.target.look().await?;
        let prefix = names.prefix();
        let mut queries: Vec<(u64, TheirQuery)> = Vec::new();
        for query in there.queries {
            let Some(sink) = query.sinks.iter().find(|sink| sink.starts_with(&prefix)) else {
                continue;
            };
            let number = query.id.rsplit('_').next().and_then(|number| number.parse().ok());
            let group = format!("{}{}", group_prefix(&self.service_id), query.id);
            queries.push((number.unwrap_or(0), TheirQuery { group, sink: sink.clone() }));
        }
        queries.sort_by_key(|(number, _)| *number);
        Ok(queries.into_iter().map(|(_, query)| query).collect())
    }

    /// Takes back what was made, the last first; says what is left.
    pub(super) async fn clear(&mut self, names: &Names) -> Vec<String> {
        if self.made.is_empty() {
            return Vec::new();
        }
        let there = match self.target.look().await {
            Ok(there) => there,
            Err(error) => {
                return vec![format!(
                    "on the other side, all that begins with {}: {error}",
                    names.prefix()
                )];
            }
        };
        let prefix = names.prefix();
        let own = there.queries.iter().filter(|query| {
            !query.sinks.is_empty() && query.sinks.iter().all(|sink| sink.starts_with(&prefix))
        });
        let mut statements: Vec<String> =
            own.rev().map(|query| format!("TERMINATE {};", print::identifier(&query.id))).collect();
        let is_there = |name: &str| there.sources.iter().any(|source| source.name == name);
        for made in self.made.iter().rev() {
            match made {
                Made::Source { kind, name, has_own_topic } if is_there(name) => {
                    let (kind, name) = (kind.as_str(), print::identifier(name));
                    let topic = if *has_own_topic { " DELETE TOPIC" } else { "" };
                    statements.push(format!("DROP {kind} IF EXISTS {name}{topic};"));
                }
                Made::Type(name) if there.types.iter().any(|(known, _)| known == name) => {
                    statements.push(format!("DROP TYPE IF EXISTS {};", print::identifier(name)));
                }
                _ => {}
            }
        }
        let mut left = Vec::new();
        for statement in statements {
            if let Err(error) = self.target.carry_out(&statement, &BTreeMap::new()).await {
                left.push(format!("{statement} {error}"));
            }
        }
        self.made.clear();
        left
    }
}
