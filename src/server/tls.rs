//! TLS of the port: who the server is, and whether clients have to say who they are (`ssl.*`).

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::server::WebPkiClientVerifier;
use tokio_rustls::TlsAcceptor;

use super::error::ServerError;
use crate::engine::Properties;
use crate::kafka::config::Tls;
use crate::kafka::tls::{identity, roots};

/// Whether clients have to have a certificate.
const CLIENTS: &str = "ssl.client.authentication";
/// The file of the server's own certificate and key.
const KEYSTORE: &str = "ssl.keystore.location";

/// What accepts connections, by the names of Kafka's and ksqlDB's properties.
pub(super) fn acceptor(properties: &Properties) -> Result<TlsAcceptor, ServerError> {
    let refused = |name, reason: &dyn ToString| ServerError::property(name, reason.to_string());
    let tls = Tls::from_properties(&properties.all());
    let tls = tls.map_err(|error| refused(KEYSTORE, &error))?;
    let Some(own) = &tls.identity else {
        let reason = "an https:// listener needs a certificate and its key: a JKS or PKCS12 key store, or PEM";
        return Err(refused(KEYSTORE, &reason));
    };
    let (certificate, key) = identity(own).map_err(|error| refused(KEYSTORE, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(KEYSTORE, &error))?;
    let builder = match clients(properties)? {
        Clients::Unasked => builder.with_no_client_auth(),
        asked => {
            let roots = roots(tls.authorities.as_ref());
            let roots = roots.map_err(|error| refused("ssl.truststore.location", &error))?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            let verifier = match asked {
                Clients::Required => verifier,
                _ => verifier.allow_unauthenticated(),
            };
            let verifier = verifier.build().map_err(|error| refused(CLIENTS, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config =
        builder.with_single_cert(certificate, key).map_err(|error| refused(KEYSTORE, &error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Whether clients say who they are.
enum Clients {
    Unasked,
    Asked,
    Required,
}

fn clients(properties: &Properties) -> Result<Clients, ServerError> {
    let given = properties.get(CLIENTS).map(str::to_ascii_uppercase);
    // What it was called before.
    let is_required = properties.flag("ssl.client.auth", false)?;
    match given.as_deref() {
        None if is_required => Ok(Clients::Required),
        None | Some("NONE" | "") => Ok(Clients::Unasked),
        Some("REQUESTED") => Ok(Clients::Asked),
        Some("REQUIRED") => Ok(Clients::Required),
        Some(_) => Err(ServerError::property(CLIENTS, "expected NONE, REQUESTED or REQUIRED")),
    }
}
