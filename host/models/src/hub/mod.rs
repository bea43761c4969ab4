//! Files from the Hugging Face hub, or a server that speaks as it does: found by name, fetched with
//! resume, and checked against the SHA-256 that the hub names.
//!
//! The hub answers `HEAD OWNER/NAME/resolve/REVISION/FILE` with `X-Linked-Size` and
//! `X-Linked-Etag`, the SHA-256 of a large file, and sends the file itself from wherever it
//! redirects to.

mod error;
mod fetch;
mod reference;

use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use reqwest::header::{ACCEPT_ENCODING, HeaderMap, LOCATION};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url, redirect};

pub use error::HubError;
pub use reference::Reference;

use crate::Secret;

/// The hub's own address.
pub const HUGGING_FACE: &str = "https://huggingface.co";

/// How long the hub may take to say something.
const PATIENCE: Duration = Duration::from_secs(30);

/// Redirects followed: a repository that was renamed, and the server that has the file.
const REDIRECTS: usize = 5;

/// A hub that can be asked.
pub struct Hub {
    base: Url,
    token: Option<Secret>,
    /// Follows no redirect.
    asking: Client,
    /// Follows some, and takes no token to another host.
    fetching: Client,
}

/// A file that the hub has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
    /// The commit that the revision stands for, where the hub names it.
    pub commit: Option<String>,
}

impl Hub {
    /// A hub at this address; files that are not for everybody need a token.
    ///
    /// # Errors
    ///
    /// When the address is none, or TLS cannot be set up.
    pub fn new(base: &str, token: Option<Secret>) -> Result<Hub, HubError> {
        let wrong = |why: String| HubError::Address { address: base.into(), why };
        let url = Url::parse(base).map_err(|error| wrong(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
            return Err(wrong("is neither http nor https".into()));
        }
        let client = |policy: redirect::Policy| {
            let tls = crate::tls::config(url.scheme() == "https").map_err(HubError::Tls)?;
            Client::builder()
                .user_agent(concat!("june/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(PATIENCE)
                .read_timeout(PATIENCE)
                .redirect(policy)
                .tls_backend_preconfigured(tls)
                .build()
                .map_err(|error| HubError::Tls(error.to_string()))
        };
        let asking = client(redirect::Policy::none())?;
        let fetching = client(redirect::Policy::limited(REDIRECTS))?;
        Ok(Hub { base: url, token, asking, fetching })
    }

    /// Looks a file up.
    ///
    /// # Errors
    ///
    /// When there is none, it is not for us, the hub names no SHA-256, or cannot be reached.
    pub async fn find(&self, reference: &Reference) -> Result<Found, HubError> {
        let mut url = self.url(reference);
        for _ in 0..=REDIRECTS {
            let sent = self.request(&self.asking, Method::HEAD, url.clone()).send().await;
            let answer = sent.map_err(|error| self.unavailable(&error))?;
            let (status, headers) = (answer.status(), answer.headers());
            // A redirect within the hub: the repository has another name now.
            if status.is_redirection()
                && let Some(next) = text(headers, LOCATION.as_str())
                && let Some(path) = next.strip_prefix('/').filter(|path| !path.starts_with('/'))
            {
                let next = self.base.join(&format!("/{path}"));
                url = next.map_err(|_| HubError::Protocol(self.host(), "redirects nowhere"))?;
                continue;
            }
            if !status.is_success() && !status.is_redirection() {
                return Err(self.refused(status, reference));
            }
            return self.described(headers, reference);
        }
        Err(HubError::Protocol(self.host(), "redirects without end"))
    }

    fn described(&self, headers: &HeaderMap, reference: &Reference) -> Result<Found, HubError> {
        let tag = text(headers, "x-linked-etag").map(|tag| tag.trim_start_matches("W/"));
        let sha256 = tag.map(|tag| tag.trim_matches('"').to_ascii_lowercase());
        let is_digest =
            |tag: &String| tag.len() == 64 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = text(headers, "x-linked-size").and_then(|size| size.parse().ok());
        let (Some(sha256), Some(size)) = (sha256.filter(is_digest), size) else {
            return Err(HubError::Unchecked(reference.to_string()));
        };
        let commit = text(headers, "x-repo-commit").map(str::to_owned);
        Ok(Found { size, sha256, commit })
    }

    fn url(&self, reference: &Reference) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(reference.repository.split('/'));
            path.extend(["resolve", &reference.revision]).extend(reference.file.split('/'));
        }
        url
    }

    fn request(&self, client: &Client, method: Method, url: Url) -> RequestBuilder {
        // A compressed answer has another length than the file.
        let request = client.request(method, url).header(ACCEPT_ENCODING, "identity");
        match &self.token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        }
    }

    fn refused(&self, status: StatusCode, reference: &Reference) -> HubError {
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                HubError::Denied(reference.to_string(), self.host())
            }
            StatusCode::NOT_FOUND => HubError::Absent(reference.to_string(), self.host()),
            status => HubError::Unavailable(self.host(), format!("answered with error {status}")),
        }
    }

    fn unavailable(&self, error: &reqwest::Error) -> HubError {
        let first: &dyn Error = error;
        let root = successors(Some(first), |&error| error.source()).last().unwrap_or(first);
        let why = format!("cannot be reached: {root}");
        HubError::Unavailable(self.host(), why)
    }

    fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
