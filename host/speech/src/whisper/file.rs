//! Files of whisper.cpp's format, looked at before whisper.cpp reads them: it trusts what they say,
//! and ends the process, or reads what is not there, where they are wrong.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use crate::SpeechError;

/// What a file begins with, read as a little-endian number.
const MAGIC: u32 = 0x6767_6d6c;

/// Elements of a block, and its bytes, for each number that stands for a type of tensors.
const TYPES: [(u32, u64, u64); 13] = [
    (0, 1, 4),
    (1, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (10, 256, 84),
    (11, 256, 110),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
    (30, 1, 2),
];

/// The error for a file that is no model.
pub(crate) fn unusable(path: &Path, why: &str) -> SpeechError {
    SpeechError::Engine(format!(
        "{} cannot be used as a speech model: {why}\nhint: download it again, in the format of \
         whisper.cpp (ggml)",
        path.display()
    ))
}

/// Refuses what is no Whisper model.
pub(crate) fn check_model(path: &Path) -> Result<(), SpeechError> {
    check(path, model)
}

/// Refuses what is no Silero model.
pub(crate) fn check_vad(path: &Path) -> Result<(), SpeechError> {
    check(path, vad)
}

/// Why a file is no model.
enum Fault {
    Io(io::Error),
    Format(&'static str),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

struct Reader {
    file: BufReader<File>,
    /// Bytes that are left.
    left: u64,
}

fn check(path: &Path, format: fn(&mut Reader) -> Result<(), Fault>) -> Result<(), SpeechError> {
    let missing = |error: &io::Error| {
        SpeechError::Engine(format!(
            "the speech model {} cannot be read: {error}\nhint: check the path, or download the \
             model",
            path.display()
        ))
    };
    let file = File::open(path).map_err(|error| missing(&error))?;
    let metadata = file.metadata().map_err(|error| missing(&error))?;
    if !metadata.is_file() {
        return Err(unusable(path, "it is not a file"));
    }
    let mut reader = Reader { left: metadata.len(), file: BufReader::new(file) };
    format(&mut reader).map_err(|fault| match fault {
        Fault::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            unusable(path, "it is cut off")
        }
        Fault::Io(error) => missing(&error),
        Fault::Format(why) => unusable(path, why),
    })
}

fn ensure(holds: bool, why: &'static str) -> Result<(), Fault> {
    if holds { Ok(()) } else { Err(Fault::Format(why)) }
}

impl Reader {
    fn number(&mut self) -> Result<u32, Fault> {
        let mut bytes = [0; 4];
        self.file.read_exact(&mut bytes)?;
        self.left = self.left.saturating_sub(4);
        Ok(u32::from_le_bytes(bytes))
    }

    /// A number that whisper.cpp takes for a size.
    fn size(&mut self, range: std::ops::RangeInclusive<u32>) -> Result<u32, Fault> {
        let number = self.number()?;
        ensure(range.contains(&number), "it has sizes that no such model has")?;
        Ok(number)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Fault> {
        let Some(left) = self.left.checked_sub(bytes) else {
            return Err(Fault::Io(io::ErrorKind::UnexpectedEof.into()));
        };
        let offset = i64::try_from(bytes).map_err(|_| Fault::Format("it is too large"))?;
        // Within the buffer, where that is possible.
        self.file.seek_relative(offset)?;
        self.left = left;
        Ok(())
    }

    fn magic(&mut self) -> Result<(), Fault> {
        ensure(self.number()? == MAGIC, "it is of another format")
    }

    /// The tensors, up to the end of the file.
    fn tensors(&mut self, most: u32) -> Result<(), Fault> {
        let mut count = 0;
        while self.left > 0 {
            count += 1;
            ensure(count <= most, "it has more tensors than such a model")?;
            let dimensions = self.size(0..=4)?;
            let name = self.size(1..=256)?;
            let kind = self.number()?;
            let mut elements = 1_u64;
            for _ in 0..dimensions {
                elements *= u64::from(self.size(1..=0x10_0000)?);
                // whisper.cpp counts in 32 bits.
                ensure(elements <= i32::MAX as u64, "it has a tensor of an impossible size")?;
            }
            self.skip(name.into())?;
            let kind = TYPES.iter().find(|(number, ..)| *number == kind);
            let Some((_, block, bytes)) = kind else {
                return Err(Fault::Format("it has a tensor of an unknown type"));
            };
            ensure(elements.is_multiple_of(*block), "it has a tensor of an impossible size")?;
            self.skip(elements / block * bytes)?;
        }
        Ok(())
    }
}

fn model(reader: &mut Reader) -> Result<(), Fault> {
    reader.magic()?;
    // All Whisper models have about the same vocabulary, and the rest grows with the layers.
    reader.size(51_864..=51_866)?;
    reader.size(1..=1500)?;
    let audio = reader.size(64..=2048)?;
    let audio_heads = reader.size(1..=32)?;
    let audio_layers = reader.size(1..=48)?;
    reader.size(1..=448)?;
    let text = reader.size(64..=2048)?;
    let text_heads = reader.size(1..=32)?;
    let text_layers = reader.size(1..=48)?;
    let mels = reader.size(80..=128)?;
    // The version of quantisation is in the thousands.
    ensure(reader.number()? < 10_000, "its weights are of an unknown type")?;
    ensure(
        audio == text && audio.is_multiple_of(audio_heads) && text.is_multiple_of(text_heads),
        "its sizes do not fit together",
    )?;

    ensure(reader.number()? == mels, "its sizes do not fit together")?;
    let frequencies = reader.size(201..=201)?;
    reader.skip(u64::from(mels) * u64::from(frequencies) * 4)?;

    let words = reader.size(1..=51_866)?;
    for _ in 0..words {
        let length = reader.size(0..=1024)?;
        reader.skip(length.into())?;
    }
    reader.tensors(25 + 15 * audio_layers + 24 * text_layers)
}

fn vad(reader: &mut Reader) -> Result<(), Fault> {
    reader.magic()?;
    let name = reader.size(1..=64)?;
    reader.skip(name.into())?;
    for _version in 0..3 {
        reader.number()?;
    }
    reader.size(512..=512)?;
    reader.size(64..=64)?;
    let layers = reader.size(4..=4)?;
    for _ in 0..layers {
        for _sizes in 0..3 {
            reader.size(1..=1024)?;
        }
    }
    for _sizes in 0..4 {
        reader.size(1..=1024)?;
    }
    reader.tensors(64)
}
