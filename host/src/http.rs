//! The network, as far as a component may use it: one request at a time, to an address that was
//! looked at, with the secrets that the grants add and without them in the answer.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use futures_util::future::BoxFuture;
use june_sandbox::Grants;
use june_sandbox::capabilities::{Http, HttpError, HttpRequest, HttpResponse, Text};
use june_sandbox::grants::is_public;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderName, HeaderValue, RANGE};
use reqwest::{Client, Method, Url, redirect, retry};

use crate::paths;
use crate::scrub::Scrub;

const CONNECT: Duration = Duration::from_secs(10);
const TOTAL: Duration = Duration::from_secs(60);

/// The shortest secret: a shorter one would be found all over an answer.
const SHORTEST: usize = 8;

/// The network.
pub(crate) struct Network {
    /// Asks addresses of the public internet only.
    public: Client,
    /// Asks any address.
    any: Client,
    secrets: Arc<BTreeMap<String, String>>,
}

impl Network {
    /// The network for a component with these grants: its secrets are read now.
    pub(crate) fn new(grants: &Grants) -> Result<Self> {
        let mut secrets = BTreeMap::new();
        for secret in &grants.secrets {
            let name = &secret.name;
            let value = paths::secret(name)
                .with_context(|| format!("the secret ${name} is not set\nhint: export it"))?;
            if value.trim().len() < SHORTEST {
                bail!("the secret ${name} has fewer than {SHORTEST} characters");
            }
            secrets.insert(name.clone(), value.trim().to_owned());
        }
        let client = |public| {
            let tls = june_models::tls::config(true).map_err(anyhow::Error::msg)?;
            Client::builder()
                .user_agent(concat!("june/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT)
                .timeout(TOTAL)
                // Each redirect is for the component to follow, and for the grants to decide.
                .redirect(redirect::Policy::none())
                .retry(retry::never())
                // A proxy would resolve names by itself.
                .no_proxy()
                .tls_backend_preconfigured(tls)
                .dns_resolver(Arc::new(Resolver { public }))
                .build()
                .context("cannot set up the network")
        };
        Ok(Self { public: client(true)?, any: client(false)?, secrets: Arc::new(secrets) })
    }
}

/// Names to addresses; the connection goes to these and to no other, so that a name which changes
/// its mind (DNS rebinding) changes nothing.
struct Resolver {
    public: bool,
}

/// Only addresses that may not be asked are behind the name.
#[derive(Debug, thiserror::Error)]
#[error("{0} is not on the public internet")]
struct Private(String);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let public = self.public;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.collect();
            if !public {
                return Ok(Box::new(found.into_iter()) as Addrs);
            }
            // One private address among public ones is as good as none.
            match found.iter().all(|address| is_public(address.ip())) {
                true => Ok(Box::new(found.into_iter()) as Addrs),
                false => Err(Private(name.as_str().to_owned()).into()),
            }
        })
    }
}

impl Http for Network {
    fn send(&self, request: HttpRequest) -> BoxFuture<'static, Result<HttpResponse, HttpError>> {
        let client = if request.private { &self.any } else { &self.public };
        Box::pin(send(client.clone(), request, self.secrets.clone()))
    }
}

async fn send(
    client: Client,
    request: HttpRequest,
    known: Arc<BTreeMap<String, String>>,
) -> Result<HttpResponse, HttpError> {
    let HttpRequest { method, url, headers, body, secrets, private, limit } = request;
    let other = |what: &str| HttpError::Other(what.into());
    let url = Url::parse(&url).map_err(|_error| other("the URL is none"))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>()
        && !private
        && !is_public(address)
    {
        return Err(HttpError::Private(format!("{address} is not on the public internet")));
    }
    let method = Method::from_bytes(method.as_bytes()).map_err(|_| other("the method is none"))?;
    let mut asked = client.request(method, url).body(body);
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_bytes(&value);
        let (Ok(name), Ok(value)) = (name, value) else { return Err(other("a header is none")) };
        // An answer that is packed, or comes in parts, could hide a secret from the scrubbing.
        let hides = name == ACCEPT_ENCODING || name == RANGE && !secrets.is_empty();
        if !hides {
            asked = asked.header(name, value);
        }
    }
    let mut scrub = Scrub::default();
    for secret in &secrets {
        let value = known.get(&secret.name).ok_or_else(|| other("a secret is not set"))?;
        let mut header = HeaderValue::from_str(value)
            .map_err(|_error| other("a secret has characters that no header can hold"))?;
        header.set_sensitive(true);
        asked = asked.header(secret.header.as_str(), header);
        scrub.add(value);
    }
    let mut answer = asked.send().await.map_err(error_of)?;
    let packed = answer.headers().get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if packed && !secrets.is_empty() {
        return Err(other("the answer is packed, so that no secret can be taken out of it"));
    }
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().map(|(name, value)| {
        (scrub.text(name.as_str()), Text::from(scrub.bytes(value.as_bytes().to_vec())))
    });
    let headers = headers.collect();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(error_of)? {
        if body.len() + chunk.len() > limit {
            return Err(HttpError::TooLong(limit as u64));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body: Text::from(scrub.bytes(body)) })
}

