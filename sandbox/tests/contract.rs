//! The contract in `wit/` is what the design says.
#![allow(clippy::expect_used, clippy::panic, reason = "tests")]

use wit_parser::{Docs, Resolve, TypeDefKind};

fn contract() -> (Resolve, wit_parser::PackageId) {
    let mut resolve = Resolve::default();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
    let (package, _) = resolve.push_dir(folder).expect("valid WIT");
    (resolve, package)
}

#[test]
fn it_has_the_three_worlds() {
    let (resolve, package) = contract();
    let package = &resolve.packages[package];
    assert_eq!(package.name.to_string(), "june:agent@0.1.0");
    let worlds: Vec<&str> = package.worlds.keys().map(String::as_str).collect();
    assert_eq!(worlds, ["strategy", "tool", "runner"]);
}

#[test]
fn a_runner_imports_no_function() {
    let (resolve, package) = contract();
    let runner = resolve.packages[package].worlds["runner"];
    for item in resolve.worlds[runner].imports.values() {
        if let wit_parser::WorldItem::Interface { id, .. } = item {
            assert!(resolve.interfaces[*id].functions.is_empty());
        }
    }
}

#[test]
fn every_item_is_documented() {
    let (resolve, _) = contract();
    let mut bare = Vec::new();
    let mut check = |name: &str, docs: &Docs| {
        if docs.contents.as_deref().unwrap_or_default().trim().is_empty() {
            bare.push(name.to_owned());
        }
    };
    for (_, interface) in &resolve.interfaces {
        check(interface.name.as_deref().unwrap_or("?"), &interface.docs);
        interface.functions.values().for_each(|function| check(&function.name, &function.docs));
    }
    for (_, world) in &resolve.worlds {
        check(&world.name, &world.docs);
    }
    for (_, kind) in &resolve.types {
        let Some(name) = &kind.name else { continue };
        match &kind.kind {
            // A `use`d type has its documentation where it is defined.
            TypeDefKind::Type(_) => continue,
            TypeDefKind::Record(record) => {
                record.fields.iter().for_each(|item| check(&item.name, &item.docs));
            }
            TypeDefKind::Variant(variant) => {
                variant.cases.iter().for_each(|item| check(&item.name, &item.docs));
            }
            TypeDefKind::Enum(choice) => {
                choice.cases.iter().for_each(|item| check(&item.name, &item.docs));
            }
            _ => {}
        }
        check(name, &kind.docs);
    }
    assert!(bare.is_empty(), "without documentation: {bare:?}");
}
