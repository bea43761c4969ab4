use proptest::prelude::*;

use super::*;

/// The text, and what each entity says of which part.
fn shown(markdown: &str) -> (String, Vec<(String, String)>) {
    let Formatted { text, entities } = Writer::new().write(markdown);
    let wide: Vec<u16> = text.encode_utf16().collect();
    let entities = entities
        .iter()
        .map(|entity| {
            let part = &wide[entity.offset..entity.offset + entity.length];
            let kind = match &entity.kind {
                MessageEntityKind::TextLink { url } => url.to_string(),
                MessageEntityKind::Pre { language } => format!("pre {language:?}"),
                kind => format!("{kind:?}").to_lowercase(),
            };
            (kind, String::from_utf16(part).unwrap())
        })
        .collect();
    (text, entities)
}

fn check(markdown: &str, text: &str, entities: &[(&str, &str)]) {
    let found = shown(markdown);
    assert_eq!(found.0, text, "of {markdown:?}");
    let found: Vec<_> = found.1.iter().map(|(kind, part)| (kind.as_str(), part.as_str())).collect();
    assert_eq!(found, entities, "of {markdown:?}");
}

#[test]
fn inline_formatting() {
    check("plain", "plain", &[]);
    check(
        "a **b *c* ~~d~~** `e`",
        "a b c d e",
        &[("bold", "b c d"), ("italic", "c"), ("strikethrough", "d"), ("code", "e")],
    );
    // Offsets are of UTF-16: the emoji has two units.
    check("🦀 **ü**", "🦀 ü", &[("bold", "ü")]);
    check("1 < 2 & 3 > 2 &amp; 2 \\* 3", "1 < 2 & 3 > 2 & 2 * 3", &[]);
    check("a<b>c</b><br>d", "a<b>c</b>\nd", &[]);
    check("one\ntwo\n\nthree", "one\ntwo\n\nthree", &[]);
}

#[test]
fn links() {
    check("[here](https://example.org/a)", "here", &[("https://example.org/a", "here")]);
    check(
        "![a cat](https://example.org/c.png)",
        "a cat",
        &[("https://example.org/c.png", "a cat")],
    );
    check("[file](docs/a.md)", "file (docs/a.md)", &[]);
    check("[x](tg://user?id=1)", "x (tg://user?id=1)", &[]);
    check("[x](javascript:alert)", "x (javascript:alert)", &[]);
}

#[test]
fn blocks() {
    check("# Title\ntext", "Title\n\ntext", &[("bold", "Title")]);
    check("> a\n>\n> > b\n\nc", "a\n\nb\n\nc", &[("blockquote", "a\n\nb")]);
    check(
        "```rust\nfn a() {}\n\nb\n```\nafter",
        "fn a() {}\n\nb\n\nafter",
        &[("pre Some(\"rust\")", "fn a() {}\n\nb")],
    );
    // As an answer looks while it is written.
    check("so:\n```py\nprint(1)", "so:\n\nprint(1)", &[("pre Some(\"py\")", "print(1)")]);
    check("a\n\n---\n\nb", "a\n\n———\n\nb", &[]);
}

#[test]
fn lists() {
    check("x\n- a\n- b\n  - c\n- d\n\ny", "x\n\n• a\n• b\n  • c\n• d\n\ny", &[]);
    check("3. a\n4. b", "3. a\n4. b", &[]);
    check("- a\n\n  more\n- b", "• a\n\nmore\n• b", &[]);
    check("- [x] done\n- [ ] not", "• ☑ done\n• ☐ not", &[]);
    check("- **a**: b", "• a: b", &[("bold", "a")]);
    check("18446744073709551615. a", "18446744073709551615. a", &[]);
}

#[test]
fn tables_are_columns() {
    check(
        "| a | **b** |\n|---|---|\n| `1` | [2](https://example.org) |\n\nend",
        "a | b\n--+--\n1 | 2\n\nend",
        &[("pre None", "a | b\n--+--\n1 | 2")],
    );
}

#[test]
fn what_does_not_fit_formatted_is_plain() {
    let wide =
        format!("| a | b |\n|---|---|\n| {} | c |\n{}", "x".repeat(30), "| y | z |\n".repeat(40));
    assert!(units(&wide) < 600);
    assert_eq!(Formatted::of(&wide, 600), Formatted::plain(&wide));
    assert!(!Formatted::of(&wide, 4096).entities.is_empty());
    let nothing = "[a]: https://example.org";
    assert_eq!(Formatted::of(nothing, 4096), Formatted::plain(nothing));
}

#[test]
fn deep_nesting_stays_small() {
    let deep = "- ".repeat(4000) + "x";
    assert!(Writer::new().write(&deep).text.len() < 200_000);
    let quotes = "> ".repeat(4000) + "x";
    assert_eq!(Writer::new().write(&quotes).entities.len(), 1);
}

proptest! {
    /// Whatever an agent writes, the entities are within the text, do not split a character, and
    /// overlap only where one is within the other.
    #[test]
    fn entities_are_sound(markdown in "[ a-c🦀ü*_~`>#|\\[\\]()!\n\\-1.<x]{0,80}") {
        let Formatted { text, entities } = Writer::new().write(&markdown);
        let wide: Vec<u16> = text.encode_utf16().collect();
        prop_assert_eq!(units(&text), wide.len());
        prop_assert!(entities.len() <= MOST_ENTITIES);
        for (place, entity) in entities.iter().enumerate() {
            let (start, end) = (entity.offset, entity.offset + entity.length);
            prop_assert!(entity.length > 0 && end <= wide.len());
            prop_assert!(String::from_utf16(&wide[start..end]).is_ok());
            for other in &entities[..place] {
                let far = other.offset + other.length;
                prop_assert!(far <= start || far >= end, "{:?}", entities);
            }
        }
    }
}
