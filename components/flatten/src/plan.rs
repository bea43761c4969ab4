//! Which instances are merged, and in what order their parts take effect.
//!
//! An instance is merged unless it needs something that exists only once the
//! merged instance does: a function of the canonical ABI with a memory or an
//! allocator. In what `wit-component` makes that is the "fixup" alone, which
//! puts these functions into the table of its "shim". Such *late* instances
//! stay as they are.
//!
//! Merging makes all active segments take effect first, then the start
//! function. Where that would not be the original order, that is for segments
//! after a start function or after a late instance that writes the same table
//! or memory, the segments are made passive and written by code.

use std::collections::BTreeSet;

use wasmparser::{DataKind, ElementKind};

use crate::error::{Error, Feature};
use crate::graph::{Entity, Graph, Item};
use crate::module::{Kind, Module};

/// A thing to do while instantiating.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Write an instance's active segments.
    Segments(usize),
    /// Call an instance's start function.
    Start(Entity),
}

/// A part of the instantiation's order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Code of the merged module.
    Steps(Vec<Step>),
    /// A late instance is made.
    Late(usize),
}

/// The plan.
pub(crate) struct Plan {
    /// The instances to merge, in order.
    pub merged: Vec<usize>,
    /// Those whose active segments become passive.
    pub deferred: BTreeSet<usize>,
    /// What happens after the merged module's own segments.
    pub turns: Vec<Turn>,
    /// The first item that needs a core instance: all of `turns` comes before.
    pub barrier: usize,
    /// What must be visible outside of the merged module.
    pub roots: BTreeSet<Entity>,
}

/// The limits beyond which [`Feature::Size`] is reported.
const MAX_BYTES: usize = 1 << 30;
const MAX_FUNCS: usize = 1_000_000;

impl Plan {
    pub(crate) fn new(graph: &Graph<'_>) -> Result<Self, Error> {
        let first = |item: &Item<'_>| matches!(item, Item::Lift(_) | Item::Instantiate(_));
        let barrier = graph.items.iter().position(first).unwrap_or(graph.items.len());
        let mut plan = Plan {
            merged: Vec::new(),
            deferred: BTreeSet::new(),
            turns: Vec::new(),
            barrier,
            roots: BTreeSet::new(),
        };
        let mut late = BTreeSet::new();
        // What late instances wrote, and whether any code has run.
        let mut written = BTreeSet::new();
        let mut started = false;
        for (position, item) in graph.items.iter().enumerate() {
            let &Item::Instance(instance) = item else {
                continue;
            };
            let (module, imports) = graph.module(instance)?;
            let targets = targets(graph, instance, module)?;
            let is_late = position > barrier
                || imports.iter().any(|entity| match entity {
                    Entity::Canon(canon) => {
                        graph.canons.get(*canon).is_none_or(|canon| !canon.needs.is_empty())
                    }
                    Entity::Def { instance, .. } => late.contains(instance),
                });
            if is_late {
                late.insert(instance);
                written.extend(targets);
                started |= module.start.is_some();
                plan.roots.extend(imports);
                if position < barrier {
                    plan.turns.push(Turn::Late(instance));
                }
                continue;
            }
            plan.merged.push(instance);
            if !targets.is_empty() && (started || !targets.is_disjoint(&written)) {
                plan.deferred.insert(instance);
                plan.step(Step::Segments(instance));
            }
            if let Some(start) = module.start {
                started = true;
                plan.step(Step::Start(graph.local(instance, Kind::Func, start)?));
            }
        }
        for canon in &graph.canons {
            plan.roots.extend(&canon.needs);
        }
        for item in &graph.items {
            if let Item::Lift(lift) = item {
                plan.roots.extend(&lift.needs);
            }
        }
        plan.check_size(graph)?;
        Ok(plan)
    }

    fn step(&mut self, step: Step) {
        match self.turns.last_mut() {
            Some(Turn::Steps(steps)) => steps.push(step),
            _ => self.turns.push(Turn::Steps(vec![step])),
        }
    }

    /// An instance is a copy of its module, so that a small file could ask for
    /// a very large one.
    fn check_size(&self, graph: &Graph<'_>) -> Result<(), Error> {
        let (mut bytes, mut funcs) = (0usize, 0usize);
        for &instance in &self.merged {
            let (module, _) = graph.module(instance)?;
            bytes = bytes.saturating_add(module.bytes.len());
            funcs = funcs.saturating_add(module.funcs.len());
        }
        if bytes > MAX_BYTES || funcs > MAX_FUNCS {
            return Err(Error::Unsupported(Feature::Size));
        }
        Ok(())
    }
}

/// The tables and memories that an instance's active segments write.
fn targets(
    graph: &Graph<'_>,
    instance: usize,
    module: &Module<'_>,
) -> Result<BTreeSet<Entity>, Error> {
    let mut targets = BTreeSet::new();
    for element in &module.elements {
        if let ElementKind::Active { table_index, .. } = element.kind {
            targets.insert(graph.local(instance, Kind::Table, table_index.unwrap_or(0))?);
        }
    }
    for data in &module.data {
        if let DataKind::Active { memory_index, .. } = data.kind {
            targets.insert(graph.local(instance, Kind::Memory, memory_index)?);
        }
    }
    Ok(targets)
}
