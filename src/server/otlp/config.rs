//! Where figures and traces are sent, as OpenTelemetry's environment variables say it.
//!
//! | variable | means |
//! |---|---|
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | the collector: metrics go to `/v1/metrics` below it, traces to `/v1/traces` |
//! | `OTEL_EXPORTER_OTLP_METRICS_ENDPOINT`, `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` | the same for one of them, the whole address |
//! | `OTEL_EXPORTER_OTLP_HEADERS`, `…_METRICS_HEADERS`, `…_TRACES_HEADERS` | headers, as `name=value,name=value`, percent-encoded |
//! | `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` | what the process is known by; the name is `millstream` unless it is said |
//! | `OTEL_METRIC_EXPORT_INTERVAL` | every how many milliseconds metrics are sent: 60000 |
//! | `OTEL_EXPORTER_OTLP_TIMEOUT` | how many milliseconds an answer may take: 10000 |
//! | `OTEL_METRICS_EXPORTER=none`, `OTEL_TRACES_EXPORTER=none`, `OTEL_SDK_DISABLED=true` | these, or nothing at all, are sent |
//!
//! What would change how it is sent and is not there is refused: another protocol than `http/protobuf`, compression, and
//! certificates of one's own.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

/// How often metrics are sent unless it is said, and how long an answer may take.
const INTERVAL_MS: u64 = 60_000;
const TIMEOUT_MS: u64 = 10_000;

/// Variables that would change how it is sent, and the one value that they may have.
const ONLY: [(&str, &str); 5] = [
    ("PROTOCOL", "http/protobuf"),
    ("COMPRESSION", "none"),
    ("CERTIFICATE", ""),
    ("CLIENT_KEY", ""),
    ("CLIENT_CERTIFICATE", ""),
];

/// Where one kind of things is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

/// What is sent where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpConfig {
    pub(super) metrics: Option<Target>,
    pub(super) traces: Option<Target>,
    /// What the process is known by.
    pub(super) resource: BTreeMap<String, String>,
    pub(super) interval: Duration,
    /// How long an answer may take.
    pub(super) timeout: Duration,
}

/// A variable that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}={value}: {reason}")]
pub struct OtlpConfigError {
    variable: String,
    value: String,
    reason: String,
}

impl OtlpConfig {
    /// What variables say; nothing if nothing is to be sent. Empty ones count as not set.
    ///
    /// # Errors
    /// The variable, its value and what was expected.
    pub fn read(
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, OtlpConfigError> {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        if variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let (metrics, traces) =
            (target(&variable, "METRICS", "metrics")?, target(&variable, "TRACES", "traces")?);
        if metrics.is_none() && traces.is_none() {
            return Ok(None);
        }
        Ok(Some(Self {
            metrics,
            traces,
            resource: resource(&variable)?,
            interval: duration(&variable, "OTEL_METRIC_EXPORT_INTERVAL", INTERVAL_MS)?,
            timeout: duration(&variable, "OTEL_EXPORTER_OTLP_TIMEOUT", TIMEOUT_MS)?,
        }))
    }
}

impl Target {
    /// The address without what may be secret in it.
    pub(super) fn place(&self) -> String {
        let port = self.url.port().map(|port| format!(":{port}")).unwrap_or_default();
        format!(
            "{}://{}{port}{}",
            self.url.scheme(),
            self.url.host_str().unwrap_or_default(),
            self.url.path()
        )
    }
}

fn duration(
    variable: &impl Fn(&str) -> Option<String>,
    name: &str,
    default_ms: u64,
) -> Result<Duration, OtlpConfigError> {
    let Some(value) = variable(name) else { return Ok(Duration::from_millis(default_ms)) };
    match value.parse() {
        Ok(ms) if ms > 0 => Ok(Duration::from_millis(ms)),
        _ => Err(fault(name, &value, &"expected milliseconds, more than 0")),
    }
}

fn fault(variable: &str, value: &str, reason: &dyn ToString) -> OtlpConfigError {
    let (variable, value) = (variable.to_owned(), value.to_owned());
    OtlpConfigError { variable, value, reason: reason.to_string() }
}

/// The target of one kind, if it has one.
fn target(
    variable: &impl Fn(&str) -> Option<String>,
    kind: &str,
    path: &str,
) -> Result<Option<Target>, OtlpConfigError> {
    if variable(&format!("OTEL_{kind}_EXPORTER")).is_some_and(|value| value == "none") {
        return Ok(None);
    }
    let (own, general) =
        (format!("OTEL_EXPORTER_OTLP_{kind}_ENDPOINT"), "OTEL_EXPORTER_OTLP_ENDPOINT");
    let (name, whole) = match (variable(&own), variable(general)) {
        (Some(value), _) => (own.as_str(), value),
        (None, Some(value)) => (general, format!("{}/v1/{path}", value.trim_end_matches('/'))),
        (None, None) => return Ok(None),
    };
    for (what, only) in ONLY {
        let own = format!("OTEL_EXPORTER_OTLP_{kind}_{what}");
        let general = format!("OTEL_EXPORTER_OTLP_{what}");
        let found = [own, general].into_iter().find_map(|name| Some((variable(&name)?, name)));
        if let Some((value, name)) = found.filter(|(value, _)| value != only) {
            let reason = if only.is_empty() {
                "not supported: the certificates of the system are trusted".to_owned()
            } else {
                format!("expected {only}, the only one there is")
            };
            return Err(fault(&name, &value, &reason));
        }
    }
    // An address may have a password or a token in it.
    let refused = |reason: &dyn ToString| fault(name, "…", reason);
    let url = Url::parse(&whole).map_err(|error| refused(&error))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refused(&"expected http://… or https://…"));
    }
    let own = format!("OTEL_EXPORTER_OTLP_{kind}_HEADERS");
    let name = if variable(&own).is_some() { own.as_str() } else { "OTEL_EXPORTER_OTLP_HEADERS" };
    let headers = headers(name, &variable(name).unwrap_or_default())?;
    Ok(Some(Target { url, headers }))
}

