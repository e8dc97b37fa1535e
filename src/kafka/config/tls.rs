//! How a connection is encrypted: `ssl.*`, in Kafka's names and in librdkafka's.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{ConfigError, Properties, fault};

/// How a connection is encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// The certificates to trust instead of the system's.
    pub authorities: Option<Material>,
    /// Who we are.
    pub identity: Option<Identity>,
    /// Whether the broker's certificate must be for its host name.
    pub is_host_checked: bool,
}

/// Certificates or a key: PEM, or a key store of Java, whichever is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Material {
    /// The property that says where.
    pub property: &'static str,
    /// Where.
    pub place: MaterialPlace,
    /// What a key store opens with.
    pub password: Option<Password>,
}

/// Where certificates or a key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaterialPlace {
    /// In a file.
    File(PathBuf),
    /// In the property itself, as PEM.
    Text(Password),
}

/// A certificate and its key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The certificate and its chain; a key store has the key as well.
    pub certificate: Material,
    /// The key, where that is PEM.
    pub key: Material,
    /// What the key opens with, where that is not what its store opens with.
    pub key_password: Option<Password>,
}

/// What is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The password as it is.
    pub fn plain(&self) -> &str {
        &self.0
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[hidden]")
    }
}

impl Tls {
    /// Reads the `ssl.*` properties, whatever `security.protocol` says.
    pub fn from_properties(properties: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Properties { left: properties.clone() }.tls()
    }
}

impl Properties {
    pub(super) fn tls(&mut self) -> Result<Tls, ConfigError> {
        // What a file is shows when it is opened, to Java's key stores of today as well.
        for property in ["ssl.truststore.type", "ssl.keystore.type"] {
            self.choice(property, (), &[("JKS", ()), ("PKCS12", ()), ("PEM", ())])?;
        }
        let authorities = self.material(
            &["ssl.ca.location", "ssl.truststore.location"],
            ("ssl.truststore.certificates", "ssl.truststore.password"),
        );
        let identity = self.identity()?;
        let choices = [("https", true), ("", false), ("none", false)];
        let is_host_checked =
            self.choice("ssl.endpoint.identification.algorithm", true, &choices)?;
        Ok(Tls { authorities, identity, is_host_checked })
    }

    fn identity(&mut self) -> Result<Option<Identity>, ConfigError> {
        let store = self.take("ssl.keystore.location");
        for property in ["ssl.certificate.location", "ssl.key.location"] {
            if let Some(store) = store.clone() {
                self.left.entry(property.to_owned()).or_insert(store);
            }
        }
        let password = self.left.get("ssl.keystore.password").cloned();
        let certificate = self.material(
            &["ssl.certificate.location"],
            ("ssl.keystore.certificate.chain", "ssl.keystore.password"),
        );
        let key = self.material(&["ssl.key.location"], ("ssl.keystore.key", ""));
        let key_password = self.take("ssl.key.password").or(password).map(Password::from);
        match (certificate, key) {
            (Some(certificate), Some(key)) => Ok(Some(Identity { certificate, key, key_password })),
            (None, None) => Ok(None),
            (Some(_), None) => Err(fault("ssl.key.location", "", "the key of the certificate")),
            (None, Some(_)) => {
                Err(fault("ssl.certificate.location", "", "the certificate of the key"))
            }
        }
    }

    /// What the first of some properties that is there names, or what another has in it.
    fn material(
        &mut self,
        locations: &[&'static str],
        (inline, password): (&'static str, &str),
    ) -> Option<Material> {
        let text = self.take(inline);
        let password = self.take(password).map(Password::from);
        let mut found = None;
        for property in locations {
            let path = self.take(property);
            found = found.or(path.map(|path| (*property, MaterialPlace::File(path.into()))));
        }
        let (property, place) =
            found.or_else(|| Some((inline, MaterialPlace::Text(text?.into()))))?;
        Some(Material { property, place, password })
    }
}
