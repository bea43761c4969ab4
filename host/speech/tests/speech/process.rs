//! Voices that are programs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use june_speech::{Audio, Espeak, Limits, Piper, Speaker, SpeechError, decode, encode};

use crate::{has, likeness};

fn loudness(audio: &Audio) -> f32 {
    let squares: f32 = audio.samples.iter().map(|sample| sample * sample).sum();
    (squares / audio.samples.len() as f32).sqrt()
}

async fn say(speaker: &impl Speaker, text: &str, language: Option<&str>) -> Audio {
    speaker.speak(text.into(), language.map(str::to_owned)).await.unwrap()
}

#[tokio::test]
async fn espeak_speaks_and_is_heard() {
    if !has("espeak_speaks_and_is_heard", "espeak-ng") {
        return;
    }
    let espeak = Espeak::open("espeak-ng").unwrap();
    let said = say(&espeak, "The quick brown fox jumps over the lazy dog.", None).await;
    assert_eq!(said.rate, 22_050);
    assert!((1.5..5.0).contains(&said.duration().as_secs_f64()), "{:?}", said.duration());
    assert!(loudness(&said) > 0.02);
    let heard = decode(&encode(&said).unwrap().ogg, &Limits::default()).unwrap();
    let likeness = likeness(&said.for_speech().unwrap().samples, &heard.samples);
    assert!(likeness > 0.9, "{likeness}");
}

#[tokio::test]
async fn espeak_has_a_voice_for_each_language() {
    if !has("espeak_has_a_voice_for_each_language", "espeak-ng") {
        return;
    }
    let espeak = Espeak::open("espeak-ng").unwrap();
    let text = "123 Patient";
    let english = say(&espeak, text, Some("en")).await;
    assert_eq!(say(&espeak, text, None).await, english);
    assert_eq!(say(&espeak, text, Some("xx")).await, english, "a language it has not");
    assert_eq!(say(&espeak, text, Some("--help")).await, english);
    for language in ["de", "fr", "pt", "zh", "no", "ja"] {
        assert_ne!(say(&espeak, text, Some(language)).await, english, "{language}");
    }
}

#[tokio::test]
async fn espeak_takes_text_for_text() {
    if !has("espeak_takes_text_for_text", "espeak-ng") {
        return;
    }
    let espeak = Espeak::open("espeak-ng").unwrap();
    say(&espeak, "-w /tmp/x --help", None).await;
    say(&espeak, "[[h@'loU]] <break time=\"60s\"/> \u{0} \u{1b}[31m", None).await;
    let refused = async |text: String| espeak.speak(text, None).await.unwrap_err();
    assert!(matches!(refused(" !? ".into()).await, SpeechError::Input(_)));
    assert!(matches!(refused("a".repeat(10_000)).await, SpeechError::Input(_)));
}

#[test]
fn a_program_that_is_not_there() {
    let error = Espeak::open("no-such-espeak").unwrap_err().to_string();
    assert!(error.starts_with("no-such-espeak cannot be started"), "{error}");
    assert!(error.contains("\nhint: install it"), "{error}");
    assert!(Espeak::open("true").unwrap_err().to_string().contains("has no voices"));
}

/// A stand-in for Piper, whose voices cannot be had here: a shell script with its arguments, and a
/// voice without a network.
struct FakePiper {
    folder: tempfile::TempDir,
    program: PathBuf,
    voice: PathBuf,
}

impl FakePiper {
    fn new(script: &str) -> FakePiper {
        let folder = tempfile::tempdir().unwrap();
        let (program, voice) = (folder.path().join("piper"), folder.path().join("voice.onnx"));
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(&voice, "").unwrap();
        let settings = r#"{"audio": {"sample_rate": 22050}, "espeak": {"voice": "en-us"}}"#;
        fs::write(folder.path().join("voice.onnx.json"), settings).unwrap();
        FakePiper { folder, program, voice }
    }

    async fn says(&self, text: &str) -> Result<Audio, SpeechError> {
        // Another test's new process may hold the script open for writing for a moment.
        let piper = Piper::open(&self.program, &self.voice).unwrap();
        loop {
            let said = piper.speak(text.into(), None).await;
            match said {
                Err(error) if error.to_string().contains("Text file busy") => {}
                said => return said,
            }
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

#[tokio::test]
async fn piper_is_given_a_line_and_gives_samples() {
    let fake = FakePiper::new(
        r#"cd "$(dirname "$0")"; echo "$*" >arguments; cat >text; printf '\000\100\000\300'"#,
    );
    let said = fake.says("Two\nlines; $(false)").await.unwrap();
    assert_eq!((&*said.samples, said.rate), (&[0.5, -0.5][..], 22_050));
    assert_eq!(fs::read_to_string(fake.file("text")).unwrap(), "Two lines; $(false)\n");
    let arguments = format!("--model {} --output-raw\n", fake.voice.display());
    assert_eq!(fs::read_to_string(fake.file("arguments")).unwrap(), arguments);
}

#[tokio::test]
async fn a_program_that_fails_says_why() {
    let error = FakePiper::new("echo no such voice >&2; exit 3").says("a").await.unwrap_err();
    assert!(error.to_string().contains("exit status: 3): no such voice"), "{error}");
    let error = FakePiper::new("cat >/dev/null").says("a").await.unwrap_err();
    assert!(error.to_string().contains("wrote no sound"), "{error}");
}

#[tokio::test]
async fn a_program_that_writes_without_end_is_stopped() {
    let error = FakePiper::new("cat /dev/zero").says("a").await.unwrap_err();
    assert!(error.to_string().contains("more sound than it may"), "{error}");
    // What it says to people may be much.
    let chatty = FakePiper::new("head -c 1000000 /dev/zero >&2; printf '\\001\\002'");
    assert_eq!(chatty.says("a").await.unwrap().samples.len(), 1);
}

#[tokio::test]
async fn who_does_not_wait_kills_the_program() {
    let fake = FakePiper::new(r#"cd "$(dirname "$0")"; echo $$ >pid; exec sleep 1000"#);
    let pid = fake.file("pid");
    let mut speaking = Box::pin(fake.says("a"));
    let process = loop {
        let waited = tokio::time::timeout(Duration::from_millis(10), &mut speaking).await;
        assert!(waited.is_err());
        if let Some(process) = fs::read_to_string(&pid).ok().filter(|text| text.ends_with('\n')) {
            break Path::new("/proc").join(process.trim());
        }
    };
    assert!(process.exists());
    drop(speaking);
    for _ in 0..500 {
        let status = fs::read_to_string(process.join("status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it still runs");
}

#[test]
fn a_voice_without_its_settings() {
    let folder = tempfile::tempdir().unwrap();
    let voice = folder.path().join("v.onnx");
    let why = || Piper::open("piper", &voice).unwrap_err().to_string();
    assert!(why().contains("it is not there"), "{}", why());
    fs::write(&voice, "").unwrap();
    assert!(why().contains("v.onnx.json: No such file"), "{}", why());
    for (settings, told) in [("{", "its settings: EOF"), ("{}", "no audio.sample_rate")] {
        fs::write(folder.path().join("v.onnx.json"), settings).unwrap();
        assert!(why().contains(told), "{}", why());
    }
}
