//! What was said in voice channels, until it is listened to.

use std::collections::VecDeque;
use std::sync::Mutex;

use bytes::Bytes;

use super::lock;

/// What an attachment begins with that was said, not sent.
pub(crate) const PREFIX: &str = "voice-channel/";

/// The most that is kept. Each has a minute at most.
const MOST: usize = 64;

/// The last things that were said, by their attachments' identifiers. They are nowhere else: what
/// was said before June was killed is lost.
#[derive(Default)]
pub(crate) struct Kept(Mutex<VecDeque<(String, Bytes)>>);

impl Kept {
    pub(crate) fn keep(&self, id: String, ogg: Bytes) {
        let mut kept = lock(&self.0);
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back((id, ogg));
    }

    pub(crate) fn get(&self, id: &str) -> Option<Bytes> {
        let kept = lock(&self.0);
        kept.iter().find(|(known, _)| known == id).map(|(_, ogg)| ogg.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_things_are_kept() {
        let kept = Kept::default();
        for number in 0..100 {
            kept.keep(number.to_string(), Bytes::from(vec![number]));
        }
        assert_eq!(kept.get("99"), Some(Bytes::from(vec![99])));
        assert_eq!(kept.get("0"), None);
    }
}
