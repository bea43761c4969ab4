//! The vocabulary of a byte-level BPE tokenizer, as the header of a GGUF file has it.

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::NFC;
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::tokenizer::SplitDelimiterBehavior;

use crate::header::gguf::{Metadata, Value};
use crate::text::TextError;

/// The vocabulary of a GGUF file whose `tokenizer.ggml.model` is `gpt2`.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    /// `tokenizer.ggml.tokens`: the text of each token, its bytes written in GPT-2's alphabet.
    pub tokens: Vec<String>,
    /// `tokenizer.ggml.token_type`, as long as `tokens`; or empty, and then all are normal.
    pub kinds: Vec<TokenKind>,
    /// `tokenizer.ggml.merges`: two tokens with a space between them, the first merge first.
    pub merges: Vec<String>,
    /// `tokenizer.ggml.pre`: how text is cut before it is merged.
    pub pre: String,
    /// `tokenizer.ggml.bos_token_id`.
    pub begin: Option<u32>,
    /// `tokenizer.ggml.eos_token_id`.
    pub end: Option<u32>,
}

/// What a token is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TokenKind {
    /// Part of ordinary text.
    #[default]
    Normal,
    /// A mark without text: `<|im_end|>`.
    Control,
    /// A mark that is also text: `<think>`.
    UserDefined,
    /// A place in the table that no text uses.
    Unused,
}

impl TokenKind {
    /// From a number of `tokenizer.ggml.token_type`. Kinds that a byte-level tokenizer has no use
    /// for (2, unknown; 6, byte) are unused ones.
    pub fn from_gguf(kind: i32) -> TokenKind {
        match kind {
            1 => TokenKind::Normal,
            3 => TokenKind::Control,
            4 => TokenKind::UserDefined,
            _ => TokenKind::Unused,
        }
    }
}

/// How Qwen's tokenizers cut text: contractions, words with the character before them, digits one
/// by one, punctuation with the line ends after it, line ends, and spaces (but for the last one
/// before a word).
const QWEN: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl Vocabulary {
    /// The vocabulary in the header of a GGUF file; what it lacks is empty.
    pub fn of(metadata: &Metadata) -> Vocabulary {
        let texts = |key| metadata.texts(key).unwrap_or_default().to_vec();
        let token = |key| metadata.unsigned(key).and_then(|token| u32::try_from(token).ok());
        let kind = |value| match value {
            Value::Unsigned(kind) => TokenKind::from_gguf(i32::try_from(kind).unwrap_or_default()),
            _ => TokenKind::Unused,
        };
        let kinds = metadata.numbers("tokenizer.ggml.token_type");
        Vocabulary {
            tokens: texts("tokenizer.ggml.tokens"),
            kinds: kinds.map(|kinds| kinds.iter().map(kind).collect()).unwrap_or_default(),
            merges: texts("tokenizer.ggml.merges"),
            pre: metadata.text("tokenizer.ggml.pre").unwrap_or_default().to_owned(),
            begin: token("tokenizer.ggml.bos_token_id"),
            end: token("tokenizer.ggml.eos_token_id"),
        }
    }

    /// The kind of a token.
    pub(crate) fn kind(&self, token: usize) -> TokenKind {
        self.kinds.get(token).copied().unwrap_or_default()
    }

    /// The tokenizer of ordinary text: no mark is part of it.
    pub(crate) fn plain(&self) -> Result<tokenizers::Tokenizer, TextError> {
        let refuse = |what: String| TextError::Tokenizer(what);
        if !self.kinds.is_empty() && self.kinds.len() != self.tokens.len() {
            let (kinds, tokens) = (self.kinds.len(), self.tokens.len());
            return Err(refuse(format!("it has {tokens} tokens and the kinds of {kinds}")));
        }
        let mut ids = Vocab::with_capacity(self.tokens.len());
        for (token, id) in self.tokens.iter().zip(0_u32..) {
            if self.kind(id as usize) == TokenKind::Normal {
                ids.insert(token.clone(), id);
            }
        }
        let mut merges = Vec::with_capacity(self.merges.len());
        for merge in &self.merges {
            let Some((left, right)) = merge.split_once(' ') else {
                return Err(refuse(format!("the merge {merge:?} is not two tokens")));
            };
            // The library trusts that it is there.
            if !ids.contains_key(&format!("{left}{right}")) {
                return Err(refuse(format!("the merge {merge:?} makes no token")));
            }
            merges.push((left.to_owned(), right.to_owned()));
        }
        let library = |error: tokenizers::Error| refuse(error.to_string());
        let bpe = BPE::builder().vocab_and_merges(ids, merges).build().map_err(library)?;
        let mut plain = tokenizers::Tokenizer::new(bpe);
        match self.pre.as_str() {
            "gpt-2" => {
                plain.with_pre_tokenizer(Some(ByteLevel::new(false, false, true)));
            }
            "qwen2" | "deepseek-r1-qwen" => {
                let pattern = SplitPattern::Regex(QWEN.to_owned());
                let split = Split::new(pattern, SplitDelimiterBehavior::Isolated, false);
                let cut: [PreTokenizerWrapper; 2] =
                    [split.map_err(library)?.into(), ByteLevel::new(false, false, false).into()];
                plain.with_pre_tokenizer(Some(Sequence::new(cut.into())));
                plain.with_normalizer(Some(NFC)).map_err(library)?;
            }
            other => {
                let known = "gpt-2, qwen2 and deepseek-r1-qwen";
                return Err(refuse(format!("it cuts text by {other:?}; June knows {known}")));
            }
        }
        Ok(plain)
    }
}
