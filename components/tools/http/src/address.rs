//! Addresses of the web, as far as a client without a browser's history needs them.

use std::fmt;

/// An address of scheme `http` or `https`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Whether the scheme is `https`.
    pub tls: bool,
    /// Host, and port where one is named.
    pub authority: String,
    /// Path and query; begins with `/`.
    pub path: String,
}

impl fmt::Display for Address {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(to, "{scheme}://{}{}", self.authority, self.path)
    }
}

impl Address {
    /// Reads a whole address.
    ///
    /// # Errors
    ///
    /// It is none, or of another scheme, or has a user name in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (scheme, rest) =
            text.trim().split_once("://").ok_or(format!("{text}: not a whole URL"))?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            other => return Err(format!("{text}: {other} is not supported, only http and https")),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.is_empty() {
            return Err(format!("{text}: no host"));
        }
        if authority.contains('@') {
            return Err(format!("{text}: a user name in the URL is not supported"));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        let path = format!("{slash}{path}").replace(' ', "%20");
        Ok(Self { tls, authority: authority.to_ascii_lowercase(), path: without_dots(&path) })
    }

    /// Where a reference leads that stands at this address.
    ///
    /// # Errors
    ///
    /// It leads to no address of the web.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        let reference = reference.split('#').next().unwrap_or(reference);
        let scheme = if self.tls { "https" } else { "http" };
        let path = self.path.split('?').next().unwrap_or(&self.path);
        if reference.is_empty() {
            return Ok(self.clone());
        }
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        let full = if reference.starts_with("//") {
            format!("{scheme}:{reference}")
        } else if reference.starts_with('/') {
            format!("{scheme}://{}{reference}", self.authority)
        } else if reference.starts_with('?') {
            format!("{scheme}://{}{path}{reference}", self.authority)
        } else {
            let folder = path.rfind('/').map_or("", |slash| &path[..slash]);
            format!("{scheme}://{}{folder}/{reference}", self.authority)
        };
        Self::parse(&full)
    }
}

fn has_scheme(reference: &str) -> bool {
    let scheme = reference.split([':', '/', '?']).next().unwrap_or_default();
    !scheme.is_empty()
        && reference[scheme.len()..].starts_with(':')
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
}

/// The path without `.` and `..` between its slashes.
fn without_dots(path: &str) -> String {
    let (path, query) = match path.find('?') {
        Some(at) => path.split_at(at),
        None => (path, ""),
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut names = path.split('/').skip(1).peekable();
    while let Some(name) = names.next() {
        match name {
            "." | ".." => {
                if name == ".." {
                    kept.pop();
                }
                // What ends with dots is a folder.
                if names.peek().is_none() {
                    kept.push("");
                }
            }
            name => kept.push(name),
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, read) in [
            ("https://Example.org", "https://example.org/"),
            ("HTTP://example.org:8080/a/b?q=a b#part", "http://example.org:8080/a/b?q=a%20b"),
            ("https://example.org?q=1", "https://example.org/?q=1"),
            ("https://example.org/a/../b/./c?x=/../", "https://example.org/b/c?x=/../"),
            ("https://example.org/../..", "https://example.org/"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), read);
        }
        for bad in ["example.org", "ftp://example.org", "file:///etc", "https://", "http://a@b/"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn references_are_followed() {
        let here = Address::parse("https://example.org/a/b?q=1").unwrap();
        for (reference, leads_to) in [
            ("http://other.org/x", "http://other.org/x"),
            ("//other.org/x", "https://other.org/x"),
            ("/x?y", "https://example.org/x?y"),
            ("c", "https://example.org/a/c"),
            ("../c/./d", "https://example.org/c/d"),
            ("?q=2", "https://example.org/a/b?q=2"),
            ("x?to=a:b", "https://example.org/a/x?to=a:b"),
            ("#part", "https://example.org/a/b?q=1"),
        ] {
            assert_eq!(here.join(reference).unwrap().to_string(), leads_to, "{reference}");
        }
        assert!(here.join("mailto:a@b").is_err());
        assert!(here.join("javascript:alert(1)").is_err());
    }
}
