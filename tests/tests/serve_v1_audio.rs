//! Sound at `/v1`: the ears and the voice of chats.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;
use std::process::Command;

use june_tests::openai::{configure, runs, start};
use june_tests::server::{Answer, Server, token};
use june_tests::{ears, has, june, run};
use serde_json::json;

const QUESTION: &str = "What is six times seven?";

/// Posts a form: a file, and members that are text.
fn form(server: &Server, token: &str, file: Option<&[u8]>, members: &[(&str, &str)]) -> Answer {
    let mut body = Vec::new();
    for (name, value) in members {
        let part = "--b\r\ncontent-disposition: form-data; name=";
        body.extend(format!("{part}\"{name}\"\r\n\r\n{value}\r\n").into_bytes());
    }
    if let Some(file) = file {
        let part = "content-disposition: form-data; name=\"file\"; filename=\"a.wav\"";
        body.extend(format!("--b\r\n{part}\r\n\r\n").into_bytes());
        body.extend(file);
        body.extend(b"\r\n");
    }
    body.extend(b"--b--\r\n");
    let mut request = format!(
        "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \
         {token}\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend(body);
    server.send(request)
}

fn error(answer: Answer, status: u16) -> String {
    answer.with(status).json()["error"]["message"].as_str().unwrap().to_owned()
}

#[test]
fn a_text_is_spoken() {
    let test = "a_text_is_spoken";
    if !has(test, "espeak-ng") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "", "");
    let server = start(folder.path());
    let token = token(folder.path(), "ada", &["talk"]);
    let speak = |body| server.post("/v1/audio/speech", &token, &body);
    let text = "It is **forty-two**. Ask me anything else.";
    let asked = json!({ "model": "tts-1", "voice": "alloy", "input": text });
    let spoken = speak(asked.clone()).with(200);
    assert!(spoken.head.contains("content-type: audio/wav"), "{}", spoken.head);
    assert!(spoken.body.starts_with(b"RIFF"));
    let seconds = (spoken.body.len() - 44) as f64 / 2.0 / 22_050.0;
    assert!((1.0..10.0).contains(&seconds), "{seconds} s");
    let mut opus = asked.clone();
    opus["response_format"] = json!("opus");
    let opus = speak(opus).with(200);
    assert!(opus.head.contains("content-type: audio/ogg"), "{}", opus.head);
    assert!(opus.body.starts_with(b"OggS") && opus.body.len() < spoken.body.len() / 4);
    if has(test, "ffprobe") {
        let file = folder.path().join("a.ogg");
        fs::write(&file, &opus.body).unwrap();
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "format=duration:stream=codec_name", "-of"]);
        let told = run(probe.args(["json", file.to_str().unwrap()])).with(0).json();
        assert_eq!(told["streams"][0]["codec_name"], "opus");
        let played: f64 = told["format"]["duration"].as_str().unwrap().parse().unwrap();
        assert!((played - seconds).abs() < 0.5, "{played} s, and {seconds} s as WAV");
    }
    for (member, value) in [
        ("response_format", json!("mp3")),
        ("speed", json!(2)),
        ("instructions", json!("Whisper.")),
        ("stream_format", json!("sse")),
        ("input", json!("x".repeat(5000))),
        ("input", json!("👍")),
    ] {
        let mut asked = asked.clone();
        asked[member] = value;
        let told = error(speak(asked), 400);
        assert!(told.contains(member), "{member}: {told}");
    }
    // What was said is found in the journal, without what was refused.
    let recorded = runs(folder.path(), 2);
    assert!(recorded.iter().all(|run| run["session"] == "api/ada"), "{recorded:?}");
    let shown = run(june(folder.path()).args(["journal", "show", "0"])).with(0);
    assert!(shown.stdout.contains("It is forty-two."), "{shown}");
    run(june(folder.path()).args(["journal", "verify"])).with(0);
}

#[test]
fn a_recording_is_written_down() {
    let test = "a_recording_is_written_down";
    let folder = tempfile::tempdir().unwrap();
    let Some(file) = speech(folder.path(), test) else { return };
    let stt = "[stt]\nbackend = \"openai\"\nmodel = \"whisper-1\"\n";
    configure(folder.path(), "", &format!("{stt}url = \"{}\"\n", ears(QUESTION)));
    let server = start(folder.path());
    let token = token(folder.path(), "ada", &["talk"]);
    let ask = |members: &[(&str, &str)]| form(&server, &token, Some(&file), members);
    assert_eq!(ask(&[("model", "whisper-1")]).with(200).json(), json!({ "text": QUESTION }));
    let text = ask(&[("response_format", "text"), ("language", "en")]).with(200);
    assert!(text.head.contains("content-type: text/plain"), "{}", text.head);
    assert_eq!(text.body, format!("{QUESTION}\n").into_bytes());
    let verbose = ask(&[("response_format", "verbose_json")]).with(200).json();
    assert!((1.0..10.0).contains(&verbose["duration"].as_f64().unwrap()), "{verbose}");
    assert_eq!((&verbose["task"], &verbose["language"]), (&json!("transcribe"), &json!("en")));
    let segment = &verbose["segments"][0];
    assert_eq!((&segment["id"], &segment["text"]), (&json!(0), &json!(QUESTION)), "{verbose}");
    assert!(segment["end"].as_f64().unwrap() > 1.0, "{verbose}");

    for (members, told) in [
        (&[("response_format", "srt")], "json, text or verbose_json"),
        (&[("language", "English")], "is no language"),
        (&[("stream", "true")], "stream"),
        (&[("timestamp_granularities[]", "word")], "segments"),
    ] {
        let error = error(ask(members), 400);
        assert!(error.contains(told), "{error}");
    }
    assert!(error(form(&server, &token, None, &[]), 400).contains("`file`"));
    assert!(error(form(&server, &token, Some(b"no sound"), &[]), 400).contains("hint: "));
    error(server.post("/v1/audio/transcriptions", &token, &json!({})), 415);
    // The refused are none, but for what was no sound.
    let recorded = runs(folder.path(), 4);
    let outcomes: Vec<_> = recorded.iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == "returned").count(), 3);
}

/// A file with speech, by the program that speaks.
fn speech(folder: &Path, test: &str) -> Option<Vec<u8>> {
    if !has(test, "espeak-ng") {
        return None;
    }
    let file = folder.join("speech.wav");
    run(Command::new("espeak-ng").arg("-w").arg(&file).arg("What is six times seven?")).with(0);
    Some(fs::read(file).unwrap())
}

#[test]
fn who_lacks_ears_or_a_voice_says_so() {
    let folder = tempfile::tempdir().unwrap();
    configure(folder.path(), "", "[tts]\nbackend = \"none\"\n");
    let server = start(folder.path());
    let token = token(folder.path(), "ada", &["talk"]);
    let told = error(form(&server, &token, Some(b"RIFF"), &[]), 404);
    assert!(told.contains("no ears\nhint: june model pull whisper-base"), "{told}");
    let asked = json!({ "model": "tts-1", "voice": "alloy", "input": "Hello." });
    let told = error(server.post("/v1/audio/speech", &token, &asked), 404);
    assert!(told.contains("no voice\nhint: ") && told.contains("[tts]"), "{told}");
}
