//! Where the registry is and how to log in, by ksqlDB's property names.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;

use crate::kafka::config::{ConfigError, Tls};

/// What stands before the properties of the registry's client in those of ksqlDB.
const PREFIX: &str = "ksql.schema.registry.";
/// Where the registry is.
const URL: &str = "ksql.schema.registry.url";

/// How a client logs in. What it presents is never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// With a name and a password.
    Basic {
        /// The name.
        name: String,
        /// The password.
        password: String,
    },
    /// With a token.
    Bearer(String),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Basic { name, .. } => write!(f, "Basic(as {name})"),
            Self::Bearer(_) => f.write_str("Bearer"),
        }
    }
}

/// Everything that a client of the registry wants to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryConfig {
    /// Where the registry is; several are tried one after the other.
    pub urls: Vec<Url>,
    /// How to log in, if one must.
    pub login: Option<Login>,
    /// The certificates that are trusted and shown.
    pub tls: Tls,
    /// `http.connect.timeout.ms`.
    pub connect_timeout: Duration,
    /// `http.read.timeout.ms`: how long an answer may take.
    pub read_timeout: Duration,
    /// `max.retries`: how often a request is made again at most.
    pub retries_max: u32,
    /// `retries.wait.ms`: the first pause; each one after it is twice as long.
    pub backoff: Duration,
    /// `retries.max.wait.ms`.
    pub backoff_max: Duration,
}

impl RegistryConfig {
    /// A registry at these URLs, with a comma between several, and all defaults.
    pub fn new(urls: &str) -> Result<Self, ConfigError> {
        let properties = BTreeMap::from([(URL.to_owned(), urls.to_owned())]);
        Self::from_properties(&properties)?.ok_or_else(|| fault(URL, "", "a URL"))
    }

    /// Reads the properties `ksql.schema.registry.*`; there is nothing to connect to without a URL.
    ///
    /// ```
    /// use millstream::registry::RegistryConfig;
    ///
    /// let properties = [("ksql.schema.registry.url", "http://one:8081,http://two:8081")];
    /// let properties = properties.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    /// let config = RegistryConfig::from_properties(&properties).expect("a registry").expect("a URL");
    /// assert_eq!(config.urls.len(), 2);
    /// ```
    pub fn from_properties(
        properties: &BTreeMap<String, String>,
    ) -> Result<Option<Self>, ConfigError> {
        let own: BTreeMap<String, String> = properties
            .iter()
            .filter_map(|(name, value)| {
                Some((name.strip_prefix(PREFIX)?.to_owned(), value.clone()))
            })
            .collect();
        let Some(urls) = own.get("url").filter(|urls| !urls.trim().is_empty()) else {
            return Ok(None);
        };
        let mut urls = urls.split(',').map(parse_url).collect::<Result<Vec<_>, _>>()?;
        let login = login(&own, properties, &urls)?;
        for url in &mut urls {
            // Neither fails for a URL with a host.
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        let tls = Tls::from_properties(&own).map_err(|error| ConfigError {
            property: format!("{PREFIX}{}", error.property),
            ..error
        })?;
        Ok(Some(Self {
            urls,
            login,
            tls,
            connect_timeout: millis(&own, "http.connect.timeout.ms", 60_000)?,
            read_timeout: millis(&own, "http.read.timeout.ms", 60_000)?,
            retries_max: number(&own, "max.retries", 3, "a whole number")?,
            backoff: millis(&own, "retries.wait.ms", 1_000)?,
            backoff_max: millis(&own, "retries.max.wait.ms", 20_000)?,
        }))
    }
}

fn parse_url(text: &str) -> Result<Url, ConfigError> {
    let text = text.trim();
    let expected = "http:// or https:// and a host, with a comma between several";
    let url = Url::parse(text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https") && url.has_host() && !url.cannot_be_a_base()
    });
    // What is no URL may still hold a password.
    let shown = text.rsplit_once('@').map_or(text, |(_, host)| host);
    url.ok_or_else(|| fault(URL, shown, expected))
}

fn login(
    own: &BTreeMap<String, String>,
    all: &BTreeMap<String, String>,
    urls: &[Url],
) -> Result<Option<Login>, ConfigError> {
    let get =
        |name: &str| own.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    if let Some(source) = get("bearer.auth.credentials.source") {
        let name = "bearer.auth.token";
        return match source {
            "STATIC_TOKEN" => match get(name) {
                Some(token) => Ok(Some(Login::Bearer(token.to_owned()))),
                None => Err(fault(&format!("{PREFIX}{name}"), "", "a token")),
            },
            source => {
                let name = format!("{PREFIX}bearer.auth.credentials.source");
                Err(fault(&name, source, "STATIC_TOKEN"))
            }
        };
    }
    let info = get("basic.auth.user.info");
    let source = get("basic.auth.credentials.source");
    // Confluent's client takes the URL where nothing is said, and leaves the user's info unread.
    match source.unwrap_or(if info.is_some() { "USER_INFO" } else { "URL" }) {
        "USER_INFO" => basic(info).map(Some),
        "URL" => Ok(urls.iter().find_map(of_url)),
        "SASL_INHERIT" => {
            let part = |name: &str| all.get(name).cloned();
            match (part("sasl.username"), part("sasl.password")) {
                (Some(name), Some(password)) => Ok(Some(Login::Basic { name, password })),
                _ => Err(fault("sasl.username", "", "a user, with sasl.password, to inherit")),
            }
        }
        source => {
            let name = format!("{PREFIX}basic.auth.credentials.source");
            Err(fault(&name, source, "one of URL, USER_INFO, SASL_INHERIT"))
        }
    }
}

