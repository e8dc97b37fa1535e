//! How objects differ. What may be added and removed depends on the content model: open (anything may stand beside the
//! properties), closed (nothing), or partially open (what a schema says).

use fancy_regex::Regex;

use super::compare::Comparison;
use super::{Kind, More, NodeId, Objects};

/// How often a pattern of names may step back before it counts as one that does not match.
const BACKTRACK_MAX: usize = 100_000;

impl<'a> Comparison<'a> {
    pub(super) fn objects(&mut self, original: &'a Objects, update: &'a Objects) {
        self.within("required", |comparison| comparison.required(original, update));
        self.within("properties", |comparison| comparison.properties(original, update));
        self.within("dependencies", |comparison| comparison.dependencies(original, update));
        self.within("additionalProperties", |comparison| {
            let kinds = ["ADDITIONAL_PROPERTIES_REMOVED", "ADDITIONAL_PROPERTIES_NARROWED"];
            comparison.more(original.additional, update.additional, kinds);
        });
        self.upper(
            "maxProperties",
            [original.properties_max, update.properties_max],
            ["MAX_PROPERTIES_ADDED", "MAX_PROPERTIES_DECREASED"],
        );
        self.lower(
            "minProperties",
            [original.properties_min, update.properties_min],
            ["MIN_PROPERTIES_ADDED", "MIN_PROPERTIES_INCREASED"],
        );
    }

    /// What may stand beside what is listed; `kinds` are for nothing any more, and for less than before.
    pub(super) fn more(&mut self, original: More, update: More, kinds: [&'static str; 2]) {
        match (original, update) {
            (More::Closed, _) | (_, More::Open) => {}
            (_, More::Closed) => self.tell(kinds[0]),
            (More::Open, More::Of(_)) => self.tell(kinds[1]),
            (More::Of(original), More::Of(update)) => self.schemas(original, update),
        }
    }

    fn required(&mut self, original: &'a Objects, update: &'a Objects) {
        let both =
            original.properties.keys().filter_map(|name| update.properties.get_key_value(name));
        for (name, node) in both {
            let is_new = update.required.contains(name) && !original.required.contains(name);
            if is_new && !self.has_default(*node) {
                self.tell_at(name, "REQUIRED_ATTRIBUTE_ADDED");
            }
        }
    }

    fn has_default(&self, update: NodeId) -> bool {
        self.update.nodes[update].has_default || self.update.resolve(update).1.has_default
    }

    fn properties(&mut self, original: &'a Objects, update: &'a Objects) {
        for (name, node) in &original.properties {
            self.within(name, |comparison| match update.properties.get(name) {
                Some(updated) => comparison.schemas(*node, *updated),
                None => comparison.removed(name, *node, update),
            });
        }
        let added =
            update.properties.iter().filter(|(name, _)| !original.properties.contains_key(*name));
        for (name, node) in added {
            self.within(name, |comparison| comparison.added(name, *node, original, update));
        }
    }

    /// A property can go only where the reader takes it among others.
    fn removed(&mut self, name: &str, node: NodeId, update: &'a Objects) {
        match covering(update, name) {
            More::Open => {}
            More::Of(covering) => {
                if !self.gets_on(node, covering) {
                    self.tell("PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
                }
            }
            More::Closed => {
                if !matches!(self.original.resolve(node).1.kind, Kind::Never) {
                    self.tell("PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL");
                }
            }
        }
    }

    /// A property can come only where the writer did not write it as anything else.
    fn added(&mut self, name: &str, node: NodeId, original: &'a Objects, update: &'a Objects) {
        match covering(original, name) {
            More::Open => {
                if !matches!(self.update.resolve(node).1.kind, Kind::Any) {
                    self.tell("PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL");
                }
                return;
            }
            More::Of(covering) => {
                if !self.gets_on(covering, node) {
                    self.tell("PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL");
                }
            }
            More::Closed => {}
        }
        let is_required = update.required.iter().any(|required| required == name);
        if is_required && !self.has_default(node) {
            self.tell("REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL");
        }
    }

    fn dependencies(&mut self, original: &'a Objects, update: &'a Objects) {
        for (name, on) in &update.property_dependencies {
            let kind = match original.property_dependencies.get(name) {
                None => "DEPENDENCY_ARRAY_ADDED",
                Some(old) if on.iter().all(|property| old.contains(property)) => continue,
                Some(old) if old.iter().all(|property| on.contains(property)) => {
                    "DEPENDENCY_ARRAY_EXTENDED"
                }
                Some(_) => "DEPENDENCY_ARRAY_CHANGED",
            };
            self.tell_at(name, kind);
        }
        for (name, node) in &update.schema_dependencies {
            self.within(name, |comparison| match original.schema_dependencies.get(name) {
                None => comparison.tell("DEPENDENCY_SCHEMA_ADDED"),
                Some(old) => comparison.schemas(*old, *node),
            });
        }
    }
}

/// What an object allows for a property that it does not list.
fn covering(objects: &Objects, name: &str) -> More {
    let by_pattern = objects.patterns.iter().find(|(pattern, _)| matches(pattern, name));
    match (by_pattern, objects.additional) {
        (Some((_, node)), _) => More::Of(*node),
        // With patterns, what matches none of them is not open in the registry's sense, and no schema covers it.
        (None, More::Open) if !objects.patterns.is_empty() => More::Closed,
        (None, additional) => additional,
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let mut builder = fancy_regex::RegexBuilder::new(pattern);
    let regex: Result<Regex, _> = builder.backtrack_limit(BACKTRACK_MAX).build();
    regex.is_ok_and(|regex| regex.is_match(name).unwrap_or(false))
}
