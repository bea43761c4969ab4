//! Files are fetched from a hub. The hub here is a double, written to the documented protocol.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use june_models::Secret;
use june_models::hub::{Found, Hub, HubError, Reference};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

const SIZE: usize = 300_000;

fn content() -> Vec<u8> {
    (0..SIZE as u32).map(|number| (number.wrapping_mul(number) % 251) as u8).collect()
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What the double does.
#[derive(Clone)]
struct Behaviour {
    /// Bytes after which a connection is cut, for each request in its order; none is cut later.
    cuts: Vec<usize>,
    /// Whether it knows ranges.
    ranges: bool,
    /// What it sends, and the SHA-256 that it names.
    content: Vec<u8>,
    sha256: String,
    /// The token that it wants.
    token: Option<&'static str>,
}

impl Default for Behaviour {
    fn default() -> Self {
        let (content, sha256) = (content(), digest(&content()));
        Behaviour { cuts: Vec::new(), ranges: true, content, sha256, token: None }
    }
}

struct Double {
    base: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Double {
    async fn start(behaviour: Behaviour) -> Double {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, cuts) = (requests.clone(), Arc::new(Mutex::new(behaviour.cuts.clone())));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap_or_default());
                }
                let head = String::from_utf8(head).unwrap();
                let (mut reply, body) = answer(&head, &behaviour);
                seen.lock().unwrap().push(head);
                reply += &format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let cut = match body.is_empty() || cuts.lock().unwrap().is_empty() {
                    true => body.len(),
                    false => cuts.lock().unwrap().remove(0).min(body.len()),
                };
                stream.write_all(reply.as_bytes()).await.unwrap();
                let _ = stream.write_all(&body[..cut]).await;
                let _ = stream.shutdown().await;
            }
        });
        Double { base, requests }
    }

    fn ranges(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let lines = requests.iter().flat_map(|head| head.lines());
        lines.filter(|line| line.starts_with("range: ")).map(str::to_owned).collect()
    }
}

fn answer(head: &str, behaviour: &Behaviour) -> (String, Vec<u8>) {
    let authorised = |token| head.contains(&format!("authorization: Bearer {token}\r\n"));
    if behaviour.token.is_some_and(|token| !authorised(token)) {
        return ("HTTP/1.1 401 Unauthorized\r\n".into(), Vec::new());
    }
    let (request, _) = head.split_once(" HTTP/").unwrap();
    match request {
        "HEAD /old/name/resolve/main/m.gguf" => {
            let to = "location: /a/b/resolve/main/m.gguf\r\n";
            (format!("HTTP/1.1 307 Temporary Redirect\r\n{to}"), Vec::new())
        }
        "HEAD /a/b/resolve/main/m.gguf" => {
            let reply = format!(
                "HTTP/1.1 302 Found\r\nlocation: http://other.example/m\r\nx-repo-commit: c0ffee\r\n\
                 x-linked-size: {SIZE}\r\nx-linked-etag: \"{}\"\r\n",
                behaviour.sha256
            );
            (reply, Vec::new())
        }
        "HEAD /a/b/resolve/main/small.json" => {
            ("HTTP/1.1 200 OK\r\netag: \"1\"\r\n".into(), vec![])
        }
        "GET /a/b/resolve/main/m.gguf" => {
            ("HTTP/1.1 302 Found\r\nlocation: /files/m\r\n".into(), Vec::new())
        }
        "GET /files/m" => {
            let range = head.lines().find_map(|line| line.strip_prefix("range: bytes="));
            let start = range.and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
            match start.filter(|_| behaviour.ranges) {
                None => ("HTTP/1.1 200 OK\r\n".into(), behaviour.content.clone()),
                Some(start) => {
                    let range = format!("content-range: bytes {start}-{}/{SIZE}\r\n", SIZE - 1);
                    let rest = behaviour.content[start..].to_vec();
                    (format!("HTTP/1.1 206 Partial Content\r\n{range}"), rest)
                }
            }
        }
        _ => ("HTTP/1.1 404 Not Found\r\n".into(), Vec::new()),
    }
}

fn file() -> Reference {
    "a/b/m.gguf".parse().unwrap()
}

