//! What can be reached: functions that can run, globals that they use, and
//! which of these something writes.

use std::collections::BTreeSet;

use wasm_encoder::Instruction;
use wasm_encoder::reencode::{self, Reencode, utils};
use wasmparser::{ElementItems, ElementKind, Operator};

use crate::error::Error;
use crate::fold::{Globals, Value};
use crate::graph::{Entity, Graph};
use crate::module::Kind;
use crate::plan::{Plan, Step, Turn};

/// What is reachable in the merged module.
#[derive(Default)]
pub(crate) struct Live {
    /// Functions, of the canonical ABI and of merged instances, and the
    /// globals that code reads or writes.
    pub seen: BTreeSet<Entity>,
    /// Globals that something may write.
    pub written: BTreeSet<Entity>,
    /// Functions that code takes a reference to.
    pub referenced: BTreeSet<Entity>,
    /// Tables that something may grow.
    pub grown: BTreeSet<Entity>,
    /// Found, not yet looked into.
    work: Vec<Entity>,
}

impl Live {
    pub(crate) fn new(graph: &Graph<'_>, plan: &Plan, globals: &Globals) -> Result<Self, Error> {
        let merged: BTreeSet<usize> = plan.merged.iter().copied().collect();
        let mut live = Live::default();
        for &root in &plan.roots {
            match root {
                Entity::Def { instance, .. } if merged.contains(&instance) => {
                    // Who is outside may do anything.
                    live.written.insert(root);
                    live.grown.insert(root);
                    live.see(root);
                }
                _ => {}
            }
        }
        for turn in &plan.turns {
            if let Turn::Steps(steps) = turn {
                for step in steps {
                    if let &Step::Start(func) = step {
                        live.see(func);
                    }
                }
            }
        }
        for func in globals.funcs() {
            live.see(func);
        }
        for &instance in &plan.merged {
            live.elements(graph, instance, globals)?;
        }
        while let Some(entity) = live.work.pop() {
            live.body(graph, entity)?;
        }
        Ok(live)
    }

    fn see(&mut self, entity: Entity) {
        if self.seen.insert(entity) {
            self.work.push(entity);
        }
    }

    /// What segments hold can be called. Declared segments hold nothing: the
    /// merged module declares afresh what its code refers to.
    fn elements(
        &mut self,
        graph: &Graph<'_>,
        instance: usize,
        globals: &Globals,
    ) -> Result<(), Error> {
        let (module, _) = graph.module(instance)?;
        for element in &module.elements {
            if let ElementKind::Declared = element.kind {
                continue;
            }
            match &element.items {
                ElementItems::Functions(funcs) => {
                    for func in funcs.clone() {
                        self.see(graph.local(instance, Kind::Func, func?)?);
                    }
                }
                ElementItems::Expressions(_, exprs) => {
                    for expr in exprs.clone() {
                        if let Value::Func(func) = globals.evaluate(graph, instance, &expr?)? {
                            self.see(func);
                        }
                    }
                }
            }
        }
        for table in &module.tables {
            if let wasmparser::TableInit::Expr(expr) = &table.init
                && let Value::Func(func) = globals.evaluate(graph, instance, expr)?
            {
                self.see(func);
            }
        }
        Ok(())
    }

    fn body(&mut self, graph: &Graph<'_>, entity: Entity) -> Result<(), Error> {
        let Entity::Def { instance, kind: Kind::Func, index } = entity else {
            return Ok(());
        };
        let (module, _) = graph.module(instance)?;
        let defined = index.checked_sub(module.imported(Kind::Func));
        let body = defined.and_then(|index| module.bodies.get(index as usize));
        let body = body.ok_or(Error::Dangling("a function"))?;
        let mut scan = Scan { graph, instance, live: self };
        for operator in body.get_operators_reader()? {
            scan.instruction(operator?)?;
        }
        Ok(())
    }
}

/// Visits instructions for the indices that they hold.
struct Scan<'s, 'a> {
    graph: &'s Graph<'a>,
    instance: usize,
    live: &'s mut Live,
}

impl Reencode for Scan<'_, '_> {
    type Error = Error;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        let entity = self.graph.local(self.instance, Kind::Func, index)?;
        self.live.see(entity);
        Ok(index)
    }

    /// Reads do not come here.
    fn global_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        let entity = self.graph.local(self.instance, Kind::Global, index)?;
        self.live.seen.insert(entity);
        self.live.written.insert(entity);
        Ok(index)
    }

    fn instruction<'i>(
        &mut self,
        operator: Operator<'i>,
    ) -> Result<Instruction<'i>, reencode::Error<Error>> {
        match operator {
            Operator::GlobalGet { global_index } => {
                let entity = self.graph.local(self.instance, Kind::Global, global_index)?;
                self.live.seen.insert(entity);
                return Ok(Instruction::Nop);
            }
            Operator::RefFunc { function_index } => {
                let entity = self.graph.local(self.instance, Kind::Func, function_index)?;
                self.live.referenced.insert(entity);
            }
            Operator::TableGrow { table } => {
                let entity = self.graph.local(self.instance, Kind::Table, table)?;
                self.live.grown.insert(entity);
            }
            _ => {}
        }
        utils::instruction(self, operator)
    }
}
