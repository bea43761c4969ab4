//! Long answers in several messages: nothing is lost, and each is whole by itself.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use june_chats::{Units, split};
use proptest::prelude::*;

/// What a text is without white space.
fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Whether a line opens or closes a block of code.
fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~")
}

/// Prose, headings, lists, code in blocks of all kinds, and long words.
fn markdown() -> impl Strategy<Value = String> {
    let words = "[a-zäß🙂ﬁ]{1,12}( [a-z.!?]{1,9}){0,40}";
    let code = "([a-z(){};=]{1,20}\n){1,30}";
    let block = prop_oneof![
        4 => words.prop_map(|text| format!("{text}\n\n")),
        2 => words.prop_map(|text| format!("- {text}\n")),
        1 => "[a-z🙂]{300,900}".prop_map(|text| format!("{text}\n")),
        2 => code.prop_map(|text| format!("```rust\n{text}```\n\n")),
        1 => code.prop_map(|text| format!("~~~~\n```\n{text}~~~~\n")),
        // Never closed: the answer broke off.
        1 => code.prop_map(|text| format!("```python\n{text}")),
    ];
    prop::collection::vec(block, 0..12).prop_map(|blocks| blocks.concat())
}

proptest! {
    #[test]
    fn nothing_is_lost_and_every_part_fits(
        text in markdown(),
        most in 256_usize..900,
        utf16 in any::<bool>(),
    ) {
        let units = if utf16 { Units::Utf16 } else { Units::Scalars };
        let parts = split(&text, most, units);
        for part in &parts {
            prop_assert!(units.count(part) <= most, "{} of {most}", units.count(part));
            prop_assert!(!part.trim().is_empty());
        }
        // Beside the lines that close and open blocks again, the text is what it was.
        let lines = |text: &str| {
            bare(&text.lines().filter(|line| !is_fence(line)).collect::<Vec<_>>().concat())
        };
        prop_assert_eq!(lines(&parts.join("\n")), lines(&text));
    }

    #[test]
    fn every_part_closes_what_it_opens(text in markdown(), most in 256_usize..900) {
        for part in split(&text, most, Units::Utf16) {
            let mut open: Option<String> = None;
            for line in part.lines() {
                let mark: String =
                    line.chars().take_while(|c| matches!(c, '`' | '~')).collect();
                match &open {
                    None if is_fence(line) => open = Some(mark),
                    Some(with) if mark.starts_with(with.as_str()) && mark == line => open = None,
                    _ => {}
                }
            }
            prop_assert!(open.is_none(), "{part}");
        }
    }

    /// A message that was shown while the answer grew stays as it is.
    #[test]
    fn the_first_part_stays_while_the_text_grows(text in markdown(), most in 256_usize..600) {
        let whole = split(&text, most, Units::Utf16);
        let mut before: Option<String> = None;
        for (at, _) in text.char_indices().step_by(40) {
            let parts = split(&text[..at], most, Units::Utf16);
            if parts.len() > 2 {
                if let Some(before) = &before {
                    prop_assert_eq!(before, &parts[0]);
                }
                prop_assert_eq!(&whole[0], &parts[0]);
                before = Some(parts[0].clone());
            }
        }
    }

    #[test]
    fn any_text_at_all(text in "(?s).{0,2000}|[`~ \n]{0,900}", most in 0_usize..400) {
        for part in split(&text, most, Units::Utf16) {
            prop_assert!(Units::Utf16.count(&part) <= most.max(256));
        }
    }
}

#[test]
fn paragraphs_stay_together() {
    let paragraph = |letter: &str| letter.repeat(100);
    let text = ["a", "b", "c", "d"].map(paragraph).join("\n\n");
    let parts = split(&text, 300, Units::Scalars);
    assert_eq!(parts, [text[..202].to_owned(), text[204..].to_owned()]);
}

#[test]
fn a_block_of_code_is_closed_and_opened_again() {
    let code = "let x = 1;\n".repeat(40);
    let parts = split(&format!("See:\n\n```rust\n{code}```\n\nDone."), 300, Units::Scalars);
    assert!(parts[0].starts_with("See:\n\n```rust\nlet") && parts[0].ends_with(";\n```"));
    assert!(parts[1].starts_with("```rust\nlet x = 1;\n"), "{}", parts[1]);
    assert!(parts[1].ends_with(";\n```"));
    assert_eq!(parts[2], "Done.");
}
