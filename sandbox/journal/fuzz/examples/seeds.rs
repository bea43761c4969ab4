//! Writes the seeds that the fuzz targets begin with: `seeds/<target>/`.

use std::fs;
use std::path::Path;

use june_journal::note::Checkpoint;
use june_journal::record::Event;
use june_journal::segment::{self, Kind};
use june_journal::tree::Frontier;
use june_journal_fuzz::records::{every_kind, run};
use june_journal_fuzz::{clock, key};

fn write(target: &str, name: &str, bytes: &[u8]) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    fs::create_dir_all(&folder).expect("make the folder");
    fs::write(folder.join(name), bytes).expect("write a seed");
}

/// One of the things that the target `segment` makes.
fn part(what: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).expect("be short").to_le_bytes();
    [&[what][..], &length, payload].concat()
}

fn main() {
    let records = every_kind(0, clock());
    for (number, record) in records.iter().enumerate() {
        let kind = match &record.event {
            Event::Start(_) => "start",
            Event::Virtual(_) => "virtual",
            Event::Call(_) => "call",
            Event::Answer(_) => "answer",
            Event::Denial(_) => "denial",
            Event::LimitHit(_) => "limit",
            Event::Output(_) => "output",
            Event::End(_) => "end",
            Event::Review(_) => "review",
            Event::Returned(_) => "returned",
        };
        write("record", &format!("{number:02}-{kind}"), &record.to_bytes());
    }

    // One run with everything, but one start and one end, and its reviews.
    let whole: Vec<Vec<u8>> = records
        .iter()
        .enumerate()
        .filter(|(number, _)| ![1, 10, 11, 12, 13].contains(number))
        .map(|(_, record)| part(1, &record.to_bytes()))
        .collect();
    let checkpoint = part(2, b"");
    write("segment", "whole", &[&[0][..], &whole.concat(), &checkpoint].concat());
    let short: Vec<u8> = run(3, clock()).iter().flat_map(|record| part(1, record)).collect();
    let second = [&[2][..], &checkpoint, &short, &checkpoint].concat();
    write("segment", "second", &second);
    let torn = [&[2 | 4][..], &checkpoint, &short, &checkpoint, &short, &part(7, b"torn")];
    write("segment", "torn", &torn.concat());
    let stale = [&[4 | 8 | 16][..], &checkpoint, &short, &checkpoint, &short];
    write("segment", "stale", &stale.concat());
    let odd = [&[0][..], &checkpoint, &part(3, &[255; 8]), &part(4, b"x\n"), &part(5, &[1; 9])];
    write("segment", "odd", &odd.concat());
    let number = |number: u64| number.to_le_bytes();
    let header = part(6, &[number(0), number(u64::MAX - 300)].concat());
    write("segment", "header", &[&[0][..], &header, &checkpoint].concat());

    let mut frontier = Frontier::default();
    let mut bytes = segment::header(0, 0).to_vec();
    for record in run(0, clock()) {
        let position = bytes.len() as u64;
        segment::frame(&mut bytes, position, Kind::Record, &record);
        frontier.push(tlog_tiles::record_hash(&record), |_| {});
    }
    let note = Checkpoint { size: frontier.size(), root: frontier.root() };
    let note = note.sign(key()).expect("sign");
    let position = bytes.len() as u64;
    segment::frame(&mut bytes, position, Kind::Checkpoint, note.as_bytes());
    write("segment", "raw", &[&[1 | 4][..], &bytes].concat());

    // The proof of record 0 of 2, of record 2 of 3, and of growth from 1 to 2.
    write("proof", "record", &[0, 2, 0, 0, 1, 3, 1]);
    write("proof", "record-3", &[0, 3, 2, 2, 1, 3, 2]);
    write("proof", "growth", &[1, 2, 1, 1, 1, 1, 3, 1]);
    write("proof", "many", &[&[0, 255][..], &[255; 8], &[255], &[7; 8], &[0; 32]].concat());
    write("proof", "prove", &[2, 40, 7]);
    write("proof", "text", &[&[3][..], b"june/fuzz\n7\nbase64\n"].concat());
    let empty = Checkpoint { size: 0, root: Frontier::default().root() };
    let empty = empty.sign(key()).expect("sign");
    write("proof", "checkpoint", &[&[3][..], empty.as_bytes()].concat());
    write("proof", "key", &[&[3][..], key().public().to_string().as_bytes()].concat());
    // The signature twice, and the keys with a capital letter.
    write("proof", "spliced-note", &[4, 0, 165, 0, 0, 0, 0, 58, 0, 200, 0]);
    write("proof", "spliced-key", &[5, 10, 0, 1, 0, 1, b'B', 22, 0, 1, 0, 1, b'B']);
}
