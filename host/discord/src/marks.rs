//! Where the bot is in each channel, so that it can go on from there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The most channels that are remembered; those with the newest messages stay.
const MOST_CHANNELS: usize = 1000;

/// The last message that was recorded of each channel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marks(BTreeMap<u64, Mark>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// The message's identifier; later ones are larger. Zero where there was none yet.
    pub(crate) last: u64,
    /// Whether the channel is one with the bot alone.
    pub(crate) private: bool,
}

impl Marks {
    pub(crate) fn read(text: Option<&str>) -> Marks {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    pub(crate) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// All channels.
    pub(crate) fn channels(&self) -> Vec<(u64, Mark)> {
        self.0.iter().map(|(channel, mark)| (*channel, *mark)).collect()
    }

    pub(crate) fn has(&self, channel: u64) -> bool {
        self.0.contains_key(&channel)
    }

    /// The newest message of all channels: identifiers are ordered by time everywhere.
    pub(crate) fn newest(&self) -> Option<u64> {
        self.0.values().map(|mark| mark.last).max().filter(|last| *last > 0)
    }

    /// The same with a message, if it is later.
    pub(crate) fn with(&self, channel: u64, message: u64, private: bool) -> Marks {
        let mut marks = self.clone();
        let mark = marks.0.entry(channel).or_insert(Mark { last: 0, private });
        mark.last = mark.last.max(message);
        mark.private = private;
        if marks.0.len() > MOST_CHANNELS {
            let oldest = marks.0.iter().min_by_key(|(_, mark)| mark.last).map(|(id, _)| *id);
            oldest.map(|channel| marks.0.remove(&channel));
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_forward_and_are_bounded() {
        let marks = Marks::default().with(1, 10, true).with(1, 9, true).with(2, 11, false);
        assert_eq!(Marks::read(Some(&marks.written())), marks);
        assert_eq!(marks.channels()[0], (1, Mark { last: 10, private: true }));
        assert_eq!(marks.newest(), Some(11));
        assert_eq!(Marks::default().with(1, 0, true).newest(), None);
        assert_eq!(Marks::read(Some("{")), Marks::default());
        let many = (0..2000).fold(Marks::default(), |marks, n| marks.with(n, n + 1, false));
        assert_eq!(many.channels().len(), MOST_CHANNELS);
        assert!(many.has(1999) && !many.has(0));
    }
}