fn headers(variable: &str, text: &str) -> Result<HeaderMap, OtlpConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs(variable, text)? {
        // The value may be a secret, so that neither is told.
        let refused = || fault(variable, "…", &format!("the header {name} cannot be sent"));
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refused())?;
        let mut value = HeaderValue::from_str(&value).map_err(|_| refused())?;
        value.set_sensitive(true);
        headers.insert(header, value);
    }
    Ok(headers)
}

/// What the process is known by.
fn resource(
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<BTreeMap<String, String>, OtlpConfigError> {
    let attributes = "OTEL_RESOURCE_ATTRIBUTES";
    let mut resource =
        BTreeMap::from([("service.name".to_owned(), env!("CARGO_PKG_NAME").to_owned())]);
    resource.extend(pairs(attributes, &variable(attributes).unwrap_or_default())?);
    if let Some(name) = variable("OTEL_SERVICE_NAME") {
        resource.insert("service.name".to_owned(), name);
    }
    resource.insert("service.version".to_owned(), env!("CARGO_PKG_VERSION").to_owned());
    Ok(resource)
}

/// `name=value,name=value`, percent-encoded.
fn pairs(variable: &str, text: &str) -> Result<Vec<(String, String)>, OtlpConfigError> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let pair = |part: &str| {
        // Headers hold secrets: what is wrong with them is told without them.
        let (name, value) = part
            .split_once('=')
            .ok_or_else(|| fault(variable, "…", &"expected name=value, with commas between"))?;
        Ok((decoded(name.trim()), decoded(value.trim())))
    };
    parts.map(pair).collect()
}

/// A text without its percent-encoding; a `+` is one.
fn decoded(text: &str) -> String {
    let text = format!("={}", text.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(text.as_bytes())
        .next()
        .map_or_else(String::new, |(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Option<OtlpConfig>, String> {
        let found = |name: &str| {
            let variable = variables.iter().find(|(known, _)| *known == name);
            variable.map(|(_, value)| (*value).to_owned())
        };
        OtlpConfig::read(found).map_err(|error| error.to_string())
    }

    #[test]
    fn a_collector_gets_metrics_and_traces_below_its_address() {
        let config = read(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20a+b=, x=1"),
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces/all"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "key=secret"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test,service.name=other"),
            ("OTEL_SERVICE_NAME", "mill"),
        ]);
        let config = config.unwrap().unwrap();
        let (metrics, traces) = (config.metrics.unwrap(), config.traces.unwrap());
        assert_eq!(metrics.url.as_str(), "http://collector:4318/v1/metrics");
        assert_eq!(metrics.headers["authorization"], "Bearer a+b=");
        assert_eq!(metrics.headers["x"], "1");
        assert_eq!(traces.url.as_str(), "https://traces/all");
        assert_eq!(traces.headers.len(), 1);
        assert_eq!(config.resource["service.name"], "mill");
        assert_eq!(config.resource["deployment.environment"], "test");
        assert_eq!(config.interval, Duration::from_mins(1));
    }

    #[test]
    fn nothing_is_sent_unless_it_is_said_where_to() {
        assert_eq!(read(&[("OTEL_SERVICE_NAME", "mill")]), Ok(None));
        assert_eq!(read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "")]), Ok(None));
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        assert_eq!(read(&[endpoint, ("OTEL_SDK_DISABLED", "true")]), Ok(None));
    }

    #[test]
    fn what_cannot_be_taken_is_refused_with_its_variable_and_without_secrets() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://c");
        let check = |variable: (&str, &str), expected: &str| {
            assert_eq!(read(&[variable, endpoint]), Err(expected.to_owned()));
        };
        check(
            ("OTEL_METRIC_EXPORT_INTERVAL", "1s"),
            "OTEL_METRIC_EXPORT_INTERVAL=1s: expected milliseconds, more than 0",
        );
        check(
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
            "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: expected http/protobuf, the only one there is",
        );
        check(
            ("OTEL_EXPORTER_OTLP_HEADERS", "secret"),
            "OTEL_EXPORTER_OTLP_HEADERS=…: expected name=value, with commas between",
        );
        let refused = read(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318")]);
        assert!(refused.unwrap_err().contains("expected http://… or https://…"));
    }
}
