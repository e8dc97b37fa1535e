//! Who may ask: names, passwords and roles (`authentication.*`).
//!
//! The file of users is Jetty's, which ksqlDB's JAAS configuration names: a user a line, as `name: password, role, …`. A
//! password stands there as it is, as `MD5:` and a digest in hexadecimal digits, or as `OBF:` and what Jetty's tool makes
//! of it.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::path::Path;
use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;

use super::api::errors;
use super::error::ServerError;
use crate::engine::Properties;

/// The file of users.
pub(super) const FILE: &str = "authentication.password.file";
const METHOD: &str = "authentication.method";
const ROLES: &str = "authentication.roles";
const REALM: &str = "authentication.realm";
const SKIPPED: &str = "authentication.skip.paths";

/// What everybody may ask, as ksqlDB has it: whether there is a server.
pub(super) const CHECKS: &[&str] = &["/chc/ready", "/chc/live"];

/// What stands for every role, and for a path that goes on.
const ANY: &str = "*";

/// Those who may ask.
#[derive(Clone)]
pub(super) struct Users(Arc<Inner>);

struct Inner {
    users: HashMap<String, User>,
    /// What is said to who has not said who he is.
    challenge: HeaderValue,
    /// Paths that everybody may ask, a last `*` standing for whatever follows.
    skipped: Vec<String>,
    /// What digests of passwords are made with, so that a comparison tells nothing of them.
    key: [u8; 8],
}

struct User {
    password: Password,
    /// Whether it has a role that may ask.
    is_allowed: bool,
}

enum Password {
    Plain(String),
    Md5(Vec<u8>),
}

impl Users {
    /// The users that properties name; none if everybody may ask.
    pub(super) fn new(properties: &Properties) -> Result<Option<Self>, ServerError> {
        let refused = |name, reason: &str| ServerError::property(name, reason);
        match properties.get(METHOD).map(str::to_ascii_uppercase).as_deref() {
            None | Some("" | "NONE") => return Ok(None),
            Some("BASIC") => {}
            Some(_) => return Err(refused(METHOD, "expected BASIC or NONE")),
        }
        let Some(path) = properties.get(FILE) else {
            let reason = "a file of users is needed, which a JAAS configuration names in ksqlDB: each a line \
                          `name: password, role`";
            return Err(refused(FILE, reason));
        };
        let text = std::fs::read_to_string(Path::new(path));
        let text = text.map_err(|error| refused(FILE, &format!("{path}: {error}")))?;
        let list = |name| {
            let all = properties.get(name).unwrap_or_default().split(',').map(str::trim);
            all.filter(|one| !one.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        };
        let roles: HashSet<String> = match properties.get(ROLES) {
            None => [ANY.to_owned()].into(),
            Some(_) => list(ROLES).into_iter().collect(),
        };
        let users =
            users(&text, &roles).map_err(|reason| refused(FILE, &format!("{path}: {reason}")))?;
        let realm = properties.get(REALM).unwrap_or("ksqlDB");
        let challenge = format!("Basic realm=\"{}\"", realm.replace(['"', '\\'], ""));
        let challenge = challenge.parse().map_err(|_| refused(REALM, "expected plain text"))?;
        let key = RandomState::new().build_hasher().finish().to_ne_bytes();
        Ok(Some(Self(Arc::new(Inner { users, challenge, skipped: list(SKIPPED), key }))))
    }

    /// Why a request is refused, unless it may come in.
    pub(super) fn refusal(&self, request: &Request) -> Option<Response> {
        let path = request.uri().path();
        let is_check = CHECKS.contains(&path);
        if is_check || self.0.skipped.iter().any(|skipped| matches(skipped, path)) {
            return None;
        }
        match self.allowed(request.headers()) {
            Some(true) => None,
            Some(false) => Some(refusal(StatusCode::FORBIDDEN, 40300, "Forbidden")),
            None => {
                let mut response = refusal(StatusCode::UNAUTHORIZED, 40100, "Unauthorized");
                let challenge = self.0.challenge.clone();
                response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
                Some(response)
            }
        }
    }

    /// Whether who asks may; none if it is not known who that is.
    fn allowed(&self, headers: &HeaderMap) -> Option<bool> {
        let given = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, given) = given.split_once(' ')?;
        let given =
            scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(given.trim()))?.ok()?;
        let given = String::from_utf8(given).ok()?;
        let (name, password) = given.split_once(':')?;
        let user = self.0.users.get(name)?;
        let is_right = match &user.password {
            Password::Plain(own) => self.is_same(own.as_bytes(), password.as_bytes()),
            Password::Md5(own) => self.is_same(own, &Md5::digest(password.as_bytes())),
        };
        is_right.then_some(user.is_allowed)
    }

    /// Whether two secrets are the same, which takes as long whatever they have in common.
    fn is_same(&self, a: &[u8], b: &[u8]) -> bool {
        let digest = |bytes: &[u8]| {
            let mac = Hmac::<Sha256>::new_from_slice(&self.0.key).ok()?;
            Some(mac.chain_update(bytes))
        };
        let (Some(a), Some(b)) = (digest(a), digest(b)) else { return false };
        a.verify(&b.finalize().into_bytes()).is_ok()
    }
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    (status, super::body::json(&errors::generic(code, message))).into_response()
}

