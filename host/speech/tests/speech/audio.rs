//! Voice messages and other files, with ffmpeg on the other side.

use std::fs;
use std::process::Command;
use std::time::Duration;

use june_speech::{Audio, Limits, SPEECH_RATE, decode, encode};
use proptest::prelude::*;

use crate::{fixture, has, likeness, speech};

/// What ffmpeg makes of a file, with these arguments.
fn ffmpeg(input: &[u8], arguments: &[&str], output: &str) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("input"), folder.path().join(output));
    fs::write(&from, input).unwrap();
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(&from).args(arguments).arg(&to);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    fs::read(to).unwrap()
}

fn tone(rate: u32, seconds: f32) -> Audio {
    let count = (rate as f32 * seconds) as usize;
    let sample = |i: usize| (i as f32 / rate as f32 * 440.0 * std::f32::consts::TAU).sin() * 0.5;
    Audio { samples: (0..count).map(sample).collect(), rate }
}

#[test]
fn a_voice_message_sounds_as_it_was_spoken() {
    let test = "a_voice_message_sounds_as_it_was_spoken";
    let Some(audio) = speech(test) else { return };
    let voice = encode(&audio).unwrap();
    assert_eq!(voice.duration, Duration::from_secs(11));
    assert_eq!(voice.waveform.len(), 110);
    assert!(voice.waveform.contains(&255) && voice.waveform.iter().any(|value| *value < 20));
    let bits = voice.ogg.len() as f64 * 8.0 / 11.0;
    assert!((16_000.0..40_000.0).contains(&bits), "{bits} bits a second");
    let heard = decode(&voice.ogg, &Limits::default()).unwrap();
    assert_eq!((heard.rate, heard.samples.len()), (SPEECH_RATE, audio.samples.len()));
    let likeness = likeness(&audio.samples, &heard.samples);
    assert!(likeness > 0.9, "{likeness}");
}

#[test]
fn ffmpeg_plays_a_voice_message() {
    let test = "ffmpeg_plays_a_voice_message";
    let Some(audio) = speech(test) else { return };
    if !has(test, "ffmpeg") || !has(test, "ffprobe") {
        return;
    }
    for rate in [8_000_u32, 16_000, 22_050, 24_000, 44_100, 48_000] {
        let said = tone(rate, 1.9);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("voice.ogg");
        fs::write(&path, &encode(&said).unwrap().ogg).unwrap();
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "stream=codec_name,channels,duration"]);
        let told = probe.args(["-of", "csv=p=0"]).arg(&path).output().unwrap();
        let told = String::from_utf8_lossy(&told.stdout).trim().to_owned();
        let mut fields = told.split(',');
        assert_eq!((fields.next(), fields.next()), (Some("opus"), Some("1")), "{told}");
        let seconds: f64 = fields.next().unwrap().parse().unwrap();
        assert!((seconds - 1.9).abs() < 0.01, "{rate}: {told}");
        assert!(told.len() < 40 && probe.output().unwrap().stderr.is_empty());
    }
    let wav = ffmpeg(&encode(&audio).unwrap().ogg, &["-ar", "16000"], "out.wav");
    let heard = decode(&wav, &Limits::default()).unwrap();
    let missing = audio.samples.len().abs_diff(heard.samples.len());
    assert!(missing < 16, "{missing}");
    assert!(likeness(&audio.samples, &heard.samples) > 0.9);
}

