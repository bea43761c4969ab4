//! One batch: who gets on by how many tokens, and what comes of it.

use super::{Engine, answer::Answer};
use crate::network::Segment;

/// Tokens of prompts in a batch when nobody else waits for their next token.
const PROMPT: usize = 512;

/// And when somebody does.
const PROMPT_BESIDE: usize = 64;

impl Engine {
    /// Takes a batch through the network, and writes a token of every answer that was waiting for
    /// nothing else.
    pub(super) fn advance(&mut self) -> candle_core::Result<()> {
        let counts = self.plan();
        let mut segments = Vec::new();
        let mut writers = Vec::new();
        for (index, (answer, count)) in self.running.iter_mut().zip(&counts).enumerate() {
            let missing = answer.missing();
            let Answer { cache: Some(cache), tokens, .. } = answer else { continue };
            let start = cache.len();
            let Some(tokens) = tokens.get(start..start + count).filter(|t| !t.is_empty()) else {
                continue;
            };
            let scores = *count == missing;
            if scores {
                writers.push(index);
            }
            segments.push(Segment { cache, tokens, scores });
        }
        if segments.is_empty() {
            return Ok(());
        }
        let scores = self.network.forward(&mut segments)?;
        let mut over = Vec::new();
        for (index, scores) in writers.into_iter().zip(scores) {
            if let Some(answer) = self.running.get_mut(index)
                && answer.write(scores, &self.ends)
            {
                over.push(index);
            }
        }
        for index in over.into_iter().rev() {
            let answer = self.running.remove(index);
            self.keep(answer);
        }
        Ok(())
    }

    /// How many tokens each answer gets on by, with room in its cache for them. Whoever has begun
    /// last steps back when there is no room for all: it begins again when there is.
    fn plan(&mut self) -> Vec<usize> {
        loop {
            let counts = self.share();
            let growth = self.running.iter().zip(&counts).filter_map(|(answer, count)| {
                answer.cache.as_ref().map(|cache| cache.growth(*count))
            });
            let growth = growth.sum();
            if self.make_room(growth) {
                return counts;
            }
            match self.running.pop() {
                Some(mut last) if !self.running.is_empty() => {
                    last.cache = None;
                    self.waiting.push_front(last);
                }
                Some(mut only) => {
                    only.end_for_room();
                }
                None => return Vec::new(),
            }
        }
    }

    /// One token for every answer that is being written, and the rest of the batch for prompts,
    /// the first come first.
    fn share(&self) -> Vec<usize> {
        let writing = self.running.iter().any(|answer| answer.missing() == 1);
        let mut left = if writing { PROMPT_BESIDE } else { PROMPT };
        let counts = self.running.iter().map(|answer| {
            let missing = answer.missing();
            if missing <= 1 {
                return missing;
            }
            let count = missing.min(left);
            left -= count;
            count
        });
        counts.collect()
    }
}
