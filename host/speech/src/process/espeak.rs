//! eSpeak NG: small, quick, and knows more than a hundred languages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::{check, child};
use crate::audio::decode_at;
use crate::{Audio, Limits, Speaker, SpeechError};

/// What it speaks where the language is not known, or is none of its own.
const DEFAULT: &str = "en";

/// Languages that it calls by other names than ISO 639-1 does.
const NAMES: [(&str, &str); 2] = [("zh", "cmn"), ("no", "nb")];

/// The program `espeak-ng`, started anew for each text.
#[derive(Debug, Clone)]
pub struct Espeak {
    program: PathBuf,
    /// The languages that it has voices for.
    languages: Arc<[String]>,
}

impl Espeak {
    /// Finds the program, by its path or its name, and asks which languages it speaks. It is waited
    /// for, some milliseconds.
    ///
    /// # Errors
    ///
    /// When it is not there, or does not answer as eSpeak NG does.
    pub fn open(program: impl Into<PathBuf>) -> Result<Espeak, SpeechError> {
        let program = program.into();
        let output = Command::new(&program)
            .arg("--voices")
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .output()
            .map_err(|error| child::unstartable(&program, &error))?;
        let table = String::from_utf8_lossy(&output.stdout);
        let languages = table.lines().skip(1).filter_map(|line| line.split_whitespace().nth(1));
        let languages: Arc<[String]> = languages.map(str::to_owned).collect();
        if languages.is_empty() {
            return Err(SpeechError::Engine(format!(
                "{} has no voices\nhint: is it espeak-ng, and is espeak-ng-data installed?",
                program.display()
            )));
        }
        Ok(Espeak { program, languages })
    }

    /// The voice for a language. Of some it has several kinds, and chooses one of them itself.
    fn voice<'a>(&self, language: Option<&'a str>) -> &'a str {
        let asked = language.unwrap_or(DEFAULT);
        let asked = NAMES.iter().find(|(name, _)| *name == asked).map_or(asked, |(_, voice)| voice);
        let speaks = |voice: &String| {
            voice.strip_prefix(asked).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        if !asked.is_empty() && self.languages.iter().any(speaks) { asked } else { DEFAULT }
    }
}

impl Speaker for Espeak {
    fn speak(
        &self,
        text: String,
        language: Option<String>,
    ) -> BoxFuture<'static, Result<Audio, SpeechError>> {
        let program = self.program.clone();
        let voice = self.voice(language.as_deref()).to_owned();
        async move { speak(&program, &voice, &text).await }.boxed()
    }
}

async fn speak(program: &Path, voice: &str, text: &str) -> Result<Audio, SpeechError> {
    check(text)?;
    // Two brackets would begin phonemes, and a control character might do something else.
    let text = text.replace("[[", "[ [").replace(|c: char| c.is_control() && c != '\n', " ");
    let arguments = ["--stdin", "--stdout", "-b", "1", "-z", "-v", voice];
    let wav = child::run(program, arguments.map(Into::into).into(), &text).await?;
    let limits = Limits { bytes: usize::MAX, ..Limits::default() };
    decode_at(&wav, &limits, None).map_err(|error| {
        SpeechError::Engine(format!("{} wrote no sound: {error}", program.display()))
    })
}
