//! The grammar of `.proto` files. What says nothing of the shape of messages is skipped.

use super::tokens::{Token, tokens};
use super::{EnumDef, FieldDef, Label, MessageDef, ProtoFile, TypeDef};

/// How deeply messages may stand inside one another.
const DEPTH_MAX: usize = 64;

type Parsed<T> = Result<T, String>;

/// Reads a file; the error says what was met in its place.
pub(in crate::formats::protobuf) fn parse(text: &str) -> Parsed<ProtoFile> {
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, at: 0 };
    let mut file = ProtoFile::default();
    while let Some(token) = parser.next() {
        match token {
            Token::Word(word) => parser.top_level(word, &mut file)?,
            Token::Mark(';') => {}
            token => return Err(unexpected(Some(token))),
        }
    }
    Ok(file)
}

fn unexpected(token: Option<&Token>) -> String {
    match token {
        None => "unexpected end of file".to_owned(),
        Some(Token::Word(word)) => format!("unexpected '{word}'"),
        Some(Token::Text(text)) => format!("unexpected \"{text}\""),
        Some(Token::Mark(mark)) => format!("unexpected '{mark}'"),
    }
}

struct Parser<'t> {
    tokens: &'t [Token],
    at: usize,
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'t Token> {
        let token = self.peek();
        self.at += usize::from(token.is_some());
        token
    }

    fn is_mark(&self, mark: char) -> bool {
        self.peek() == Some(&Token::Mark(mark))
    }

    fn expect(&mut self, mark: char) -> Parsed<()> {
        match self.next() {
            Some(Token::Mark(found)) if *found == mark => Ok(()),
            other => Err(unexpected(other)),
        }
    }

    fn word(&mut self) -> Parsed<&'t str> {
        match self.next() {
            Some(Token::Word(word)) => Ok(word),
            other => Err(unexpected(other)),
        }
    }

    fn text(&mut self) -> Parsed<&'t str> {
        match self.next() {
            Some(Token::Text(text)) => Ok(text),
            other => Err(unexpected(other)),
        }
    }

    fn number(&mut self) -> Parsed<i64> {
        let sign = if self.is_mark('-') {
            self.at += 1;
            -1
        } else {
            1
        };
        let word = self.word()?;
        let number = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(digits) => i64::from_str_radix(digits, 16),
            None if word.len() > 1 && word.starts_with('0') => i64::from_str_radix(word, 8),
            None => word.parse(),
        };
        number.map(|number| sign * number).map_err(|_| format!("'{word}' is no number"))
    }

    /// Skips up to the end of a statement, with what stands in braces.
    fn skip_statement(&mut self) -> Parsed<()> {
        let mut depth = 0_usize;
        loop {
            match self.next() {
                Some(Token::Mark('{')) => depth += 1,
                Some(Token::Mark('}')) => {
                    depth = depth.checked_sub(1).ok_or("unexpected '}'")?;
                    if depth == 0 {
                        // A value in braces may be followed by its semicolon.
                        self.at += usize::from(self.is_mark(';'));
                        return Ok(());
                    }
                }
                Some(Token::Mark(';')) if depth == 0 => return Ok(()),
                Some(_) => {}
                None => return Err(unexpected(None)),
            }
        }
    }

    fn top_level(&mut self, word: &str, file: &mut ProtoFile) -> Parsed<()> {
        match word {
            "syntax" => {
                self.expect('=')?;
                file.is_proto3 = self.text()? == "proto3";
                self.expect(';')
            }
            "package" => {
                self.word()?.clone_into(&mut file.package);
                self.expect(';')
            }
            "import" => {
                if matches!(self.peek(), Some(Token::Word(_))) {
                    self.at += 1; // public or weak
                }
                file.imports.push(self.text()?.to_owned());
                self.expect(';')
            }
            "message" => {
                file.messages.push(self.message(0)?);
                Ok(())
            }
            "enum" => {
                file.enums.push(self.enumeration()?);
                Ok(())
            }
            "option" | "service" | "extend" | "edition" => self.skip_statement(),
            other => Err(format!("unexpected '{other}'")),
        }
    }

    fn message(&mut self, depth: usize) -> Parsed<MessageDef> {
        let name = self.word()?.to_owned();
        self.body(name, depth)
    }

    /// The part of a message in braces.
    fn body(&mut self, name: String, depth: usize) -> Parsed<MessageDef> {
        if depth >= DEPTH_MAX {
            return Err("messages are nested too deeply".to_owned());
        }
        let mut message = MessageDef { name, ..MessageDef::default() };
        self.expect('{')?;
        while !self.is_mark('}') {
            if self.is_mark(';') {
                self.at += 1;
                continue;
            }
            self.member(&mut message, None, depth)?;
        }
        self.expect('}')?;
        Ok(message)
    }

    /// A part of a message: a field, a type, a choice, or what is skipped.
    fn member(
        &mut self,
        message: &mut MessageDef,
        oneof: Option<usize>,
        depth: usize,
    ) -> Parsed<()> {
        let start = self.at;
        let first = self.word()?;
        // Any of these words may also be the type of a field.
        let is_statement = matches!(self.peek(), Some(Token::Word(_)))
            || (first == "option" && self.is_mark('('))
            || (first == "reserved" && matches!(self.peek(), Some(Token::Text(_))));
        let opens = matches!(self.tokens.get(self.at + 1), Some(Token::Mark('{')));
        match first {
            "message" if opens => message.messages.push(self.message(depth + 1)?),
            "enum" if opens => message.enums.push(self.enumeration()?),
            "extend" if opens => self.skip_statement()?,
            "oneof" if opens => self.oneof(message, depth)?,
            "option" | "reserved" | "extensions" if is_statement => self.skip_statement()?,
            _ => {
                self.at = start;
                self.field(message, oneof, depth)?;
            }
        }
        Ok(())
    }

    fn oneof(&mut self, message: &mut MessageDef, depth: usize) -> Parsed<()> {
        let index = message.oneofs.len();
        message.oneofs.push(self.word()?.to_owned());
        self.expect('{')?;
        while !self.is_mark('}') {
            self.member(message, Some(index), depth)?;
        }
        self.expect('}')
    }

    fn field(
        &mut self,
        message: &mut MessageDef,
        oneof: Option<usize>,
        depth: usize,
    ) -> Parsed<()> {
        let mut label = Label::None;
        let follows_word = matches!(self.tokens.get(self.at + 1), Some(Token::Word(_)));
        if let Some(Token::Word(word)) = self.peek()
            && follows_word
        {
            label = match word.as_str() {
                "optional" => Label::Optional,
                "required" => Label::Required,
                "repeated" => Label::Repeated,
                _ => Label::None,
            };
            self.at += usize::from(label != Label::None);
        }
        let name = self.word()?;
        let is_group = name == "group";
        let ty = if name == "map" && self.is_mark('<') {
            self.expect('<')?;
            let key = self.word()?.to_owned();
            self.expect(',')?;
            let value = self.word()?.to_owned();
            self.expect('>')?;
            TypeDef::Map(key, value)
        } else {
            TypeDef::Named(name.to_owned())
        };
        let name = self.word()?.to_owned();
        self.expect('=')?;
        let number = self.number()?;
        let number = u32::try_from(number).map_err(|_| format!("{number} is no field number"))?;
        let mut parameters = Vec::new();
        if self.is_mark('[') {
            parameters = self.options()?;
        }
        if is_group {
            // Groups have a layout of their own, and are unknown fields to all who read.
            return self.body(name, depth + 1).map(drop);
        }
        self.expect(';')?;
        message.fields.push(FieldDef { name, number, label, ty, oneof, parameters });
        Ok(())
    }

    /// Reads `[…]`; the parameters of `(confluent.field_meta)`.
    fn options(&mut self) -> Parsed<Vec<(String, String)>> {
        self.expect('[')?;
        let start = self.at;
        let mut depth = 1_usize;
        while depth > 0 {
            match self.next() {
                Some(Token::Mark('[' | '{')) => depth += 1,
                Some(Token::Mark(']' | '}')) => depth -= 1,
                Some(_) => {}
                None => return Err(unexpected(None)),
            }
        }
        Ok(parameters(&self.tokens[start..self.at]))
    }

    fn enumeration(&mut self) -> Parsed<EnumDef> {
        let mut found = EnumDef { name: self.word()?.to_owned(), values: Vec::new() };
        self.expect('{')?;
        while !self.is_mark('}') {
            if self.is_mark(';') {
                self.at += 1;
                continue;
            }
            let name = self.word()?;
            if self.is_mark('=') {
                self.expect('=')?;
                let number = self.number()?;
                let number =
                    i32::try_from(number).map_err(|_| format!("{number} is no enum value"))?;
                found.values.push((name.to_owned(), number));
                if self.is_mark('[') {
                    self.options()?;
                }
                self.expect(';')?;
            } else {
                self.skip_statement()?;
            }
        }
        self.expect('}')?;
        Ok(found)
    }
}

