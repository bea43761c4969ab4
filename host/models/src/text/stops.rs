//! Stop strings in a text that comes in pieces.

use crate::text::marks::partial;

/// Lets text through until a stop string is complete; of that, nothing. What may be the start of
/// one is held back.
#[derive(Debug)]
pub(crate) struct Stops {
    stops: Vec<String>,
    held: String,
}

impl Stops {
    /// Empty strings stop nothing.
    pub(crate) fn new(stops: &[String]) -> Stops {
        let stops = stops.iter().filter(|stop| !stop.is_empty()).cloned().collect();
        Stops { stops, held: String::new() }
    }

    /// The text that cannot belong to a stop string, and whether one is complete: then the text
    /// ends where it begins.
    pub(crate) fn push(&mut self, more: &str) -> (String, bool) {
        let mut text = std::mem::take(&mut self.held);
        text.push_str(more);
        // The first to be complete; of those that end there, the longest.
        let found = |stop: &String| text.find(stop).map(|start| (start + stop.len(), start));
        if let Some((_end, start)) = self.stops.iter().filter_map(found).min() {
            text.truncate(start);
            return (text, true);
        }
        let held = self.stops.iter().map(|stop| partial(&text, stop)).max().unwrap_or_default();
        self.held = text.split_off(text.len() - held);
        (text, false)
    }

    /// The text is over: what was held back.
    pub(crate) fn end(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What is let through, and whether it was stopped.
    fn through(stops: &[&str], pieces: &[&str]) -> (String, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let (mut stops, mut all) = (Stops::new(&stops), String::new());
        for piece in pieces {
            let (text, stopped) = stops.push(piece);
            all.push_str(&text);
            if stopped {
                return (all, true);
            }
        }
        all.push_str(&stops.end());
        (all, false)
    }

    #[test]
    fn nothing_of_a_stop_string_leaks() {
        assert_eq!(through(&["END"], &["a E", "N", "D b"]), ("a ".into(), true));
        assert_eq!(through(&["END"], &["a E", "N", "d"]), ("a ENd".into(), false));
        assert_eq!(through(&["END"], &["a EN"]), ("a EN".into(), false));
        assert_eq!(through(&["abc", "b"], &["a", "b", "c"]), ("a".into(), true));
        assert_eq!(through(&["ab", "b"], &["xab"]), ("x".into(), true));
        assert_eq!(through(&["aab"], &["a", "a", "a", "b"]), ("a".into(), true));
        assert_eq!(through(&["", "é"], &["aé"]), ("a".into(), true));
        assert_eq!(through(&[], &["a"]), ("a".into(), false));
    }

    #[test]
    fn only_what_may_be_a_stop_string_is_held_back() {
        let mut stops = Stops::new(&["\n\n".into()]);
        assert_eq!(stops.push("a\n"), ("a".into(), false));
        assert_eq!(stops.push("b"), ("\nb".into(), false));
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_text_is_cut(
            text in "[abé]{0,12}",
            stops in prop::collection::vec("[abé]{1,4}", 0..3),
            cut in 1_usize..4,
        ) {
            let characters: Vec<char> = text.chars().collect();
            let pieces: Vec<String> =
                characters.chunks(cut).map(|piece| piece.iter().collect()).collect();
            let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
            let stops: Vec<&str> = stops.iter().map(String::as_str).collect();
            let (whole, stopped) = through(&stops, &[&text]);
            prop_assert_eq!(through(&stops, &pieces), (whole.clone(), stopped));
            prop_assert!(stops.iter().all(|stop| !whole.contains(stop)));
            prop_assert_eq!(stopped, stops.iter().any(|stop| text.contains(stop)));
        }
    }
}
