//! Text as tokens, and tokens as bytes.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::text::marks::Piece;
use crate::text::{Marks, Prompt, TextError, TokenKind, Vocabulary};

/// More tokens than any vocabulary has; numbers beyond it are a mistake or an attack.
const MOST: usize = 1 << 24;

/// A byte-level BPE tokenizer. Clones share it.
///
/// It encodes two kinds of text: a [`Prompt`], in which marks that the template wrote (`<|im_end|>`,
/// `<think>`) become their tokens, and plain text, in which nothing does.
#[derive(Clone)]
pub struct Tokenizer(Arc<Inner>);

struct Inner {
    /// Knows no marks, so that no text can name one.
    plain: tokenizers::Tokenizer,
    marks: Marks,
    /// The token of each mark, in the order of `marks`, and what white space goes with it.
    marked: Vec<Marked>,
    /// By token; `None` where there is none.
    tokens: Vec<Option<Token>>,
    ends: Vec<u32>,
}

#[derive(Debug, Clone, Copy)]
struct Marked {
    token: u32,
    strip_before: bool,
    strip_after: bool,
}

struct Token {
    bytes: Box<[u8]>,
    control: bool,
}

impl Tokenizer {
    /// From the vocabulary of a GGUF file.
    ///
    /// # Errors
    ///
    /// The vocabulary contradicts itself, or cuts text in a way that June does not know.
    pub fn from_vocabulary(vocabulary: &Vocabulary) -> Result<Tokenizer, TextError> {
        let mut building = Building::default();
        let alphabet = alphabet();
        for (text, id) in vocabulary.tokens.iter().zip(0_u32..) {
            match vocabulary.kind(id as usize) {
                TokenKind::Normal => building.add(id, bytes(text, &alphabet), false)?,
                TokenKind::Control => building.mark(id, text, true, (false, false))?,
                TokenKind::UserDefined => building.mark(id, text, false, (false, false))?,
                TokenKind::Unused => {}
            }
        }
        let mut tokenizer = building.build(vocabulary.plain()?)?;
        tokenizer.name(vocabulary.begin, vocabulary.end)?;
        Ok(Tokenizer(Arc::new(tokenizer)))
    }

    /// From the text of a `tokenizer.json`. `ends` are the tokens that end an answer, as
    /// `generation_config.json` has them; `begin` and `end` are the texts that
    /// `tokenizer_config.json` names `bos_token` and `eos_token`.
    ///
    /// # Errors
    ///
    /// It is malformed, or no byte-level BPE.
    pub fn from_json(
        text: &str,
        begin: Option<&str>,
        end: Option<&str>,
        ends: &[u32],
    ) -> Result<Tokenizer, TextError> {
        let refuse = |what: &str| TextError::Tokenizer(what.to_owned());
        let mut json: Value = serde_json::from_str(text)
            .map_err(|error| TextError::Tokenizer(format!("it is not JSON: {error}")))?;
        let byte_level = |part: &Value| {
            let parts = [&part["pretokenizers"], &part["decoders"]];
            let inner = parts.into_iter().filter_map(Value::as_array).flatten();
            [part].into_iter().chain(inner).any(|part| part["type"] == "ByteLevel")
        };
        if json["model"]["type"] != "BPE" && !json["model"]["merges"].is_array() {
            return Err(refuse("its model is not BPE"));
        }
        if !byte_level(&json["pre_tokenizer"]) || !byte_level(&json["decoder"]) {
            return Err(refuse("it is not byte-level"));
        }
        let mut building = Building::default();
        if let Value::Array(added) = json["added_tokens"].take() {
            for token in added {
                let (Some(id), Some(text)) = (token["id"].as_u64(), token["content"].as_str())
                else {
                    return Err(refuse("an added token has no id or no content"));
                };
                let id = u32::try_from(id).map_err(|_| refuse("an id is too large"))?;
                let is = |field: &str| token[field] == true;
                if is("single_word") {
                    return Err(refuse(&format!("{text:?} is a mark as a single word only")));
                }
                building.mark(id, text, is("special"), (is("lstrip"), is("rstrip")))?;
            }
        }
        // Marks are found here, not there; and the same text gives the same tokens.
        let parts = json.as_object_mut().ok_or_else(|| refuse("it is not an object"))?;
        parts.insert("added_tokens".to_owned(), json!([]));
        for part in ["post_processor", "truncation", "padding"] {
            parts.insert(part.to_owned(), Value::Null);
        }
        if let Some(model) = parts.get_mut("model").and_then(Value::as_object_mut) {
            model.insert("dropout".to_owned(), Value::Null);
            let prefix = |name: &str| model.get(name).and_then(Value::as_str).unwrap_or_default();
            if ["continuing_subword_prefix", "end_of_word_suffix"].map(prefix) != ["", ""] {
                return Err(refuse("it writes prefixes or suffixes into words"));
            }
            if let Some(vocabulary) = model.get_mut("vocab").and_then(Value::as_object_mut) {
                vocabulary.retain(|_, id| !building.has(id));
            }
        }
        let plain: tokenizers::Tokenizer = json
            .to_string()
            .parse()
            .map_err(|error: tokenizers::Error| TextError::Tokenizer(error.to_string()))?;
        let alphabet = alphabet();
        for (text, id) in plain.get_vocab(false) {
            building.add(id, bytes(&text, &alphabet), false)?;
        }
        let mut tokenizer = building.build(plain)?;
        let token = |text: Option<&str>| tokenizer.marked_token(text?);
        let (begin, end) = (token(begin), token(end));
        tokenizer.name(begin, end)?;
        tokenizer.ends.extend(ends);
        tokenizer.ends.sort_unstable();
        tokenizer.ends.dedup();
        Ok(Tokenizer(Arc::new(tokenizer)))
    }

