//! Properties by ksqlDB's names, and what they say.

use std::collections::BTreeMap;

use crate::expr::aggregates::AggregateLimits;
use crate::plan::PlanConfig;

/// Properties of a server or a session: `ksql.service.id`, `auto.offset.reset` and so on.
///
/// A property of Kafka Streams, its consumers or its producers may carry `ksql.streams.` and a
/// further `consumer.` or `producer.` before its name, as in ksqlDB's server configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(BTreeMap<String, String>);

/// A property whose value cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("property {name} is {found}, but {expected} is expected")]
pub struct PropertyError {
    /// The property.
    pub name: String,
    /// Its value.
    pub found: String,
    /// What it could have been.
    pub expected: &'static str,
}

impl Properties {
    /// Properties from names and values.
    pub fn new(properties: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(properties.into_iter().collect())
    }

    /// Reads a Java properties file: `name=value` lines, `#` and `!` comments, `\` at a line's end.
    pub fn parse(text: &str) -> Self {
        let mut properties = Self::default();
        let mut line = String::new();
        for part in text.lines() {
            let part = part.trim_start();
            if line.is_empty()
                && (part.starts_with('#') || part.starts_with('!') || part.is_empty())
            {
                continue;
            }
            if let Some(continued) = part.strip_suffix('\\') {
                line.push_str(continued);
                continue;
            }
            line.push_str(part);
            if let Some((name, value)) = line.split_once(['=', ':']) {
                properties.set(name.trim(), value.trim());
            }
            line.clear();
        }
        properties
    }

    /// Sets a property.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// Removes a property.
    pub fn unset(&mut self, name: &str) {
        self.0.remove(name);
    }

    /// Adds all of `other`, which win.
    pub fn extend(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, value)| (name.clone(), value.clone())));
    }

    /// All properties.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of `name`, with or without the prefixes that a server configuration uses.
    pub fn get(&self, name: &str) -> Option<&str> {
        let prefixes = ["", "ksql.streams.", "ksql.streams.consumer.", "ksql.streams.producer."];
        prefixes
            .iter()
            .find_map(|prefix| self.0.get(&format!("{prefix}{name}")))
            .map(String::as_str)
    }

    /// The number under `name`, or `default`.
    pub fn number(&self, name: &str, default: i64) -> Result<i64, PropertyError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.trim().parse().map_err(|_| PropertyError {
            name: name.to_owned(),
            found: text.to_owned(),
            expected: "a whole number",
        })
    }

    /// Whether `name` is true, or `default`.
    pub fn flag(&self, name: &str, default: bool) -> Result<bool, PropertyError> {
        match self.get(name).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None => Ok(default),
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            Some(found) => Err(PropertyError {
                name: name.to_owned(),
                found: found.to_owned(),
                expected: "true or false",
            }),
        }
    }

    /// The properties that Kafka clients understand, without prefixes.
    pub fn for_clients(&self) -> BTreeMap<String, String> {
        let strip = |name: &str| {
            let name = name.strip_prefix("ksql.streams.").unwrap_or(name);
            let name = name.strip_prefix("consumer.").unwrap_or(name);
            name.strip_prefix("producer.").unwrap_or(name).to_owned()
        };
        let own = |name: &str| name.starts_with("ksql.") && !name.starts_with("ksql.streams.");
        let all = self.0.iter().filter(|(name, _)| !own(name));
        all.map(|(name, value)| (strip(name), value.clone())).collect()
    }

    /// What planning has to know.
    pub fn plan_config(&self) -> PlanConfig {
        let defaults = PlanConfig::default();
        let limit = |name: &str, default: usize| {
            let limit = self.get(name).and_then(|text| text.parse::<i64>().ok());
            limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(default))
        };
        let unlimited = AggregateLimits::default();
        PlanConfig {
            default_key_format: self
                .get("ksql.persistence.default.format.key")
                .map_or(defaults.default_key_format, str::to_owned),
            default_value_format: self
                .get("ksql.persistence.default.format.value")
                .map(str::to_owned),
            wrap_single_values: self
                .get("ksql.persistence.wrap.single.values")
                .and_then(|text| text.parse().ok()),
            output_topic_prefix: self
                .get("ksql.output.topic.name.prefix")
                .unwrap_or_default()
                .to_owned(),
            aggregate_limits: AggregateLimits {
                collect_list: limit("ksql.functions.collect_list.limit", unlimited.collect_list),
                collect_set: limit("ksql.functions.collect_set.limit", unlimited.collect_set),
            },
            with_test_functions: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_properties_file_is_read_as_java_reads_it() {
        let text = "# comment\nksql.service.id = app_\nksql.streams.auto.offset.reset=earliest\n\
                    bootstrap.servers=a:1,\\\n  b:2\n";
        let properties = Properties::parse(text);
        assert_eq!(properties.get("ksql.service.id"), Some("app_"));
        assert_eq!(properties.get("auto.offset.reset"), Some("earliest"));
        assert_eq!(properties.get("bootstrap.servers"), Some("a:1,b:2"));
        assert!(properties.for_clients().contains_key("auto.offset.reset"));
    }
}
