//! Key stores as Java writes them: JKS and PKCS #12, told apart by what is in the file.
//!
//! ```text
//! KeyStore: entries by alias ─┬─ certificates that are trusted
//!                             └─ private keys, each with the chain of its certificate
//! ```
//! Of several keys the first is taken, by the order of their aliases.

use std::collections::BTreeMap;

use p12_keystore::{KeyStoreEntry, Pkcs12ImportPolicy};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use sha1::{Digest as _, Sha1};

/// What JKS files begin with.
const JKS_MAGIC: u32 = 0xFEED_FEED;
/// What those of its cousin begin with, which has ciphers of its own.
const JCEKS_MAGIC: u32 = 0xCECE_CECE;
/// What the digest of a JKS file has in it.
const JKS_WHITENER: &[u8] = b"Mighty Aphrodite";
/// Tags of entries: a private key with its chain, and a certificate that is trusted.
const KEY_ENTRY: u32 = 1;
const CERTIFICATE_ENTRY: u32 = 2;
/// How many bytes a digest has.
const DIGEST: usize = 20;

/// What a key store holds.
#[derive(Default)]
pub(super) struct KeyStore {
    /// The certificates that are trusted: its own, and those that keys are for.
    pub(super) trusted: Vec<CertificateDer<'static>>,
    /// The first key, and its chain.
    key: Option<(Vec<CertificateDer<'static>>, StoredKey)>,
}

/// A key as a store has it.
enum StoredKey {
    /// As PKCS #8.
    Plain(Vec<u8>),
    /// As JKS hides it.
    Hidden(Vec<u8>),
}

/// Why a key store does not open.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyStoreError {
    #[error("it is cut off, or no key store")]
    Malformed,
    #[error("the password is not the one that it was written with")]
    Password,
    #[error(
        "this kind of key store needs its password (ssl.truststore.password, ssl.keystore.password)"
    )]
    NoPassword,
    #[error("there is no private key in it")]
    NoKey,
    #[error(
        "a JCEKS key store is not read: `keytool -importkeystore -deststoretype PKCS12` makes one that is"
    )]
    Jceks,
    #[error("the key is not encrypted as JKS does it")]
    ForeignKey,
    #[error("{0}")]
    Pkcs12(p12_keystore::error::Error),
}

impl KeyStore {
    /// Whether bytes are a key store, and not PEM.
    pub(super) fn is_one(bytes: &[u8]) -> bool {
        let magic = bytes.first_chunk().map(|magic| u32::from_be_bytes(*magic));
        // PKCS #12 is a long sequence in DER.
        matches!(magic, Some(JKS_MAGIC | JCEKS_MAGIC)) || matches!(bytes, [0x30, 0x80..=0xff, ..])
    }

    /// Opens a key store, but no key in it.
    pub(super) fn open(bytes: &[u8], password: Option<&str>) -> Result<Self, KeyStoreError> {
        match bytes.first_chunk().map(|magic| u32::from_be_bytes(*magic)) {
            Some(JKS_MAGIC) => Self::of_jks(bytes, password),
            Some(JCEKS_MAGIC) => Err(KeyStoreError::Jceks),
            _ => Self::of_pkcs12(bytes, password.ok_or(KeyStoreError::NoPassword)?),
        }
    }

