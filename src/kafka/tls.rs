//! TLS: whom we trust and who we are.
use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::config::{ConfigError, Tls};

/// Reads the certificates that `tls` names; a broker that speaks TLS needs an authority.
pub(super) fn connector(tls: &Tls) -> Result<TlsConnector, ConfigError> {
    let roots = roots(tls.authorities.as_deref())?;
    if roots.is_empty() {
        return Err(fault("ssl.ca.location", "", &NoAuthorities));
    }
    Ok(TlsConnector::from(Arc::new(config_trusting(roots, tls)?)))
}

/// What TLS needs to know: the certificates that `tls` names, for whatever else than a broker is configured alike.
/// A machine without authorities is no fault before a URL of `https` is asked: an image has none, and needs none for
/// `http`.
pub(crate) fn client_config(tls: &Tls) -> Result<rustls::ClientConfig, ConfigError> {
    config_trusting(roots(tls.authorities.as_deref())?, tls)
}

fn config_trusting(roots: RootCertStore, tls: &Tls) -> Result<rustls::ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let refused = |error: &dyn ToString| fault("security.protocol", "SSL", error);
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?;
    let verifier: Arc<dyn ServerCertVerifier> = if roots.is_empty() {
        Arc::new(NoAuthorities)
    } else {
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = verifier.build().map_err(|error| refused(&error))?;
        if tls.is_host_checked { verifier } else { Arc::new(AnyHost(verifier)) }
    };
    let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
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

/// Trusts nobody, where no authority is known, and says so.
#[derive(Debug, thiserror::Error)]
#[error("this system has no certificates of authorities: name a file of them with ssl.ca.location")]
struct NoAuthorities;

impl NoAuthorities {
    fn error() -> Error {
        Error::Other(OtherError(Arc::new(Self)))
    }
}

impl ServerCertVerifier for NoAuthorities {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(Self::error())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::error())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::error())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