#[test]
fn what_ffmpeg_makes_is_decoded() {
    let test = "what_ffmpeg_makes_is_decoded";
    let Some(path) = fixture(test, "models/jfk.wav") else { return };
    let (wav, Some(audio)) = (fs::read(path).unwrap(), speech(test)) else { return };
    if !has(test, "ffmpeg") {
        return;
    }
    for (name, arguments) in [
        ("voice.ogg", &["-c:a", "libopus", "-b:a", "32k"][..]),
        ("stereo.ogg", &["-c:a", "libopus", "-ac", "2"]),
        ("frames.ogg", &["-c:a", "libopus", "-frame_duration", "60", "-page_duration", "200000"]),
        ("vorbis.ogg", &["-c:a", "libvorbis", "-ar", "44100"]),
        ("music.mp3", &["-b:a", "64k", "-ar", "44100"]),
        ("call.mp3", &["-ar", "8000"]),
        ("note.m4a", &["-c:a", "aac", "-ar", "44100", "-ac", "2"]),
        ("note.mp4", &["-c:a", "aac", "-movflags", "+faststart"]),
        ("opus.mp4", &["-c:a", "libopus", "-strict", "-2"]),
        ("voice.webm", &["-c:a", "libopus"]),
        ("stream.webm", &["-c:a", "libvorbis", "-ar", "48000", "-live", "1"]),
        ("sound.flac", &["-ar", "48000"]),
        ("sound.wav", &["-ar", "11025", "-c:a", "pcm_s16le"]),
        ("float.wav", &["-ar", "96000", "-c:a", "pcm_f32le", "-ac", "2"]),
        ("byte.wav", &["-c:a", "pcm_u8"]),
    ] {
        let file = ffmpeg(&wav, arguments, name);
        let heard = decode(&file, &Limits::default()).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(heard.rate, SPEECH_RATE, "{name}");
        let seconds = heard.duration().as_secs_f64();
        assert!((10.9..11.15).contains(&seconds), "{name}: {seconds} s");
        // MP3 and AAC begin with up to 70 ms of nothing.
        let likeness = (0..12).map(|skip| {
            let heard = heard.samples.get(skip * 100..).unwrap();
            likeness(&audio.samples, heard)
        });
        let likeness = likeness.fold(-1.0, f64::max);
        assert!(likeness > 0.85, "{name}: {likeness}");
    }
}

#[test]
fn a_recording_that_starts_late_is_whole() {
    let test = "a_recording_that_starts_late_is_whole";
    let Some(audio) = speech(test) else { return };
    if !has(test, "ffmpeg") {
        return;
    }
    // A stream that somebody tuned in to: its first granule position is not zero.
    let late = ffmpeg(&encode(&audio).unwrap().ogg, &["-c", "copy", "-ss", "4"], "late.ogg");
    let seconds = decode(&late, &Limits::default()).unwrap().duration().as_secs_f64();
    assert!((6.5..7.5).contains(&seconds), "{seconds}");
}

#[test]
fn two_voice_messages_in_one_file() {
    let (one, two) = (encode(&tone(16_000, 1.0)).unwrap(), encode(&tone(24_000, 0.5)).unwrap());
    // Streams of one file have different numbers; the page's checksum is part of what changes.
    let mut second = Vec::new();
    let mut reader = ogg::PacketReader::new(std::io::Cursor::new(&two.ogg[..]));
    let mut writer = ogg::PacketWriter::new(&mut second);
    while let Some(packet) = reader.read_packet().unwrap() {
        use ogg::PacketWriteEndInfo::{EndPage, EndStream, NormalPacket};
        let end = match (packet.last_in_stream(), packet.last_in_page()) {
            (true, _) => EndStream,
            (_, true) => EndPage,
            _ => NormalPacket,
        };
        let granule = packet.absgp_page();
        writer.write_packet(packet.data, 2, end, granule).unwrap();
    }
    drop(writer);
    let both = [&one.ogg[..], &second].concat();
    let heard = decode(&both, &Limits::default()).unwrap();
    assert_eq!(heard.samples.len(), 16_000 + 8_000);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_length_comes_back(samples in 1_usize..6_000, rate in 0_usize..5) {
        let rate = [8_000_u32, 16_000, 22_050, 24_000, 48_000][rate];
        let audio = Audio { samples: vec![0.25; samples].into(), rate };
        let voice = encode(&audio).unwrap();
        prop_assert_eq!(voice.duration, audio.duration());
        prop_assert!(voice.waveform.len() <= 256 && !voice.waveform.is_empty());
        match decode(&voice.ogg, &Limits::default()) {
            Ok(heard) => {
                let expected = samples as f64 * f64::from(SPEECH_RATE) / f64::from(rate);
                let off = heard.samples.len() as f64 - expected;
                prop_assert!(off.abs() <= 2.0, "{} for {expected}", heard.samples.len());
            }
            // Less than a sample at the other rate.
            Err(error) => prop_assert!(samples <= 3, "{error}"),
        }
    }
}