    /// The first key with the chain of its certificate; `password` is that of the key.
    pub(super) fn identity(
        self,
        password: Option<&str>,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), KeyStoreError> {
        let (chain, key) = self.key.ok_or(KeyStoreError::NoKey)?;
        let plain = match key {
            StoredKey::Plain(plain) => plain,
            StoredKey::Hidden(hidden) => {
                jks_key(&hidden, password.ok_or(KeyStoreError::NoPassword)?)?
            }
        };
        Ok((chain, PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(plain))))
    }

    fn of_pkcs12(bytes: &[u8], password: &str) -> Result<Self, KeyStoreError> {
        let policy = Pkcs12ImportPolicy::Relaxed;
        let store = p12_keystore::KeyStore::from_pkcs12(bytes, password, policy);
        let store = store.map_err(|error| match error {
            p12_keystore::error::Error::MacError(_) => KeyStoreError::Password,
            error => KeyStoreError::Pkcs12(error),
        })?;
        let der = |certificate: &p12_keystore::Certificate| {
            CertificateDer::from(certificate.as_der().to_vec())
        };
        let mut opened = Self::default();
        for (_, entry) in store.entries() {
            match entry {
                KeyStoreEntry::Certificate(certificate) => opened.trusted.push(der(certificate)),
                KeyStoreEntry::PrivateKeyChain(chain) => {
                    let certificates: Vec<_> = chain.certs().iter().map(der).collect();
                    opened.add_key(certificates, StoredKey::Plain(chain.key().as_der().to_vec()));
                }
                KeyStoreEntry::Secret(_) => {}
            }
        }
        Ok(opened)
    }

    fn of_jks(bytes: &[u8], password: Option<&str>) -> Result<Self, KeyStoreError> {
        let (content, digest) =
            bytes.split_last_chunk::<DIGEST>().ok_or(KeyStoreError::Malformed)?;
        if let Some(password) = password {
            let mut own = Sha1::new();
            own.update(utf16(password));
            own.update(JKS_WHITENER);
            own.update(content);
            if own.finalize()[..] != *digest {
                return Err(KeyStoreError::Password);
            }
        }
        let mut reader = Reader(content);
        reader.number()?;
        let version = reader.number()?;
        let count = reader.number()?;
        let mut entries = BTreeMap::new();
        for _ in 0..count {
            let tag = reader.number()?;
            let alias = reader.text()?.to_vec();
            reader.take(8)?;
            let key = if tag == KEY_ENTRY { Some(reader.bytes()?) } else { None };
            let certificates = match tag {
                KEY_ENTRY => reader.number()?,
                CERTIFICATE_ENTRY => 1,
                _ => return Err(KeyStoreError::Malformed),
            };
            let mut chain = Vec::new();
            for _ in 0..certificates {
                if version == 2 {
                    reader.text()?;
                }
                chain.push(CertificateDer::from(reader.bytes()?.to_vec()));
            }
            entries.insert(alias, (key, chain));
        }
        let mut opened = Self::default();
        for (key, chain) in entries.into_values() {
            match key {
                None => opened.trusted.extend(chain),
                Some(key) => opened.add_key(chain, StoredKey::Hidden(key.to_vec())),
            }
        }
        Ok(opened)
    }

    fn add_key(&mut self, chain: Vec<CertificateDer<'static>>, key: StoredKey) {
        self.trusted.extend(chain.first().cloned());
        self.key.get_or_insert((chain, key));
    }
}

/// A key as JKS hides it: combined by exclusive or with digests of the password, each with the digest before it, a random one first.
fn jks_key(encrypted: &[u8], password: &str) -> Result<Vec<u8>, KeyStoreError> {
    let hidden = jks_octets(encrypted).ok_or(KeyStoreError::ForeignKey)?;
    let (salt, rest) = hidden.split_first_chunk::<DIGEST>().ok_or(KeyStoreError::Malformed)?;
    let (hidden, check) = rest.split_last_chunk::<DIGEST>().ok_or(KeyStoreError::Malformed)?;
    let password = utf16(password);
    let mut digest = *salt;
    let mut plain = Vec::with_capacity(hidden.len());
    for part in hidden.chunks(DIGEST) {
        digest = Sha1::new().chain_update(&password).chain_update(digest).finalize().into();
        plain.extend(part.iter().zip(digest).map(|(hidden, key)| hidden ^ key));
    }
    let own = Sha1::new().chain_update(&password).chain_update(&plain).finalize();
    if own[..] == *check { Ok(plain) } else { Err(KeyStoreError::Password) }
}

/// The octets of a key that JKS has encrypted: `SEQUENCE { SEQUENCE { its own algorithm }, OCTET STRING }`.
fn jks_octets(der: &[u8]) -> Option<&[u8]> {
    const ALGORITHM: [u8; 12] =
        [0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x2a, 0x02, 0x11, 0x01, 0x01];
    let (0x30, inside, _) = element(der)? else { return None };
    let (0x30, algorithm, rest) = element(inside)? else { return None };
    let (0x04, octets, _) = element(rest)? else { return None };
    algorithm.starts_with(&ALGORITHM).then_some(octets)
}

/// The tag and the content of the first element of DER, and what comes after it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (len, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (len, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        if len.len() > 4 {
            return None;
        }
        (len.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)), rest)
    };
    let (content, after) = rest.split_at_checked(len)?;
    Some((*tag, content, after))
}

/// A password as Java's digests take it.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The parts of a JKS file.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Result<&'b [u8], KeyStoreError> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(KeyStoreError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32, KeyStoreError> {
        let bytes = self.take(4)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn bytes(&mut self) -> Result<&'b [u8], KeyStoreError> {
        let len = usize::try_from(self.number()?).map_err(|_| KeyStoreError::Malformed)?;
        self.take(len)
    }

    /// A text after its length in two bytes.
    fn text(&mut self) -> Result<&'b [u8], KeyStoreError> {
        let len = self.take(2)?;
        self.take(usize::from(len[0]) << 8 | usize::from(len[1]))
    }
}
