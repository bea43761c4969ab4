//! Making objects immortal, in small memories.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;

use june_flatten::{ImmortalError, make_immortal};
use wasmparser::{DataKind, Operator, Parser, Payload};

const TABLE: u32 = 0x1000;
const IMMORTAL: u32 = 0x5000_0000;

/// A component with these segments, each of words, in a memory.
fn component(segments: &[(u32, &[u32])]) -> Vec<u8> {
    let mut wat = String::from("(component (core module $m (memory 1)");
    for (at, words) in segments {
        write!(wat, "(data (i32.const {at}) \"").unwrap();
        for byte in words.iter().flat_map(|word| word.to_le_bytes()) {
            write!(wat, "\\{byte:02x}").unwrap();
        }
        wat.push_str("\")");
    }
    wat.push_str(") (core instance (instantiate $m)))");
    wat::parse_str(wat).unwrap()
}

/// A table of objects.
fn table(count: u32, addresses: &[u32]) -> Vec<u32> {
    let mark = b"june: these objects are immortal".chunks(4);
    let mark = mark.map(|word| !u32::from_le_bytes(word.try_into().unwrap()));
    mark.chain([count]).chain(addresses.iter().copied()).collect()
}

/// What is in the memory.
fn memory(component: &[u8]) -> Vec<u8> {
    let mut memory = vec![0; 1 << 16];
    for payload in Parser::new(0).parse_all(component) {
        let Payload::DataSection(section) = payload.unwrap() else { continue };
        for data in section {
            let data = data.unwrap();
            let DataKind::Active { offset_expr, .. } = data.kind else { continue };
            let Operator::I32Const { value } = offset_expr.get_operators_reader().read().unwrap()
            else {
                panic!("an offset");
            };
            memory[value as usize..][..data.data.len()].copy_from_slice(data.data);
        }
    }
    memory
}

fn word(memory: &[u8], at: u32) -> u32 {
    u32::from_le_bytes(memory[at as usize..][..4].try_into().unwrap())
}

/// The error, after which nothing must have changed.
fn error(segments: &[(u32, &[u32])]) -> ImmortalError {
    let before = component(segments);
    let mut after = before.clone();
    let error = make_immortal(&mut after).unwrap_err();
    assert_eq!(before, after, "{error}");
    error
}

#[test]
fn objects_become_immortal_and_nothing_else_changes() {
    let objects = [7, 0x500, 1, 0x500, 0x7000_0000, 0x500, 1 << 20, 0x500, 3, 0x500];
    let table = table(4, &[0x100, 0x108, 0x110, 0x118]);
    let mut wasm = component(&[(0x100, &objects), (TABLE, &table), (0x2000, &[1, 2])]);
    let length = wasm.len();
    assert_eq!(make_immortal(&mut wasm).unwrap(), 3);
    assert_eq!(wasm.len(), length);
    let memory = memory(&wasm);
    let counts = [0x100, 0x108, 0x110, 0x118, 0x120].map(|at| word(&memory, at));
    assert_eq!(counts, [IMMORTAL, IMMORTAL, 0x7000_0000, IMMORTAL, 3]);
    assert!([0x104, 0x10c, 0x114, 0x11c].iter().all(|at| word(&memory, *at) == 0x500));
    assert_eq!([0x2000, 0x2004].map(|at| word(&memory, at)), [1, 2]);
    let end = TABLE as usize + 4 * table.len();
    assert!(memory[TABLE as usize..end].iter().all(|byte| *byte == 0));
}

#[test]
fn tables_and_counts_may_be_split_into_segments() {
    let table = table(2, &[0x100, 0x200]);
    let (first, second) = table.split_at(5);
    // A count of 0x300, of which the first byte is left out.
    let mut wasm = component(&[
        (0x101, &[3 | 0x500 << 24, 5]),
        (0x200, &[1, 0x500]),
        (TABLE, first),
        (TABLE + 20, second),
    ]);
    assert_eq!(make_immortal(&mut wasm).unwrap(), 2);
    let memory = memory(&wasm);
    assert_eq!([0x100, 0x200].map(|at| word(&memory, at)), [IMMORTAL; 2]);
    assert!(memory[TABLE as usize..].iter().all(|byte| *byte == 0));
}

#[test]
fn there_must_be_one_table() {
    let empty = table(0, &[]);
    assert!(matches!(error(&[(0x100, &[1])]), ImmortalError::Tables(0)));
    let two = error(&[(TABLE, &empty), (0x2000, &empty)]);
    assert!(matches!(two, ImmortalError::Tables(2)));
    for count in [2, 0x4000, u32::MAX] {
        let short = error(&[(0x100, &[1]), (TABLE, &table(count, &[0x100]))]);
        assert!(matches!(short, ImmortalError::CutOff(at) if at == count as usize));
    }
}

#[test]
fn what_is_no_object_is_not_touched() {
    for at in [TABLE, TABLE + 32, 0xfff0, u32::MAX] {
        let outside = error(&[(0x100, &[1]), (TABLE, &table(2, &[0x100, at]))]);
        assert!(matches!(outside, ImmortalError::Outside(found) if found == at), "{outside}");
    }
    // Nothing, free memory that refers to other free memory, and a wrong sign.
    for count in [0, (1 << 20) + 1, 0x3fff_ffff, 0x8000_0000] {
        let wrong = error(&[(0x100, &[1, 2, count, 2]), (TABLE, &table(2, &[0x100, 0x108]))]);
        let ImmortalError::Count { at: 0x108, count: found } = wrong else { panic!("{wrong}") };
        assert_eq!(found, count);
    }
}

#[test]
fn segments_must_not_overlap() {
    let overlap = error(&[(0x100, &[1, 2]), (0x104, &[1]), (TABLE, &table(1, &[0x100]))]);
    assert!(matches!(overlap, ImmortalError::Segments));
}
