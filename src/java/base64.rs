//! `Base64.getDecoder()`: no blanks, padding optional but never wrong.

/// The bytes of `text`, or the message of Java's exception.
pub fn decode_base64(text: &str) -> Result<Vec<u8>, String> {
    // Java takes the text as ISO 8859-1, in which every other character is a question mark.
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
    if latin.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".into());
    }
    let (mut bytes, mut bits, mut count, mut at) = (Vec::new(), 0_u32, 0, 0);
    while at < latin.len() {
        let byte = latin[at];
        at += 1;
        if byte == b'=' {
            let is_whole = match count {
                2 => latin.get(at) == Some(&b'='),
                other => other != 0,
            };
            if !is_whole {
                return Err("Input byte array has wrong 4-byte ending unit".into());
            }
            at += usize::from(count == 2);
            break;
        }
        let Some(sextet) = sextet(byte) else {
            let sign = if byte < 0x80 { "" } else { "-" };
            let size = byte.cast_signed().unsigned_abs();
            return Err(format!("Illegal base64 character {sign}{size:x}"));
        };
        bits = bits << 6 | u32::from(sextet);
        count += 1;
        if count == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        1 => return Err("Last unit does not have enough valid bits".into()),
        2 => bytes.push((bits >> 4) as u8),
        3 => bytes.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => {}
    }
    if at < latin.len() {
        return Err(format!("Input byte array has incorrect ending byte at {at}"));
    }
    Ok(bytes)
}

/// The six bits of a character of the alphabet.
pub fn sextet(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::decode_base64;

    #[test]
    fn decodes_as_java() {
        let cases: &[(&str, Result<&[u8], &str>)] = &[
            ("", Ok(b"")),
            ("aGVsbG8=", Ok(b"hello")),
            ("aGVsbG8", Ok(b"hello")),
            ("aA==", Ok(b"h")),
            ("aA", Ok(b"h")),
            ("a", Err("Input byte[] should at least have 2 bytes for base64 bytes")),
            ("aA=", Err("Input byte array has wrong 4-byte ending unit")),
            ("aaaa=", Err("Input byte array has wrong 4-byte ending unit")),
            ("aaaab", Err("Last unit does not have enough valid bits")),
            ("aA==b", Err("Input byte array has incorrect ending byte at 4")),
            ("a=", Err("Last unit does not have enough valid bits")),
            ("é234", Err("Illegal base64 character -17")),
            ("a b=", Err("Illegal base64 character 20")),
        ];
        for (text, expected) in cases {
            let decoded = decode_base64(text);
            assert_eq!(decoded.as_deref().map_err(String::as_str), *expected, "{text}");
        }
    }
}
