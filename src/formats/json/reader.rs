//! JSON as ksqlDB's parser (Jackson) reads it: exactly what it accepts, and its messages.
//!
//! Only the first value is read; what follows it is never looked at. UTF-8 is decoded as leniently
//! as there: overlong forms and halves of surrogate pairs pass.

use std::borrow::Cow;

use super::messages::{
    TextKind, describe, is_identifier_part, is_identifier_start, non_standard, unexpected,
    unexpected_char, unexpected_in_number,
};
use super::source::location;
use super::tape::{Node, Tape, check_exponent};
use crate::java::from_utf16_units;

/// The longest part of an unknown word that a message quotes.
const QUOTED_WORD_MAX: usize = 256;

const VALID_VALUES: &str =
    "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";

const NO_COMMENTS: &str = "maybe a (non-standard) comment? (not recognized as one since Feature \
                           'ALLOW_COMMENTS' not enabled for parser)";

/// Reads the first value of `text`. `Ok(None)` if there is none. `source` is quoted in messages.
pub(in crate::formats) fn read<'a>(
    text: &'a [u8],
    source: &[u8],
) -> Result<Option<Tape<'a>>, String> {
    let mut reader = Reader { text, source, at: 0, open: Vec::new(), tape: Tape::default() };
    if reader.skip_blanks()?.is_none() {
        return Ok(None);
    }
    reader.read()?;
    Ok(Some(reader.tape))
}

/// Why the first value of a text cannot be read, and where; none if it can be.
pub fn json_refusal(text: &[u8]) -> Option<String> {
    let mut reader = Reader { text, source: text, at: 0, open: Vec::new(), tape: Tape::default() };
    let read = match reader.skip_blanks() {
        Ok(Some(_)) => reader.read(),
        Ok(None) => Ok(()),
        Err(error) => Err(error),
    };
    read.err().map(|error| format!("{error}\n at {}", reader.location(Some(reader.at))))
}

/// What is said with a text, whose last byte is at fault, by those who have read it.
pub fn located_at_end(message: &str, text: &[u8]) -> String {
    let end = text.trim_ascii_end().len();
    format!("{message}\n at {}", location(text, text, Some(end.saturating_sub(1))))
}

/// What is said with a text whose first byte is at fault, by those who have read it.
pub fn located_at_start(message: &str, text: &[u8]) -> String {
    let start = text.len() - text.trim_ascii_start().len();
    format!("{message}\n at {}", location(text, text, Some(start)))
}

struct Reader<'a, 's> {
    text: &'a [u8],
    source: &'s [u8],
    /// The next byte.
    at: usize,
    /// The lists and objects that are open.
    open: Vec<Open>,
    tape: Tape<'a>,
}

#[derive(Clone, Copy)]
struct Open {
    /// The position of its node.
    node: usize,
    /// The position of its bracket.
    start: usize,
    is_object: bool,
    is_empty: bool,
}

type Read<T> = Result<T, String>;

