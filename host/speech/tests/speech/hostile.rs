//! Files that are damaged or mean harm: each ends in a clear error, soon and within bounds.

use std::time::{Duration, Instant};

use june_speech::{Audio, Limits, SpeechError, Voice, decode, encode};
use proptest::prelude::*;

fn second() -> Voice {
    let samples = (0..16_000).map(|i| (i as f32 / 7.0).sin() * 0.3).collect();
    encode(&Audio { samples, rate: 16_000 }).unwrap()
}

/// The error of a file, which says what to do.
#[track_caller]
fn refused(file: &[u8]) -> String {
    let error = decode(file, &Limits::default()).unwrap_err();
    let SpeechError::Input(text) = error else { panic!("{error}") };
    assert!(text.contains("\nhint: "), "{text}");
    text
}

/// A copy whose page checksums are right again.
fn mended(file: &[u8]) -> Vec<u8> {
    let mut file = file.to_vec();
    let mut page = 0;
    while page + 27 <= file.len() {
        let segments = usize::from(file[page + 26]);
        let Some(lengths) = file.get(page + 27..page + 27 + segments) else { break };
        let body: usize = lengths.iter().map(|length| usize::from(*length)).sum();
        let end = page + 27 + segments + body;
        if end > file.len() {
            break;
        }
        file[page + 22..page + 26].fill(0);
        let sum = file[page..end].iter().fold(0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte) << 24, |sum, _| {
                (sum << 1) ^ if sum >> 31 == 1 { 0x04c1_1db7 } else { 0 }
            })
        });
        file[page + 22..page + 26].copy_from_slice(&sum.to_le_bytes());
        page = end;
    }
    file
}

#[test]
fn what_is_no_sound() {
    assert!(refused(b"").contains("empty"));
    assert!(refused(b"PK\x03\x04 a zip file").contains("no kind that June knows"));
    assert!(refused(&[0; 100_000]).contains("no kind that June knows"));
    assert!(refused(b"OggS").starts_with("the audio"));
    assert!(refused("<html>not found</html>".as_bytes()).starts_with("the audio cannot be read"));
}

/// Found by fuzzing: what a frame takes is more than its field can hold.
#[test]
fn a_wave_with_too_many_channels() {
    let mut file = b"RIFF\x7d\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00".to_vec();
    file.extend(u16::MAX.to_le_bytes());
    file.extend(16_000_u32.to_le_bytes());
    file.extend(64_000_u32.to_le_bytes());
    file.extend([0xff, 0xff, 32, 0]);
    file.extend(b"data\x50\x00\x00\x00");
    file.extend([0; 80]);
    refused(&file);
}

#[test]
fn a_damaged_voice_message() {
    let file = second().ogg.to_vec();
    assert_eq!(mended(&file), file);
    let cut = refused(&file[..file.len() - 10]);
    assert!(cut.contains("cut off"), "{cut}");
    let mut wrong = file.clone();
    wrong[file.len() / 2] ^= 1;
    assert!(refused(&wrong).contains("checksum"));
    // The header alone, and what it is not followed by.
    assert!(refused(&file[..47]).contains("no sound"));
    let channels = file.iter().position(|byte| *byte == b'd').unwrap() + 2;
    let mut many = file.clone();
    many[channels] = 6;
    assert!(refused(&mended(&many)).contains("more than two channels"));
    let tags = file.windows(8).position(|bytes| bytes == b"OpusTags").unwrap();
    let mut untold = file;
    untold[tags] = b'X';
    assert!(refused(&mended(&untold)).contains("comment header"));
}

