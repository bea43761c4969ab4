//! Flattening of small components, by what the output consists of. Each
//! output has been validated by `flatten` itself.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use june_flatten::{Error, Feature, Flattened, flatten};
use wasmparser::{DataKind, Operator, Parser, Payload};

fn flat(wat: &str) -> Flattened {
    flatten(&wat::parse_str(wat).unwrap()).unwrap()
}

fn unsupported(wat: &str) -> Feature {
    match flatten(&wat::parse_str(wat).unwrap()) {
        Err(Error::Unsupported(feature)) => feature,
        other => panic!("{:?}", other.map(|flat| flat.report)),
    }
}

/// What the core modules of a component have, in their order.
#[derive(Debug, Default, PartialEq)]
struct Shape {
    imports: Vec<String>,
    exports: Vec<String>,
    /// Where active segments go, or none for a passive one.
    data: Vec<Option<i32>>,
    memories: u32,
    tables: u32,
    globals: u32,
    start: bool,
    /// The instructions of all functions, but for `end`.
    code: Vec<String>,
}

fn shapes(flat: &Flattened) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = Vec::new();
    let mut inside = false;
    for payload in Parser::new(0).parse_all(&flat.component) {
        let payload = payload.unwrap();
        if let Payload::ModuleSection { .. } = payload {
            shapes.push(Shape::default());
            inside = true;
        }
        let (Some(shape), true) = (shapes.last_mut(), inside) else {
            continue;
        };
        match payload {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    shape.imports.push(import.unwrap().name.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                shape.exports.extend(section.into_iter().map(|e| e.unwrap().name.to_owned()));
                shape.exports.sort();
            }
            Payload::MemorySection(section) => shape.memories = section.count(),
            Payload::TableSection(section) => shape.tables = section.count(),
            Payload::GlobalSection(section) => shape.globals = section.count(),
            Payload::StartSection { .. } => shape.start = true,
            Payload::DataSection(section) => {
                for data in section {
                    shape.data.push(match data.unwrap().kind {
                        DataKind::Passive => None,
                        DataKind::Active { offset_expr, .. } => {
                            match offset_expr.get_operators_reader().read().unwrap() {
                                Operator::I32Const { value } => Some(value),
                                other => panic!("{other:?}"),
                            }
                        }
                    });
                }
            }
            Payload::CodeSectionEntry(body) => {
                for operator in body.get_operators_reader().unwrap() {
                    match operator.unwrap() {
                        Operator::End => {}
                        operator => shape.code.push(format!("{operator:?}")),
                    }
                }
            }
            Payload::End(_) => inside = false,
            _ => {}
        }
    }
    shapes
}

#[test]
fn libraries_become_one_module() {
    let flat = flat(
        r#"(component
            (core module $env
                (memory (export "memory") 2)
                (table (export "table") 8 funcref)
                (global (export "sp") (mut i32) (i32.const 65536))
                (global (export "base") i32 (i32.const 1024))
                (global (export "slot") i32 (i32.const 3))
                (global (export "got") (mut i32) (i32.const 7)))
            (core module $libc
                (import "env" "memory" (memory 1))
                (import "env" "sp" (global $sp (mut i32)))
                (import "env" "base" (global $base i32))
                (func (export "malloc") (param i32) (result i32)
                    (global.set $sp (i32.add (global.get $sp) (local.get 0)))
                    (global.get $base))
                (func (export "unused") (drop (global.get $sp)))
                (data (global.get $base) "libc"))
            (core module $app
                (import "env" "memory" (memory 1))
                (import "env" "table" (table 1 funcref))
                (import "env" "slot" (global $slot i32))
                (import "env" "base" (global $base i32))
                (import "got" "x" (global $got (mut i32)))
                (import "libc" "malloc" (func $malloc (param i32) (result i32)))
                (func $run (export "run") (result i32) (call $malloc (global.get $got)))
                (elem (i32.add (global.get $slot) (i32.const 1)) $run)
                (data (i32.add (global.get $base) (i32.const 16)) "app"))
            (core instance $env (instantiate $env))
            (core instance $libc (instantiate $libc (with "env" (instance $env))))
            (alias core export $env "got" (core global $g))
            (core instance $got (export "x" (global $g)))
            (core instance $app (instantiate $app (with "env" (instance $env))
                (with "got" (instance $got)) (with "libc" (instance $libc))))
            (func (export "run") (result u32) (canon lift (core func $app "run"))))"#,
    );
    assert_eq!(flat.report.instances, (3, 1));
    assert_eq!(flat.report.functions, (3, 2));
    // Only the stack pointer is ever written.
    assert_eq!(flat.report.globals, (4, 1));
    let [shape] = shapes(&flat).try_into().unwrap();
    let expected = Shape {
        exports: vec!["run".into()],
        data: vec![Some(1024), Some(1040)],
        memories: 1,
        tables: 1,
        globals: 1,
        code: [
            "GlobalGet { global_index: 0 }",
            "LocalGet { local_index: 0 }",
            "I32Add",
            "GlobalSet { global_index: 0 }",
            "I32Const { value: 1024 }",
            "I32Const { value: 7 }",
            "Call { function_index: 0 }",
        ]
        .map(str::to_owned)
        .to_vec(),
        ..Shape::default()
    };
    assert_eq!(shape, expected);
}

