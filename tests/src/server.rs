//! `june serve`, running, and the plainest client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{june, run};

/// `june serve`, running in a folder; it is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// What it said on standard error so far.
    said: Arc<Mutex<String>>,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The head, as it came, in lower case.
    pub head: String,
    /// The body; chunks are put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// Fails the test unless it has this status.
    #[track_caller]
    pub fn with(self, status: u16) -> Answer {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{}\n{body}", self.head);
        self
    }
}

/// `june serve` in a folder whose `june.toml` says where it listens: write [`LISTEN`] into its
/// table `[serve]`. State and configuration of the user are kept in the folder, too.
pub fn serve(folder: &Path) -> Command {
    let mut command = june(folder);
    command.arg("serve").env("XDG_STATE_HOME", folder).env("XDG_CONFIG_HOME", folder);
    command
}

/// A port that nobody has.
pub const LISTEN: &str = "listen = \"127.0.0.1:0\"";

/// Makes a token with these roles. It is good at once, also for a server that runs.
#[track_caller]
pub fn token(folder: &Path, name: &str, roles: &[&str]) -> String {
    let mut command = serve(folder);
    command.args(["token", "create", name]);
    for role in roles {
        command.args(["--role", role]);
    }
    run(&mut command).with(0).stdout.trim().to_owned()
}

impl Server {
    /// Starts it, and waits until it listens.
    #[track_caller]
    pub fn start(command: &mut Command) -> Server {
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("start the server");
        let said = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().expect("have its standard error");
        listen_to(stderr, said.clone());
        let start = Instant::now();
        loop {
            let text = said.lock().unwrap().clone();
            let address = text.split("http://").nth(1).and_then(|rest| rest.split(';').next());
            if let Some(address) = address.and_then(|address| address.parse().ok()) {
                return Server { child, address, said };
            }
            let ended = child.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}\n{text}");
            assert!(start.elapsed() < Duration::from_secs(120), "it does not listen\n{text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it said on standard error so far.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        run(Command::new("kill").args(["-s", name, &self.child.id().to_string()])).with(0);
    }

    /// Waits for its end: the exit status.
    pub fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Asks for a path with a token.
    #[track_caller]
    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.send(format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n",
            self.address
        ))
    }

    /// Posts JSON with a token.
    #[track_caller]
    pub fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        let body = body.to_string();
        self.send(format!(
            "POST {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {token}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// Sends these bytes, and reads what comes until the server closes the connection.
    #[track_caller]
    pub fn send(&self, request: impl AsRef<[u8]>) -> Answer {
        send(self.address, request).expect("connect")
    }
}

/// Sends these bytes to a server, and reads what comes until it closes the connection; nothing
/// where nobody listens.
#[track_caller]
pub fn send(address: SocketAddr, request: impl AsRef<[u8]>) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(120))).unwrap();
    // A server that has seen enough may close the connection before it has all.
    let _ = stream.write_all(request.as_ref());
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    Some(answer(&bytes))
}

fn listen_to(stderr: ChildStderr, said: Arc<Mutex<String>>) {
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines() {
            let Ok(line) = line else { return };
            let mut said = said.lock().unwrap();
            said.push_str(&line);
            said.push('\n');
        }
    });
}

#[track_caller]
fn answer(bytes: &[u8]) -> Answer {
    let end = bytes.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(bytes)));
    let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.unwrap_or_else(|| panic!("no status: {head}"));
    let mut rest = &bytes[end + 4..];
    let mut body = Vec::new();
    if head.contains("transfer-encoding: chunked") {
        while let Some(line) = rest.windows(2).position(|bytes| bytes == b"\r\n") {
            let length = String::from_utf8_lossy(&rest[..line]).into_owned();
            let Ok(length) = usize::from_str_radix(length.trim(), 16) else { break };
            let Some(chunk) = rest.get(line + 2..line + 2 + length) else { break };
            body.extend_from_slice(chunk);
            rest = rest.get(line + 4 + length..).unwrap_or_default();
        }
    } else {
        body.extend_from_slice(rest);
    }
    Answer { status, head, body }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a `june.toml` whose server listens at a port that nobody has, and a file of scripted
/// answers: one, to whatever is asked.
pub fn configure(folder: &Path, rest: &str) {
    fs::write(folder.join("june.toml"), format!("[serve]\n{LISTEN}\n{rest}")).unwrap();
    fs::write(folder.join("answers.toml"), "[[answer]]\ntext = [\"It is \", \"forty-two.\"]\n")
        .unwrap();
}
