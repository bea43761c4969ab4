//! Speech by a server: a double, written to OpenAI's published interface, and what it may do wrong.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use june_speech::openai::{
    Deadlines, Format, OpenAiSpeaker, OpenAiTranscriber, Proxy, Secret, Settings, Upload,
};
use june_speech::{Audio, Limits, Segment, Speaker, SpeechError, Transcriber, decode, encode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const KEY: &str = "sk-very-secret";

/// A double of a server for speech: it answers each request with what a function makes of it.
struct FakeServer {
    base: String,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
}

type Reply = (u16, &'static str, Vec<u8>);

impl FakeServer {
    async fn start(reply: impl Fn(&str) -> Reply + Send + Sync + 'static) -> FakeServer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/v1", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, reply) = (requests.clone(), Arc::new(reply));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (seen, reply) = (seen.clone(), reply.clone());
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let (status, kind, body) = reply(&String::from_utf8_lossy(&request));
                    seen.lock().unwrap().push(request);
                    let head = format!(
                        "HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n\
                         connection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
                });
            }
        });
        FakeServer { base, requests }
    }

    fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.base, "speech-1");
        settings.key = Some(Secret::new(KEY));
        settings.proxy = Proxy::None;
        settings
    }

    fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        requests.iter().map(|request| String::from_utf8_lossy(request).into_owned()).collect()
    }
}

async fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if bytes.len() >= end + 4 + length.map_or(0, |length| length.parse().unwrap()) {
                return bytes;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap() == 0 {
            return bytes;
        }
    }
}

fn tone() -> Audio {
    let samples = (0..16_000).map(|i| (i as f32 / 9.0).sin() * 0.4).collect();
    Audio { samples, rate: 16_000 }
}

fn json(value: Value) -> Reply {
    (200, "application/json", value.to_string().into_bytes())
}

async fn transcribed(settings: Settings, upload: Upload) -> Result<Vec<Segment>, SpeechError> {
    let transcriber = OpenAiTranscriber::new(settings, upload).unwrap();
    assert!(!format!("{transcriber:?}").contains(KEY));
    let segments: Vec<_> = transcriber.transcribe(tone(), Some("en".into())).collect().await;
    segments.into_iter().collect()
}

#[tokio::test]
async fn audio_is_sent_and_segments_come_back() {
    for (upload, name, mark) in
        [(Upload::Ogg, "voice.ogg", &b"OggS"[..]), (Upload::Wav, "voice.wav", b"RIFF")]
    {
        let server = FakeServer::start(|_| {
            json(json!({"task": "transcribe", "language": "english", "duration": 1.0,
                "text": "Hello there.", "segments": [
                {"id": 0, "start": 0.0, "end": 0.5, "text": " Hello"},
                {"id": 1, "start": 0.5, "end": 1.0, "text": " there."}]}))
        })
        .await;
        let segments = transcribed(server.settings(), upload).await.unwrap();
        let texts: Vec<_> = segments.iter().map(|segment| segment.text.as_str()).collect();
        assert_eq!(texts, ["Hello", "there."]);
        assert_eq!(segments[1].start, Duration::from_millis(500));
        assert_eq!(segments[1].language.as_deref(), Some("en"));
        let request = server.requests().remove(0);
        assert!(request.starts_with("POST /v1/audio/transcriptions HTTP/1.1"), "{request}");
        for part in [
            format!("authorization: Bearer {KEY}"),
            "name=\"model\"\r\n\r\nspeech-1".into(),
            "name=\"response_format\"\r\n\r\nverbose_json".into(),
            "name=\"language\"\r\n\r\nen".into(),
            format!("name=\"file\"; filename=\"{name}\""),
        ] {
            assert!(request.contains(&part), "{part} is not in {request}");
        }
        let request = server.requests.lock().unwrap().remove(0);
        let start = request.windows(4).position(|bytes| bytes == mark).unwrap();
        let end = request.windows(4).rposition(|bytes| bytes == b"\r\n--").unwrap();
        let sent = decode(&request[start..end], &Limits::default()).unwrap();
        assert_eq!(sent.samples.len(), 16_000);
    }
}

