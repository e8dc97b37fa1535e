//! Properties by ksqlDB's names, and what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::java_properties;
use super::known_properties::{self, PropertyError, canonical};
use crate::expr::aggregates::AggregateLimits;
use crate::plan::{PlanConfig, ReadFeature};
use crate::sql::{ParseOptions, Variables};

/// Properties of a server or a session: `ksql.service.id`, `auto.offset.reset` and so on.
///
/// A property of Kafka Streams, its consumers or its producers may carry `ksql.streams.` and a
/// further `consumer.` or `producer.` before its name, as in ksqlDB's server configuration. That
/// makes no other property of it: the last value holds, however its name was written.
///
/// A copy shares them until one of the two changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Properties(Arc<BTreeMap<String, Written>>);

/// A value, and the name under which it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Written {
    name: String,
    value: String,
}

impl Properties {
    /// Properties from names and values.
    pub fn new(properties: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut all = Self::default();
        properties.into_iter().for_each(|(name, value)| all.set(name, value));
        all
    }

    /// Reads a Java properties file as `java.util.Properties` does, but for space at the end of a value.
    pub fn parse(text: &str) -> Self {
        let mut properties = Self::default();
        for line in java_properties::logical_lines(text) {
            let (name, value) = java_properties::split(&line);
            properties.set(name, value.trim_end());
        }
        properties
    }

    /// Sets a property.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        let all = Arc::make_mut(&mut self.0);
        all.insert(canonical(&name).to_owned(), Written { name, value });
    }

    /// Removes a property.
    pub fn unset(&mut self, name: &str) {
        Arc::make_mut(&mut self.0).remove(canonical(name));
    }

    /// Adds all of `other`, which win.
    pub fn extend(&mut self, other: &Self) {
        if !other.0.is_empty() {
            let others = other.0.iter().map(|(name, written)| (name.clone(), written.clone()));
            Arc::make_mut(&mut self.0).extend(others);
        }
    }

    /// All properties, with their names as they were given.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.values().map(|written| (written.name.as_str(), written.value.as_str()))
    }

    /// All properties by their names as they were given.
    pub fn to_map(&self) -> BTreeMap<String, String> {
        self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// The value of `name`, with or without the prefixes that a server configuration uses.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(canonical(name)).map(|written| written.value.as_str())
    }

    /// How statements are read that begin with these variables.
    pub fn parse_options(&self, variables: Variables) -> ParseOptions {
        let substitutes = self.flag("ksql.variable.substitution.enable", true).unwrap_or(true);
        ParseOptions {
            variables: substitutes.then_some(variables),
            is_strict: self.flag("ksql.millstream.strict", false).unwrap_or(false),
            ..ParseOptions::default()
        }
    }

    /// Checks the values of what is known.
    pub fn check(&self) -> Result<(), PropertyError> {
        self.iter().try_for_each(|(name, value)| known_properties::check_server(name, value))
    }

    /// The names that mean nothing, each with the one that was perhaps meant.
    pub fn unknown(&self) -> impl Iterator<Item = (&str, Option<&'static str>)> {
        let names = self.iter().map(|(name, _)| name);
        let unknown = names.filter(|name| !known_properties::is_known_to_servers(name));
        unknown.map(|name| (name, known_properties::nearest(name)))
    }

    /// The names that others know and that do nothing here, each with what is to be said of it.
    pub fn without_effect(&self) -> impl Iterator<Item = (&str, String)> {
        let known = self.iter().filter(|(name, _)| known_properties::is_known_to_servers(name));
        known.filter_map(|(name, value)| {
            Some((name, known_properties::without_effect(name, value)?))
        })
    }

    /// The same where they are those of a server.
    pub fn without_effect_on_servers(&self) -> impl Iterator<Item = (&str, String)> {
        let known = self.iter().filter(|(name, _)| known_properties::is_known_to_servers(name));
        known.filter_map(|(name, value)| {
            Some((name, known_properties::without_effect_on_servers(name, value)?))
        })
    }

    /// The number under `name`, or `default`.
    pub fn number(&self, name: &str, default: i64) -> Result<i64, PropertyError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.trim().parse().map_err(|_| PropertyError {
            name: name.to_owned(),
            found: text.to_owned(),
            reason: "Not a number of type LONG".to_owned(),
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
                reason: "Expected value to be either true or false".to_owned(),
            }),
        }
    }

    /// The properties that Kafka clients understand, without prefixes.
    pub fn for_clients(&self) -> BTreeMap<String, String> {
        let own = |name: &str| name.starts_with("ksql.");
        let all = self.0.iter().filter(|(name, _)| !own(name));
        all.map(|(name, written)| (name.clone(), written.value.clone())).collect()
    }

    /// All of them.
    pub fn all(&self) -> BTreeMap<String, String> {
        let all = self.0.iter().map(|(name, written)| (name.clone(), written.value.clone()));
        all.collect()
    }

    /// What planning has to know.
    pub fn plan_config(&self) -> PlanConfig {
        let defaults = PlanConfig::default();
        let limit = |name: &str, default: usize| {
            let limit = self.get(name).and_then(|text| text.parse::<i64>().ok());
            limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(default))
        };
        let is_true =
            |name: &str| self.get(name).is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let is_false =
            |name: &str| self.get(name).is_some_and(|text| text.eq_ignore_ascii_case("false"));
        let millis = |name: &str| self.get(name).and_then(|text| text.trim().parse::<i64>().ok());
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
            has_new_planner: is_true("ksql.new.query.planner.enabled"),
            is_strict: is_true("ksql.millstream.strict"),
            over_grace_ms: millis("ksql.millstream.over.grace.ms")
                .unwrap_or(defaults.over_grace_ms),
            over_retention_ms: millis("ksql.millstream.over.retention.ms").filter(|ms| *ms >= 0),
            switched_off: ReadFeature::ALL
                .into_iter()
                .filter(|feature| is_false(feature.property()))
                .collect(),
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
        let text = "! comment\r\n  a\\=b : c\\\\\nd\\n\\u00e9 = one\\ntwo\\\n   three\nlast four=4\nbare\n";
        let read: Vec<_> = Properties::parse(text).all().into_iter().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair("a=b", "c\\"),
            pair("bare", ""),
            pair("d\n\u{e9}", "one\ntwothree"),
            pair("last", "four=4"),
        ];
        assert_eq!(read, expected);
    }

    #[test]
    fn the_last_value_holds_however_its_name_is_written() {
        let mut properties = Properties::default();
        properties.set("auto.offset.reset", "latest");
        properties.set("ksql.streams.consumer.auto.offset.reset", "earliest");
        assert_eq!(properties.get("auto.offset.reset"), Some("earliest"));
        let mut session = Properties::default();
        session.set("auto.offset.reset", "none");
        properties.extend(&session);
        assert_eq!(properties.get("ksql.streams.auto.offset.reset"), Some("none"));
        properties.unset("ksql.streams.auto.offset.reset");
        assert_eq!(properties.get("auto.offset.reset"), None);
    }

    #[test]
    fn what_means_nothing_is_named_with_what_was_perhaps_meant() {
        let text = "ksql.streams.auto.offset.rest=earliest\nlisteners=http://0.0.0.0:8088\n";
        let properties = Properties::parse(text);
        let unknown: Vec<_> = properties.unknown().collect();
        assert_eq!(unknown, [("ksql.streams.auto.offset.rest", Some("auto.offset.reset"))]);
        let error = Properties::parse("commit.interval.ms=soon").check().unwrap_err();
        assert_eq!(error.name, "commit.interval.ms");
    }
}
