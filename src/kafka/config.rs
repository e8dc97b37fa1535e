//! Kafka's client properties, parsed once.
mod tls;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

pub use tls::{Identity, Material, MaterialPlace, Password, Tls};

use super::compression::Compression;

/// A property with a value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("property {property} is '{value}', expected {expected}")]
pub struct ConfigError {
    /// The name of the property.
    pub property: String,
    /// Its value; a password is never shown.
    pub value: String,
    /// What it could have been.
    pub expected: String,
}

/// How a client logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Sasl {
    /// The mechanism.
    pub mechanism: SaslMechanism,
    /// The user.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Sasl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sasl({} as {})", self.mechanism.name(), self.username)
    }
}

/// The mechanisms of `sasl.mechanism`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaslMechanism {
    /// The password as it is.
    Plain,
    /// A challenge with SHA-256.
    ScramSha256,
    /// A challenge with SHA-512.
    ScramSha512,
}

impl SaslMechanism {
    const ALL: [Self; 3] = [Self::Plain, Self::ScramSha256, Self::ScramSha512];

    /// The name in `sasl.mechanism`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha512 => "SCRAM-SHA-512",
        }
    }
}

/// How many replicas must have a record before it counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// No answer is awaited.
    None,
    /// The leader has it.
    Leader,
    /// All in-sync replicas have it.
    All,
}

/// Whether a reader sees records of transactions that are open or aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Isolation {
    /// All records.
    #[default]
    ReadUncommitted,
    /// Records of committed transactions, up to the last stable offset.
    ReadCommitted,
}

/// Where a consumer without a committed offset starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OffsetReset {
    /// At the first record.
    Earliest,
    /// Behind the last record.
    #[default]
    Latest,
    /// Nowhere: it is an error.
    None,
}

/// Everything a client wants to know, with Kafka's names and defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct ClientConfig {
    /// `bootstrap.servers`.
    pub bootstrap_servers: Vec<String>,
    /// `client.id`.
    pub client_id: String,
    /// The TLS part of `security.protocol` and the `ssl.*` properties.
    pub tls: Option<Tls>,
    /// The SASL part of `security.protocol` and the `sasl.*` properties.
    pub sasl: Option<Sasl>,
    /// `request.timeout.ms`.
    pub request_timeout: Duration,
    /// `default.api.timeout.ms`: how long a call is retried unless its caller says otherwise.
    pub api_timeout: Duration,
    /// `socket.connection.setup.timeout.ms`.
    pub connect_timeout: Duration,
    /// `retry.backoff.ms`: the first pause; each one after it is twice as long.
    pub retry_backoff: Duration,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max: Duration,
    /// `metadata.max.age.ms`.
    pub metadata_max_age: Duration,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub partition_fetch_bytes_max: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait: Duration,
    /// `check.crcs`.
    pub is_crc_checked: bool,
    /// `isolation.level`.
    pub isolation: Isolation,
    /// `linger.ms`.
    pub linger: Duration,
    /// `batch.size`.
    pub batch_bytes: usize,
    /// `buffer.memory`; by default a quarter of what Java's producer takes, as there is one for each query, and that
    /// keeps a broker busy.
    pub buffer_bytes: usize,
    /// `acks`.
    pub acks: Acks,
    /// `compression.type`.
    pub compression: Compression,
    /// `enable.idempotence`.
    pub is_idempotent: bool,
    /// `max.in.flight.requests.per.connection`.
    pub in_flight_max: usize,
    /// `max.request.size`.
    pub request_bytes_max: usize,
    /// `delivery.timeout.ms`.
    pub delivery_timeout: Duration,
    /// `transaction.timeout.ms`.
    pub transaction_timeout: Duration,
    /// `transactional.id`.
    pub transactional_id: Option<String>,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `max.poll.interval.ms`.
    pub poll_interval_max: Duration,
    /// `auto.offset.reset`.
    pub offset_reset: OffsetReset,
    /// `auto.commit.interval.ms`, or `None` where `enable.auto.commit` is false.
    pub auto_commit_interval: Option<Duration>,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// The properties that this client does not know.
    pub others: BTreeMap<String, String>,
}

impl ClientConfig {
    /// A plain connection to `bootstrap_servers`, a list with commas, with all defaults.
    pub fn new(bootstrap_servers: &str) -> Result<Self, ConfigError> {
        Self::from_properties(&BTreeMap::from([(
            "bootstrap.servers".into(),
            bootstrap_servers.into(),
        )]))
    }

