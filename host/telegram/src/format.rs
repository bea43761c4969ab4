//! Markdown as Telegram has it: a text, and entities that say what is bold.
//!
//! Entities rather than HTML: nothing needs escaping, so nothing can be escaped wrongly.

use june_chats::even_columns;
use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use reqwest::Url;
use teloxide_core::types::{MessageEntity, MessageEntityKind};

/// The most entities that Telegram minds in a message.
const MOST_ENTITIES: usize = 100;
/// Lists within lists beyond this depth are not indented further.
const DEEPEST: usize = 8;

/// A text with its formatting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Formatted {
    pub(crate) text: String,
    pub(crate) entities: Vec<MessageEntity>,
}

impl Formatted {
    /// The Markdown as it is written.
    pub(crate) fn plain(markdown: &str) -> Formatted {
        Formatted { text: markdown.to_owned(), entities: Vec::new() }
    }

    /// Written in at most `most` UTF-16 code units; plainly if it only fits so.
    pub(crate) fn of(markdown: &str, most: usize) -> Formatted {
        let formatted = Writer::new().write(markdown);
        let nothing = formatted.text.trim().is_empty();
        if nothing || units(&formatted.text) > most {
            Formatted::plain(markdown)
        } else {
            formatted
        }
    }
}

/// A text's length as Telegram counts it.
pub(crate) fn units(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

struct Writer {
    text: String,
    /// The length of the text in UTF-16 code units.
    units: usize,
    entities: Vec<MessageEntity>,
    /// What was opened and not closed, and where; nothing where an entity of the kind may not be.
    open: Vec<(Option<MessageEntityKind>, usize)>,
    /// Line feeds to write before the next text.
    gap: usize,
    /// Whether an item's mark was just written.
    marked: bool,
    /// The lists around here, with the next number where they have numbers.
    lists: Vec<Option<u64>>,
    quotes: usize,
    /// The addresses of links around here that cannot be links, to be written after their text.
    addresses: Vec<Option<String>>,
    /// The rows of the table that is read.
    table: Option<Vec<Vec<String>>>,
}

impl Writer {
    fn new() -> Writer {
        Writer {
            text: String::new(),
            units: 0,
            entities: Vec::new(),
            open: Vec::new(),
            gap: 0,
            marked: false,
            lists: Vec::new(),
            quotes: 0,
            addresses: Vec::new(),
            table: None,
        }
    }

    fn write(mut self, markdown: &str) -> Formatted {
        let options =
            Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
        for event in Parser::new_ext(markdown, options) {
            self.event(event);
        }
        // Around others before within them.
        self.entities.sort_by_key(|entity| (entity.offset, usize::MAX - entity.length));
        self.entities.truncate(MOST_ENTITIES);
        Formatted { text: self.text, entities: self.entities }
    }

    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.push(&text),
            Event::Code(text) => {
                self.open(MessageEntityKind::Code);
                self.push(&text);
                self.close();
            }
            Event::InlineHtml(html) | Event::Html(html) => {
                let name = html.trim().trim_matches(['<', '>', '/', ' ']);
                self.push(if name.eq_ignore_ascii_case("br") { "\n" } else { &html });
            }
            Event::SoftBreak | Event::HardBreak => self.push("\n"),
            Event::Rule => {
                self.space(2);
                self.push("———");
                self.space(2);
            }
            Event::TaskListMarker(done) => {
                self.push(if done { "☑ " } else { "☐ " });
                self.marked = true;
            }
            // Not asked of the parser.
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => {
                self.push(&text);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::HtmlBlock => self.space(2),
            Tag::Heading { .. } => {
                self.space(2);
                self.open(MessageEntityKind::Bold);
            }
            Tag::BlockQuote(_) => {
                self.space(2);
                self.quotes += 1;
                // Telegram has no quotes within quotes.
                let kind = (self.quotes == 1).then_some(MessageEntityKind::Blockquote);
                self.open_if(kind);
            }
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(info) => info
                        .split([' ', ',', '{'])
                        .next()
                        .filter(|language| !language.is_empty())
                        .map(str::to_owned),
                    CodeBlockKind::Indented => None,
                };
                self.space(2);
                self.open(MessageEntityKind::Pre { language });
            }
            Tag::List(first) => {
                self.space(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.open(MessageEntityKind::Italic),
            Tag::Strong => self.open(MessageEntityKind::Bold),
            Tag::Strikethrough => self.open(MessageEntityKind::Strikethrough),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.link(&dest_url),
            Tag::Table(_) => self.table = Some(Vec::new()),
            Tag::TableHead | Tag::TableRow => {
                if let Some(rows) = &mut self.table {
                    rows.push(Vec::new());
                }
            }
            Tag::TableCell => {
                if let Some(row) = self.table.as_mut().and_then(|rows| rows.last_mut()) {
                    row.push(String::new());
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.space(2),
            TagEnd::Heading(_) => {
                self.close();
                self.space(2);
            }
            TagEnd::BlockQuote(_) => {
                self.quotes = self.quotes.saturating_sub(1);
                self.close();
                self.space(2);
            }
            TagEnd::CodeBlock => {
                let written = self.open.last().is_some_and(|(_, start)| *start < self.units);
                if written && self.text.ends_with('\n') {
                    self.text.pop();
                    self.units -= 1;
                }
                self.close();
                self.space(2);
            }
            TagEnd::List(_) => {
                self.lists.pop();
                self.space(if self.lists.is_empty() { 2 } else { 1 });
            }
            TagEnd::Item => {
                self.marked = false;
                self.gap = 1;
            }
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => self.close(),
            TagEnd::Link | TagEnd::Image => {
                self.close();
                if let Some(address) = self.addresses.pop().flatten() {
                    self.push(&format!(" ({address})"));
                }
            }
            TagEnd::Table => {
                let rows = self.table.take().unwrap_or_default();
                self.space(2);
                self.open(MessageEntityKind::Pre { language: None });
                self.push(&even_columns(&rows));
                self.close();
                self.space(2);
            }
            _ => {}
        }
    }

    /// Leaves room for a block: at least that many line feeds.
    fn space(&mut self, feeds: usize) {
        if !self.marked {
            let there = self.text.chars().rev().take_while(|last| *last == '\n').count();
            self.gap = self.gap.max(feeds.saturating_sub(there));
        }
    }

    fn item(&mut self) {
        self.space(1);
        let depth = self.lists.len().saturating_sub(1).min(DEEPEST);
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}. ");
                *number = number.saturating_add(1);
                mark
            }
            _ => "• ".to_owned(),
        };
        let indent = if self.marked { String::new() } else { "  ".repeat(depth) };
        self.push(&format!("{indent}{mark}"));
        self.marked = true;
    }

    /// A link where Telegram makes one of it; else the address is written behind the text.
    fn link(&mut self, address: &str) {
        let url = Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        self.addresses.push((url.is_none() && !address.is_empty()).then(|| address.to_owned()));
        self.open_if(url.map(|url| MessageEntityKind::TextLink { url }));
    }

    fn open(&mut self, kind: MessageEntityKind) {
        self.open_if(Some(kind));
    }

    fn open_if(&mut self, kind: Option<MessageEntityKind>) {
        if self.table.is_none() {
            self.push("");
        }
        self.open.push((kind, self.units));
    }

    fn close(&mut self) {
        let Some((Some(kind), offset)) = self.open.pop() else { return };
        let length = self.units.saturating_sub(offset);
        if length > 0 && self.table.is_none() {
            self.entities.push(MessageEntity { kind, offset, length });
        }
    }

    fn push(&mut self, text: &str) {
        if let Some(rows) = &mut self.table {
            if let Some(cell) = rows.last_mut().and_then(|row| row.last_mut()) {
                cell.push_str(text);
            }
            return;
        }
        let gap = std::mem::take(&mut self.gap);
        if !self.text.is_empty() {
            self.text.extend(std::iter::repeat_n('\n', gap));
            self.units += gap;
        }
        self.marked = self.marked && text.is_empty();
        self.text.push_str(text);
        self.units += units(text);
    }
}

#[cfg(test)]
mod tests;
