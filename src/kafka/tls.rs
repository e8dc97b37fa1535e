//! TLS: whom we trust and who we are.
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::config::{ConfigError, Tls};

/// Reads the certificates that `tls` names.
pub(super) fn connector(tls: &Tls) -> Result<TlsConnector, ConfigError> {
    Ok(TlsConnector::from(Arc::new(client_config(tls)?)))
}

/// What TLS needs to know: the certificates that `tls` names, for brokers and for whatever else is configured alike.
pub(crate) fn client_config(tls: &Tls) -> Result<rustls::ClientConfig, ConfigError> {
    let roots = Arc::new(roots(tls.authorities.as_deref())?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let refused = |error: &dyn ToString| fault("security.protocol", "SSL", error);
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
    let verifier = verifier.map_err(|error| refused(&error))?;
    let builder = if tls.is_host_checked {
        builder.with_webpki_verifier(verifier)
    } else {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyHost(verifier)))
    };
    let config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => builder
            .with_client_auth_cert(
                certificates("ssl.certificate.location", certificate)?,
                private_key(key)?,
            )
            .map_err(|error| {
                fault("ssl.certificate.location", &certificate.display().to_string(), &error)
            })?,
    };
    Ok(config)
}

/// The authorities of a file, else the system's.
pub(crate) fn roots(authorities: Option<&Path>) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    let Some(path) = authorities else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    for certificate in certificates("ssl.ca.location", path)? {
        let added = roots.add(certificate);
        added.map_err(|error| fault("ssl.ca.location", &path.display().to_string(), &error))?;
    }
    Ok(roots)
}

/// The certificates of a file, at least one; `property` names it.
pub(crate) fn certificates(
    property: &str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let shown = path.display().to_string();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| fault(property, &shown, &error))?;
    let certificates: Result<Vec<_>, _> = certificates.collect();
    let certificates = certificates.map_err(|error| fault(property, &shown, &error))?;
    if certificates.is_empty() {
        return Err(fault(property, &shown, &"there is none"));
    }
    Ok(certificates)
}

/// The key of a file.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, ConfigError> {
    PrivateKeyDer::from_pem_file(path)
        .map_err(|error| fault("ssl.key.location", &path.display().to_string(), &error))
}

fn fault(property: &str, value: &str, cause: &dyn ToString) -> ConfigError {
    let expected = format!("a file of PEM certificates or keys: {}", cause.to_string());
    ConfigError { property: property.into(), value: value.into(), expected }
}

/// Trusts a certificate of our authorities whatever host it is for: an empty `ssl.endpoint.identification.algorithm`.
#[derive(Debug)]
struct AnyHost(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        {
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
