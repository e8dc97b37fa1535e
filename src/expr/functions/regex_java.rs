//! Java's regular expressions, rewritten for an engine with other defaults.
//!
//! In Java `\d`, `\w`, `\s` and `\b` know ASCII alone, `.` stops at every line terminator, `$`
//! matches before the last one, and `\Q..\E` quotes.

use std::fmt::Write as _;

/// A line terminator that `.` does not match.
const TERMINATORS: &str = r"\n\r\x{85}\x{2028}\x{2029}";
/// What `$` and `\Z` mean.
const END: &str = r"(?=(?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)";

/// Rewrites a pattern of Java's; faults in it stay faults.
pub(super) fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    // How deep in nested classes, and which flags were switched on so far.
    let (mut depth, mut dot_all, mut multi_line) = (0usize, false, false);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => escape(after, depth > 0, &mut out),
            '[' => {
                depth += 1;
                out.push('[');
                class_start(after, &mut out)
            }
            ']' if depth > 0 => {
                depth -= 1;
                out.push(']');
                after
            }
            '-' | '~' if depth > 0 && after.starts_with(c) => {
                let _ = write!(out, "\\{c}");
                after
            }
            '.' if depth == 0 && !dot_all => {
                let _ = write!(out, "[^{TERMINATORS}]");
                after
            }
            '$' if depth == 0 && !multi_line => {
                out.push_str(END);
                after
            }
            '(' if depth == 0 && after.starts_with('?') => {
                let flags: String =
                    after[1..].chars().take_while(char::is_ascii_alphabetic).collect();
                if after[1 + flags.len()..].starts_with([')', ':', '-']) {
                    dot_all |= flags.contains('s');
                    multi_line |= flags.contains('m');
                }
                out.push('(');
                after
            }
            _ => {
                out.push(c);
                after
            }
        };
    }
    out
}

/// Copies what may follow `[` without its usual meaning: a `^`, and then a `]` that stands first.
fn class_start<'t>(rest: &'t str, out: &mut String) -> &'t str {
    let rest = match rest.strip_prefix('^') {
        Some(rest) => {
            out.push('^');
            rest
        }
        None => rest,
    };
    match rest.strip_prefix(']') {
        Some(rest) => {
            out.push_str("\\]");
            rest
        }
        None => rest,
    }
}

/// Rewrites what follows a backslash, and gives back what follows that.
fn escape<'t>(rest: &'t str, in_class: bool, out: &mut String) -> &'t str {
    let Some(c) = rest.chars().next() else {
        out.push('\\');
        return rest;
    };
    let after = &rest[c.len_utf8()..];
    let class = match c {
        'Q' => {
            let (quoted, after) = after.split_once("\\E").unwrap_or((after, ""));
            quoted.chars().for_each(|c| literal(c, out));
            return after;
        }
        'p' | 'P' => return property(after, c == 'P', in_class, out),
        'd' => ("0-9", false),
        'D' => ("0-9", true),
        'w' => ("a-zA-Z_0-9", false),
        'W' => ("a-zA-Z_0-9", true),
        's' => (r" \t\n\x0B\f\r", false),
        'S' => (r" \t\n\x0B\f\r", true),
        'h' => (r" \t\xA0\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}", false),
        'H' => (r" \t\xA0\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}", true),
        'v' => (r"\n\x0B\f\r\x{85}\x{2028}\x{2029}", false),
        'V' => (r"\n\x0B\f\r\x{85}\x{2028}\x{2029}", true),
        'R' if !in_class => {
            out.push_str(r"(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])");
            return after;
        }
        'Z' if !in_class => {
            out.push_str(END);
            return after;
        }
        'u' => {
            let digits = after.get(..4).unwrap_or_default();
            let _ = write!(out, "\\x{{{digits}}}");
            return &after[digits.len()..];
        }
        '0' => {
            let limit = if after.starts_with(['0', '1', '2', '3']) { 3 } else { 2 };
            let count = after.bytes().take(limit).take_while(|b| matches!(b, b'0'..=b'7')).count();
            let code = u32::from_str_radix(&after[..count], 8).unwrap_or_default();
            let _ = write!(out, "\\x{{{code:x}}}");
            return &after[count..];
        }
        'e' => {
            out.push_str(r"\x1B");
            return after;
        }
        c if !c.is_ascii_alphanumeric() => {
            literal(c, out);
            return after;
        }
        c => {
            out.push('\\');
            out.push(c);
            return after;
        }
    };
    set(class.0, class.1, in_class, out);
    after
}

