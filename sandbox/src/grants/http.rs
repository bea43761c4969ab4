//! Which requests a component may send: `GET https://api.example.org/v1/**`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

/// A grant of requests: a method or `*`, and a pattern of URLs.
///
/// In the host, a leading `*.` stands for one or more labels, and a host `**`
/// for every host. In the path, `*` stands for one part and a `**` at the end
/// for any number of them. The query is free. The port is as written, else the
/// scheme's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpGrant {
    /// The method; absent for all.
    method: Option<String>,
    https: bool,
    host: String,
    port: u16,
    path: Vec<String>,
    /// Whether an address of the host's own network may be behind the name.
    private: bool,
}

/// The text is not a grant of requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no grant of requests: {1}\nhint: write a method and a pattern, such as `GET https://api.example.org/v1/**`"
)]
pub struct NotAnHttpGrant(String, &'static str);

/// A request, as far as a grant looks at it.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) https: bool,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
    /// The path without its query.
    pub(crate) path: &'a str,
}

impl HttpGrant {
    /// This grant, for a name behind which may be an address of the host's own
    /// network.
    #[must_use]
    pub fn and_private(self) -> Self {
        Self { private: true, ..self }
    }

    /// Whether an address that is not of the public internet may be asked: it
    /// is written in the grant itself, or was allowed by name.
    pub fn allows_private(&self) -> bool {
        self.private || self.host == "localhost" || literal(&self.host).is_some()
    }

    pub(crate) fn covers(&self, asked: &Asked<'_>) -> bool {
        let Self { method, https, host, port, path, .. } = self;
        method.as_ref().is_none_or(|method| method == asked.method)
            && *https == asked.https
            && *port == asked.port
            && host_covers(host, asked.host)
            && is_plain(asked.path)
            && path_covers(path, &parts(asked.path))
    }

    /// The narrower of two, where one covers all that the other does.
    pub(super) fn both(&self, other: &Self) -> Option<Self> {
        let (narrow, wide) = if self.is_within(other) { (self, other) } else { (other, self) };
        narrow
            .is_within(wide)
            .then(|| Self { private: narrow.private && wide.private, ..narrow.clone() })
    }

    fn is_within(&self, wide: &Self) -> bool {
        (wide.method.is_none() || wide.method == self.method)
            && wide.https == self.https
            && wide.port == self.port
            && host_covers(&wide.host, &self.host)
            && path_covers(&wide.path, &self.path.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The address that a host is written as, if it is one.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn host_covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        // An address has no labels.
        _ if pattern == "**" => true,
        Some(rest) => {
            literal(host).is_none()
                && host
                    .strip_suffix(rest)
                    .is_some_and(|labels| labels.len() > 1 && labels.ends_with('.'))
        }
        None => pattern == host,
    }
}

fn path_covers(pattern: &[String], path: &[&str]) -> bool {
    match (pattern.split_first(), path.split_first()) {
        (Some((first, [])), _) if first == "**" => true,
        (Some((first, pattern)), Some((part, path))) => {
            (first == part || first == "*" && *part != "**") && path_covers(pattern, path)
        }
        (None, None) => true,
        _ => false,
    }
}

fn parts(path: &str) -> Vec<&str> {
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

/// Whether a path says what it means. A server may read `..`, `//`, an encoded
/// slash or dot, or a backslash as another path than a grant does.
fn is_plain(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let odd = ["%2e", "%2f", "%5c", "%00", "\\", "//"];
    path.starts_with('/')
        && !odd.iter().any(|odd| lower.contains(odd))
        && !parts(path).iter().any(|part| matches!(*part, "." | ".."))
}

impl FromStr for HttpGrant {
    type Err = NotAnHttpGrant;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |what| NotAnHttpGrant(text.into(), what);
        let (method, url) = text.split_once(' ').ok_or(wrong("it has no method"))?;
        let method = match method {
            "*" => None,
            _ if method.chars().all(|c| c.is_ascii_uppercase()) && !method.is_empty() => {
                Some(method.to_owned())
            }
            _ => return Err(wrong("a method is in capitals, or `*` for all")),
        };
        let (https, rest) = match url.trim().split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(wrong("a URL begins with https:// or http://")),
        };
        let (authority, path) = match rest.find('/') {
            Some(slash) => rest.split_at(slash),
            None if rest == "**" => (rest, "/**"),
            None => (rest, "/"),
        };
        if authority.contains('@') || path.contains(['?', '#', ' ']) {
            return Err(wrong("neither user, query nor fragment is part of a grant"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !authority.ends_with(']') => {
                (host, port.parse().map_err(|_error| wrong("the port is no number"))?)
            }
            _ => (authority, if https { 443 } else { 80 }),
        };
        let name = host.strip_prefix("*.").unwrap_or(host);
        if name.is_empty() || name != "**" && name.contains('*') {
            return Err(wrong("a host is a name, an address, `*.` and a name, or `**`"));
        }
        if !is_plain(path) {
            return Err(wrong("the path has parts that servers read differently"));
        }
        let path: Vec<String> = parts(path).into_iter().map(Into::into).collect();
        let inner = path.iter().rev().skip(1).any(|part| part == "**");
        let partial = path.iter().any(|p| p.contains('*') && p != "*" && p != "**");
        if inner || partial {
            return Err(wrong("in a path, `*` is a whole part, and `**` the last one"));
        }
        let host = host.to_ascii_lowercase();
        Ok(Self { method, https, host, port, path, private: false })
    }
}

impl fmt::Display for HttpGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, https, host, port, path, private } = self;
        let scheme = if *https { "https" } else { "http" };
        write!(f, "http {} {scheme}://{host}", method.as_deref().unwrap_or("*"))?;
        if *port != if *https { 443 } else { 80 } {
            write!(f, ":{port}")?;
        }
        write!(f, "/{}", path.join("/"))?;
        f.write_str(if *private { " (private)" } else { "" })
    }
}

