//! A server of raw TCP that does exactly what a test wants, right or wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a server does next on a connection.
#[derive(Clone)]
pub(crate) enum Step {
    /// Sends bytes.
    Send(Vec<u8>),
    /// Sends nothing for a while.
    Pause(Duration),
    /// Sends the same again and again, as long as somebody reads.
    Endless(Vec<u8>),
    /// Waits for the client to close the connection.
    Wait,
    /// Closes with a TCP reset.
    Reset,
}

/// A running server.
pub(crate) struct Server {
    /// The address for the settings.
    pub(crate) base: String,
    requests: Arc<Mutex<Vec<String>>>,
    /// How many connections were made, and how many have ended.
    connections: watch::Receiver<(usize, usize)>,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server: the first request gets the first reply, and so on; the last reply serves
    /// all that come after it.
    pub(crate) async fn start(replies: Vec<Vec<Step>>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (count, connections) = watch::channel((0, 0));
        let seen = requests.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.send_modify(|(made, _)| *made += 1);
                let (replies, seen, count) = (replies.clone(), seen.clone(), count.clone());
                tokio::spawn(async move {
                    serve(stream, &replies, &seen).await;
                    count.send_modify(|(_, ended)| *ended += 1);
                });
            }
        });
        Server { base, requests, connections, task }
    }

    /// All that was asked so far, with its HTTP head.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Returns when a connection has ended.
    pub(crate) async fn closed(&mut self) {
        let ended = self.connections.wait_for(|(_, ended)| *ended > 0);
        tokio::time::timeout(Duration::from_secs(5), ended).await.expect("it closes").unwrap();
    }

    /// How many connections were made.
    pub(crate) fn connections(&self) -> usize {
        self.connections.borrow().0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, replies: &[Vec<Step>], seen: &Mutex<Vec<String>>) {
    while let Some(request) = read(&mut stream).await {
        let place = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        for step in &replies[place.min(replies.len() - 1)] {
            let sent = match step {
                Step::Send(bytes) => stream.write_all(bytes).await,
                Step::Pause(time) => {
                    tokio::time::sleep(*time).await;
                    Ok(())
                }
                Step::Endless(bytes) => loop {
                    if let Err(error) = stream.write_all(bytes).await {
                        break Err(error);
                    }
                },
                Step::Wait => {
                    let _ = stream.read(&mut [0; 1]).await;
                    return;
                }
                Step::Reset => {
                    stream.set_zero_linger().unwrap();
                    return;
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

/// A request, head and body; nothing when the client has closed.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().unwrap())
            });
            if body.len() >= length.unwrap_or(0_usize) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

/// The head of a reply whose end is the end of the connection, and the closing of it.
pub(crate) fn reply(status: &str, headers: &str, body: &[u8]) -> Vec<Step> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n"
    );
    vec![Step::Send([head.as_bytes(), body].concat())]
}

/// The head of a stream of events whose length is not told.
pub(crate) fn head() -> Step {
    Step::Send(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec(),
    )
}

/// A piece of such a stream.
pub(crate) fn chunk(bytes: impl AsRef<[u8]>) -> Step {
    let bytes = bytes.as_ref();
    let size = format!("{:x}\r\n", bytes.len());
    Step::Send([size.as_bytes(), bytes, b"\r\n"].concat())
}

/// The end of such a stream.
pub(crate) fn end() -> Step {
    Step::Send(b"0\r\n\r\n".to_vec())
}

/// An event that says some text.
pub(crate) fn said(text: &str) -> String {
    let delta = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {delta}\n\n")
}

/// The events at the end of a good answer.
pub(crate) fn stop() -> String {
    let finish = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2}}"#;
    format!("data: {finish}\n\ndata: {usage}\n\ndata: [DONE]\n\n")
}

/// A whole good answer.
pub(crate) fn good(text: &str) -> Vec<Step> {
    vec![head(), chunk(said(text)), chunk(stop()), end()]
}
