//! The client's side of a login: PLAIN (RFC 4616) and SCRAM (RFC 5802).
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256, Sha512};

use super::config::{Sasl, SaslMechanism};

/// The most rounds that a broker may ask for; more would only keep us busy.
const SCRAM_ROUNDS_MAX: u32 = 1_000_000;

/// What PLAIN sends: no other identity, the user, the password.
pub(super) fn plain(sasl: &Sasl) -> Vec<u8> {
    format!("\0{}\0{}", sasl.username, sasl.password).into_bytes()
}

/// Something that nobody can foresee, in printable letters.
pub(super) fn nonce() -> Result<String, String> {
    let mut bytes = [0; 24];
    let random = rustls::crypto::ring::default_provider().secure_random;
    random.fill(&mut bytes).map_err(|_| "there are no random bytes for a nonce".to_owned())?;
    Ok(BASE64_STANDARD.encode(bytes))
}

/// One SCRAM login.
pub(super) struct Scram<'a> {
    sasl: &'a Sasl,
    nonce: String,
    server_signature: Vec<u8>,
}

impl<'a> Scram<'a> {
    /// Starts a login; `nonce` is random and printable.
    pub(super) fn new(sasl: &'a Sasl, nonce: String) -> Self {
        Self { sasl, nonce, server_signature: Vec::new() }
    }

    /// What the client sends first.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first_bare())
    }

    fn first_bare(&self) -> String {
        let user = self.sasl.username.replace('=', "=3D").replace(',', "=2C");
        format!("n={user},r={}", self.nonce)
    }

    /// What the client sends in answer to the server's challenge.
    pub(super) fn answer(&mut self, challenge: &str) -> Result<String, String> {
        let part = |name: &str| challenge.split(',').find_map(|part| part.strip_prefix(name));
        let nonce = part("r=")
            .filter(|nonce| nonce.starts_with(&self.nonce))
            .ok_or("the nonce is not ours")?;
        let salt = part("s=")
            .and_then(|salt| BASE64_STANDARD.decode(salt).ok())
            .ok_or("there is no salt")?;
        let rounds = part("i=").and_then(|rounds| rounds.parse().ok()).unwrap_or(0);
        if !(1..=SCRAM_ROUNDS_MAX).contains(&rounds) {
            return Err(format!("it asks for {rounds} rounds"));
        }
        let hash = Hash(self.sasl.mechanism);
        let salted = hash.stretch(self.sasl.password.as_bytes(), &salt, rounds);
        let client_key = hash.mac(&salted, b"Client Key")?;
        let answer = format!("c=biws,r={nonce}");
        let signed = format!("{},{challenge},{answer}", self.first_bare());
        let signature = hash.mac(&hash.digest(&client_key), signed.as_bytes())?;
        self.server_signature = hash.mac(&hash.mac(&salted, b"Server Key")?, signed.as_bytes())?;
        let proof: Vec<u8> =
            client_key.iter().zip(&signature).map(|(key, sign)| key ^ sign).collect();
        Ok(format!("{answer},p={}", BASE64_STANDARD.encode(proof)))
    }

    /// Checks that the server knows the password too.
    pub(super) fn verify(&self, last: &str) -> Result<(), String> {
        let signature = last.strip_prefix("v=").and_then(|text| BASE64_STANDARD.decode(text).ok());
        if signature.is_some_and(|signature| signature == self.server_signature) {
            return Ok(());
        }
        Err(format!("the broker does not prove that it knows the password: {last}"))
    }
}

/// The hash function of a mechanism.
#[derive(Clone, Copy)]
struct Hash(SaslMechanism);

impl Hash {
    fn is_long(self) -> bool {
        self.0 == SaslMechanism::ScramSha512
    }

    fn digest(self, bytes: &[u8]) -> Vec<u8> {
        if self.is_long() { Sha512::digest(bytes).to_vec() } else { Sha256::digest(bytes).to_vec() }
    }

    fn mac(self, key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, String> {
        fn sign<M: Mac + KeyInit>(key: &[u8], bytes: &[u8]) -> Result<Vec<u8>, String> {
            let mac = <M as KeyInit>::new_from_slice(key).map_err(|error| error.to_string())?;
            Ok(mac.chain_update(bytes).finalize().into_bytes().to_vec())
        }
        if self.is_long() {
            sign::<Hmac<Sha512>>(key, bytes)
        } else {
            sign::<Hmac<Sha256>>(key, bytes)
        }
    }

    fn stretch(self, password: &[u8], salt: &[u8], rounds: u32) -> Vec<u8> {
        if self.is_long() {
            pbkdf2::pbkdf2_hmac_array::<Sha512, 64>(password, salt, rounds).to_vec()
        } else {
            pbkdf2::pbkdf2_hmac_array::<Sha256, 32>(password, salt, rounds).to_vec()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7677.
    #[test]
    fn the_rfcs_example_holds() {
        let mechanism = SaslMechanism::ScramSha256;
        let sasl = Sasl { mechanism, username: "user".into(), password: "pencil".into() };
        let mut scram = Scram::new(&sasl, "rOprNGfwEbeRWgbNEkqO".into());
        assert_eq!(scram.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let answer = scram.answer(&format!("r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")).unwrap();
        let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
        assert_eq!(answer, format!("c=biws,r={nonce},p={proof}"));
        scram.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert!(scram.verify("e=other-error").is_err());
        assert!(scram.answer("r=another,s=AA==,i=4096").is_err());
    }
}