/// Whether an address is one of the public internet, as far as can be told
/// from the address: none of the special-purpose registries of RFC 6890, nor
/// an IPv6 address that stands for such an IPv4 one.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            !(a == 0
                || a == 10
                || a == 127
                || a == 100 && (64..128).contains(&b)
                || a == 169 && b == 254
                || a == 172 && (16..32).contains(&b)
                || a == 192 && b == 168
                || a == 192 && b == 0 && (c == 0 || c == 2)
                || a == 192 && b == 88 && c == 99
                || a == 198 && (b == 18 || b == 19)
                || a == 198 && b == 51 && c == 100
                || a == 203 && b == 0 && c == 113
                || a >= 224)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4() {
                // Mapped or, long deprecated, compatible; `::1` among them.
                return is_public(v4.into());
            }
            let [a, b, ..] = v6.segments();
            let embedded = |high: u16, low: u16| {
                let [a, b, c, d] = [(high >> 8) as u8, high as u8, (low >> 8) as u8, low as u8];
                is_public(IpAddr::from([a, b, c, d]))
            };
            match (a, b) {
                (0x2002, high) => embedded(high, v6.segments()[2]),
                (0x64, 0xff9b) => embedded(v6.segments()[6], v6.segments()[7]),
                (0x2001, 0..0x200) | (0x2001, 0xdb8) => false,
                // Only 2000::/3 is global unicast.
                _ => a & 0xe000 == 0x2000,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(grant: &str, method: &str, url: &str) -> bool {
        let grant: HttpGrant = grant.parse().unwrap();
        let (scheme, rest) = url.split_once("://").unwrap();
        let (authority, path) = rest.split_at(rest.find('/').unwrap());
        let https = scheme == "https";
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().unwrap()),
            None => (authority, if https { 443 } else { 80 }),
        };
        grant.covers(&Asked { method, https, host, port, path })
    }

    #[test]
    fn a_grant_covers_what_it_says_and_nothing_else() {
        let api = "GET https://api.example.org/v1/**";
        assert!(covers(api, "GET", "https://api.example.org/v1/a/b"));
        assert!(covers(api, "GET", "https://api.example.org/v1/"));
        for (method, url) in [
            ("POST", "https://api.example.org/v1/a"),
            ("GET", "http://api.example.org/v1/a"),
            ("GET", "https://api.example.org:8443/v1/a"),
            ("GET", "https://api.example.org.evil.org/v1/a"),
            ("GET", "https://api.example.org/v2/a"),
            ("GET", "https://api.example.org/v1/../v2"),
            ("GET", "https://api.example.org/v1/%2e%2e/v2"),
            ("GET", "https://api.example.org/v1/%2E./v2"),
            ("GET", "https://api.example.org/v1//v2"),
            ("GET", "https://api.example.org/v1/..%5cv2"),
        ] {
            assert!(!covers(api, method, url), "{method} {url}");
        }
        assert!(covers("* http://127.0.0.1:8080/*/x", "PUT", "http://127.0.0.1:8080/a/x"));
        assert!(!covers("* http://127.0.0.1:8080/*/x", "PUT", "http://127.0.0.1:8080/a/b/x"));
        assert!(covers("GET https://*.example.org/**", "GET", "https://a.b.example.org/x"));
        assert!(!covers("GET https://*.example.org/**", "GET", "https://example.org/x"));
        assert!(!covers("GET https://*.example.org/**", "GET", "https://evilexample.org/x"));
        assert!(covers("GET https://**", "GET", "https://anything.org/x"));
    }

    #[test]
    fn what_is_no_grant_is_refused() {
        for text in [
            "https://example.org/",
            "get https://example.org/",
            "GET ftp://example.org/",
            "GET https://user@example.org/",
            "GET https://ex*mple.org/",
            "GET https://example.org/**/x",
            "GET https://example.org/a*",
            "GET https://example.org/../x",
            "GET https://example.org/?q=1",
            "GET https:///x",
            "GET https://example.org:port/",
        ] {
            assert!(text.parse::<HttpGrant>().is_err(), "{text}");
        }
    }

    #[test]
    fn grants_survive_being_written() {
        for text in ["GET https://a.org/v1/**", "* http://localhost:99/", "GET https://*.b.org/*"] {
            let grant: HttpGrant = text.parse().unwrap();
            assert_eq!(grant.to_string(), format!("http {text}"));
        }
    }

    #[test]
    fn addresses_of_the_own_network_are_not_public() {
        for address in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fc00::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "ff02::1",
            "2001:db8::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "64:ff9b::808:808"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