/// Appends a character that stands for itself.
fn literal(c: char, out: &mut String) {
    if c.is_ascii() && !c.is_ascii_alphanumeric() && !c.is_ascii_control() && c != ' ' {
        out.push('\\');
    }
    out.push(c);
}

/// Appends a set of characters, also where a set is open already.
fn set(items: &str, negated: bool, in_class: bool, out: &mut String) {
    let _ = match (negated, in_class) {
        (false, true) => write!(out, "{items}"),
        (false, false) => write!(out, "[{items}]"),
        (true, _) => write!(out, "[^{items}]"),
    };
}

/// Rewrites what follows `\p`: Java's POSIX names mean ASCII, and scripts and blocks have prefixes.
fn property<'t>(rest: &'t str, negated: bool, in_class: bool, out: &mut String) -> &'t str {
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let braced = rest.strip_prefix('{').and_then(|name| name.split_once('}'));
    let (name, after) = braced.unwrap_or_else(|| rest.split_at(length));
    let items = match name {
        "Lower" => "a-z",
        "Upper" => "A-Z",
        "ASCII" => r"\x00-\x7F",
        "Alpha" => "a-zA-Z",
        "Digit" => "0-9",
        "Alnum" => "a-zA-Z0-9",
        "Punct" => r"!-/:-@\[-`{-\~",
        "Graph" => r"!-\~",
        "Print" => r" -\~",
        "Blank" => r" \t",
        "Cntrl" => r"\x00-\x1F\x7F",
        "XDigit" => "0-9a-fA-F",
        "Space" => r" \t\n\x0B\f\r",
        "javaLowerCase" => r"\p{Lowercase}",
        "javaUpperCase" => r"\p{Uppercase}",
        "javaWhitespace" => r"\p{White_Space}",
        other => {
            let plain = other.strip_prefix("Is").unwrap_or(other);
            let _ = write!(out, "\\{}{{{plain}}}", if negated { 'P' } else { 'p' });
            return after;
        }
    };
    set(items, negated, in_class, out);
    after
}

#[cfg(test)]
mod tests {
    use super::translate;

    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let regex = fancy_regex::Regex::new(&translate(pattern)).unwrap();
        let found = regex.find(text).unwrap().map(|found| found.as_str());
        assert_eq!(found, expected, "{pattern} is {}", translate(pattern));
    }

    #[test]
    fn classes_know_ascii_alone() {
        check(r"\w+", "äbc", Some("bc"));
        check(r"[\d-]+", "٣4-5", Some("4-5"));
        check(r"[^\s\d]", "1 é", Some("é"));
        check(r"\p{Alpha}+", "éab", Some("ab"));
        check(r"\p{L}+", "1éab", Some("éab"));
        check("[a-z&&[^b]]+", "bac", Some("ac"));
        check("[]a]+", "x]a", Some("]a"));
    }

    #[test]
    fn lines_end_as_in_java() {
        check("a.b", "a\rb", None);
        check("(?s)a.b", "a\rb", Some("a\rb"));
        check("b$", "ab\n", Some("b"));
        check(r"\Qa.b\E+", "a.bb", Some("a.bb"));
        check("(?<=a)b", "ab", Some("b"));
        check(r"\u0041\x41\0101", "AAA", Some("AAA"));
    }
}