    /// The tokens of what a template rendered. Marks that the template wrote become their tokens;
    /// what it was given is ordinary text, whatever it says.
    ///
    /// # Errors
    ///
    /// The library failed on this text.
    pub fn encode(&self, prompt: &Prompt) -> Result<Vec<u32>, TextError> {
        let Inner { marks, marked, .. } = &*self.0;
        let pieces = marks.split(&prompt.text);
        let marked = |place: Option<&Piece<'_>>| match place {
            Some(Piece::Mark(mark)) => marked.get(*mark).copied(),
            _ => None,
        };
        let mut tokens = Vec::new();
        for (place, piece) in pieces.iter().enumerate() {
            let mut text = match piece {
                Piece::Mark(_) => {
                    tokens.extend(marked(Some(piece)).map(|mark| mark.token));
                    continue;
                }
                Piece::Plain(text) => *text,
            };
            let before = place.checked_sub(1).and_then(|place| marked(pieces.get(place)));
            if before.is_some_and(|mark| mark.strip_after) {
                text = text.trim_start();
            }
            if marked(pieces.get(place + 1)).is_some_and(|mark| mark.strip_before) {
                text = text.trim_end();
            }
            self.plain(&text.replace(prompt.wedge, ""), &mut tokens)?;
        }
        Ok(tokens)
    }

    /// The tokens of plain text. Nothing in it is a mark.
    ///
    /// # Errors
    ///
    /// The library failed on this text.
    pub fn encode_text(&self, text: &str) -> Result<Vec<u32>, TextError> {
        let mut tokens = Vec::new();
        self.plain(text, &mut tokens)?;
        Ok(tokens)
    }

    fn plain(&self, text: &str, tokens: &mut Vec<u32>) -> Result<(), TextError> {
        let encoded = self.0.plain.encode_fast(text, false);
        let encoded = encoded.map_err(|error| TextError::Encode(error.to_string()))?;
        tokens.extend_from_slice(encoded.get_ids());
        Ok(())
    }

    /// The bytes that a token stands for; of a mark, its text. `None` if there is no such token.
    pub fn bytes(&self, token: u32) -> Option<&[u8]> {
        Some(&self.0.tokens.get(token as usize)?.as_ref()?.bytes)
    }

    /// Whether a token is a mark that stands for no text (`<|im_end|>`; not so `<think>`).
    pub fn is_control(&self, token: u32) -> bool {
        let token = self.0.tokens.get(token as usize);
        token.and_then(Option::as_ref).is_some_and(|token| token.control)
    }

    /// The token of a mark, such as `<|im_end|>` or `</think>`.
    pub fn mark(&self, text: &str) -> Option<u32> {
        self.0.marked_token(text)
    }

    /// The tokens that end an answer, in ascending order.
    pub fn ends(&self) -> &[u32] {
        &self.0.ends
    }

    /// One more than the greatest token.
    pub fn size(&self) -> usize {
        self.0.tokens.len()
    }

    /// The marks, for the [`Template`](crate::text::Template) of the same model.
    pub fn marks(&self) -> &Marks {
        &self.0.marks
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tokenizer").field("size", &self.size()).finish_non_exhaustive()
    }
}

