//! Files of `java.util.Properties`: lines that go on, separators, escapes.

/// What Java takes for space between the parts of a line.
const SPACE: [char; 3] = [' ', '\t', '\u{c}'];

/// The lines that say something, each with those that continue it.
pub(super) fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for part in text.replace("\r\n", "\n").split(['\n', '\r']) {
        let part = part.trim_start_matches(SPACE);
        if open.is_none() && (part.is_empty() || part.starts_with(['#', '!'])) {
            continue;
        }
        let mut line = open.take().unwrap_or_default();
        let slashes = part.len() - part.trim_end_matches('\\').len();
        if slashes % 2 == 1 {
            line.push_str(&part[..part.len() - 1]);
            open = Some(line);
        } else {
            line.push_str(part);
            lines.push(line);
        }
    }
    lines.extend(open.filter(|line| !line.is_empty()));
    lines
}

/// The name and the value of a line. Between them stand space, `=` or `:`, none of which is escaped.
pub(super) fn split(line: &str) -> (String, String) {
    let mut is_escaped = false;
    let ends = |(_, c): &(usize, char)| {
        let is_end = !is_escaped && (SPACE.contains(c) || matches!(c, '=' | ':'));
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    };
    let end = line.char_indices().find(ends).map_or(line.len(), |(at, _)| at);
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(SPACE);
    let value = rest.strip_prefix(['=', ':']).map_or(rest, |value| value.trim_start_matches(SPACE));
    (unescaped(name), unescaped(value))
}

/// A text without its escapes. Half of a pair of UTF-16 alone is replaced.
fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('f') => '\u{c}',
                Some('u') => {
                    let digits = chars.as_str().get(..4);
                    let digits = digits.filter(|hex| hex.bytes().all(|c| c.is_ascii_hexdigit()));
                    if let Some(unit) = digits.and_then(|hex| u16::from_str_radix(hex, 16).ok()) {
                        units.push(unit);
                        chars = chars.as_str()[4..].chars();
                        continue;
                    }
                    'u'
                }
                Some(other) => other,
                None => continue,
            },
            c => c,
        };
        units.extend(c.encode_utf16(&mut [0; 2]).iter());
    }
    String::from_utf16_lossy(&units)
}
