//! Ears that are a double of a speech server, for there are no trained weights of Whisper here.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;

use serde_json::json;

/// A double of a server with `/v1/audio/transcriptions`: it hears this, whatever is said, and
/// takes only files that begin as OGG does. It ends with the test.
#[must_use]
pub fn ears(hears: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let body = read_body(&mut BufReader::new(stream.try_clone().unwrap()));
            let is_ogg = body.windows(4).any(|bytes| bytes == b"OggS");
            let segment = json!({ "start": 0.0, "end": 2.0, "text": hears });
            let (status, answer) = match is_ogg {
                true => ("200 OK", json!({ "language": "english", "segments": [segment] })),
                false => ("400 Bad Request", json!({ "error": { "message": "no OGG" } })),
            };
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n",
                answer.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    format!("http://{address}/v1")
}

/// Reads a request of HTTP, and returns its body.
///
/// # Panics
///
/// When it is broken off, or its length is none.
pub fn read_body(reader: &mut impl BufRead) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim().to_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    body
}
