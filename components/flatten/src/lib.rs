//! Merges the core modules of a component into one.
//!
//! A component that was linked from shared libraries, as `componentize-py`
//! makes it, has a core module for each of them. They share a memory, a table
//! and globals by importing them, which costs at every instantiation (the
//! table is filled element by element, for it is another module's) and at
//! every call between them. [`flatten`] gives a component of the same world,
//! and the same behaviour, that has one core module for all of them:
//!
//! - memory, table and globals are the module's own, so that a runtime can
//!   prepare their first contents ahead of time;
//! - calls between the modules are direct calls;
//! - a global that nothing writes is a constant, in code and in the offsets of
//!   segments, and the size of a table that nothing grows is known;
//! - functions that nothing can reach are gone.
//!
//! ```
//! let component = wat::parse_str(
//!     r#"(component
//!         (core module $a (memory (export "m") 1) (global (export "base") i32 (i32.const 8)))
//!         (core module $b
//!             (import "a" "m" (memory 1))
//!             (import "a" "base" (global i32))
//!             (data (global.get 0) "hello"))
//!         (core instance $a (instantiate $a))
//!         (core instance (instantiate $b (with "a" (instance $a)))))"#,
//! )?;
//! let flat = june_flatten::flatten(&component)?;
//! assert_eq!(flat.report.instances, (2, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # How
//!
//! `graph` reads the component and resolves every import, alias and export to
//! what it stands for. `plan` decides what is merged and in what order it
//! takes effect. `fold` knows the constants, `live` what can be reached,
//! `layout` where everything goes; `merge` and `segments` write the module,
//! and `emit` the component around it. The component's own level (its world,
//! its nested components, the options of each lifted and lowered function) is
//! carried over as it is.
//!
//! Apart from that, [`make_immortal`] keeps instances of a flattened CPython
//! snapshot from writing to the objects that they merely use.
//!
//! # What is not supported
//!
//! Each of these is an [`Error`], never a wrong merge: core modules as values
//! (imported, exported or passed to a nested component), component start
//! functions, core types other than plain function types, and constant
//! expressions of the garbage collection proposal. Core modules in nested
//! components stay as they are. Custom sections of core modules are dropped,
//! but for the names of functions and globals; of the component's, only its
//! names are.

mod emit;
mod error;
mod fold;
mod graph;
mod immortal;
mod layout;
mod live;
mod merge;
mod module;
mod plan;
mod segments;

pub use error::{Error, Feature};
pub use immortal::{ImmortalError, make_immortal};

use wasmparser::{Validator, WasmFeatures};

/// A flattened component.
#[derive(Debug, Clone)]
pub struct Flattened {
    /// The component.
    pub component: Vec<u8>,
    /// What was done.
    pub report: Report,
}

/// What flattening did: each pair is a number before and after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    /// Instances of core modules at the component's own level.
    pub instances: (usize, usize),
    /// Functions that the merged modules define.
    pub functions: (usize, usize),
    /// Globals that the merged modules define.
    pub globals: (usize, usize),
}

/// Merges the core modules of a component.
///
/// The input is validated first, and the output last.
pub fn flatten(component: &[u8]) -> Result<Flattened, Error> {
    if component.get(4..8) == Some([1, 0, 0, 0].as_slice()) {
        return Err(Error::CoreModule);
    }
    validator().validate_all(component)?;
    let graph = graph::Graph::read(component)?;
    let plan = plan::Plan::new(&graph)?;
    let merged = merge::merge(&graph, &plan)?;
    let output = emit::emit(&graph, &plan, &merged)?;
    validator().validate_all(&output).map_err(Error::Output)?;
    let before = graph.items.iter().filter(|item| matches!(item, graph::Item::Instance(_))).count();
    let extra = usize::from(!plan.merged.is_empty()) + merged.starters.len();
    Ok(Flattened {
        component: output,
        report: Report {
            instances: (before, before - plan.merged.len() + extra),
            functions: merged.funcs,
            globals: merged.globals,
        },
    })
}

/// What Wasmtime can be configured to run.
fn validator() -> Validator {
    Validator::new_with_features(WasmFeatures::default())
}