    /// Reads Kafka's properties; unknown ones are kept in `others`.
    ///
    /// ```
    /// use millstream::kafka::config::ClientConfig;
    ///
    /// let properties = [("bootstrap.servers", "kafka:9092"), ("linger.ms", "soon")];
    /// let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    /// let error = ClientConfig::from_properties(&properties).expect_err("not a number");
    /// assert_eq!(error.to_string(), "property linger.ms is 'soon', expected a number of milliseconds");
    /// ```
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let mut p = Properties { left: properties.clone() };
        let (is_encrypted, has_login) = p.protocol()?;
        let mut config = Self {
            bootstrap_servers: p.servers()?,
            client_id: p.take("client.id").unwrap_or_else(|| "millstream".into()),
            tls: Some(p.tls()?).filter(|_| is_encrypted),
            sasl: p.sasl(has_login)?,
            request_timeout: p.millis("request.timeout.ms", 30_000)?,
            api_timeout: p.millis("default.api.timeout.ms", 60_000)?,
            connect_timeout: p.millis("socket.connection.setup.timeout.ms", 10_000)?,
            retry_backoff: p.millis("retry.backoff.ms", 100)?,
            retry_backoff_max: p.millis("retry.backoff.max.ms", 1_000)?,
            metadata_max_age: p.millis("metadata.max.age.ms", 300_000)?,
            fetch_min_bytes: p.number("fetch.min.bytes", 1)?,
            fetch_max_bytes: p.number("fetch.max.bytes", 50 << 20)?,
            partition_fetch_bytes_max: p.number("max.partition.fetch.bytes", 1 << 20)?,
            fetch_max_wait: p.millis("fetch.max.wait.ms", 500)?,
            is_crc_checked: p.choice("check.crcs", true, &[("true", true), ("false", false)])?,
            isolation: p.isolation()?,
            linger: p.millis("linger.ms", 5)?,
            batch_bytes: p.number("batch.size", 16 << 10)?,
            buffer_bytes: p.number("buffer.memory", 8 << 20)?,
            acks: p.acks()?,
            compression: p.compression()?,
            is_idempotent: true,
            in_flight_max: p.number("max.in.flight.requests.per.connection", 5)?,
            request_bytes_max: p.number("max.request.size", 1 << 20)?,
            delivery_timeout: p.millis("delivery.timeout.ms", 120_000)?,
            transaction_timeout: p.millis("transaction.timeout.ms", 60_000)?,
            transactional_id: p.take("transactional.id"),
            session_timeout: p.millis("session.timeout.ms", 45_000)?,
            heartbeat_interval: p.millis("heartbeat.interval.ms", 3_000)?,
            poll_interval_max: p.millis("max.poll.interval.ms", 300_000)?,
            offset_reset: p.offset_reset()?,
            auto_commit_interval: p.auto_commit()?,
            group_instance_id: p.take("group.instance.id"),
            others: BTreeMap::new(),
        };
        config.is_idempotent = p.idempotence(config.acks)?;
        config.others = p.left;
        Ok(config)
    }
}

/// The properties that are still to be read.
struct Properties {
    left: BTreeMap<String, String>,
}

impl Properties {
    fn take(&mut self, property: &str) -> Option<String> {
        self.left.remove(property)
    }

    fn number<T: FromStr>(&mut self, property: &str, default: T) -> Result<T, ConfigError> {
        self.parsed(property, default, "a whole number")
    }

    fn millis(&mut self, property: &str, default: u64) -> Result<Duration, ConfigError> {
        self.parsed(property, default, "a number of milliseconds").map(Duration::from_millis)
    }

    fn parsed<T: FromStr>(
        &mut self,
        property: &str,
        default: T,
        expected: &str,
    ) -> Result<T, ConfigError> {
        let Some(value) = self.take(property) else { return Ok(default) };
        value.trim().parse().map_err(|_| fault(property, &value, expected))
    }

    fn choice<T: Copy>(
        &mut self,
        property: &str,
        default: T,
        choices: &[(&str, T)],
    ) -> Result<T, ConfigError> {
        let Some(value) = self.take(property) else { return Ok(default) };
        let found = choices.iter().find(|(name, _)| name.eq_ignore_ascii_case(value.trim()));
        let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
        found.map(|(_, choice)| *choice).ok_or_else(|| fault(property, &value, &one_of(&names)))
    }

    fn servers(&mut self) -> Result<Vec<String>, ConfigError> {
        let (property, expected) = ("bootstrap.servers", "host:port, with a comma between several");
        let value = self.take(property).unwrap_or_default();
        let servers: Vec<_> = value
            .split(',')
            .map(str::trim)
            .filter(|server| !server.is_empty())
            .map(str::to_owned)
            .collect();
        // A listener's name may stand before the address, as in Kafka's own settings.
        let servers: Vec<_> = servers
            .into_iter()
            .map(|server| {
                server.rsplit_once("://").map_or(server.clone(), |(_, address)| address.to_owned())
            })
            .collect();
        let is_address = |server: &String| {
            server.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        };
        if servers.is_empty() || !servers.iter().all(is_address) {
            return Err(fault(property, &value, expected));
        }
        Ok(servers)
    }

