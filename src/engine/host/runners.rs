//! Which server of a service runs a query that this one only stands by for.
//!
//! One member of a query's group runs the whole query, and each says in the group where it is asked. So who runs it is always
//! what Kafka's coordinator says, however servers come and go.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::engine::Properties;
use crate::runtime::clock;

/// For how long it is believed who runs a query.
const KNOWN_FOR: Duration = Duration::from_secs(1);

/// Who runs the queries that were asked for lately.
#[derive(Debug, Default)]
pub(super) struct Runners(Mutex<HashMap<String, Found>>);

/// What was found out of a query.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// Who runs it, if somebody does who can be asked.
    pub(super) url: Option<String>,
    until: Instant,
}

impl Runners {
    fn found(&self) -> MutexGuard<'_, HashMap<String, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a query.
    pub(super) fn get(&self, query: &str) -> Option<Found> {
        let now = clock::instant();
        self.found().get(query).filter(|found| found.until > now).cloned()
    }

    /// Keeps what was found out; what is too old goes.
    pub(super) fn keep(&self, query: &str, url: Option<String>) {
        let now = clock::instant();
        let mut found = self.found();
        found.retain(|_, found| found.until > now);
        found.insert(query.to_owned(), Found { url, until: now + KNOWN_FOR });
    }
}

/// The URL at which others reach a server with these properties; nothing where it says of no one address that it is its own.
pub(super) fn own_url(properties: &Properties) -> Option<String> {
    let listener = first_listener(properties).trim_end_matches('/');
    let (_, address) = listener.split_once("://")?;
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let is_any = matches!(host, "" | "0.0.0.0" | "[::]" | "[::0]");
    (!is_any && !address.ends_with(":0")).then(|| listener.to_owned())
}

/// What a server with these properties says that it listens to: the first of a list.
pub(super) fn first_listener(properties: &Properties) -> &str {
    let listeners = properties.get("ksql.advertised.listener").or(properties.get("listeners"));
    listeners.unwrap_or_default().split(',').next().unwrap_or_default().trim()
}

/// Whether a server may pass a question on to another one. One that is asked over TLS does not in the clear; and not to itself,
/// for who has gone is in his group until his session is over.
pub(super) fn may_be_asked(properties: &Properties, other: &str) -> bool {
    let names = ["listeners", "ksql.advertised.listener"];
    let is_over_tls = names.iter().any(|name| {
        let listeners = properties.get(name).unwrap_or_default();
        listeners.split(',').any(|listener| listener.trim().starts_with("https://"))
    });
    own_url(properties).is_none_or(|own| own != other)
        && (!is_over_tls || other.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(all: &[(&str, &str)]) -> Properties {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Properties::new(all.iter().map(owned))
    }

    #[test]
    fn nothing_goes_on_in_the_clear_that_came_over_tls() {
        let asks = |own: &[(&str, &str)], other: &str| may_be_asked(&properties(own), other);
        let (tls, plain) = ([("listeners", "https://a:1")], [("listeners", "http://a:1/")]);
        assert!(asks(&tls, "https://b:1"));
        assert!(asks(&plain, "https://b:1"));
        assert!(asks(&plain, "http://b:1"));
        assert!(!asks(&tls, "http://b:1"));
        assert!(!asks(&plain, "http://a:1"));
        // Whatever it says to others.
        let behind = ("ksql.advertised.listener", "http://a:2");
        assert!(!asks(&[("listeners", "https://0.0.0.0:1"), behind], "http://b:1"));
    }

    #[test]
    fn a_server_is_found_where_it_says_that_it_is() {
        let url = |all: &[(&str, &str)]| own_url(&properties(all));
        let all = ("listeners", "http://0.0.0.0:8088");
        assert_eq!(url(&[]), None);
        assert_eq!(url(&[all]), None);
        assert_eq!(url(&[("listeners", "https://[::]:8088")]), None);
        assert_eq!(url(&[("listeners", "http://127.0.0.1:0")]), None);
        assert_eq!(
            url(&[("listeners", "https://ksql-1:8088/, http://ksql-1:80")]).as_deref(),
            Some("https://ksql-1:8088")
        );
        assert_eq!(
            url(&[all, ("ksql.advertised.listener", "http://ksql-1:8088")]).as_deref(),
            Some("http://ksql-1:8088")
        );
    }
}