impl<'a> Reader<'a, '_> {
    /// Reads values until the outermost one is complete.
    fn read(&mut self) -> Read<()> {
        let first = self.next_byte();
        self.value(first, None)?;
        while let Some(open) = self.open.last().copied() {
            let Some(mut byte) = self.skip_blanks()? else { return Err(self.unclosed(open)) };
            self.at += 1;
            if matches!(byte, b']' | b'}') {
                self.close(byte, open)?;
                continue;
            }
            if !open.is_empty {
                if byte != b',' {
                    let message = "was expecting comma to separate ";
                    return Err(unexpected(byte, &format!("{message}{} entries", self.kind())));
                }
                byte = self.next_after_blanks()?;
            }
            if let Some(open) = self.open.last_mut() {
                open.is_empty = false;
            }
            if open.is_object {
                self.name(byte)?;
                let byte = self.colon()?;
                self.value(byte, Some("FIELD_NAME"))?;
            } else {
                self.value(byte, None)?;
            }
        }
        Ok(())
    }

    fn next_byte(&mut self) -> u8 {
        self.at += 1;
        self.text[self.at - 1]
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Skips blanks; the byte after them, which is not consumed, or `None` at the end.
    fn skip_blanks(&mut self) -> Read<Option<u8>> {
        while let Some(byte) = self.peek() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                0..0x20 => {
                    return Err(format!(
                        "Illegal character ({}): only regular white space (\\r, \\n, \\t) is \
                         allowed between tokens",
                        describe(char::from(byte))
                    ));
                }
                b'/' => return Err(unexpected(b'/', NO_COMMENTS)),
                _ => return Ok(Some(byte)),
            }
        }
        Ok(None)
    }

    /// Consumes blanks and the byte after them, inside a list or an object.
    fn next_after_blanks(&mut self) -> Read<u8> {
        if self.skip_blanks()?.is_none() {
            let kind = self.kind();
            return Err(format!("Unexpected end-of-input within/between {kind} entries"));
        }
        Ok(self.next_byte())
    }

    fn kind(&self) -> &'static str {
        match self.open.last() {
            None => "root",
            Some(open) if open.is_object => "Object",
            Some(_) => "Array",
        }
    }

    fn location(&self, at: Option<usize>) -> String {
        location(self.source, self.text, at)
    }

    fn unclosed(&self, open: Open) -> String {
        let kind = self.kind();
        let start = self.location(Some(open.start));
        let expected = format!("expected close marker for {kind} (start marker at {start})");
        format!("Unexpected end-of-input: {expected}")
    }

    fn close(&mut self, byte: u8, open: Open) -> Read<()> {
        if (byte == b'}') != open.is_object {
            return Err(self.mismatched(byte, Some(open.start)));
        }
        let end = self.tape.nodes.len();
        self.tape.nodes[open.node] =
            if open.is_object { Node::Object { end } } else { Node::Array { end } };
        self.open.pop();
        Ok(())
    }

    fn mismatched(&self, byte: u8, start: Option<usize>) -> String {
        let expected = if byte == b'}' { ']' } else { '}' };
        let (kind, start) = (self.kind(), self.location(start));
        format!(
            "Unexpected close marker '{}': expected '{expected}' (for {kind} starting at {start})",
            char::from(byte)
        )
    }

    /// Reads the name that begins with `byte`.
    fn name(&mut self, byte: u8) -> Read<()> {
        if byte != b'"' {
            let c = self.decode_for_error(byte);
            return Err(unexpected_char(c, "was expecting double-quote to start field name"));
        }
        let name = self.text_until_quote(TextKind::Name)?;
        self.tape.nodes.push(Node::Name(name));
        Ok(())
    }

    /// Consumes a colon, and the byte that begins the value after it.
    fn colon(&mut self) -> Read<u8> {
        let end = "Unexpected end-of-input within/between Object entries";
        match self.skip_blanks()? {
            None => return Err(end.into()),
            Some(b':') => self.at += 1,
            Some(byte) => {
                let message = "was expecting a colon to separate field name and value";
                return Err(unexpected(byte, message));
            }
        }
        if self.skip_blanks()?.is_none() {
            return Err(end.into());
        }
        Ok(self.next_byte())
    }

    /// Reads the value that begins with `byte`. `token` is the one before, for messages.
    fn value(&mut self, byte: u8, token: Option<&str>) -> Read<()> {
        let start = self.at - 1;
        let node = match byte {
            b'"' => Node::Text(self.text_until_quote(TextKind::Value)?),
            b'{' | b'[' => {
                let is_object = byte == b'{';
                let node = self.tape.nodes.len();
                self.open.push(Open { node, start, is_object, is_empty: true });
                Node::Null
            }
            b'-' | b'0'..=b'9' => self.number(byte, token)?,
            b't' => self.word("true", Node::Boolean(true))?,
            b'f' => self.word("false", Node::Boolean(false))?,
            b'n' => self.word("null", Node::Null)?,
            _ => return Err(self.unexpected_value(byte)),
        };
        self.tape.nodes.push(node);
        Ok(())
    }

    /// Reads the rest of `word`, whose first letter is consumed.
    fn word(&mut self, word: &str, node: Node<'a>) -> Read<Node<'a>> {
        self.match_word(word, 1)?;
        Ok(node)
    }

    fn match_word(&mut self, word: &str, from: usize) -> Read<()> {
        for (index, letter) in word.bytes().enumerate().skip(from) {
            if self.peek() != Some(letter) {
                return Err(self.unknown_word(&word[..index]));
            }
            self.at += 1;
        }
        let Some(next) = self.peek() else { return Ok(()) };
        if next >= b'0' && next != b']' && next != b'}' && is_identifier_part(self.peek_char()) {
            return Err(self.unknown_word(word));
        }
        Ok(())
    }

    /// The message about a word that begins with `matched`.
    fn unknown_word(&mut self, matched: &str) -> String {
        let mut word = matched.to_owned();
        while let Some(byte) = self.peek() {
            self.at += 1;
            let c = self.decode_for_error(byte);
            if !is_identifier_part(c) {
                break;
            }
            word.push(c);
            if word.chars().count() >= QUOTED_WORD_MAX {
                word.push_str("...");
                break;
            }
        }
        format!("Unrecognized token '{word}': was expecting {VALID_VALUES}")
    }

    fn unexpected_value(&mut self, byte: u8) -> String {
        match byte {
            b']' | b'}' if self.open.is_empty() => self.mismatched(byte, None),
            b']' if self.kind() == "Array" => unexpected(byte, "expected a value"),
            b',' | b'}' => unexpected(byte, "expected a value"),
            b'N' | b'I' => {
                let word = if byte == b'N' { "NaN" } else { "Infinity" };
                self.match_word(word, 1).err().unwrap_or_else(|| non_standard(word))
            }
            b'+' => match self.peek() {
                None => "Unexpected end-of-input in a Number value".into(),
                Some(next) => {
                    self.at += 1;
                    self.bad_number_start(next, false)
                }
            },
            _ if is_identifier_start(char::from(byte)) => {
                self.unknown_word(&char::from(byte).to_string())
            }
            _ => unexpected(byte, &format!("expected a valid value {VALID_VALUES}")),
        }
    }

    /// The message about a sign that `byte` follows.
    fn bad_number_start(&mut self, byte: u8, negative: bool) -> String {
        let mut byte = byte;
        if byte == b'I' {
            let Some(next) = self.peek() else {
                return "Unexpected end-of-input in a Number value".into();
            };
            self.at += 1;
            let word = match (next, negative) {
                (b'N', true) => Some("-INF"),
                (b'N', false) => Some("+INF"),
                (b'n', true) => Some("-Infinity"),
                (b'n', false) => Some("+Infinity"),
                _ => None,
            };
            if let Some(word) = word {
                return self.match_word(word, 3).err().unwrap_or_else(|| non_standard(word));
            }
            byte = next;
        }
        if negative {
            let message = "expected digit (0-9) to follow minus sign, for valid numeric value";
            return unexpected_in_number(byte, message);
        }
        unexpected_in_number(
            b'+',
            "JSON spec does not allow numbers to have plus signs: enable \
             `JsonReadFeature.ALLOW_LEADING_PLUS_SIGN_FOR_NUMBERS` to allow",
        )
    }

    /// Reads the number that begins with `byte`.
    fn number(&mut self, byte: u8, token: Option<&str>) -> Read<Node<'a>> {
        let start = self.at - 1;
        let end = || format!("Unexpected end-of-input in {}", token.unwrap_or("null"));
        let mut digit = byte;
        if byte == b'-' {
            digit = self.peek().ok_or_else(end)?;
            self.at += 1;
            if !digit.is_ascii_digit() {
                return Err(self.bad_number_start(digit, true));
            }
        }
        if digit == b'0' && self.peek().is_some_and(|next| next.is_ascii_digit()) {
            return Err("Invalid numeric value: Leading zeroes not allowed".into());
        }
        self.digits();
        let mut is_float = false;
        if self.peek() == Some(b'.') {
            is_float = true;
            self.at += 1;
            if self.digits() == 0 {
                let message = "Decimal point not followed by a digit";
                return Err(unexpected_in_number(self.peek().unwrap_or(b'.'), message));
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            is_float = true;
            self.at += 1;
            let mut next = self.peek().ok_or_else(end)?;
            if matches!(next, b'+' | b'-') {
                self.at += 1;
                next = self.peek().ok_or_else(end)?;
            }
            if self.digits() == 0 {
                let message = "Exponent indicator not followed by a digit";
                return Err(unexpected_in_number(next, message));
            }
        }
        self.check_root_end()?;
        let text = std::str::from_utf8(&self.text[start..self.at]).unwrap_or_default();
        if !is_float {
            return Ok(Node::Integer(text));
        }
        check_exponent(text)?;
        Ok(Node::Float(text))
    }

    fn digits(&mut self) -> usize {
        let rest = &self.text[self.at..];
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        count
    }

    /// A number that is not in a list or an object has to be followed by a blank.
    fn check_root_end(&self) -> Read<()> {
        match self.peek() {
            Some(byte) if self.open.is_empty() && !b" \t\r\n".contains(&byte) => {
                Err(unexpected(byte, "Expected space separating root-level values"))
            }
            _ => Ok(()),
        }
    }

    /// Reads text whose opening quote is consumed, and its closing quote.
    fn text_until_quote(&mut self, kind: TextKind) -> Read<Cow<'a, str>> {
        let start = self.at;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    let Ok(text) = std::str::from_utf8(&self.text[start..self.at]) else { break };
                    self.at += 1;
                    return Ok(Cow::Borrowed(text));
                }
                b'\\' | 0..0x20 => break,
                _ => self.at += 1,
            }
        }
        self.at = start;
        self.text_by_units(kind).map(Cow::Owned)
    }

    /// Reads text with escapes, or with UTF-8 that is not strict.
    fn text_by_units(&mut self, kind: TextKind) -> Read<String> {
        let mut units: Vec<u16> = Vec::new();
        let start = self.at;
        loop {
            let Some(byte) = self.peek() else { return Err(kind.unclosed(self.at == start)) };
            self.at += 1;
            match byte {
                b'"' => return Ok(from_utf16_units(units)),
                b'\\' => units.push(self.escape()?),
                0..0x20 => {
                    return Err(format!(
                        "Illegal unquoted character ({}): has to be escaped using backslash to be \
                         included in {}",
                        describe(char::from(byte)),
                        kind.described()
                    ));
                }
                0x20..0x80 => units.push(byte.into()),
                _ => self.multi_byte(byte, kind, &mut units)?,
            }
        }
    }

    /// Reads the rest of a character that `byte` begins.
    fn multi_byte(&mut self, byte: u8, kind: TextKind, units: &mut Vec<u16>) -> Read<()> {
        let (bits, more) = match byte {
            0xC0..0xE0 => (byte & 0x1F, 1),
            0xE0..0xF0 => (byte & 0x0F, 2),
            0xF0..0xF8 => (byte & 0x07, 3),
            _ => return Err(format!("Invalid UTF-8 start byte 0x{byte:x}")),
        };
        let mut code = i32::from(bits);
        for _ in 0..more {
            let next = self.peek().ok_or_else(|| kind.unclosed(false))?;
            if next & 0xC0 != 0x80 {
                return Err(format!("Invalid UTF-8 middle byte 0x{next:x}"));
            }
            self.at += 1;
            code = code << 6 | i32::from(next & 0x3F);
        }
        if more < 3 {
            units.push(code as u16);
        } else {
            let pair = code - 0x1_0000;
            units.push((0xD800 | pair >> 10) as u16);
            units.push((0xDC00 | pair & 0x3FF) as u16);
        }
        Ok(())
    }

    /// Reads an escape whose backslash is consumed.
    fn escape(&mut self) -> Read<u16> {
        let end = "Unexpected end-of-input in character escape sequence";
        let byte = self.peek().ok_or(end)?;
        self.at += 1;
        Ok(match byte {
            b'b' => 8,
            b't' => 9,
            b'n' => 10,
            b'f' => 12,
            b'r' => 13,
            b'"' | b'/' | b'\\' => byte.into(),
            b'u' => {
                let mut unit = 0;
                for _ in 0..4 {
                    let byte = self.peek().ok_or(end)?;
                    self.at += 1;
                    let Some(digit) = char::from(byte).to_digit(16) else {
                        let message = "expected a hex-digit for character escape sequence";
                        return Err(unexpected(byte, message));
                    };
                    unit = unit << 4 | digit as u16;
                }
                unit
            }
            _ => {
                let c = self.decode_for_error(byte);
                return Err(format!("Unrecognized character escape {}", describe(c)));
            }
        })
    }

    fn peek_char(&self) -> char {
        let rest = &self.text[self.at..self.text.len().min(self.at + 4)];
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&rest[..error.valid_up_to()]).unwrap_or_default(),
        };
        valid.chars().next().unwrap_or_else(|| char::from(rest.first().copied().unwrap_or(0)))
    }

    /// The character that `byte`, which is consumed, begins. The rest of it is consumed too.
    fn decode_for_error(&mut self, byte: u8) -> char {
        if byte < 0x80 {
            return char::from(byte);
        }
        self.at -= 1;
        let c = self.peek_char();
        self.at += if c.is_ascii() || u32::from(c) == u32::from(byte) { 1 } else { c.len_utf8() };
        c
    }
}
