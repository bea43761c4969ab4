//! What one person says in a voice channel, cut at silence.

use june_speech::{FindSpeech, SPEECH_RATE};

/// Samples of a millisecond.
const MS: usize = SPEECH_RATE as usize / 1000;

/// What passes between two looks at what was said.
const LOOK: usize = 400 * MS;

/// How much of it is looked at.
const TAIL: usize = 3_000 * MS;

/// Silence that ends what somebody says.
const PAUSE: usize = 800 * MS;

/// What is kept of the time before somebody speaks.
const BEFORE: usize = 600 * MS;

/// Shorter than this it is a cough.
const SHORTEST: usize = 250 * MS;

/// The longest that is heard at once; after it, it goes on as something new.
const LONGEST: usize = 60_000 * MS;

/// What was heard.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Heard {
    /// Somebody begins to speak.
    Began,
    /// Somebody said this.
    Said(Vec<f32>),
}

/// What one person says.
#[derive(Debug, Default)]
pub(crate) struct Hearing {
    samples: Vec<f32>,
    /// How many of them are silence at the end, because nothing arrived.
    silent: usize,
    /// How many there were when they were looked at.
    looked: usize,
    /// Whether there is speech among them.
    began: bool,
}

impl Hearing {
    /// Whether nothing was heard since what was said last.
    pub(crate) fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// Takes what arrived, or the silence of as many samples where nothing did. Without a finder,
    /// what arrives is taken for speech: Discord sends only what it takes for it.
    pub(crate) fn push(
        &mut self,
        arrived: Result<&[i16], usize>,
        finder: Option<&mut (dyn FindSpeech + '_)>,
    ) -> Option<Heard> {
        let frame = match arrived {
            Ok(frame) => frame,
            Err(_) if self.samples.is_empty() => return None,
            Err(silence) => {
                self.samples.resize(self.samples.len() + silence, 0.0);
                self.silent += silence;
                return if self.silent >= PAUSE { self.end(finder) } else { None };
            }
        };
        self.silent = 0;
        self.samples.extend(frame.iter().map(|sample| f32::from(*sample) / 32_768.0));
        if self.samples.len() >= LONGEST {
            return self.end(finder);
        }
        if self.samples.len() - self.looked < LOOK {
            return None;
        }
        self.looked = self.samples.len();
        let tail = self.samples.get(self.samples.len().saturating_sub(TAIL)..).unwrap_or_default();
        let (speech, last) = speech(tail, finder);
        let quiet = tail.len() - last;
        if !self.began && speech >= SHORTEST {
            self.began = true;
            return Some(Heard::Began);
        }
        if self.began && quiet >= PAUSE {
            return Some(self.said());
        }
        if !self.began && speech == 0 {
            let old = self.samples.len().saturating_sub(BEFORE);
            self.samples.drain(..old);
            self.looked = self.samples.len();
        }
        None
    }

    /// Nothing more comes for now.
    pub(crate) fn end(&mut self, finder: Option<&mut (dyn FindSpeech + '_)>) -> Option<Heard> {
        let (frames, _) = self.samples.split_at(self.samples.len() - self.silent);
        if self.began || speech(frames, finder).0 >= SHORTEST {
            return Some(self.said());
        }
        *self = Hearing::default();
        None
    }

    fn said(&mut self) -> Heard {
        Heard::Said(std::mem::take(self).samples)
    }
}

/// How many samples are speech, and where the last of it ends.
fn speech(samples: &[f32], finder: Option<&mut (dyn FindSpeech + '_)>) -> (usize, usize) {
    // One that fails is as good as none.
    let found = finder.and_then(|finder| finder.speech(samples).ok());
    let Some(found) = found else { return (samples.len(), samples.len()) };
    let length = found.iter().map(ExactSizeIterator::len).sum();
    (length, found.last().map_or(0, |last| last.end))
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use june_speech::SpeechError;

    use super::*;

    const FRAME: usize = 20 * MS;

    /// Takes what is loud for speech.
    struct Loud;

    impl FindSpeech for Loud {
        fn speech(&mut self, samples: &[f32]) -> Result<Vec<Range<usize>>, SpeechError> {
            let mut found: Vec<Range<usize>> = Vec::new();
            for (number, frame) in samples.chunks(FRAME).enumerate() {
                if frame.iter().any(|sample| *sample > 0.1) {
                    let at = number * FRAME;
                    match found.last_mut() {
                        Some(last) if last.end == at => last.end += frame.len(),
                        _ => found.push(at..at + frame.len()),
                    }
                }
            }
            Ok(found)
        }
    }

    /// What is heard of frames: `s` speech, `n` noise that is no speech, `.` nothing arrives; each
    /// stands for 100 ms.
    fn heard(frames: &str, finder: bool) -> Vec<(usize, Option<usize>)> {
        let mut hearing = Hearing::default();
        let mut all = Vec::new();
        for (at, kind) in frames.chars().enumerate() {
            for _ in 0..5 {
                let (speech, noise) = ([9_000; FRAME], [900; FRAME]);
                let arrived = match kind {
                    's' => Ok(&speech[..]),
                    'n' => Ok(&noise[..]),
                    _ => Err(FRAME),
                };
                let mut loud = Loud;
                let finder = finder.then_some(&mut loud as &mut dyn FindSpeech);
                match hearing.push(arrived, finder) {
                    Some(Heard::Began) => all.push((at, None)),
                    Some(Heard::Said(samples)) => all.push((at, Some(samples.len() / MS))),
                    None => {}
                }
            }
        }
        all
    }

    #[test]
    fn silence_ends_what_is_said() {
        for finder in [true, false] {
            let all = heard("ssssssssss........ssssss.s.ssss........", finder);
            assert_eq!(all, [(3, None), (17, Some(1800)), (21, None), (38, Some(2100))]);
        }
        assert_eq!(heard("........", true), []);
    }

    #[test]
    fn noise_is_silence_to_who_finds_speech() {
        let noise = "n".repeat(200);
        assert_eq!(heard(&noise, true), []);
        let all = heard(&format!("{noise}ssssssssss{noise}"), true);
        assert_eq!(all.len(), 2, "{all:?}");
        let (_, Some(length)) = all[1] else { panic!("{all:?}") };
        // A little before it, and the pause after it.
        assert!((1_800..3_000).contains(&length), "{all:?}");
    }

    #[test]
    fn a_cough_is_nothing_and_a_word_is_something() {
        assert_eq!(heard("ss..........", true), []);
        assert_eq!(heard("sss..........", true), [(10, Some(1100))]);
    }

    #[test]
    fn nobody_is_heard_without_end() {
        let all = heard(&"s".repeat(1300), true);
        let said: Vec<usize> = all.iter().filter_map(|(_, said)| *said).collect();
        assert_eq!(said, [60_000, 60_000]);
    }
}
