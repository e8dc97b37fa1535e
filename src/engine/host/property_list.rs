//! `SHOW PROPERTIES`, and the properties that go with a command.

use std::collections::BTreeMap;

use super::Shared;
use super::answer::PropertyText;
use super::scope::Scope;
use crate::engine::Properties;
use crate::engine::known_properties::{DEFAULTS, OF_QUERIES, OF_SESSIONS, canonical};

/// How ksqlDB's names of Kafka's properties begin.
const STREAMS: &str = "ksql.streams.";

impl Shared {
    pub(super) fn list_properties(&self, scope: &Scope) -> Vec<PropertyText> {
        let of_session = scope.session.overrides();
        let all = effective(&scope.session.over(&self.properties));
        let is_editable =
            |name: &str| OF_QUERIES.contains(&name) || OF_SESSIONS.contains(&canonical(name));
        let text = |(name, value): (String, Option<String>)| PropertyText {
            is_editable: is_editable(&name),
            is_of_query: OF_QUERIES.contains(&name.as_str()),
            is_of_session: of_session.get(&name).is_some(),
            is_default: is_default(&name, value.as_deref()),
            name,
            value,
        };
        all.into_iter().map(text).collect()
    }
}

/// Parts of the names of properties whose values nobody is shown, and no command holds.
const SECRETS: [&str; 6] =
    ["password", "jaas", "ssl.keystore.key", "user.info", "auth.token", "secret"];

/// All properties by ksqlDB's names, those that are not set with their defaults; none that is secret.
pub(super) fn effective(set: &Properties) -> BTreeMap<String, Option<String>> {
    let defaults =
        DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)));
    let mut all: BTreeMap<String, Option<String>> = defaults.collect();
    let is_secret = |name: &str| SECRETS.iter().any(|secret| name.contains(secret));
    for (name, value) in set.iter().filter(|(name, _)| !is_secret(name)) {
        all.insert(full_name(name), Some(value.to_owned()));
    }
    all
}

/// A property of Kafka's has a prefix where ksqlDB lists it.
fn full_name(name: &str) -> String {
    let is_ksqldbs = name.starts_with("ksql.") || DEFAULTS.iter().any(|(known, _)| *known == name);
    if is_ksqldbs { name.to_owned() } else { format!("{STREAMS}{name}") }
}

fn is_default(name: &str, value: Option<&str>) -> bool {
    !name.starts_with(STREAMS)
        && DEFAULTS.iter().any(|(known, default)| *known == name && *default == value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_among_the_properties() {
        let text = "ssl.keystore.key=-----BEGIN\nssl.key.password=a\nsasl.jaas.config=b\n\
                    ksql.schema.registry.basic.auth.user.info=c\n\
                    ksql.schema.registry.bearer.auth.token=d\nssl.keystore.location=shown\n";
        let shown = effective(&Properties::parse(text));
        let shown: Vec<_> = shown
            .iter()
            .filter(|(name, _)| text.contains(name.trim_start_matches(STREAMS)))
            .collect();
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert!(shown[0].0.ends_with("ssl.keystore.location"));
    }
}