/// As `wit-component` writes it: a function that needs the memory goes through
/// a shim's table, which a fixup fills.
const SHIM: &str = r#"
    (import "say" (func $say (param "text" string)))
    (import "tick" (func $tick))
    (core module $shim
        (table (export "t") 1 1 funcref)
        (type $f (func (param i32 i32)))
        (func (export "0") (param i32 i32)
            (call_indirect (type $f) (local.get 0) (local.get 1) (i32.const 0))))
    (core module $fixup
        (import "" "t" (table 1 1 funcref))
        (import "" "0" (func (param i32 i32)))
        (elem (i32.const 0) func 0))
    (core module $main
        (import "host" "say" (func $say (param i32 i32)))
        (import "host" "tick" (func $tick))
        (memory (export "memory") 1)
        (data (i32.const 8) "hello")
        (func (export "run") (call $tick) (call $say (i32.const 8) (i32.const 5))))
    (core instance $shim (instantiate $shim))
    (alias core export $shim "0" (core func $say-shim))
    (core func $tick' (canon lower (func $tick)))
    (core instance $host (export "say" (func $say-shim)) (export "tick" (func $tick')))
    (core instance $main (instantiate $main (with "host" (instance $host))))
    (alias core export $main "memory" (core memory $memory))
    (core func $say' (canon lower (func $say) (memory $memory)))
    (alias core export $shim "t" (core table $t))
    (core instance $fill (export "t" (table $t)) (export "0" (func $say')))
    (core instance $fixed (instantiate $fixup (with "" (instance $fill))))"#;

#[test]
fn the_fixup_stays() {
    let flat = flat(&format!(
        r#"(component {SHIM} (func (export "run") (canon lift (core func $main "run"))))"#
    ));
    assert_eq!(flat.report.instances, (3, 2));
    let [merged, fixup] = shapes(&flat).try_into().unwrap();
    assert_eq!(merged.imports, ["host#tick"]);
    assert_eq!(merged.exports, ["memory", "run", "t"]);
    assert_eq!(merged.data, [Some(8)]);
    assert!(!merged.start);
    assert_eq!(fixup.imports, ["t", "0"]);
}

#[test]
fn a_start_function_after_the_fixup_runs_after_it() {
    let flat = flat(&format!(
        r#"(component {SHIM}
            (core module $init (import "main" "run" (func)) (start 0))
            (core instance (instantiate $init (with "main" (instance $main)))))"#
    ));
    let [merged, _, starter] = shapes(&flat).try_into().unwrap();
    assert!(!merged.start);
    assert_eq!(starter.imports, ["start-1"]);
    assert!(starter.start);
    assert!(merged.exports.contains(&"start-1".to_owned()));
}

#[test]
fn segments_after_a_start_function_are_written_after_it() {
    let flat = flat(
        r#"(component
            (core module $a
                (memory (export "m") 1)
                (data (i32.const 0) "a")
                (func $start (i32.store8 (i32.const 1) (i32.load8_u (i32.const 0))))
                (start $start))
            (core module $b
                (import "a" "m" (memory 1))
                (data (i32.const 0) "bc")
                (func $start (i32.store8 (i32.const 2) (i32.const 7)))
                (start $start))
            (core instance $a (instantiate $a))
            (core instance (instantiate $b (with "a" (instance $a)))))"#,
    );
    let [shape] = shapes(&flat).try_into().unwrap();
    assert!(shape.start);
    assert_eq!(shape.data, [Some(0), None]);
    assert_eq!(
        shape.code[shape.code.len() - 7..],
        [
            "Call { function_index: 0 }",
            "I32Const { value: 0 }",
            "I32Const { value: 0 }",
            "I32Const { value: 2 }",
            "MemoryInit { data_index: 1, mem: 0 }",
            "DataDrop { data_index: 1 }",
            "Call { function_index: 1 }",
        ]
    );
}

#[test]
fn a_module_that_is_instantiated_twice_is_two_copies() {
    let flat = flat(
        r#"(component
            (core module $m
                (memory 1)
                (global $n (mut i32) (i32.const 0))
                (elem declare func $next)
                (func $next (export "next") (result i32)
                    (drop (ref.func $next))
                    (global.set $n (i32.add (global.get $n) (i32.const 1)))
                    (memory.fill (i32.const 0) (i32.const 1) (i32.const 2))
                    (global.get $n)))
            (core instance $a (instantiate $m))
            (core instance $b (instantiate $m))
            (func (export "a") (result u32) (canon lift (core func $a "next")))
            (func (export "b") (result u32) (canon lift (core func $b "next"))))"#,
    );
    assert_eq!(flat.report.instances, (2, 1));
    let [shape] = shapes(&flat).try_into().unwrap();
    assert_eq!((shape.memories, shape.globals), (2, 2));
    assert_eq!(shape.exports, ["next", "next'"]);
}

#[test]
fn flattening_twice_changes_no_more() {
    let once = flat(&format!(
        r#"(component {SHIM} (func (export "run") (canon lift (core func $main "run"))))"#
    ));
    let twice = flatten(&once.component).unwrap();
    assert_eq!(shapes(&once), {
        let mut shapes = shapes(&twice);
        // Imports take the name of the module that they came from.
        shapes[0].imports = vec!["host#tick".into()];
        shapes
    });
}

#[test]
fn nested_components_and_types_are_carried_over() {
    let flat = flat(
        r#"(component
            (component $inner
                (core module $m (func (export "f") (result i32) (i32.const 1)))
                (core instance $i (instantiate $m))
                (func (export "f") (result u32) (canon lift (core func $i "f"))))
            (core module $m (func (export "g") (result i32) (i32.const 2)))
            (core instance $i (instantiate $m))
            (instance $inner (instantiate $inner))
            (func (export "g") (result u32) (canon lift (core func $i "g")))
            (export "inner" (instance $inner)))"#,
    );
    assert_eq!(flat.report.instances, (1, 1));
    assert_eq!(shapes(&flat).len(), 2);
}

#[test]
fn what_is_not_supported_is_said() {
    assert_eq!(unsupported(r#"(component (import "m" (core module)))"#), Feature::ModuleValue);
    assert_eq!(
        unsupported(
            r#"(component (core module $m (type (struct))) (core instance (instantiate $m)))"#
        ),
        Feature::Type
    );
    assert_eq!(
        unsupported(
            r#"(component (core module $m)
                (component (alias outer 1 $m (core module $n)) (core instance (instantiate $n))))"#
        ),
        Feature::ModuleValue
    );
}

#[test]
fn what_is_not_a_component_is_an_error() {
    let module = wat::parse_str("(module)").unwrap();
    assert!(matches!(flatten(&module), Err(Error::CoreModule)));
    for bytes in [b"".as_slice(), b"\0asm", b"\0asm\x0d\0\x01\0\x01\xff"] {
        assert!(matches!(flatten(bytes), Err(Error::Input(_))), "{bytes:?}");
    }
}
