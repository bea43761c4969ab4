//! Text of protocol buffers, in which Triton's `config.pbtxt` is written, read without a schema.

/// A field's value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A number, a name or a flag, as it is written.
    Word(String),
    /// A text, without quotes and escapes.
    Text(String),
    Message(Message),
}

/// Fields in their order; a repeated one is there several times.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Message(Vec<(String, Value)>);

/// How deeply messages may be nested.
const DEPTH: usize = 32;

impl Message {
    /// Reads a whole file. The error names the line.
    pub(crate) fn parse(text: &str) -> Result<Message, String> {
        let mut reader = Reader { rest: text, line: 1 };
        let message = reader.message(None, DEPTH);
        message.map_err(|what| format!("line {}: {what}", reader.line))
    }

    /// All values of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Value> {
        self.0.iter().filter(move |(field, _)| field == name).map(|(_, value)| value)
    }

    /// All messages of a field.
    pub(crate) fn messages<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Message> {
        self.all(name).filter_map(|value| match value {
            Value::Message(message) => Some(message),
            _ => None,
        })
    }

    /// The last text or word of a field, which is the one that counts.
    pub(crate) fn word<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).last().and_then(|value| match value {
            Value::Word(text) | Value::Text(text) => Some(text.as_str()),
            Value::Message(_) => None,
        })
    }
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    /// The fields up to the closing character, or to the end of the file.
    fn message(&mut self, close: Option<char>, depth: usize) -> Result<Message, String> {
        let depth = depth.checked_sub(1).ok_or("messages are nested too deeply")?;
        let mut fields = Vec::new();
        loop {
            match (self.peek(), close) {
                (found, close) if found == close => {
                    self.next();
                    return Ok(Message(fields));
                }
                (None, _) => return Err("the file ends within a message".to_owned()),
                (Some(';' | ','), _) => {
                    self.next();
                }
                (Some(_), _) => {
                    let name = self.word()?;
                    let colon = self.peek() == Some(':');
                    if colon {
                        self.next();
                    }
                    match self.peek() {
                        Some('[') => {
                            self.next();
                            self.list(&name, &mut fields, depth)?;
                        }
                        _ => {
                            let value = self.value(colon, depth)?;
                            fields.push((name, value));
                        }
                    }
                }
            }
        }
    }

    fn list(
        &mut self,
        name: &str,
        fields: &mut Vec<(String, Value)>,
        depth: usize,
    ) -> Result<(), String> {
        loop {
            match self.peek() {
                Some(']') => {
                    self.next();
                    return Ok(());
                }
                Some(',') => {
                    self.next();
                }
                None => return Err("the file ends within a list".to_owned()),
                Some(_) => {
                    let value = self.value(true, depth)?;
                    fields.push((name.to_owned(), value));
                }
            }
        }
    }

    /// A value; only a message needs no colon before it.
    fn value(&mut self, colon: bool, depth: usize) -> Result<Value, String> {
        match self.peek() {
            Some(open @ ('{' | '<')) => {
                self.next();
                let close = if open == '{' { '}' } else { '>' };
                Ok(Value::Message(self.message(Some(close), depth)?))
            }
            _ if !colon => Err("a colon is missing".to_owned()),
            Some('"' | '\'') => {
                let mut text = String::new();
                // Texts that follow each other are one.
                while let Some(quote @ ('"' | '\'')) = self.peek() {
                    self.next();
                    self.text(quote, &mut text)?;
                }
                Ok(Value::Text(text))
            }
            _ => Ok(Value::Word(self.word()?)),
        }
    }

    fn word(&mut self) -> Result<String, String> {
        self.peek();
        let part =
            |character: char| character.is_ascii_alphanumeric() || "_.+-".contains(character);
        let end = self.rest.find(|character| !part(character)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        if word.is_empty() {
            return Err("a name or a value is missing".to_owned());
        }
        self.rest = rest;
        Ok(word.to_owned())
    }

    /// The rest of a text that a quote has opened. Of the escapes, the usual ones.
    fn text(&mut self, quote: char, text: &mut String) -> Result<(), String> {
        loop {
            match self.next() {
                Some(character) if character == quote => return Ok(()),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(other @ ('\\' | '\'' | '"')) => text.push(other),
                    _ => return Err("a text has an escape that June does not know".to_owned()),
                },
                None | Some('\n') => return Err("a text has no end".to_owned()),
                Some(other) => text.push(other),
            }
        }
    }

    /// The next character that is neither white space nor comment.
    fn peek(&mut self) -> Option<char> {
        loop {
            let first = self.rest.chars().next()?;
            if first == '#' {
                let end = self.rest.find('\n').unwrap_or(self.rest.len());
                self.rest = self.rest.split_at(end).1;
            } else if first.is_whitespace() {
                self.next();
            } else {
                return Some(first);
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let first = characters.next()?;
        self.line += usize::from(first == '\n');
        self.rest = characters.as_str();
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_way_to_write_a_field_is_read() {
        let text = "# a comment\nname: \"a\\\"b\" 'c'\nmax_batch_size: 0;\n\
                    input [ { name: \"x\", dims: [ -1, 2 ] }, { name: \"y\" } ]\n\
                    input < name: 'z' >\nparameters: { key: \"k\" value { string_value: \"v\" } }";
        let message = Message::parse(text).unwrap();
        assert_eq!(message.word("name"), Some("a\"bc"));
        assert_eq!(message.word("max_batch_size"), Some("0"));
        let names: Vec<_> = message.messages("input").map(|input| input.word("name")).collect();
        assert_eq!(names, [Some("x"), Some("y"), Some("z")]);
        let first = message.messages("input").next().unwrap();
        let sizes = [Value::Word("-1".into()), Value::Word("2".into())];
        assert!(first.all("dims").eq(&sizes));
        let parameter = message.messages("parameters").next().unwrap();
        let value = parameter.messages("value").next().unwrap();
        assert_eq!(value.word("string_value"), Some("v"));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        for (text, what) in [
            ("name: \"a\"\nbackend \"b\"", "line 2: a colon is missing"),
            ("input [ {", "line 1: the file ends within a message"),
            ("\n\nname: \"a", "line 3: a text has no end"),
            ("a: [ 1, ", "line 1: the file ends within a list"),
            ("}", "line 1: a name or a value is missing"),
            ("a: ", "line 1: a name or a value is missing"),
        ] {
            assert_eq!(Message::parse(text).unwrap_err(), what);
        }
        let deep = "a {".repeat(1_000_000);
        assert_eq!(Message::parse(&deep).unwrap_err(), "line 1: messages are nested too deeply");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z:{}<>\\[\\]\"'\\\\#,; \n-]{0,80}|.{0,40}") {
            let _ = Message::parse(&text);
        }
    }
}