fn error_of(error: reqwest::Error) -> HttpError {
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    let mut last = String::new();
    while let Some(error) = cause {
        if let Some(private) = error.downcast_ref::<Private>() {
            return HttpError::Private(private.to_string());
        }
        last = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() {
        HttpError::Timeout
    } else if last.contains("dns") || last.contains("lookup") {
        HttpError::Dns(last)
    } else if error.is_connect() {
        HttpError::Connect(last)
    } else {
        HttpError::Other(last)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use june_sandbox::grants::SecretGrant;

    use super::*;

    const SECRET: &str = "Bearer s3cr3t-t0ken";

    /// A server that answers one request with this head, and the request as its body. Returns the
    /// server's port.
    fn echo(head: &'static str) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                request.push(byte[0]);
            }
            let length = request.len();
            let _ = write!(stream, "HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n");
            let _ = stream.write_all(&request);
        });
        port
    }

    fn secret() -> SecretGrant {
        let header = "authorization".into();
        SecretGrant { name: "TOKEN".into(), host: "127.0.0.1".into(), header }
    }

    async fn ask(
        url: &str,
        private: bool,
        secrets: Vec<SecretGrant>,
    ) -> Result<HttpResponse, HttpError> {
        let network = Network {
            secrets: Arc::new([("TOKEN".to_owned(), SECRET.to_owned())].into()),
            ..Network::new(&Grants::default()).unwrap()
        };
        let (method, url) = ("GET".into(), url.into());
        let headers = vec![
            ("accept-encoding".to_owned(), b"gzip".to_vec()),
            ("range".to_owned(), b"bytes=0-3".to_vec()),
            ("x-own".to_owned(), b"kept".to_vec()),
        ];
        let (body, limit) = (Vec::new(), 1000);
        network.send(HttpRequest { method, url, headers, body, secrets, private, limit }).await
    }

    fn text(response: HttpResponse) -> String {
        String::from_utf8(response.body.into()).unwrap()
    }

    #[tokio::test]
    async fn a_secret_is_sent_and_never_comes_back() {
        let url = format!("http://127.0.0.1:{}/", echo("200 OK\r\nx-echo: s3cr3t-t0ken"));
        let response = ask(&url, true, vec![secret()]).await.unwrap();
        assert!(!format!("{response:?}").contains("s3cr3t"), "{response:?}");
        let text = text(response);
        assert!(text.contains("authorization: [secret]"), "{text}");
        assert!(text.contains("x-own: kept"), "{text}");
        assert!(!text.contains("gzip") && !text.contains("range"), "{text}");
    }

    #[tokio::test]
    async fn a_packed_answer_to_a_secret_is_refused() {
        let url = format!("http://127.0.0.1:{}/", echo("200 OK\r\ncontent-encoding: gzip"));
        let error = ask(&url, true, vec![secret()]).await.unwrap_err();
        assert!(matches!(&error, HttpError::Other(why) if why.contains("packed")), "{error:?}");
    }

    #[tokio::test]
    async fn addresses_of_the_own_network_are_asked_only_if_that_was_granted() {
        let port = echo("200 OK");
        for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"] {
            let error =
                ask(&format!("http://{host}:{port}/"), false, Vec::new()).await.unwrap_err();
            assert!(matches!(error, HttpError::Private(_)), "{host}: {error:?}");
        }
        let answered = ask(&format!("http://localhost:{port}/"), true, Vec::new()).await;
        assert_eq!(answered.unwrap().status, 200);
    }

    #[tokio::test]
    async fn a_redirect_is_the_components_to_follow() {
        let port = echo("302 Found\r\nlocation: http://169.254.169.254/latest/meta-data");
        let response = ask(&format!("http://127.0.0.1:{port}/"), true, Vec::new()).await.unwrap();
        assert_eq!(response.status, 302);
    }

    #[tokio::test]
    async fn an_answer_is_as_long_as_allowed() {
        let url = format!("http://127.0.0.1:{}/{}", echo("200 OK"), "x".repeat(2000));
        assert_eq!(ask(&url, true, Vec::new()).await, Err(HttpError::TooLong(1000)));
    }

    #[tokio::test]
    async fn nobody_there_is_said() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let error = ask(&format!("http://127.0.0.1:{port}/"), true, Vec::new()).await.unwrap_err();
        assert!(matches!(error, HttpError::Connect(_)), "{error:?}");
        let error = ask("http://no-such-name.invalid/", false, Vec::new()).await.unwrap_err();
        assert!(matches!(error, HttpError::Dns(_) | HttpError::Connect(_)), "{error:?}");
    }
}
