//! Answers in a given form: which tokens may come next, by a JSON Schema or a grammar.

use std::sync::Arc;

use june_models::ModelError;
use june_models::text::Tokenizer;
use june_models::types::ResponseFormat;
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie};
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};

/// Makes [`Constraint`]s for one vocabulary.
pub(crate) struct Guidance {
    factory: ParserFactory,
}

/// What may still be written of one answer.
pub(crate) struct Constraint {
    matcher: Matcher,
    /// The token that ends the reasoning, until it has come: reasoning is free.
    free_until: Option<u32>,
}

impl Guidance {
    /// For the tokens of a network with so many of them.
    pub(crate) fn new(tokenizer: &Tokenizer, vocabulary: usize) -> Result<Guidance, ModelError> {
        let words: Vec<Vec<u8>> = (0..).take(vocabulary).map(|id| word(tokenizer, id)).collect();
        let size = u32::try_from(vocabulary).unwrap_or(u32::MAX);
        let Some(end) = tokenizer.ends().first() else {
            return Err(ModelError::Invalid(
                "the model's file does not say which token ends an answer, so that none can be \
                 given a form\nhint: ask without a response format"
                    .into(),
            ));
        };
        let trie = TokTrie::from(&TokRxInfo::new(size, *end), &words);
        let trie = trie.with_eos_tokens(tokenizer.ends());
        let environment: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        let slices = llguidance::earley::SlicedBiasComputer::general_slices();
        let factory = ParserFactory::new(&environment, InferenceCapabilities::default(), &slices);
        let mut factory = factory.map_err(|error| invalid("the vocabulary", &error))?;
        factory.quiet();
        Ok(Guidance { factory })
    }

    /// The constraint of an answer of this form; none for free text. With `free_until`, it holds
    /// from the first token after that one.
    pub(crate) fn constraint(
        &self,
        format: &ResponseFormat,
        free_until: Option<u32>,
    ) -> Result<Option<Constraint>, ModelError> {
        let (what, grammar) = match format {
            ResponseFormat::Text => return Ok(None),
            ResponseFormat::JsonSchema(schema) => {
                let mut schema: Value = serde_json::from_str(schema)
                    .map_err(|error| invalid("the JSON Schema", &error))?;
                if let Some(schema) = schema.as_object_mut() {
                    // Without spaces to play with, a model cannot fill its answer with them.
                    schema.insert("x-guidance".into(), json!({"whitespace_flexible": false}));
                }
                ("the JSON Schema", TopLevelGrammar::from_json_schema(schema))
            }
            ResponseFormat::Grammar(grammar) => {
                ("the grammar", TopLevelGrammar::from_lark(grammar.clone()))
            }
        };
        let parser = self.factory.create_parser(grammar).map_err(|error| invalid(what, &error))?;
        let matcher = Matcher::new(Ok(parser));
        if let Some(error) = matcher.get_error() {
            return Err(invalid(what, &error));
        }
        Ok(Some(Constraint { matcher, free_until }))
    }
}

impl Constraint {
    /// Makes every token impossible that may not come next.
    pub(crate) fn mask(&mut self, scores: &mut [f32]) -> Result<(), ModelError> {
        if self.free_until.is_some() {
            return Ok(());
        }
        let mask = self.matcher.compute_mask_or_eos().map_err(|error| broken(&error))?;
        for (token, score) in (0..).zip(scores) {
            if !mask.is_allowed(token) {
                *score = f32::NEG_INFINITY;
            }
        }
        Ok(())
    }

    /// Takes the token that was drawn; true when the answer is complete.
    pub(crate) fn accept(&mut self, token: u32) -> Result<bool, ModelError> {
        if let Some(end) = self.free_until {
            if token == end {
                self.free_until = None;
            }
            return Ok(false);
        }
        self.matcher.consume_token(token).map_err(|error| broken(&error))?;
        Ok(self.matcher.is_stopped())
    }
}

/// A token's bytes, as the crate wants them: marks of any kind are no text in a constrained answer.
fn word(tokenizer: &Tokenizer, token: u32) -> Vec<u8> {
    let Some(bytes) = tokenizer.bytes(token) else { return Vec::new() };
    let mark = std::str::from_utf8(bytes).is_ok_and(|text| tokenizer.mark(text) == Some(token));
    if mark || tokenizer.is_control(token) {
        [&[TokTrie::SPECIAL_TOKEN_MARKER], bytes].concat()
    } else {
        bytes.to_vec()
    }
}

fn invalid(what: &str, error: &dyn std::fmt::Display) -> ModelError {
    let why: String = format!("{error:#}").chars().take(400).collect();
    ModelError::Invalid(format!(
        "{what} cannot be used for the answer: {why}\nhint: correct it, or ask without a form"
    ))
}

fn broken(error: &dyn std::fmt::Display) -> ModelError {
    let why: String = format!("{error:#}").chars().take(400).collect();
    ModelError::Invalid(format!(
        "the answer's form could not be kept up: {why}\nhint: simplify the schema or the grammar"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::open;

    /// The tokens that may come next.
    fn allowed(constraint: &mut Constraint, vocabulary: usize) -> Vec<u32> {
        let mut scores = vec![0.0; vocabulary];
        constraint.mask(&mut scores).unwrap();
        let allowed = (0..).zip(scores).filter(|(_, score)| *score == 0.0);
        allowed.map(|(token, _)| token).collect()
    }

    #[test]
    fn reasoning_is_free_until_its_end() {
        let Some(opened) = open("dense-f32.gguf") else { return };
        let vocabulary = opened.network.vocabulary();
        let tokenizer = &opened.tokenizer;
        let guidance = Guidance::new(tokenizer, vocabulary).unwrap();
        let form = ResponseFormat::JsonSchema(r#"{"const": 7}"#.into());
        let end = tokenizer.mark("</think>").unwrap();
        let mut constraint = guidance.constraint(&form, Some(end)).unwrap().unwrap();
        for token in [1, 2, 3, end] {
            assert_eq!(allowed(&mut constraint, vocabulary).len(), vocabulary);
            assert!(!constraint.accept(token).unwrap());
        }
        let seven = tokenizer.encode_text("7").unwrap();
        assert_eq!(allowed(&mut constraint, vocabulary), seven);
        constraint.accept(seven[0]).unwrap();
        let after = allowed(&mut constraint, vocabulary);
        assert!(after.iter().all(|token| tokenizer.ends().contains(token)), "{after:?}");
    }

    #[test]
    fn marks_are_no_text_of_a_constrained_answer() {
        let Some(opened) = open("dense-f32.gguf") else { return };
        let vocabulary = opened.network.vocabulary();
        let tokenizer = &opened.tokenizer;
        let guidance = Guidance::new(tokenizer, vocabulary).unwrap();
        let form = ResponseFormat::Grammar("start: /.*/".into());
        let mut constraint = guidance.constraint(&form, None).unwrap().unwrap();
        let allowed = allowed(&mut constraint, vocabulary);
        for mark in ["<think>", "<tool_call>", "<|im_start|>"] {
            assert!(!allowed.contains(&tokenizer.mark(mark).unwrap()), "{mark}");
        }
        assert!(allowed.contains(&tokenizer.encode_text("a").unwrap()[0]));
    }
}
