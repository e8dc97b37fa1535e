//! The answer to a query as it comes: its header, its rows, its end.
//!
//! A server writes `[{"header":…},\n{"row":…},\n…]` piece by piece, and the comma behind a row perhaps only with the next
//! one. So an object counts as soon as its last bracket is there. PRINT answers in lines of text.

use reqwest::Response;
use serde_json::Value;

use super::refusal::Refusal;

/// The longest row that is read.
const ROW_BYTES_MAX: usize = 64 << 20;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// What the columns are.
    Header {
        /// By which the server knows the query, if it told.
        query_id: Option<String>,
        /// Name and type of each.
        columns: Vec<(String, String)>,
    },
    /// A row.
    Row(Vec<Value>),
    /// The key of a row that is gone.
    Tombstone(Vec<Value>),
    /// A line of text.
    Line(String),
    /// Why it ends, where the server says so.
    Final(String),
}

/// An answer that comes piece by piece.
pub struct AnswerStream {
    response: Response,
    cutter: Cutter,
}

impl AnswerStream {
    /// The answer to a SELECT.
    pub fn of_rows(response: Response) -> Self {
        Self { response, cutter: Cutter { is_text: false, ..Cutter::default() } }
    }

    /// The answer to a PRINT.
    pub fn of_lines(response: Response) -> Self {
        Self { response, cutter: Cutter { is_text: true, ..Cutter::default() } }
    }

    /// The next part; `None` at the end. Nothing is lost where the future is dropped.
    pub async fn next(&mut self) -> Result<Option<Event>, Refusal> {
        loop {
            while let Some(text) = self.cutter.cut(false) {
                if let Some(event) = self.event(&text)? {
                    return Ok(Some(event));
                }
            }
            let url = self.response.url().to_string();
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.cutter.bytes.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(error) => {
                    let cause = format!("the answer broke off: {error}");
                    return Err(Refusal::Unreachable { url, cause });
                }
            }
            if self.cutter.bytes.len() > ROW_BYTES_MAX {
                return Err(Refusal::Unreachable { url, cause: "a row is too long".to_owned() });
            }
        }
        match self.cutter.cut(true) {
            Some(rest) => self.event(&rest),
            None => Ok(None),
        }
    }

    fn event(&self, text: &str) -> Result<Option<Event>, Refusal> {
        if self.cutter.is_text {
            let is_error = text.starts_with('{') && text.contains("\"error_code\"");
            let error = is_error.then(|| serde_json::from_str(text).ok()).flatten();
            return match error.as_ref().and_then(Refusal::of_object) {
                Some(refusal) => Err(refusal),
                None => Ok(Some(text)
                    .filter(|text| !text.is_empty())
                    .map(|text| Event::Line(text.to_owned()))),
            };
        }
        let object = serde_json::from_str(text).map_err(|_| Refusal::Unreachable {
            url: self.response.url().to_string(),
            cause: "its answer is none of ksqlDB's".to_owned(),
        })?;
        event(object)
    }
}

/// What an object of the answer says; `None` for what means nothing to a reader.
fn event(mut object: Value) -> Result<Option<Event>, Refusal> {
    let error = object.get("errorMessage").unwrap_or(&object);
    if let Some(refusal) = Refusal::of_object(error) {
        return Err(refusal);
    }
    if let Some(header) = object.get("header") {
        let query_id = header["queryId"].as_str().map(str::to_owned);
        let columns = columns(header["schema"].as_str().unwrap_or_default());
        return Ok(Some(Event::Header { query_id, columns }));
    }
    if let Some(Value::Object(row)) = object.get_mut("row") {
        let Some(Value::Array(columns)) = row.remove("columns") else { return Ok(None) };
        let is_tombstone = row.get("tombstone").and_then(Value::as_bool).unwrap_or(false);
        return Ok(Some(if is_tombstone {
            Event::Tombstone(columns)
        } else {
            Event::Row(columns)
        }));
    }
    Ok(object["finalMessage"].as_str().map(|message| Event::Final(message.to_owned())))
}

/// Names and types of a schema such as `` `ITEM` STRING KEY, `N` DECIMAL(8, 2) ``.
fn columns(schema: &str) -> Vec<(String, String)> {
    let mut columns = Vec::new();
    let mut rest = schema.trim();
    while let Some(after) = rest.strip_prefix('`') {
        let Some((name, length)) = quoted(after) else { break };
        rest = &after[length..];
        let end = type_length(rest);
        let ty = rest[..end].trim().trim_end_matches(" KEY").to_owned();
        columns.push((name, ty));
        rest = rest[end..].trim_start_matches(',').trim_start();
    }
    columns
}

/// The name up to the closing quote, and how many bytes it takes with that.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut at = 0;
    loop {
        at += text[at..].find('`')? + 1;
        if !text[at..].starts_with('`') {
            return Some((text[..at - 1].replace("``", "`"), at));
        }
        at += 1;
    }
}

