//! The topics of a cluster: what there is, made, described and deleted.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use millstream::kafka::admin::{Admin, ConfigResource, ListedOffset, NewTopic, OffsetSpec};
use millstream::kafka::cluster::TopicMetadata;
use millstream::kafka::config::Isolation;
use millstream::kafka::{ResponseError, TopicPartition};
use millstream::registry::RegistryClient;
use serde_json::{Value, json};

use crate::args::{CreateTopicArgs, TopicsOutput};

/// The topics of a cluster, and how answers about them are printed.
pub(super) struct Topics {
    pub(super) admin: Admin,
    pub(super) output: TopicsOutput,
    /// Where the schemas of records are, if that is said.
    pub(super) registry: Option<RegistryClient>,
}

impl Topics {
    pub(super) async fn list(&self, internal: bool) -> anyhow::Result<()> {
        let topics = self.admin.list_topics().await?;
        let topics: Vec<_> =
            topics.into_iter().filter(|topic| internal || !is_internal(topic)).collect();
        let ends = self.ends(topics.iter().map(|topic| &**topic)).await?;
        let mut rows = Vec::with_capacity(topics.len());
        for topic in &topics {
            let held = held(topic, &ends);
            let copies = topic.partitions.first().map_or(0, |first| first.replicas.len());
            rows.push(json!({
                "topic": &*topic.name, "partitions": topic.partitions.len(), "replicas": copies,
                "offsets": held,
            }));
        }
        self.print(&["topic", "partitions", "replicas", "offsets"], &rows)?;
        if rows.is_empty() && self.output == TopicsOutput::Text {
            eprintln!(
                "there are no topics{}",
                if internal { "" } else { " but Kafka's own, if any" }
            );
        }
        Ok(())
    }

    pub(super) async fn create(&self, args: &CreateTopicArgs) -> anyhow::Result<()> {
        let mut configs = BTreeMap::new();
        for config in &args.configs {
            let (name, value) = config
                .split_once('=')
                .with_context(|| format!("--config {config}: expected NAME=VALUE"))?;
            configs.insert(name.trim().to_owned(), value.trim().to_owned());
        }
        let topic = NewTopic {
            name: args.topic.clone(),
            partitions: args.partitions,
            replication_factor: args.replication_factor,
            configs,
        };
        match self.admin.create_topic(&topic).await {
            Err(error)
                if args.if_not_exists && error.is_code(ResponseError::TopicAlreadyExists) =>
            {
                self.say(&args.topic, "is there already")
            }
            done => {
                done?;
                self.say(&args.topic, "created")
            }
        }
    }

    pub(super) async fn describe(&self, names: &[String]) -> anyhow::Result<()> {
        for (index, name) in names.iter().enumerate() {
            let topic = self.topic(name).await?;
            let ends = self.ends([&*topic]).await?;
            let rows: Vec<Value> = topic
                .partitions
                .iter()
                .map(|partition| {
                    let (first, end) =
                        ends.get(&(name.clone(), partition.partition)).copied().unwrap_or_default();
                    json!({
                        "partition": partition.partition, "leader": partition.leader,
                        "replicas": partition.replicas, "in_sync": partition.in_sync,
                        "first_offset": first, "end_offset": end,
                    })
                })
                .collect();
            let configs = self.admin.describe_configs(&ConfigResource::Topic(name.clone())).await?;
            let own = configs.into_iter().filter(|config| !config.is_default);
            let own: BTreeMap<_, _> = own.map(|config| (config.name, config.value)).collect();
            if self.output == TopicsOutput::Json {
                let described = json!({"topic": name, "partitions": rows, "configs": own});
                writeln!(io::stdout(), "{described}")?;
                continue;
            }
            let blank = if index == 0 { "" } else { "\n" };
            writeln!(io::stdout(), "{blank}{name}: {} partitions", rows.len())?;
            let columns =
                ["partition", "leader", "replicas", "in_sync", "first_offset", "end_offset"];
            self.print(&columns, &rows)?;
            for (name, value) in own {
                writeln!(io::stdout(), "{name}={}", value.unwrap_or_default())?;
            }
        }
        Ok(())
    }

    pub(super) async fn delete(&self, names: &[String], yes: bool) -> anyhow::Result<()> {
        for name in names {
            self.topic(name).await?;
        }
        if !yes && !confirmed(names)? {
            anyhow::bail!("nothing is deleted");
        }
        for name in names {
            self.admin.delete_topic(name).await?;
            self.say(name, "deleted")?;
        }
        Ok(())
    }

