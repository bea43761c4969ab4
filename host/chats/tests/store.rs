//! The store: files that are no store, who may use it, what it keeps.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use common::written;
use june_chats::{
    Chat, Filter, Inbox, LONGEST_NOTE, MOST_NOTES, NotesError, Pairing, Person, State, Store,
    StoreError,
};
use rusqlite::Connection;

fn error_of(path: &std::path::Path) -> String {
    Store::open(path).unwrap_err().to_string()
}

#[test]
fn what_was_recorded_is_there_again_and_is_not_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    let updates = [written(1, "c", "one"), written(2, "c", "two"), written(1, "c", "one")];
    {
        let store = Store::open(&path).unwrap();
        assert_eq!(store.record(&updates[..1]).unwrap(), [true]);
        assert_eq!(store.record_to(&updates, "fake/offset", "3").unwrap(), [false, true, false]);
    }
    let store = Store::open(&path).unwrap();
    assert_eq!(store.mark("fake/offset").unwrap().as_deref(), Some("3"));
    assert_eq!(store.mark("other").unwrap(), None);
    assert_eq!(store.record(&updates).unwrap(), [false, false, false]);
    let rows = store.history(&Filter::default()).unwrap();
    assert_eq!(rows.iter().map(|row| row.update.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(rows[0].state, State::Recorded);
    assert_eq!(rows[0].received.as_ref().unwrap(), &updates[0]);
    // Nobody else on the machine reads it.
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn history_is_filtered() {
    let store = Store::in_memory().unwrap();
    for number in 0..10 {
        let chat = if number % 2 == 0 { "even" } else { "odd" };
        store.record(&[written(number, chat, number)]).unwrap();
    }
    let updates = |filter: Filter| {
        let rows = store.history(&filter).unwrap();
        rows.into_iter().map(|row| row.update).collect::<Vec<_>>().join(" ")
    };
    let even = || Some("even".to_owned());
    assert_eq!(updates(Filter { chat: even(), ..Filter::default() }), "0 2 4 6 8");
    assert_eq!(updates(Filter { chat: even(), limit: Some(2), ..Filter::default() }), "6 8");
    assert_eq!(updates(Filter { person: Some("p-odd".into()), ..Filter::default() }), "1 3 5 7 9");
    assert_eq!(updates(Filter { platform: Some("other".into()), ..Filter::default() }), "");
    assert_eq!(updates(Filter { until: Some(1), ..Filter::default() }), "");
    assert_eq!(updates(Filter { since: Some(1), limit: Some(1), ..Filter::default() }), "9");
}

#[test]
fn what_is_no_store_is_said_to_be_none() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    fs::write(&path, "this is no database, and long enough to be sure of it. ".repeat(40)).unwrap();
    let error = error_of(&path);
    assert!(error.contains("cannot be used: file is not a database\nhint: "), "{error}");

    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    let error = error_of(&path);
    assert!(error.contains("not one of June's conversations"), "{error}");

    let error = error_of(&folder.path().join("nowhere/chats.sqlite"));
    assert!(error.contains("cannot be opened: No such file or directory"), "{error}");
}

#[test]
fn a_newer_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    drop(Store::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let error = error_of(&path);
    assert!(error.contains("has version 99 of the format, this June knows 1\nhint: "), "{error}");
}

#[test]
fn damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    let store = Store::open(&path).unwrap();
    for number in 0..200 {
        store.record(&[written(number, "c", "text ".repeat(100))]).unwrap();
    }
    drop(store);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 4096].fill(0xff);
    fs::write(&path, bytes).unwrap();
    assert!(matches!(Store::open(&path), Err(StoreError::Damaged { .. })));
}

#[test]
fn one_process_answers_for_a_platform() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chats.sqlite");
    let (one, two) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    let claim = one.claim("fake").unwrap();
    let error = two.claim("fake").unwrap_err().to_string();
    assert!(error.starts_with("another June answers for fake with "), "{error}");
    two.claim("other").unwrap();
    drop(claim);
    two.claim("fake").unwrap();
}

#[test]
fn a_code_is_good_once_and_only_the_newest() {
    let store = Store::in_memory().unwrap();
    let person = Person { id: "7".into(), name: "Ada".into() };
    let try_it = |code: &str| store.pair("fake", &person, code).unwrap();
    assert_eq!(try_it(""), Pairing::Wrong, "there is no code yet");
    let old = store.new_code("fake").unwrap();
    let new = store.new_code("fake").unwrap();
    assert_eq!(new.len(), 9, "{new}");
    assert_eq!(try_it(&old), Pairing::Wrong);
    assert_eq!(store.pair("other", &person, &new).unwrap(), Pairing::Wrong);
    assert_eq!(try_it(&format!(" {} ", new.to_lowercase())), Pairing::Paired);
    assert_eq!(try_it(&new), Pairing::Wrong);
    let known = store.people().unwrap();
    assert_eq!((known.len(), &known[0].person), (1, &person));
}

#[test]
fn a_code_cannot_be_guessed_for_ever() {
    let store = Store::in_memory().unwrap();
    let person = Person { id: "7".into(), name: "Mallory".into() };
    let code = store.new_code("fake").unwrap();
    for _ in 0..1000 {
        assert_eq!(store.pair("fake", &person, "0000-0000").unwrap(), Pairing::Wrong);
    }
    assert_eq!(store.pair("fake", &person, &code).unwrap(), Pairing::Wrong);
}

#[test]
fn notes_belong_to_a_chat_and_are_bounded() {
    let store = Store::in_memory().unwrap();
    let chat = |id: &str| Chat { platform: "fake".into(), id: id.into() };
    let (notes, others) = (store.notes(&chat("c")), store.notes(&chat("d")));
    notes.set("b", "1").unwrap();
    notes.set("a", "2").unwrap();
    notes.set("b", "3").unwrap();
    assert_eq!(notes.list().unwrap(), ["a", "b"]);
    assert_eq!(notes.get("b").unwrap().as_deref(), Some("3"));
    assert_eq!(others.list().unwrap(), Vec::<String>::new());
    assert!(notes.delete("a").unwrap() && !notes.delete("a").unwrap());
    for number in 1..MOST_NOTES {
        notes.set(&number.to_string(), "x").unwrap();
    }
    assert!(matches!(notes.set("one more", "x"), Err(NotesError::Limit(_))));
    notes.set("b", "still").unwrap();
    let long = "x".repeat(LONGEST_NOTE);
    assert!(matches!(notes.set("b", &long), Err(NotesError::Limit(_))));
}