impl Inner {
    fn marked_token(&self, text: &str) -> Option<u32> {
        let place = self.marks.texts().iter().position(|mark| mark == text)?;
        self.marked.get(place).map(|marked| marked.token)
    }

    /// Says which tokens begin and end a text. ChatML's ends end an answer also where a file
    /// forgets to say so.
    fn name(&mut self, begin: Option<u32>, end: Option<u32>) -> Result<(), TextError> {
        let text = |token: Option<u32>| match token {
            None => Ok(String::new()),
            Some(id) => match self.tokens.get(id as usize) {
                Some(Some(token)) => Ok(String::from_utf8_lossy(&token.bytes).into_owned()),
                _ => Err(TextError::Tokenizer(format!("it has no token {id}, but uses it"))),
            },
        };
        (self.marks.begin, self.marks.end) = (text(begin)?, text(end)?);
        let chatml = ["<|im_end|>", "<|endoftext|>"];
        let chatml = chatml.iter().filter_map(|mark| self.marked_token(mark));
        self.ends = end.into_iter().chain(chatml).collect();
        self.ends.sort_unstable();
        self.ends.dedup();
        Ok(())
    }
}

/// A tokenizer that is being put together.
#[derive(Default)]
struct Building {
    tokens: Vec<Option<Token>>,
    texts: Vec<String>,
    marked: Vec<Marked>,
}

impl Building {
    fn add(&mut self, id: u32, bytes: Box<[u8]>, control: bool) -> Result<(), TextError> {
        let place = id as usize;
        if place >= MOST {
            return Err(TextError::Tokenizer(format!("it has a token with the number {id}")));
        }
        if place >= self.tokens.len() {
            self.tokens.resize_with(place + 1, || None);
        }
        if let Some(token) = self.tokens.get_mut(place) {
            *token = Some(Token { bytes, control });
        }
        Ok(())
    }

    fn mark(
        &mut self,
        id: u32,
        text: &str,
        control: bool,
        (strip_before, strip_after): (bool, bool),
    ) -> Result<(), TextError> {
        self.texts.push(text.to_owned());
        self.marked.push(Marked { token: id, strip_before, strip_after });
        self.add(id, text.as_bytes().into(), control)
    }

    /// Whether a mark has this number.
    fn has(&self, id: &Value) -> bool {
        let token = id.as_u64().and_then(|id| self.tokens.get(usize::try_from(id).ok()?));
        token.is_some_and(Option::is_some)
    }

    fn build(self, plain: tokenizers::Tokenizer) -> Result<Inner, TextError> {
        let Building { tokens, texts, marked } = self;
        Ok(Inner { plain, marks: Marks::new(texts)?, marked, tokens, ends: Vec::new() })
    }
}

/// GPT-2's alphabet: which byte a character of a token stands for. Printable bytes of Latin-1
/// stand for themselves, the others are numbered from U+0100.
fn alphabet() -> HashMap<char, u8> {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let mut others = '\u{100}'..;
    let byte = |byte: u8| {
        let character = if printable(byte) { Some(char::from(byte)) } else { others.next() };
        character.map(|character| (character, byte))
    };
    (0..=u8::MAX).filter_map(byte).collect()
}

/// The bytes of a token. A text that is not written in the alphabet stands for itself.
fn bytes(text: &str, alphabet: &HashMap<char, u8>) -> Box<[u8]> {
    let bytes: Option<Vec<u8>> =
        text.chars().map(|character| alphabet.get(&character).copied()).collect();
    bytes.map_or_else(|| text.as_bytes().into(), Vec::into_boxed_slice)
}

#[cfg(test)]
#[path = "tokenizer/tests.rs"]
mod tests;
