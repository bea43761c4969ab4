//! The HTTP client of a server.

use std::net::IpAddr;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Url, redirect, retry};
use thiserror::Error;

use crate::openai::body;
use crate::openai::settings::{Proxy, Settings};

/// Why a server cannot be asked with these settings.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The address is not one.
    #[error(
        "the address of model {model} {why}\nhint: write it like http://127.0.0.1:8000/v1, \
         and give a key apart from it"
    )]
    Base {
        /// The server's name for the model.
        model: String,
        /// What is wrong with it.
        why: String,
    },
    /// The key cannot be sent.
    #[error("the key of model {model} has characters that no header can hold\nhint: copy it anew")]
    Key {
        /// The server's name for the model.
        model: String,
    },
    /// The proxy's URL is not one.
    #[error("the proxy of model {model} has no valid URL\nhint: write it like http://proxy:3128")]
    Proxy {
        /// The server's name for the model.
        model: String,
    },
    /// An additional field is one that requests have already.
    #[error(
        "the additional field \"{field}\" of model {model} is one that every request sets\n\
         hint: remove it, and set it in the request"
    )]
    Extra {
        /// The server's name for the model.
        model: String,
        /// The field.
        field: String,
    },
    /// TLS cannot be set up.
    #[error(
        "TLS for model {model} cannot be set up: {why}\nhint: install the system's certificates \
         (package ca-certificates)"
    )]
    Tls {
        /// The server's name for the model.
        model: String,
        /// Why.
        why: String,
    },
}

/// Checks the settings; returns the URL to post to and the client to do it with.
pub(crate) fn open(settings: &Settings) -> Result<(Url, Client), SettingsError> {
    if let Some(field) = settings.extra.keys().find(|key| body::NAMES.contains(&key.as_str())) {
        let model = settings.model.clone();
        return Err(SettingsError::Extra { model, field: field.clone() });
    }
    connect(settings, "/chat/completions")
}

/// The URL of a path below the address, and the client to ask there: with the key, by way of the
/// proxy. Only what concerns the connection is looked at.
///
/// # Errors
///
/// The settings hold what no request could.
pub fn connect(settings: &Settings, path: &str) -> Result<(Url, Client), SettingsError> {
    let model = || settings.model.clone();
    let url =
        url(&settings.base, path).map_err(|why| SettingsError::Base { model: model(), why })?;
    let mut headers = HeaderMap::new();
    if let Some(key) = &settings.key {
        let header = HeaderValue::from_str(&format!("Bearer {}", key.expose()));
        let mut header = header.map_err(|_| SettingsError::Key { model: model() })?;
        header.set_sensitive(true);
        headers.insert(AUTHORIZATION, header);
    }
    let local = is_local(&url);
    let plain = local && url.scheme() == "http";
    let tls =
        crate::tls::config(!plain).map_err(|why| SettingsError::Tls { model: model(), why })?;
    let client = Client::builder()
        .user_agent(concat!("june/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(settings.deadlines.connect)
        // A conversation, and a key, go where the settings say and nowhere else.
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .tls_backend_preconfigured(tls);
    let client = match &settings.proxy {
        Proxy::System if local => client.no_proxy(),
        Proxy::System => client,
        Proxy::None => client.no_proxy(),
        Proxy::Url(proxy) => {
            let proxy = reqwest::Proxy::all(proxy.as_str());
            client.proxy(proxy.map_err(|_| SettingsError::Proxy { model: model() })?)
        }
    };
    let client = client.build();
    let why = |error: reqwest::Error| error.without_url().to_string();
    Ok((url, client.map_err(|error| SettingsError::Tls { model: model(), why: why(error) })?))
}

fn url(base: &str, path: &str) -> Result<Url, String> {
    let mut url = Url::parse(base).map_err(|error| format!("is no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http nor https".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user or a password".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("has a query or a fragment".to_owned());
    }
    let path = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// Whether the host is this machine, by its name alone.
fn is_local(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn why(settings: &Settings) -> String {
        open(settings).unwrap_err().to_string()
    }

    #[test]
    fn the_address_is_checked() {
        let opened = |base: &str| open(&Settings::new(base, "m")).map(|(url, _)| url.to_string());
        let expected = "http://127.0.0.1:8000/v1/chat/completions";
        assert_eq!(opened("http://127.0.0.1:8000/v1").unwrap(), expected);
        assert_eq!(opened("http://127.0.0.1:8000/v1/").unwrap(), expected);
        for wrong in ["127.0.0.1:8000", "file:///x", "http://a:b@localhost/v1", "http://h/v1?k=1"] {
            let error = why(&Settings::new(wrong, "m"));
            assert!(error.starts_with("the address of model m "), "{error}");
            assert!(!error.contains("a:b"), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_refused() {
        let mut settings = Settings::new("http://localhost/v1", "m");
        settings.key = Some(Secret::new("sk\u{7}secret"));
        assert!(!why(&settings).contains("secret"));
        settings.key = None;
        settings.proxy = Proxy::Url("http://u:secret@".into());
        assert!(why(&settings).starts_with("the proxy of model m"));
        assert!(!format!("{settings:?}").contains("secret"));
        settings.proxy = Proxy::None;
        settings.extra.insert("stream".into(), false.into());
        assert!(why(&settings).contains("\"stream\""));
    }

    #[test]
    fn a_client_does_not_show_its_key() {
        let mut settings = Settings::new("http://localhost/v1", "m");
        settings.key = Some(Secret::new("sk-secret"));
        let (url, client) = open(&settings).unwrap();
        assert!(!format!("{settings:?} {url:?} {client:?}").contains("sk-secret"));
    }

    #[test]
    fn servers_of_this_machine_are_known_by_name() {
        for (base, local) in [
            ("http://localhost:1/v1", true),
            ("http://127.8.0.1/v1", true),
            ("http://[::1]:8000/v1", true),
            ("http://10.0.0.1/v1", false),
            ("https://localhost.example.org/v1", false),
        ] {
            assert_eq!(is_local(&url(base, "").unwrap()), local, "{base}");
        }
    }
}