    fn protocol(&mut self) -> Result<(bool, bool), ConfigError> {
        let choices = [
            ("PLAINTEXT", (false, false)),
            ("SSL", (true, false)),
            ("SASL_PLAINTEXT", (false, true)),
            ("SASL_SSL", (true, true)),
        ];
        self.choice("security.protocol", (false, false), &choices)
    }

    fn sasl(&mut self, has_login: bool) -> Result<Option<Sasl>, ConfigError> {
        let choices = SaslMechanism::ALL.map(|mechanism| (mechanism.name(), mechanism));
        if !has_login {
            return Ok(None);
        }
        let property = if self.left.contains_key("sasl.mechanisms") {
            "sasl.mechanisms"
        } else {
            "sasl.mechanism"
        };
        if !self.left.contains_key(property) {
            return Err(fault(property, "", &one_of(&choices.map(|(name, _)| name))));
        }
        let mechanism = self.choice(property, SaslMechanism::Plain, &choices)?;
        let jaas = self.take("sasl.jaas.config").unwrap_or_default();
        let expected =
            "a user, in sasl.username or in sasl.jaas.config as username=\"..\" password=\"..\";";
        let username = self.take("sasl.username").or_else(|| jaas_option(&jaas, "username"));
        let password = self.take("sasl.password").or_else(|| jaas_option(&jaas, "password"));
        let (Some(username), Some(password)) = (username, password) else {
            return Err(fault(
                "sasl.jaas.config",
                if jaas.is_empty() { "" } else { "[hidden]" },
                expected,
            ));
        };
        Ok(Some(Sasl { mechanism, username, password }))
    }

    fn acks(&mut self) -> Result<Acks, ConfigError> {
        let choices =
            [("all", Acks::All), ("-1", Acks::All), ("1", Acks::Leader), ("0", Acks::None)];
        self.choice("acks", Acks::All, &choices)
    }

    fn idempotence(&mut self, acks: Acks) -> Result<bool, ConfigError> {
        let asked = self.left.get("enable.idempotence").cloned();
        let is_idempotent = self.choice(
            "enable.idempotence",
            acks == Acks::All,
            &[("true", true), ("false", false)],
        )?;
        if is_idempotent && acks != Acks::All {
            return Err(fault(
                "enable.idempotence",
                &asked.unwrap_or_default(),
                "false, or acks=all with it",
            ));
        }
        Ok(is_idempotent)
    }

    fn isolation(&mut self) -> Result<Isolation, ConfigError> {
        let choices = [
            ("read_uncommitted", Isolation::ReadUncommitted),
            ("read_committed", Isolation::ReadCommitted),
        ];
        self.choice("isolation.level", Isolation::ReadUncommitted, &choices)
    }

    fn offset_reset(&mut self) -> Result<OffsetReset, ConfigError> {
        let choices = [
            ("earliest", OffsetReset::Earliest),
            ("latest", OffsetReset::Latest),
            ("none", OffsetReset::None),
        ];
        self.choice("auto.offset.reset", OffsetReset::Latest, &choices)
    }

    fn auto_commit(&mut self) -> Result<Option<Duration>, ConfigError> {
        let interval = self.millis("auto.commit.interval.ms", 5_000)?;
        let is_on = self.choice("enable.auto.commit", true, &[("true", true), ("false", false)])?;
        Ok(is_on.then_some(interval))
    }

    fn compression(&mut self) -> Result<Compression, ConfigError> {
        let choices = Compression::ALL.map(|codec| (codec.name(), codec));
        self.choice("compression.type", Compression::None, &choices)
    }
}

fn fault(property: &str, value: &str, expected: &str) -> ConfigError {
    ConfigError { property: property.into(), value: value.into(), expected: expected.into() }
}

fn one_of(names: &[&str]) -> String {
    format!("one of {}", names.join(", "))
}

/// Finds `name="value"` in a JAAS login line.
fn jaas_option(jaas: &str, name: &str) -> Option<String> {
    let mut rest = jaas;
    while let Some(at) = rest.find(name) {
        let is_word = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '_');
        let after = rest[at + name.len()..].trim_start();
        rest = &rest[at + name.len()..];
        let Some(value) = after.strip_prefix('=').map(str::trim_start).filter(|_| is_word) else {
            continue;
        };
        let quote = value.chars().next().filter(|c| *c == '"' || *c == '\'');
        return match quote {
            Some(quote) => quoted(&value[1..], quote),
            None => value.split([' ', ';']).next().map(str::to_owned),
        };
    }
    None
}

/// The text up to the closing quote; a backslash takes the next letter as it is.
fn quoted(text: &str, quote: char) -> Option<String> {
    let mut value = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '\\' => value.push(letters.next()?),
            letter if letter == quote => return Some(value),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests;