fn matches(skipped: &str, path: &str) -> bool {
    match skipped.strip_suffix(ANY) {
        Some(start) => path.starts_with(start),
        None => path == skipped,
    }
}

/// The users of a file.
fn users(text: &str, allowed: &HashSet<String>) -> Result<HashMap<String, User>, String> {
    let mut users = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let wrong = |reason: &str| format!("line {}: {reason}", at + 1);
        let (name, rest) =
            line.split_once(':').ok_or_else(|| wrong("expected `name: password`"))?;
        let mut parts = rest.split(',').map(str::trim);
        let password = self::password(parts.next().unwrap_or_default()).map_err(|it| wrong(&it))?;
        let is_any = allowed.contains(ANY);
        let is_allowed = parts.any(|role| allowed.contains(role)) || is_any;
        users.insert(name.trim().to_owned(), User { password, is_allowed });
    }
    Ok(users)
}

fn password(text: &str) -> Result<Password, String> {
    if let Some(digest) = text.strip_prefix("MD5:") {
        return match hexadecimal(digest) {
            Some(digest) if digest.len() == 16 => Ok(Password::Md5(digest)),
            _ => Err("MD5: is no digest of 32 hexadecimal digits".to_owned()),
        };
    }
    if let Some(text) = text.strip_prefix("OBF:") {
        return plain(text).map(Password::Plain).ok_or_else(|| "OBF: cannot be read".to_owned());
    }
    if text.starts_with("CRYPT:") {
        return Err("CRYPT: is not supported, its passwords have eight letters at most".to_owned());
    }
    Ok(Password::Plain(text.to_owned()))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// The text that Jetty's `Password` has obfuscated: each byte and the one as far from the end give a number, which is
/// written with 36 digits. A byte above 127 stands for itself, marked by a `U`.
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(marked) = rest.strip_prefix('U') {
            let (group, after) = marked.split_at_checked(4)?;
            bytes.push(u8::try_from(u32::from_str_radix(group, 36).ok()? >> 8).ok()?);
            rest = after;
        } else {
            let (group, after) = rest.split_at_checked(4)?;
            let number = i64::from_str_radix(group, 36).ok()?;
            let (sum, difference) = (number / 256, number % 256);
            bytes.push(u8::try_from((sum + difference - 254) / 2).ok()?);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(file: &str, roles: &str) -> Users {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users");
        std::fs::write(&path, file).unwrap();
        let mut properties = Properties::default();
        properties.set(METHOD, "basic");
        properties.set(FILE, path.to_str().unwrap());
        properties.set(ROLES, roles);
        Users::new(&properties).unwrap().unwrap()
    }

    fn asks(users: &Users, name: &str, password: &str) -> Option<bool> {
        let given = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
        users.allowed(&[(header::AUTHORIZATION, given.parse().unwrap())].into_iter().collect())
    }

    #[test]
    fn users_with_a_role_may_ask() {
        let file = "# people\nann: secret,admin\nbob:MD5:5ebe2294ecd0e0f08eab7690d2a6ee69,reader\n\
                    eve: OBF:1v2j1uum1xtv1zej1zer1xtn1uvk1v1v , admin";
        let users = with(file, "admin, developer");
        assert_eq!(asks(&users, "ann", "secret"), Some(true));
        assert_eq!(asks(&users, "bob", "secret"), Some(false));
        assert_eq!(asks(&users, "eve", "password"), Some(true));
        assert_eq!(asks(&users, "ann", "secret "), None);
        assert_eq!(asks(&users, "nobody", "secret"), None);
        assert_eq!(users.allowed(&HeaderMap::new()), None);
        assert_eq!(asks(&with(file, "*"), "bob", "secret"), Some(true));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let none = HashSet::new();
        assert_eq!(users("ann", &none).err().unwrap(), "line 1: expected `name: password`");
        let digest = users("\nann: MD5:12", &none).err().unwrap();
        assert_eq!(digest, "line 2: MD5: is no digest of 32 hexadecimal digits");
    }

    #[test]
    fn paths_may_be_skipped() {
        assert!(matches("/chc/*", "/chc/live"));
        assert!(matches("/info", "/info"));
        assert!(!matches("/info", "/info/more"));
    }
}
