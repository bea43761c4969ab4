//! Editing: a piece of text that is there exactly once is replaced.

/// The text with `old` replaced by `new`.
///
/// # Errors
///
/// `old` is not there, or more than once; in words for the model.
pub fn replace(text: &str, old: &str, new: &str) -> Result<String, String> {
    if old.is_empty() {
        return Err("`old` is empty; to make a new file, use write".into());
    }
    if old == new {
        return Err("`old` and `new` are the same".into());
    }
    let places: Vec<_> = text.match_indices(old).map(|(at, _)| at).collect();
    match places[..] {
        [at] => Ok(format!("{}{new}{}", &text[..at], &text[at + old.len()..])),
        [] => Err(match resembling(text, old) {
            Some(line) => format!(
                "`old` is not in the file; line {line} differs from it in white space only: read it \
                 and copy it exactly"
            ),
            None => "`old` is not in the file: read it and copy the piece exactly".into(),
        }),
        _ => {
            let lines: Vec<_> = places.iter().take(10).map(|at| line(text, *at)).collect();
            Err(format!(
                "`old` is in the file {} times (lines {}): give more of its surroundings",
                places.len(),
                lines.join(", ")
            ))
        }
    }
}

fn line(text: &str, at: usize) -> String {
    (text[..at].matches('\n').count() + 1).to_string()
}

/// The line where the text has the lines of `old`, but for white space around them.
fn resembling(text: &str, old: &str) -> Option<usize> {
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let wanted: Vec<_> = old.trim().lines().map(str::trim).collect();
    if wanted.is_empty() {
        return None;
    }
    lines.windows(wanted.len()).position(|some| some == wanted).map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_once_is_replaced() {
        assert_eq!(replace("one two three", "two", "2"), Ok("one 2 three".into()));
        assert_eq!(replace("a\nb\n", "b\n", ""), Ok("a\n".into()));
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let error = replace("one", "two", "2").unwrap_err();
        assert!(error.contains("not in the file"), "{error}");
        let error = replace("def f():\n\treturn 1\n", "def f():\n    return 1", "x").unwrap_err();
        assert!(error.contains("line 1 differs from it in white space"), "{error}");
        assert!(replace("one", "", "2").is_err());
        assert!(replace("one", "one", "one").is_err());
        assert!(replace("one", "\n", "x").is_err());
    }

    #[test]
    fn what_is_there_twice_is_an_error() {
        let error = replace("x = 1\ny = 2\nx = 1\n", "x = 1", "x = 3").unwrap_err();
        assert!(error.contains("2 times (lines 1, 3)"), "{error}");
    }
}
