//! TLS: whom we trust and who we are.
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::TlsConnector;

use super::config::{ConfigError, Identity, Material, MaterialPlace, Password, Tls};
use super::key_store::KeyStore;

/// Reads the certificates that `tls` names; a broker that speaks TLS needs an authority.
pub(super) fn connector(tls: &Tls) -> Result<TlsConnector, ConfigError> {
    let roots = roots(tls.authorities.as_ref())?;
    if roots.is_empty() {
        return Err(fault("ssl.ca.location", "", &NoAuthorities));
    }
    Ok(TlsConnector::from(Arc::new(config_trusting(roots, tls)?)))
}

/// What TLS needs to know: the certificates that `tls` names, for whatever else than a broker is configured alike.
/// A machine without authorities is no fault before a URL of `https` is asked: an image has none, and needs none for
/// `http`.
pub(crate) fn client_config(tls: &Tls) -> Result<rustls::ClientConfig, ConfigError> {
    config_trusting(roots(tls.authorities.as_ref())?, tls)
}

fn config_trusting(roots: RootCertStore, tls: &Tls) -> Result<rustls::ClientConfig, ConfigError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let refused = |error: &dyn ToString| ConfigError {
        property: "security.protocol".to_owned(),
        value: "SSL".to_owned(),
        expected: format!("what TLS can be set up with: {}", error.to_string()),
    };
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
        Some(own) => {
            let (chain, key) = identity(own)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| wrong(&own.certificate, &error))?
        }
    };
    Ok(config)
}

/// The authorities that are named, else the system's.
pub(crate) fn roots(authorities: Option<&Material>) -> Result<RootCertStore, ConfigError> {
    let mut roots = RootCertStore::empty();
    let Some(authorities) = authorities else {
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        return Ok(roots);
    };
    let bytes = read(authorities)?;
    let certificates = if KeyStore::is_one(&bytes) {
        open(authorities, &bytes)?.trusted
    } else {
        pem_certificates(authorities, &bytes)?
    };
    if certificates.is_empty() {
        return Err(wrong(authorities, &"there is no certificate in it"));
    }
    for certificate in certificates {
        roots.add(certificate).map_err(|error| wrong(authorities, &error))?;
    }
    Ok(roots)
}

/// The certificates and the key of an identity.
pub(crate) fn identity(
    Identity { certificate, key, key_password }: &Identity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), ConfigError> {
    let bytes = read(certificate)?;
    if KeyStore::is_one(&bytes) {
        let own = open(certificate, &bytes)?.identity(key_password.as_ref().map(Password::plain));
        return own.map_err(|error| wrong(certificate, &error));
    }
    let chain = pem_certificates(certificate, &bytes)?;
    if chain.is_empty() {
        return Err(wrong(certificate, &"there is no certificate in it"));
    }
    let bytes = read(key)?;
    Ok((chain, pem_key(key, &bytes, key_password.as_ref())?))
}

fn read(material: &Material) -> Result<Vec<u8>, ConfigError> {
    match &material.place {
        MaterialPlace::File(path) => std::fs::read(path).map_err(|error| wrong(material, &error)),
        MaterialPlace::Text(text) => Ok(text.plain().as_bytes().to_vec()),
    }
}

fn open(material: &Material, bytes: &[u8]) -> Result<KeyStore, ConfigError> {
    let opened = KeyStore::open(bytes, material.password.as_ref().map(Password::plain));
    opened.map_err(|error| wrong(material, &error))
}

fn pem_certificates(
    material: &Material,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, ConfigError> {
    let certificates = CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>();
    certificates.map_err(|error| no_pem(material, &error))
}

/// What a key begins with that needs a password.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";
const ENCRYPTED_END: &str = "-----END ENCRYPTED PRIVATE KEY-----";

fn pem_key(
    material: &Material,
    bytes: &[u8],
    password: Option<&Password>,
) -> Result<PrivateKeyDer<'static>, ConfigError> {
    let text = String::from_utf8_lossy(bytes);
    let encrypted = text.split_once(ENCRYPTED).and_then(|(_, rest)| rest.split_once(ENCRYPTED_END));
    let Some((encrypted, _)) = encrypted else {
        return PrivateKeyDer::from_pem_slice(bytes).map_err(|error| no_pem(material, &error));
    };
    let Some(password) = password else {
        return Err(wrong(material, &"the key is encrypted: ssl.key.password is missing"));
    };
    let pem = format!("{ENCRYPTED}{encrypted}{ENCRYPTED_END}\n");
    let opened = pkcs8::Document::from_pem(&pem).map_err(|error| error.to_string());
    let opened = opened.and_then(|(_, document)| {
        let key = pkcs8::EncryptedPrivateKeyInfoRef::try_from(document.as_bytes());
        let key = key.map_err(|error| error.to_string())?;
        key.decrypt(password.plain()).map_err(|error| error.to_string())
    });
    let plain = opened.map_err(|error| wrong(material, &error))?;
    Ok(PrivateKeyDer::Pkcs8(plain.as_bytes().to_vec().into()))
}

/// Why something is no PEM; what stands there, which may be a key, is not shown.
fn no_pem(material: &Material, error: &pem::Error) -> ConfigError {
    match error {
        pem::Error::NoItemsFound => wrong(material, &"nothing of the kind is in it"),
        pem::Error::Io(error) => wrong(material, error),
        _ => wrong(material, &"it is not well-formed PEM"),
    }
}

/// What is wrong with certificates or a key; what stands in the property itself is not shown.
fn wrong(material: &Material, cause: &dyn ToString) -> ConfigError {
    let shown = match &material.place {
        MaterialPlace::File(path) => path.display().to_string(),
        MaterialPlace::Text(_) => "[hidden]".to_owned(),
    };
    fault(material.property, &shown, cause)
}

fn fault(property: &str, value: &str, cause: &dyn ToString) -> ConfigError {
    let expected = format!("PEM, or a JKS or PKCS12 key store: {}", cause.to_string());
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

/// Why a client of another library got no answer over such a connection or a plain one: what the system says, as the errors
/// before it only say that a request has failed.
pub(crate) fn innermost_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
