//! Where everything lies in the merged module, and the rewriting of types and
//! instructions to it.

use std::collections::{BTreeMap, HashMap};

use wasm_encoder::reencode::{self, Reencode, utils};
use wasm_encoder::{FuncType, Instruction, TypeSection};
use wasmparser::Operator;

use crate::error::{Error, Feature};
use crate::fold::Globals;
use crate::graph::{Entity, Graph};
use crate::live::Live;
use crate::module::Kind;
use crate::plan::Plan;

/// The merged module's index spaces.
#[derive(Default)]
pub(crate) struct Layout {
    /// Where an entity is.
    index: BTreeMap<Entity, u32>,
    /// The imports, the functions, and so on, in their order.
    pub imports: Vec<usize>,
    pub funcs: Vec<Entity>,
    pub globals: Vec<Entity>,
    pub types: TypeSection,
    known: HashMap<FuncType, u32>,
    /// Where a module's types are, by module.
    type_maps: BTreeMap<usize, Vec<u32>>,
    /// Where an instance's segments begin.
    pub elements: BTreeMap<usize, u32>,
    pub data: BTreeMap<usize, u32>,
}

impl Layout {
    pub(crate) fn new(
        graph: &Graph<'_>,
        plan: &Plan,
        live: &Live,
        globals: &Globals,
    ) -> Result<Self, Error> {
        let mut layout = Layout::default();
        for &entity in &live.seen {
            if let Entity::Canon(canon) = entity {
                layout.index.insert(entity, layout.imports.len() as u32);
                layout.imports.push(canon);
            }
        }
        let (mut tables, mut memories, mut tags) = (0, 0, 0);
        let (mut elements, mut data) = (0, 0);
        for &instance in &plan.merged {
            let (module, _) = graph.module(instance)?;
            let defined = |kind: Kind, count: usize| {
                let first = module.imported(kind);
                (first..first + count as u32).map(move |index| Entity::Def {
                    instance,
                    kind,
                    index,
                })
            };
            for entity in defined(Kind::Func, module.funcs.len()) {
                if live.seen.contains(&entity) {
                    let index = layout.imports.len() + layout.funcs.len();
                    layout.index.insert(entity, index as u32);
                    layout.funcs.push(entity);
                }
            }
            for entity in defined(Kind::Global, module.globals.len()) {
                let number = globals.value(entity)?.number().is_some();
                let folded = number && !live.written.contains(&entity);
                if !folded && live.seen.contains(&entity) {
                    layout.index.insert(entity, layout.globals.len() as u32);
                    layout.globals.push(entity);
                }
            }
            layout.number(defined(Kind::Table, module.tables.len()), &mut tables);
            layout.number(defined(Kind::Memory, module.memories.len()), &mut memories);
            layout.number(defined(Kind::Tag, module.tags.len()), &mut tags);
            layout.elements.insert(instance, elements);
            elements += module.elements.len() as u32;
            layout.data.insert(instance, data);
            data += module.data.len() as u32;
            layout.add_types(graph, instance)?;
        }
        Ok(layout)
    }

    fn number(&mut self, entities: impl Iterator<Item = Entity>, next: &mut u32) {
        for entity in entities {
            self.index.insert(entity, *next);
            *next += 1;
        }
    }

    /// Where an entity is.
    pub(crate) fn of(&self, entity: Entity) -> Result<u32, Error> {
        self.find(entity).ok_or(Error::Dangling("something that was not merged"))
    }

    fn find(&self, entity: Entity) -> Option<u32> {
        self.index.get(&entity).copied()
    }

    /// Where a function type is, which is added if it is new.
    pub(crate) fn ty(&mut self, ty: FuncType) -> u32 {
        let next = self.types.len();
        *self.known.entry(ty).or_insert_with_key(|ty| {
            self.types.ty().func_type(ty);
            next
        })
    }

    fn add_types(&mut self, graph: &Graph<'_>, instance: usize) -> Result<(), Error> {
        let key = graph.module_of(instance)?;
        if self.type_maps.contains_key(&key) {
            return Ok(());
        }
        let (module, _) = graph.module(instance)?;
        let mut map = Types(Vec::with_capacity(module.types.len()));
        for ty in &module.types {
            let index = self.ty(map.func_type(ty.clone())?);
            map.0.push(index);
        }
        self.type_maps.insert(key, map.0);
        Ok(())
    }

    /// The rewriting of one instance's code.
    pub(crate) fn rewriter<'r, 'a>(
        &'r self,
        graph: &'r Graph<'a>,
        globals: &'r Globals,
        instance: usize,
    ) -> Result<Rewriter<'r, 'a>, Error> {
        let key = graph.module_of(instance)?;
        let types = self.type_maps.get(&key).ok_or(Error::Dangling("a type"))?;
        Ok(Rewriter { layout: self, graph, globals, instance, types })
    }
}

/// The types of a module that are known so far.
struct Types(Vec<u32>);

impl Reencode for Types {
    type Error = Error;

    fn type_index(&mut self, ty: u32) -> Result<u32, reencode::Error<Error>> {
        // A type may refer to itself, but then it is not a plain one.
        let known = self.0.get(ty as usize).copied();
        Ok(known.ok_or(Error::Unsupported(Feature::Type))?)
    }
}

/// Rewrites what belongs to one instance.
pub(crate) struct Rewriter<'r, 'a> {
    layout: &'r Layout,
    graph: &'r Graph<'a>,
    globals: &'r Globals,
    instance: usize,
    types: &'r [u32],
}

impl Rewriter<'_, '_> {
    fn local(&self, kind: Kind, index: u32) -> Result<u32, reencode::Error<Error>> {
        Ok(self.layout.of(self.graph.local(self.instance, kind, index)?)?)
    }
}

impl Reencode for Rewriter<'_, '_> {
    type Error = Error;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.local(Kind::Func, index)
    }
    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.local(Kind::Table, index)
    }
    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.local(Kind::Memory, index)
    }
    fn global_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.local(Kind::Global, index)
    }
    fn tag_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.local(Kind::Tag, index)
    }
    fn type_index(&mut self, ty: u32) -> Result<u32, reencode::Error<Error>> {
        let found = self.types.get(ty as usize).copied();
        Ok(found.ok_or(Error::Dangling("a type"))?)
    }
    fn element_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        let base = self.layout.elements.get(&self.instance);
        Ok(base.ok_or(Error::Dangling("a segment"))? + index)
    }
    fn data_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        let base = self.layout.data.get(&self.instance);
        Ok(base.ok_or(Error::Dangling("a segment"))? + index)
    }

    /// A global without a place in the layout is a constant.
    fn instruction<'i>(
        &mut self,
        operator: Operator<'i>,
    ) -> Result<Instruction<'i>, reencode::Error<Error>> {
        if let Operator::GlobalGet { global_index } = operator {
            let entity = self.graph.local(self.instance, Kind::Global, global_index)?;
            if let Some(index) = self.layout.find(entity) {
                return Ok(Instruction::GlobalGet(index));
            }
            let number = self.globals.value(entity)?.number();
            return Ok(number.ok_or(Error::Dangling("a global"))?);
        }
        utils::instruction(self, operator)
    }
}