    /// What the cluster says about a topic that must be there.
    pub(super) async fn topic(&self, name: &str) -> anyhow::Result<std::sync::Arc<TopicMetadata>> {
        if let Some(topic) = self.admin.describe_topic(name).await? {
            return Ok(topic);
        }
        let all = self.admin.list_topics().await?;
        let near = all.iter().map(|topic| (strsim::damerau_levenshtein(&topic.name, name), topic));
        let near =
            near.filter(|(distance, _)| *distance <= 2).min_by_key(|(distance, _)| *distance);
        let hint = near.map(|(_, topic)| format!(" (did you mean {}?)", topic.name));
        anyhow::bail!("there is no topic '{name}'{}", hint.unwrap_or_default())
    }

    /// The first and the end offset of each partition.
    pub(super) async fn ends(
        &self,
        topics: impl IntoIterator<Item = &TopicMetadata>,
    ) -> anyhow::Result<BTreeMap<(String, i32), (i64, i64)>> {
        let all: Vec<TopicPartition> = topics
            .into_iter()
            .flat_map(|topic| {
                let led = topic.partitions.iter().filter(|partition| partition.leader.is_some());
                led.map(|partition| TopicPartition::new(&*topic.name, partition.partition))
            })
            .collect();
        let ask = async |spec: OffsetSpec| {
            let wanted: Vec<_> = all.iter().map(|partition| (partition.clone(), spec)).collect();
            self.admin.list_offsets(&wanted, Isolation::ReadUncommitted).await
        };
        let (first, end) = (ask(OffsetSpec::Earliest).await?, ask(OffsetSpec::Latest).await?);
        let offset =
            |listed: Option<&ListedOffset>| listed.and_then(|listed| listed.offset).unwrap_or(0);
        let entry = |partition: &TopicPartition| {
            let range = (offset(first.get(partition)), offset(end.get(partition)));
            ((partition.topic.to_string(), partition.partition), range)
        };
        Ok(all.iter().map(entry).collect())
    }

    fn say(&self, topic: &str, done: &str) -> anyhow::Result<()> {
        let mut out = io::stdout();
        match self.output {
            TopicsOutput::Text => writeln!(out, "{topic} {done}")?,
            TopicsOutput::Json => writeln!(out, "{}", json!({"topic": topic, "status": done}))?,
        }
        Ok(())
    }

    /// Prints objects, as lines of JSON or as a table of these fields.
    fn print(&self, columns: &[&str], rows: &[Value]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.output {
            TopicsOutput::Json => rows.iter().try_for_each(|row| writeln!(out, "{row}")),
            TopicsOutput::Text => out.write_all(table(columns, rows).as_bytes()),
        }
    }
}

/// How many offsets the partitions of a topic hold; compacted ones hold fewer records.
fn held(topic: &TopicMetadata, ends: &BTreeMap<(String, i32), (i64, i64)>) -> i64 {
    let name = topic.name.to_string();
    let partitions = topic.partitions.iter().map(|partition| (name.clone(), partition.partition));
    let ranges = partitions.filter_map(|key| ends.get(&key));
    ranges.map(|(first, end)| end.saturating_sub(*first)).fold(0, i64::saturating_add)
}

fn is_internal(topic: &TopicMetadata) -> bool {
    topic.is_internal || topic.name.starts_with("__")
}

/// Asks at the terminal; where there is none, the answer is no.
fn confirmed(names: &[String]) -> anyhow::Result<bool> {
    anyhow::ensure!(
        io::stdin().is_terminal(),
        "whether to delete {} cannot be asked here; --yes says so",
        names.join(", ")
    );
    eprint!("delete {} and all their records? [y/N] ", names.join(", "));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

/// Objects as a table with aligned columns, numbers to the right.
fn table(columns: &[&str], rows: &[Value]) -> String {
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    };
    let mut lines: Vec<Vec<String>> =
        vec![columns.iter().map(|column| column.replace('_', " ").to_uppercase()).collect()];
    lines
        .extend(rows.iter().map(|row| columns.iter().map(|column| shown(&row[*column])).collect()));
    let widths: Vec<usize> = (0..columns.len())
        .map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0))
        .collect();
    let is_number: Vec<bool> =
        columns.iter().map(|column| rows.iter().all(|row| row[*column].is_number())).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths.iter().zip(&is_number)).map(|(cell, (width, right))| {
            if *right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_aligned() {
        let rows =
            [json!({"topic": "a", "end_offset": 5}), json!({"topic": "long", "end_offset": 12})];
        assert_eq!(
            table(&["topic", "end_offset"], &rows),
            "TOPIC  END OFFSET\na               5\nlong           12\n"
        );
    }
}
