//! Voices that are programs of their own: their licences and their faults stay theirs.

mod child;
mod espeak;
mod piper;

pub use espeak::Espeak;
pub use piper::Piper;

use crate::SpeechError;

/// The longest text that is spoken at once, in bytes: some ten minutes.
const LONGEST: usize = 8 << 10;

/// Refuses a text that is too long, or has nothing to say.
fn check(text: &str) -> Result<(), SpeechError> {
    if !text.chars().any(char::is_alphanumeric) {
        return Err(SpeechError::Input("there is nothing to say".into()));
    }
    if text.len() > LONGEST {
        return Err(SpeechError::Input(format!(
            "{} bytes of text are too many to be spoken at once\nhint: speak it sentence by \
             sentence",
            text.len()
        )));
    }
    Ok(())
}