async fn fetch(double: &Double, folder: &Path) -> Result<Vec<u64>, HubError> {
    let hub = Hub::new(&double.base, None).unwrap();
    let found = hub.find(&file()).await?;
    let mut told = Vec::new();
    hub.fetch(&file(), &found, &folder.join("m.gguf"), &mut |bytes| told.push(bytes)).await?;
    Ok(told)
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap();
    names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_file_comes_whole_however_often_the_connection_is_cut() {
    for (cuts, ranges) in
        [(vec![], true), (vec![0, 1, 70_000, 200_000], true), (vec![100_000], false)]
    {
        let count = cuts.len();
        let double = Double::start(Behaviour { cuts, ranges, ..Behaviour::default() }).await;
        let folder = tempfile::tempdir().unwrap();
        let told = fetch(&double, folder.path()).await.unwrap();
        assert_eq!(fs::read(folder.path().join("m.gguf")).unwrap(), content());
        assert_eq!(names(folder.path()), ["m.gguf"]);
        assert_eq!(*told.last().unwrap(), SIZE as u64);
        if count == 4 {
            // The first request, and the one after nothing came, ask for all.
            let asked = ["range: bytes=1-", "range: bytes=70001-", "range: bytes=270001-"];
            let seen = double.ranges();
            assert!(asked.iter().all(|range| seen.contains(&(*range).to_owned())), "{seen:?}");
        }
    }
}

#[tokio::test]
async fn what_was_fetched_before_is_not_fetched_again() {
    let folder = tempfile::tempdir().unwrap();
    let part = format!("m.gguf.{}.part", &digest(&content())[..12]);
    fs::write(folder.path().join(&part), &content()[..250_000]).unwrap();
    let double = Double::start(Behaviour::default()).await;
    let told = fetch(&double, folder.path()).await.unwrap();
    assert_eq!(told[0], 250_000);
    assert!(double.ranges().contains(&"range: bytes=250000-".to_owned()));
    assert_eq!(fs::read(folder.path().join("m.gguf")).unwrap(), content());
}

#[tokio::test]
async fn what_is_not_the_file_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut content = content();
    content[7] ^= 1;
    let double = Double::start(Behaviour { content, ..Behaviour::default() }).await;
    let error = fetch(&double, folder.path()).await.unwrap_err();
    assert!(matches!(error, HubError::Damaged { .. }), "{error}");
    assert!(names(folder.path()).is_empty());

    let longer = [Behaviour::default().content, vec![0]].concat();
    let double = Double::start(Behaviour { content: longer, ..Behaviour::default() }).await;
    let error = fetch(&double, folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("sends more than the file has"), "{error}");
}

#[tokio::test]
async fn one_fetches_a_file_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join(format!("m.gguf.{}.part", &digest(&content())[..12]));
    let other = fs::File::create(part).unwrap();
    other.lock().unwrap();
    let double = Double::start(Behaviour::default()).await;
    let error = fetch(&double, folder.path()).await.unwrap_err();
    assert!(matches!(error, HubError::Busy(_)), "{error}");
}

#[tokio::test]
async fn files_are_found_by_name() {
    let double = Double::start(Behaviour::default()).await;
    let hub = Hub::new(&double.base, None).unwrap();
    let found = hub.find(&file()).await.unwrap();
    let sha256 = digest(&content());
    assert_eq!(found, Found { size: SIZE as u64, sha256, commit: Some("c0ffee".into()) });
    assert_eq!(hub.find(&"old/name/m.gguf".parse().unwrap()).await.unwrap(), found);
    for (name, why) in
        [("a/b/none.gguf", "there is no a/b/none.gguf"), ("a/b/small.json", "no SHA-256")]
    {
        let error = hub.find(&name.parse().unwrap()).await.unwrap_err().to_string();
        assert!(error.contains(why) && error.contains("\nhint: "), "{error}");
    }
}

#[tokio::test]
async fn a_token_is_shown_where_it_is_wanted() {
    let double = Double::start(Behaviour { token: Some("hf_x"), ..Behaviour::default() }).await;
    let error = Hub::new(&double.base, None).unwrap().find(&file()).await.unwrap_err();
    assert!(matches!(error, HubError::Denied(..)), "{error}");
    let hub = Hub::new(&double.base, Some(Secret::new("hf_x"))).unwrap();
    assert_eq!(hub.find(&file()).await.unwrap().size, SIZE as u64);
}

#[tokio::test]
async fn a_hub_that_is_not_there() {
    let hub = Hub::new("http://127.0.0.1:1", None).unwrap();
    let error = hub.find(&file()).await.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1 cannot be reached: Connection refused"), "{error}");
    assert!(Hub::new("ftp://x", None).is_err() && Hub::new("x", None).is_err());
}
