//! Code in Markdown.

/// A fenced block of code.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    /// What the fence names, in lower case.
    pub language: String,
    /// What is in it.
    pub code: String,
}

impl Block {
    /// Whether it is a program in Python that can be run as it is.
    #[must_use]
    pub fn is_python(&self) -> bool {
        matches!(self.language.as_str(), "python" | "python3" | "py")
            && !self.code.trim().is_empty()
    }
}

/// The last block of a text, Python before any other. The last may lack its end.
#[must_use]
pub fn last_block(text: &str) -> Option<Block> {
    let mut blocks = blocks(text);
    let python = blocks.iter().rposition(Block::is_python);
    let index = python.or(blocks.len().checked_sub(1))?;
    Some(blocks.swap_remove(index))
}

/// A program in Python as a fenced block.
#[must_use]
pub fn fenced(code: &str) -> String {
    format!("```python\n{}\n```", code.trim_end())
}

fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, usize, Block)> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        let indent = line.len() - line.trim_start_matches(' ').len();
        let rest = trimmed.trim_start_matches('`');
        let fence = &trimmed[..trimmed.len() - rest.len()];
        match &mut open {
            None if fence.len() >= 3 && !rest.contains('`') => {
                let language = rest.split_whitespace().next().unwrap_or_default().to_lowercase();
                open = Some((fence, indent, Block { language, code: String::new() }));
            }
            Some((opened, ..)) if rest.is_empty() && fence.len() >= opened.len() => {
                blocks.extend(open.take().map(|(.., block)| block));
            }
            Some((_, outside, block)) => {
                // Within a list, the fence is indented, and the code with it.
                block.code.push_str(&line[indent.min(*outside)..]);
                block.code.push('\n');
            }
            None => {}
        }
    }
    blocks.extend(open.map(|(.., block)| block));
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(language: &str, code: &str) -> Option<Block> {
        Some(Block { language: language.into(), code: code.into() })
    }

    #[test]
    fn the_last_block_counts() {
        assert_eq!(last_block("no code, `x` at most"), None);
        assert_eq!(
            last_block("```python\nx = 1\n```\nor\n```py\nx = 2\n```"),
            block("py", "x = 2\n")
        );
        assert_eq!(last_block("```Python3 title\nx\n```"), block("python3", "x\n"));
        assert_eq!(
            last_block("Use\n```python\nx = 1\n```\nlike\n```sh\npython x\n```"),
            block("python", "x = 1\n")
        );
        assert_eq!(last_block("```js\nx\n```"), block("js", "x\n"));
    }

    #[test]
    fn fences_are_read_leniently() {
        assert_eq!(last_block("```python\nx = 1"), block("python", "x = 1\n"));
        assert_eq!(
            last_block("````python\nx = '''\n```\n'''\n````"),
            block("python", "x = '''\n```\n'''\n")
        );
        assert_eq!(
            last_block("- so:\n  ```python\n  x\n    y\n  ```"),
            block("python", "x\n  y\n")
        );
        assert!(!last_block("```\nx\n```").unwrap().is_python());
    }

    #[test]
    fn a_fence_holds_code() {
        assert_eq!(last_block(&fenced("x = 1\n\n")), block("python", "x = 1\n"));
    }
}
