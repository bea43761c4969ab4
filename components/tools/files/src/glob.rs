//! Globs: `*` and `?` within a name, `**` for any number of folders.

/// Whether a path matches a glob. One without a `/` is matched against the name alone, at any depth.
#[must_use]
pub fn matches(glob: &str, path: &str) -> bool {
    let glob = glob.trim_start_matches("./").trim_start_matches('/');
    if !glob.contains('/') && glob != "**" {
        return name_matches(glob, path.rsplit('/').next().unwrap_or(path));
    }
    let (globs, names): (Vec<_>, Vec<_>) = (glob.split('/').collect(), path.split('/').collect());
    any_match(&globs, &names, |glob| *glob == "**", |glob, name| name_matches(glob, name))
}

fn name_matches(glob: &str, name: &str) -> bool {
    let (globs, letters): (Vec<_>, Vec<_>) = (glob.chars().collect(), name.chars().collect());
    any_match(&globs, &letters, |glob| *glob == '*', |glob, letter| *glob == '?' || glob == letter)
}

/// Whether the items match the pattern, in which some elements stand for any number of items. Only
/// the last of those ever needs another try, so this takes no more than the product of the lengths.
fn any_match<P, T>(
    pattern: &[P],
    items: &[T],
    is_many: impl Fn(&P) -> bool,
    is_one: impl Fn(&P, &T) -> bool,
) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry = None;
    while item < items.len() {
        if pattern.get(at).is_some_and(&is_many) {
            retry = Some((at, item));
            at += 1;
        } else if pattern.get(at).is_some_and(|one| is_one(one, &items[item])) {
            at += 1;
            item += 1;
        } else if let Some((many, begin)) = retry {
            retry = Some((many, begin + 1));
            at = many + 1;
            item = begin + 1;
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(is_many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_as_in_a_shell() {
        for (glob, path, expected) in [
            ("*.rs", "main.rs", true),
            ("*.rs", "src/deep/main.rs", true),
            ("*.rs", "main.rsx", false),
            ("m??n.*", "main.rs", true),
            ("src/*.rs", "src/main.rs", true),
            ("src/*.rs", "src/deep/main.rs", false),
            ("src/**/*.rs", "src/main.rs", true),
            ("src/**/*.rs", "src/a/b/main.rs", true),
            ("src/**", "src/a/b", true),
            ("**/b/*", "a/b/c", true),
            ("**/b/*", "a/b/c/d", false),
            ("**", "a/b", true),
            ("./src/*", "src/main.rs", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "a", false),
        ] {
            assert_eq!(matches(glob, path), expected, "{glob} {path}");
        }
    }

    #[test]
    fn a_bad_glob_takes_no_longer() {
        assert!(!matches(&"*a".repeat(500), &"a".repeat(499)));
    }
}