/// Where the comma behind a type stands, outside of its brackets.
fn type_length(text: &str) -> usize {
    let (mut depth, mut is_quoted) = (0_usize, false);
    for (at, c) in text.char_indices() {
        match c {
            '`' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            '(' | '<' => depth += 1,
            ')' | '>' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

/// Cuts bytes as they come into objects, or into lines.
#[derive(Default)]
struct Cutter {
    bytes: Vec<u8>,
    is_text: bool,
    /// How far the bytes were looked at.
    seen: usize,
    depth: usize,
    is_string: bool,
    is_escaped: bool,
}

impl Cutter {
    /// The next whole object or line; at the end also one that is not whole.
    fn cut(&mut self, is_end: bool) -> Option<String> {
        let end = if self.is_text { self.line_end() } else { self.object_end() };
        let end = end.or((is_end && !self.bytes.is_empty()).then_some(self.bytes.len()))?;
        let part: Vec<u8> = self.bytes.drain(..end).collect();
        self.seen = 0;
        let text = String::from_utf8_lossy(&part);
        let text = if self.is_text { text.trim_end_matches(['\r', '\n']) } else { text.trim() };
        let is_frame =
            !self.is_text && text.trim_matches([' ', '\n', '\r', ',', '[', ']']).is_empty();
        (!is_frame).then(|| text.trim_start_matches([',', '[']).to_owned())
    }

    fn line_end(&mut self) -> Option<usize> {
        let found = self.bytes[self.seen..].iter().position(|byte| *byte == b'\n');
        let end = found.map(|at| self.seen + at + 1);
        self.seen = self.bytes.len();
        end
    }

    fn object_end(&mut self) -> Option<usize> {
        // What frames the objects is no part of them.
        if self.seen == 0 {
            let frame = self.bytes.iter().take_while(|byte| b" \r\n\t,[]".contains(byte)).count();
            self.bytes.drain(..frame);
        }
        while let Some(byte) = self.bytes.get(self.seen) {
            self.seen += 1;
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.is_string => self.is_escaped = true,
                b'"' => self.is_string = !self.is_string,
                _ if self.is_string => {}
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.seen);
                    }
                }
                _ => {}
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that a text gives, however it is cut on its way.
    fn cut(text: &str, is_text: bool) -> Vec<String> {
        let mut expected: Option<Vec<String>> = None;
        for step in 1..=text.len() {
            let mut cutter = Cutter { is_text, ..Cutter::default() };
            let mut found = Vec::new();
            for chunk in text.as_bytes().chunks(step) {
                cutter.bytes.extend_from_slice(chunk);
                found.extend(std::iter::from_fn(|| cutter.cut(false)));
            }
            found.extend(cutter.cut(true));
            assert_eq!(*expected.get_or_insert_with(|| found.clone()), found, "in steps of {step}");
        }
        expected.unwrap_or_default()
    }

    #[test]
    fn objects_are_cut_at_their_last_bracket() {
        assert_eq!(
            cut("[{\"a\":\"}\\\"]\"},\n{\"b\":[1,{}]}]", false),
            ["{\"a\":\"}\\\"]\"}", "{\"b\":[1,{}]}"]
        );
        assert_eq!(cut("[]", false), [""; 0]);
        assert_eq!(cut("a\r\nb\nc", true), ["a", "b", "c"]);
        let mut cutter = Cutter::default();
        cutter.bytes.extend_from_slice(b"[{\"row\":1}");
        assert_eq!(cutter.cut(false).as_deref(), Some("{\"row\":1}"), "before the comma is there");
    }

    #[test]
    fn headers_say_names_and_types() {
        let found = columns(
            "`ITEM` STRING KEY, `a``,b` DECIMAL(8, 2), `S` STRUCT<`X` INTEGER, `Y` ARRAY<STRING>>",
        );
        let expected = [
            ("ITEM", "STRING"),
            ("a`,b", "DECIMAL(8, 2)"),
            ("S", "STRUCT<`X` INTEGER, `Y` ARRAY<STRING>>"),
        ];
        assert_eq!(found, expected.map(|(name, ty)| (name.to_owned(), ty.to_owned())));
        assert_eq!(columns("nonsense"), []);
    }

    #[test]
    fn objects_are_events() {
        let parsed = |text: &str| event(serde_json::from_str(text).unwrap());
        let row = parsed(r#"{"row":{"columns":["a",1.50]}}"#).unwrap().unwrap();
        let Event::Row(columns) = row else { panic!("a row") };
        assert_eq!(columns[1].to_string(), "1.50");
        let gone = parsed(r#"{"row":{"columns":["a",null],"tombstone":true}}"#).unwrap().unwrap();
        assert!(matches!(gone, Event::Tombstone(_)));
        assert_eq!(
            parsed(r#"{"finalMessage":"Limit Reached"}"#),
            Ok(Some(Event::Final("Limit Reached".into())))
        );
        let error = parsed(
            r#"{"errorMessage":{"@type":"generic_error","error_code":50000,"message":"no"}}"#,
        );
        assert_eq!(error.unwrap_err().to_string(), "no");
    }
}