#[tokio::test]
async fn a_model_that_tells_no_segments() {
    let server = FakeServer::start(|request| {
        if request.contains("verbose_json") {
            let error = "response_format 'verbose_json' is not compatible with this model";
            (400, "application/json", json!({"error": {"message": error}}).to_string().into_bytes())
        } else {
            json(json!({"text": "All of it."}))
        }
    })
    .await;
    let segments = transcribed(server.settings(), Upload::Ogg).await.unwrap();
    assert_eq!(segments.len(), 1);
    assert_eq!(
        (segments[0].text.as_str(), segments[0].end),
        ("All of it.", Duration::from_secs(1))
    );
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_goes_wrong_is_told_without_the_key() {
    let refusal = json!({"error": {"message": format!("no such key: {KEY}")}}).to_string();
    let cases: [(Reply, &str); 5] = [
        (
            (401, "application/json", refusal.into_bytes()),
            "401 Unauthorized: \"no such key: [key]\"",
        ),
        (
            (503, "text/html", b"<h1>busy</h1>".to_vec()),
            "503 Service Unavailable: \"<h1>busy</h1>\"",
        ),
        ((307, "text/plain", vec![]), "redirects are not followed"),
        ((200, "text/plain", b"hello".to_vec()), "sent what is no transcription"),
        ((200, "application/json", vec![b' '; 5 << 20]), "sent more than it may"),
    ];
    for (reply, told) in cases {
        let server = FakeServer::start(move |_| reply.clone()).await;
        let error = transcribed(server.settings(), Upload::Ogg).await.unwrap_err().to_string();
        assert!(error.contains(told) && error.contains("\nhint: "), "{error}");
        assert!(!error.contains(KEY), "{error}");
    }
    let error = transcribed(Settings::new("http://127.0.0.1:1/v1", "m"), Upload::Wav).await;
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("m at http://127.0.0.1:1 cannot be reached"), "{error}");
    assert!(OpenAiTranscriber::new(Settings::new("nowhere", "m"), Upload::Ogg).is_err());
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings::new(format!("http://{}/v1", listener.local_addr().unwrap()), "m");
    settings.deadlines = Deadlines { first: Duration::from_millis(50), ..Deadlines::default() };
    let error = transcribed(settings, Upload::Ogg).await.unwrap_err().to_string();
    assert!(error.contains("sent nothing for 50ms"), "{error}");
}

#[tokio::test]
async fn text_is_sent_and_sound_comes_back() {
    let voice = encode(&tone()).unwrap().ogg.to_vec();
    let raw: Vec<u8> = [0_i16, 16_384].iter().flat_map(|sample| sample.to_le_bytes()).collect();
    for (format, name, reply, rate, samples) in
        [(Format::Opus, "opus", voice, 24_000, 24_000), (Format::Pcm, "pcm", raw, 24_000, 2)]
    {
        let server = FakeServer::start(move |_| (200, "audio/x", reply.clone())).await;
        let speaker = OpenAiSpeaker::new(server.settings(), "alloy", format).unwrap();
        assert!(!format!("{speaker:?}").contains(KEY));
        let said = speaker.speak("Good \"day\".".into(), None).await.unwrap();
        assert_eq!((said.rate, said.samples.len()), (rate, samples));
        let request = server.requests().remove(0);
        assert!(request.starts_with("POST /v1/audio/speech HTTP/1.1"), "{request}");
        let body: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        let expected = json!({"model": "speech-1", "input": "Good \"day\".", "voice": "alloy",
            "response_format": name});
        assert_eq!(body, expected);
    }
}

#[tokio::test]
async fn what_is_no_sound_is_an_error_of_the_server() {
    let server = FakeServer::start(|_| json(json!({"ok": true}))).await;
    for format in [Format::Wav, Format::Pcm] {
        let speaker = OpenAiSpeaker::new(server.settings(), "alloy", format).unwrap();
        let error = speaker.speak("a".into(), None).await.unwrap_err().to_string();
        assert!(error.contains("speech-1 at http://127.0.0.1"), "{error}");
        assert!(error.contains("sent what is no sound"), "{error}");
    }
}