fn basic(info: Option<&str>) -> Result<Login, ConfigError> {
    let name = format!("{PREFIX}basic.auth.user.info");
    let shown = if info.is_some() { "[hidden]" } else { "" };
    let (user, password) = info
        .and_then(|info| info.split_once(':'))
        .ok_or_else(|| fault(&name, shown, "a name and a password, as in alice:secret"))?;
    Ok(Login::Basic { name: user.to_owned(), password: password.to_owned() })
}

/// The login in a URL, of which some letters may be written as `%3A`.
fn of_url(url: &Url) -> Option<Login> {
    if url.username().is_empty() {
        return None;
    }
    let decoded = |text: &str| {
        // A pair of a form is decoded the same way, but for its `+`.
        let text = text.replace('+', "%2B");
        form_urlencoded::parse(text.as_bytes()).next().map(|(text, _)| text.into_owned())
    };
    Some(Login::Basic {
        name: decoded(url.username()).unwrap_or_default(),
        password: decoded(url.password().unwrap_or_default()).unwrap_or_default(),
    })
}

fn millis(
    own: &BTreeMap<String, String>,
    name: &str,
    default: u64,
) -> Result<Duration, ConfigError> {
    number(own, name, default, "a number of milliseconds").map(Duration::from_millis)
}

fn number<T: std::str::FromStr>(
    own: &BTreeMap<String, String>,
    name: &str,
    default: T,
    expected: &str,
) -> Result<T, ConfigError> {
    let Some(value) = own.get(name) else { return Ok(default) };
    value.trim().parse().map_err(|_| fault(&format!("{PREFIX}{name}"), value, expected))
}

fn fault(property: &str, value: &str, expected: &str) -> ConfigError {
    ConfigError { property: property.into(), value: value.into(), expected: expected.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(properties: &[(&str, &str)]) -> Result<Option<RegistryConfig>, ConfigError> {
        let properties = properties.iter().map(|(name, value)| {
            let name =
                if name.starts_with("sasl") { (*name).into() } else { format!("{PREFIX}{name}") };
            (name, (*value).to_owned())
        });
        RegistryConfig::from_properties(&properties.collect())
    }

    fn login(properties: &[(&str, &str)]) -> Option<Login> {
        let url = [("url", "http://u%3Au:p%40+@one/x,http://two")];
        read(&[&url, properties].concat()).unwrap().unwrap().login
    }

    #[test]
    fn without_a_url_there_is_no_registry() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[("url", " ")]), Ok(None));
    }

    #[test]
    fn a_login_comes_from_where_it_is_said() {
        let basic = |name: &str, password: &str| {
            Some(Login::Basic { name: name.into(), password: password.into() })
        };
        assert_eq!(login(&[]), basic("u:u", "p@+"));
        assert_eq!(login(&[("basic.auth.credentials.source", "URL")]), basic("u:u", "p@+"));
        let info = ("basic.auth.user.info", "alice:se:cret");
        assert_eq!(login(&[info]), basic("alice", "se:cret"));
        assert_eq!(
            login(&[("basic.auth.credentials.source", "USER_INFO"), info]),
            basic("alice", "se:cret")
        );
        assert_eq!(
            login(&[
                ("basic.auth.credentials.source", "SASL_INHERIT"),
                ("sasl.username", "bob"),
                ("sasl.password", "pw"),
            ]),
            basic("bob", "pw")
        );
        assert_eq!(
            login(&[
                ("bearer.auth.credentials.source", "STATIC_TOKEN"),
                ("bearer.auth.token", "t"),
            ]),
            Some(Login::Bearer("t".into()))
        );
        let config = read(&[("url", "http://u:p@one/x")]).unwrap().unwrap();
        assert_eq!(config.urls[0].as_str(), "http://one/x");
        assert!(!format!("{config:?}").contains("\"p\""), "{config:?}");
    }

    #[test]
    fn what_cannot_be_is_told_and_no_password_shown() {
        for (properties, told) in [
            (
                &[("url", "one:8081")][..],
                "property ksql.schema.registry.url is 'one:8081', expected http:// or https:// and a host, with a comma \
                 between several",
            ),
            (
                &[("url", "ftp://u:secret@one")],
                "property ksql.schema.registry.url is 'one', expected http:// or https:// and a host, with a comma \
                 between several",
            ),
            (
                &[("url", "http://one"), ("basic.auth.user.info", "secret")],
                "property ksql.schema.registry.basic.auth.user.info is '[hidden]', expected a name and a password, as in \
                 alice:secret",
            ),
            (
                &[("url", "http://one"), ("max.retries", "some")],
                "property ksql.schema.registry.max.retries is 'some', expected a whole number",
            ),
            (
                &[("url", "http://one"), ("ssl.keystore.type", "BCFKS")],
                "property ksql.schema.registry.ssl.keystore.type is 'BCFKS', expected one of JKS, PKCS12, PEM",
            ),
        ] {
            assert_eq!(read(properties).unwrap_err().to_string(), told);
        }
    }
}
