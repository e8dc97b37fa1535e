//! Functions of URLs, with `java.net.URI`'s idea of them (RFC 2396).

use super::{Call, Scalar};
use crate::expr::EvalError;
use crate::java::to_utf8_bytes;
use crate::types::Value;

pub(super) static FUNCTIONS: &[Scalar] = &[
    Scalar {
        signature: "URL_EXTRACT_PROTOCOL(input STRING) -> STRING",
        summary: "Returns the protocol of a URL.",
        examples: &[("URL_EXTRACT_PROTOCOL('https://example.com/')", "'https'")],
        eval: |call| part(call, |uri| uri.scheme.map(str::to_owned)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_HOST(input STRING) -> STRING",
        summary: "Returns the host of a URL.",
        examples: &[("URL_EXTRACT_HOST('https://example.com:80/')", "'example.com'")],
        eval: |call| part(call, |uri| uri.host.map(str::to_owned)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_PORT(input STRING) -> INT",
        summary: "Returns the port of a URL.",
        examples: &[("URL_EXTRACT_PORT('https://example.com:80/')", "80")],
        eval: |call| {
            let uri = Uri::parse(call.text(0).unwrap_or_default())?;
            Ok(uri.port.map_or(Value::Null, Value::Int))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_PATH(input STRING) -> STRING",
        summary: "Returns the path of a URL, decoded.",
        examples: &[("URL_EXTRACT_PATH('https://example.com/a%20b')", "'/a b'")],
        eval: |call| part(call, |uri| uri.path.map(decode)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_QUERY(input STRING) -> STRING",
        summary: "Returns what follows the question mark of a URL, decoded.",
        examples: &[("URL_EXTRACT_QUERY('https://example.com/?a=1')", "'a=1'")],
        eval: |call| part(call, |uri| uri.query.map(decode)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_FRAGMENT(input STRING) -> STRING",
        summary: "Returns what follows the number sign of a URL, decoded.",
        examples: &[("URL_EXTRACT_FRAGMENT('https://example.com/#top')", "'top'")],
        eval: |call| part(call, |uri| uri.fragment.map(decode)),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_EXTRACT_PARAMETER(input STRING, paramToFind STRING) -> STRING",
        summary: "Returns the first parameter of that name in the query of a URL.",
        examples: &[("URL_EXTRACT_PARAMETER('https://example.com/?a=1&b=2', 'b')", "'2'")],
        eval: |call| {
            let name = call.text(1).unwrap_or_default();
            part(call, |uri| parameter(&decode(uri.query?), name))
        },
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_ENCODE_PARAM(input STRING) -> STRING",
        summary: "Encodes text so that it can be a parameter of a URL.",
        examples: &[("URL_ENCODE_PARAM('a b&c')", "'a+b%26c'")],
        eval: |call| Ok(call.string(&encode_param(call.text(0).unwrap_or_default()))),
        ..Scalar::STRICT
    },
    Scalar {
        signature: "URL_DECODE_PARAM(input STRING) -> STRING",
        summary: "Decodes a parameter of a URL.",
        examples: &[("URL_DECODE_PARAM('a+b%26c')", "'a b&c'")],
        eval: |call| {
            let text = call.text(0).unwrap_or_default();
            check_escapes(text).map_err(|error| {
                error.wrap(format!("url_decode function failed to decode: {text}"))
            })?;
            Ok(call.string(&decode(&text.replace('+', " "))))
        },
        ..Scalar::STRICT
    },
];

fn part<'a>(
    call: &Call<'_, 'a>,
    get: impl FnOnce(&Uri<'_>) -> Option<String>,
) -> Result<Value<'a>, EvalError> {
    let uri = Uri::parse(call.text(0).unwrap_or_default())?;
    Ok(get(&uri).map_or(Value::Null, |text| call.string(&text)))
}

fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then(|| value.to_owned()),
        None => (pair == name).then(String::new),
    })
}

fn encode_param(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in to_utf8_bytes(text).iter() {
        match byte {
            b'-' | b'_' | b'.' | b'*' => out.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => out.push(char::from(*byte)),
            b' ' => out.push('+'),
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Replaces `%41` by what it stands for; bytes that are no UTF-8 become U+FFFD.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(byte.unwrap_or(bytes[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Fails unless two hexadecimal digits follow each `%`.
fn check_escapes(text: &str) -> Result<(), EvalError> {
    for (at, _) in text.match_indices('%') {
        let digits = text.as_bytes().get(at + 1..at + 3).unwrap_or_default();
        if digits.len() < 2 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return Err(EvalError::new("Malformed escape pair"));
        }
    }
    Ok(())
}

/// The parts of `[scheme:][//authority][path][?query][#fragment]` or `scheme:opaque[#fragment]`.
#[derive(Default)]
struct Uri<'t> {
    scheme: Option<&'t str>,
    host: Option<&'t str>,
    port: Option<i32>,
    path: Option<&'t str>,
    query: Option<&'t str>,
    fragment: Option<&'t str>,
}

/// What may stand in every part besides letters and digits.
const UNRESERVED: &str = "-_.!~*'()";
/// What may stand in a query, a fragment and an opaque part.
const URIC: &str = "-_.!~*'();/?:@&=+$,[]";

impl<'t> Uri<'t> {
    fn parse(text: &'t str) -> Result<Self, EvalError> {
        let mut uri = Self::default();
        let fault = |what: &str| EvalError::new(format!("{what}: {text}"));
        let (rest, fragment) = split_at_char(text, '#');
        let scheme_end = rest.find([':', '/', '?']).filter(|at| rest[*at..].starts_with(':'));
        let mut rest = rest;
        if let Some(end) = scheme_end {
            let scheme = &rest[..end];
            let mut chars = scheme.chars();
            let starts = chars.next().is_some_and(|c| c.is_ascii_alphabetic());
            if !starts || !chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
                return Err(fault("Illegal character in scheme name"));
            }
            uri.scheme = Some(scheme);
            rest = &rest[end + 1..];
            if rest.is_empty() {
                return Err(fault("Expected scheme-specific part"));
            }
        }
        if let Some(fragment) = fragment {
            check(fragment, URIC)?;
            uri.fragment = Some(fragment);
        }
        if uri.scheme.is_some() && !rest.starts_with('/') {
            check(rest, URIC)?;
            return Ok(uri);
        }
        let (hierarchy, query) = split_at_char(rest, '?');
        if let Some(query) = query {
            check(query, URIC)?;
            uri.query = Some(query);
        }
        let mut path = hierarchy;
        if let Some(after) = hierarchy.strip_prefix("//") {
            let end = after.find('/').unwrap_or(after.len());
            let authority = &after[..end];
            path = &after[end..];
            if authority.is_empty() && path.is_empty() {
                return Err(fault("Expected authority"));
            }
            uri.read_authority(authority)?;
        }
        check(path, &format!("{UNRESERVED}:@&=+$,;/"))?;
        uri.path = Some(path);
        Ok(uri)
    }

    /// `[user@]host[:port]`; what is no such thing is a name of a registry, without a host.
    fn read_authority(&mut self, authority: &'t str) -> Result<(), EvalError> {
        let server = match authority.split_once('@') {
            Some((user, server)) if check(user, &format!("{UNRESERVED};:&=+$,")).is_ok() => server,
            Some(_) => return check(authority, &format!("{UNRESERVED}$,;:@&=+[]")),
            None => authority,
        };
        let (host, port) = match server.strip_prefix('[') {
            Some(address) => {
                let end = address.find(']').map(|at| at + 2);
                let end = end.ok_or_else(|| EvalError::new("Expected closing bracket"))?;
                if !is_ip_v6(&server[1..end - 1]) {
                    return Err(EvalError::new("Malformed IPv6 address"));
                }
                (
                    &server[..end],
                    server[end..].strip_prefix(':').or(match &server[end..] {
                        "" => None,
                        _ => Some("-"),
                    }),
                )
            }
            None => match server.rsplit_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (server, None),
            },
        };
        let number = match port {
            None | Some("") => Some(None),
            Some(port) if port.bytes().all(|b| b.is_ascii_digit()) => port.parse().ok().map(Some),
            Some(_) => None,
        };
        match number {
            Some(port) if host.starts_with('[') || is_host_name(host) => {
                (self.host, self.port) = (Some(host), port);
                Ok(())
            }
            _ => check(authority, &format!("{UNRESERVED}$,;:@&=+")),
        }
    }
}

fn split_at_char(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Fails unless `text` has only letters, digits, escapes, `others` and what is beyond ASCII.
fn check(text: &str, others: &str) -> Result<(), EvalError> {
    check_escapes(text)?;
    let legal = |c: char| {
        c.is_ascii_alphanumeric()
            || c == '%'
            || others.contains(c)
            || !c.is_ascii() && !c.is_control() && !c.is_whitespace()
    };
    match text.find(|c| !legal(c)) {
        Some(at) => Err(EvalError::new(format!("Illegal character at index {at}: {text}"))),
        None => Ok(()),
    }
}

/// Labels of letters, digits and inner hyphens, of which the last begins with a letter; or IPv4.
fn is_host_name(host: &str) -> bool {
    let labels: Vec<&str> = host.strip_suffix('.').unwrap_or(host).split('.').collect();
    let is_label = |label: &&str| {
        let bytes = label.as_bytes();
        let inner = bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'-');
        !bytes.is_empty() && inner && bytes[0] != b'-' && bytes[bytes.len() - 1] != b'-'
    };
    if !labels.iter().all(is_label) {
        return false;
    }
    let is_byte = |label: &&str| label.len() <= 3 && label.parse::<u8>().is_ok();
    labels.last().is_some_and(|last| last.as_bytes()[0].is_ascii_alphabetic())
        || labels.len() == 4 && !host.ends_with('.') && labels.iter().all(is_byte)
}

fn is_ip_v6(address: &str) -> bool {
    let address = address.split_once('%').map_or(address, |(address, _)| address);
    address.parse::<std::net::Ipv6Addr>().is_ok()
}