/// The pairs of `key: "…"` and `value: "…"`, in either order, one pair in each pair of braces.
fn parameters(tokens: &[Token]) -> Vec<(String, String)> {
    let is_meta =
        |token: &Token| matches!(token, Token::Word(word) if word == "confluent.field_meta");
    if !tokens.iter().any(is_meta) {
        return Vec::new();
    }
    let (mut found, mut key, mut value) = (Vec::new(), None, None);
    for window in tokens.windows(3) {
        if let [Token::Word(name), Token::Mark(':'), Token::Text(text)] = window {
            match name.as_str() {
                "key" => key = Some(text.clone()),
                "value" => value = Some(text.clone()),
                _ => {}
            }
        }
        if let (Some(_), Some(_)) = (&key, &value) {
            found.extend(key.take().zip(value.take()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_stands() {
        let file = parse(
            "// a comment\nsyntax = \"proto3\";\npackage p.q;\nimport 'a.proto';\noption x = 1;\n\
             message M { /* another */ repeated int32 a = 1 [packed = false]; reserved 5, 7 to 9;\n\
             oneof pick { string s = 2; N n = 0x10; } map<string, N> m = 3;\n\
             message N { optional bool option = 1; } enum E { option allow_alias = true; A = 0; \
             B = -1; } confluent.type.Decimal d = 4 [(confluent.field_meta) = { params: [ { value: \
             \"6\", key: \"precision\" }, { key: \"scale\", value: \"2\" } ] }]; }",
        )
        .unwrap();
        assert!(file.is_proto3);
        assert_eq!((file.package.as_str(), &*file.imports), ("p.q", &["a.proto".to_owned()][..]));
        let message = &file.messages[0];
        let fields: Vec<_> = message.fields.iter().map(|f| (&*f.name, f.number, f.oneof)).collect();
        assert_eq!(
            fields,
            [("a", 1, None), ("s", 2, Some(0)), ("n", 16, Some(0)), ("m", 3, None), ("d", 4, None)]
        );
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(message.fields[4].parameters, [pair("precision", "6"), pair("scale", "2")]);
        assert_eq!(message.enums[0].values, [("A".to_owned(), 0), ("B".to_owned(), -1)]);
        assert_eq!(message.messages[0].fields[0].label, Label::Optional);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        for text in ["message M {", "message { }", "int32 a = 1;", "message M { int32 a; }", "\"a"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_group_is_skipped() {
        let file = parse(
            "message M { optional group G = 1 { optional int32 a = 2; } required string s = 3; }",
        );
        let file = file.unwrap();
        assert!(!file.is_proto3);
        assert_eq!(file.messages[0].fields.len(), 1);
    }
}
