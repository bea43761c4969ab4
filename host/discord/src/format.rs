//! Markdown as Discord has it. It knows most of it; tables become blocks of code.

use june_chats::even_columns;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// The Markdown with tables as Discord can show them; unchanged if it would become longer than
/// `most` characters.
pub(crate) fn formatted(markdown: &str, most: usize) -> String {
    let mut text = String::with_capacity(markdown.len());
    let mut copied = 0;
    let mut table: Option<Vec<Vec<String>>> = None;
    for (event, range) in Parser::new_ext(markdown, Options::ENABLE_TABLES).into_offset_iter() {
        match (event, &mut table) {
            (Event::Start(Tag::Table(_)), _) => table = Some(Vec::new()),
            (Event::Start(Tag::TableHead | Tag::TableRow), Some(rows)) => rows.push(Vec::new()),
            (Event::Start(Tag::TableCell), Some(rows)) => {
                if let Some(row) = rows.last_mut() {
                    row.push(String::new());
                }
            }
            (Event::End(TagEnd::Table), Some(rows)) => {
                text.push_str(markdown.get(copied..range.start).unwrap_or_default());
                // A fence in a cell would end the block.
                let columns = even_columns(rows).replace("```", "'''");
                text.push_str(&format!("```\n{columns}\n```\n"));
                copied = range.end;
                table = None;
            }
            (Event::Text(part) | Event::Code(part) | Event::InlineHtml(part), Some(rows)) => {
                if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                    cell.push_str(&part);
                }
            }
            _ => {}
        }
    }
    text.push_str(markdown.get(copied..).unwrap_or_default());
    let text = text.trim_end();
    if text.chars().count() > most { markdown.to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tables_change() {
        let plain = "# Title\n**a** <b> ||spoiler|| @everyone `c`\n\n> q";
        assert_eq!(formatted(plain, 2000), plain);
        let table = "before\n\n| a | **b** |\n|---|---|\n| `1` | ```2 |\n\nafter";
        let expected = "before\n\n```\na | b\n--+-----\n1 | '''2\n```\n\nafter";
        assert_eq!(formatted(table, 2000), expected);
        assert_eq!(formatted(table, 20), table);
        assert_eq!(formatted("", 2000), "");
    }
}
