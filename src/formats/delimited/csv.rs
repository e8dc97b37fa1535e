//! One record of comma-separated values: reading and quoting.
//!
//! A field is quoted where it has to be, and also where the first one begins with neither a letter
//! nor a digit. Lines beyond the first are read for their faults alone.

use std::borrow::Cow;

/// Reads the first record of `text` that is not an empty line, or `None` if there is none.
///
/// The whole text has to be well-formed.
pub(super) fn read(text: &str, delimiter: char) -> Result<Option<Vec<Cow<'_, str>>>, String> {
    let mut reader = Reader { text, delimiter, at: 0, line: 0 };
    let mut first = None;
    while let Some(record) = reader.record()? {
        first.get_or_insert(record);
    }
    Ok(first)
}

struct Reader<'a> {
    text: &'a str,
    delimiter: char,
    at: usize,
    /// How many line ends have been read.
    line: usize,
}

/// What follows a field.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Field,
    Record,
    Text,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn record(&mut self) -> Result<Option<Vec<Cow<'a, str>>>, String> {
        while let Some('\r' | '\n') = self.peek() {
            self.line_end();
        }
        if self.peek().is_none() {
            return Ok(None);
        }
        let mut fields = Vec::new();
        loop {
            let (field, end) =
                if self.peek() == Some('"') { self.quoted()? } else { self.simple() };
            fields.push(field);
            if end != End::Field {
                return Ok(Some(fields));
            }
        }
    }

    fn line_end(&mut self) {
        let is_pair = self.text[self.at..].starts_with("\r\n");
        self.at += if is_pair { 2 } else { 1 };
        self.line += 1;
    }

    /// Consumes what ends a field, if it is next.
    fn end(&mut self) -> Option<End> {
        match self.peek() {
            None => Some(End::Text),
            Some(c) if c == self.delimiter => {
                self.at += c.len_utf8();
                Some(End::Field)
            }
            Some('\r' | '\n') => {
                self.line_end();
                Some(End::Record)
            }
            Some(_) => None,
        }
    }

    fn simple(&mut self) -> (Cow<'a, str>, End) {
        let start = self.at;
        let rest = &self.text[start..];
        let len = rest.find([self.delimiter, '\r', '\n']).unwrap_or(rest.len());
        self.at += len;
        let end = self.end().unwrap_or(End::Text);
        (Cow::Borrowed(&self.text[start..start + len]), end)
    }

    fn quoted(&mut self) -> Result<(Cow<'a, str>, End), String> {
        let start_line = self.line;
        self.at += 1;
        let mut field = Cow::Borrowed("");
        loop {
            let rest = &self.text[self.at..];
            let Some(len) = rest.find('"') else {
                return Err(format!(
                    "(startline {}) EOF reached before encapsulated token finished",
                    start_line + 1
                ));
            };
            self.line += rest[..len].matches('\n').count();
            self.at += len + 1;
            field += &rest[..len];
            if self.peek() != Some('"') {
                break;
            }
            self.at += 1;
            field += "\"";
        }
        loop {
            if let Some(end) = self.end() {
                return Ok((field, end));
            }
            match self.peek() {
                Some(c) if is_java_whitespace(c) => self.at += c.len_utf8(),
                _ => {
                    return Err(format!(
                        "(line {}) invalid char between encapsulated token and delimiter",
                        self.line + 1
                    ));
                }
            }
        }
    }
}

/// Java's `Character.isWhitespace`, which leaves blanks out that do not break.
fn is_java_whitespace(c: char) -> bool {
    matches!(c, '\u{1c}'..='\u{1f}')
        || (c.is_whitespace() && !matches!(c, '\u{a0}' | '\u{2007}' | '\u{202f}' | '\u{85}'))
}

/// Appends a field, quoted where Commons CSV quotes it.
pub(super) fn write(field: &[u8], is_first: bool, delimiter: char, out: &mut Vec<u8>) {
    let Some((first, last)) = field.first().zip(field.last()) else {
        // Alone on its line, an empty field would be an empty line.
        out.extend_from_slice(if is_first { b"\"\"" } else { b"" });
        return;
    };
    let mut bytes = [0; 4];
    let delimiter = delimiter.encode_utf8(&mut bytes).as_bytes();
    let is_quoted = (is_first && !first.is_ascii_alphanumeric())
        || *first <= b'#'
        || *last <= b' '
        || field.iter().any(|byte| matches!(byte, b'\n' | b'\r' | b'"'))
        || field.windows(delimiter.len()).any(|window| window == delimiter);
    if !is_quoted {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    for byte in field {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Result<Option<Vec<String>>, String> {
        let fields = read(text, ',')?;
        Ok(fields.map(|fields| fields.into_iter().map(Cow::into_owned).collect()))
    }

    #[test]
    fn the_first_record_is_read() {
        let read = |text| fields(text).unwrap().unwrap_or_default();
        assert_eq!(read("a,b"), ["a", "b"]);
        assert_eq!(read("a,"), ["a", ""]);
        assert_eq!(read(","), ["", ""]);
        assert_eq!(read("\r\n\na\nb,c"), ["a"]);
        assert_eq!(read("\"a \"\"q\"\",\nb\" \t,c"), ["a \"q\",\nb", "c"]);
        assert_eq!(read("\"\""), [""]);
        assert_eq!(read("a\"b,c\"d"), ["a\"b", "c\"d"]);
        assert!(read("").is_empty());
        assert!(read("\n\r\n").is_empty());
    }

    #[test]
    fn faults_have_the_words_of_commons_csv() {
        assert_eq!(
            fields("a,\"b").unwrap_err(),
            "(startline 1) EOF reached before encapsulated token finished"
        );
        assert_eq!(
            fields("a\n\"b\"c").unwrap_err(),
            "(line 2) invalid char between encapsulated token and delimiter"
        );
    }

    #[test]
    fn fields_are_quoted_where_they_have_to_be() {
        let written = |text: &str, is_first| {
            let mut out = Vec::new();
            write(text.as_bytes(), is_first, ',', &mut out);
            String::from_utf8(out).unwrap()
        };
        for (text, first, later) in [
            ("five", "five", "five"),
            ("", "\"\"", ""),
            ("-1", "\"-1\"", "-1"),
            ("#c", "\"#c\"", "\"#c\""),
            ("\\", "\"\\\"", "\\"),
            ("é", "\"é\"", "é"),
            ("a;b", "a;b", "a;b"),
            ("a,b", "\"a,b\"", "\"a,b\""),
            ("a ", "\"a \"", "\"a \""),
            ("a\"b", "\"a\"\"b\"", "\"a\"\"b\""),
        ] {
            assert_eq!(written(text, true), first);
            assert_eq!(written(text, false), later);
        }
    }
}