#[test]
fn two_hours_are_refused_at_once() {
    let mut file = second().ogg.to_vec();
    let last = file.windows(4).rposition(|bytes| bytes == b"OggS").unwrap();
    file[last + 6..last + 14].copy_from_slice(&(7_200_u64 * 48_000).to_le_bytes());
    let began = Instant::now();
    assert!(refused(&mended(&file)).contains("longer than the 15 minutes"));
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn two_hours_that_claim_to_be_short_are_refused_soon() {
    // Two bytes that stand for 120 ms of silence, six hundred times a page.
    let mut writer = ogg::PacketWriter::new(Vec::new());
    let voice = second();
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(&voice.ogg[..]));
    for _ in 0..2 {
        let header = reader.read_packet().unwrap().unwrap();
        writer.write_packet(header.data, 1, ogg::PacketWriteEndInfo::EndPage, 0).unwrap();
    }
    for _ in 0..60_000 {
        let silence: &[u8] = &[0x1b, 0x02];
        writer.write_packet(silence, 1, ogg::PacketWriteEndInfo::NormalPacket, 48_000).unwrap();
    }
    writer.write_packet(&[0x1b, 0x02][..], 1, ogg::PacketWriteEndInfo::EndStream, 48_000).unwrap();
    let file = writer.into_inner();
    assert!(file.len() < 300_000, "{}", file.len());
    let limits = Limits { duration: Duration::from_secs(60), ..Limits::default() };
    let error = decode(&file, &limits).unwrap_err().to_string();
    assert!(error.contains("longer than the 60 seconds"), "{error}");
}

#[test]
fn limits_are_kept() {
    let file = second().ogg;
    let error = |limits: Limits| decode(&file, &limits).unwrap_err().to_string();
    let few = Limits { bytes: 100, ..Limits::default() };
    assert!(error(few).contains("more than the 100 that are allowed"));
    let short = Limits { duration: Duration::from_millis(500), ..Limits::default() };
    assert!(error(short).contains("longer than the 0.5 seconds"));
    let just = Limits { bytes: file.len(), duration: Duration::from_secs(1) };
    assert_eq!(decode(&file, &just).unwrap().samples.len(), 16_000);
}

#[test]
fn what_cannot_be_encoded() {
    let encoded = |samples: Vec<f32>, rate| encode(&Audio { samples: samples.into(), rate });
    assert!(encoded(vec![], 16_000).is_err());
    assert!(encoded(vec![0.5; 100], 0).is_err());
    assert!(encoded(vec![0.5; 100], u32::MAX).is_err());
    assert!(encoded(vec![f32::NAN, f32::INFINITY, 1e30], 16_000).is_ok());
}

/// A WAV file of half a second.
fn wav() -> Vec<u8> {
    let header = [
        b"RIFF\xa4\x3e\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".as_slice(),
        &16_000_u32.to_le_bytes(),
        &32_000_u32.to_le_bytes(),
        b"\x02\0\x10\0data\x80\x3e\0\0",
    ];
    let samples = (0..8_000_i16).flat_map(|i| (i * 3).to_le_bytes());
    header.concat().into_iter().chain(samples).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn damage_ends_in_sound_or_an_error(
        kind in 0_usize..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..20),
        end in any::<prop::sample::Index>(),
        mend in any::<bool>(),
    ) {
        let mut file = if kind == 0 { second().ogg.to_vec() } else { wav() };
        for (place, byte) in changes {
            let place = place.index(file.len());
            // So that OGG pages still are where they were.
            if kind == 0 && mend && file[place.saturating_sub(27)..place].windows(4).any(|b| b == b"OggS") {
                continue;
            }
            file[place] = byte;
        }
        if !mend {
            file.truncate(end.index(file.len()) + 1);
        } else if kind == 0 && !file.windows(4).skip(1).any(|bytes| bytes == b"\0\0\0\0\0") {
            file = mended(&file);
        }
        let limits = Limits { duration: Duration::from_secs(5), ..Limits::default() };
        if let Ok(audio) = decode(&file, &limits) {
            prop_assert!(audio.samples.len() <= 5 * 16_000);
            prop_assert!(audio.samples.iter().all(|sample| (-1.0..=1.0).contains(sample)));
        }
    }

    #[test]
    fn noise_after_a_kinds_mark(kind in 0_usize..8, noise in prop::collection::vec(any::<u8>(), 0..2_000)) {
        let mark: &[u8] = [
            b"RIFF\xff\xff\xff\xffWAVE".as_slice(), b"fLaC", b"ID3\x04\0\0", b"\xff\xfb\x90\x64",
            b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3", b"OggS\0\x02", b"\xff\xf1\x50\x80",
        ][kind];
        let _ = decode(&[mark, &noise].concat(), &Limits::default());
    }
}
