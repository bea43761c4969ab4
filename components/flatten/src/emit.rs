//! Writing the component: its own level as it was, with the merged module in
//! place of its core instances.
//!
//! The order is the original's, but all core instances come right before the
//! first item that needs one. Until then there are only imports, types and
//! aliases, and the functions of the canonical ABI that the merged module
//! imports.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, CanonicalFunctionSection, Component, ComponentAliasSection, ComponentSectionId,
    EntityType, ImportSection, InstanceSection, Module, ModuleArg, ModuleSection, RawSection,
    StartSection, TypeSection,
};

use crate::error::Error;
use crate::graph::{Canon, Entity, Graph, Item};
use crate::merge::Merged;
use crate::module::Kind;
use crate::plan::{Plan, Turn};

/// Encodes the component.
pub(crate) fn emit(graph: &Graph<'_>, plan: &Plan, merged: &Merged) -> Result<Vec<u8>, Error> {
    let mut emitter = Emitter {
        graph,
        merged,
        members: plan.merged.iter().copied().collect(),
        component: Component::new(),
        counts: [0; Kind::COUNT],
        index: BTreeMap::new(),
        modules: 0,
        instances: 0,
        made: BTreeMap::new(),
        module_index: BTreeMap::new(),
        merged_instance: 0,
    };
    let imported: BTreeSet<usize> = merged.imports.iter().map(|(_, canon)| *canon).collect();
    let (before, after) = graph.items.split_at(plan.barrier.min(graph.items.len()));
    for item in before {
        match item {
            Item::Canon(canon) if imported.contains(canon) => emitter.canon(*canon)?,
            Item::Canon(_) | Item::Instance(_) => {}
            other => emitter.item(other, &plan.roots)?,
        }
    }
    if !plan.merged.is_empty() {
        emitter.merged()?;
    }
    // The turns, with the functions that late instances import before each.
    let mut turns = plan.turns.iter().enumerate();
    let starter = |emitter: &mut Emitter<'_, '_>, turn| match merged.starters.get(&turn) {
        Some(name) => emitter.starter(name),
        None => Ok(()),
    };
    for item in before {
        match item {
            Item::Canon(canon) if !imported.contains(canon) => {
                emitter.item(item, &plan.roots)?;
            }
            Item::Instance(instance) if !emitter.members.contains(instance) => {
                for (turn, what) in turns.by_ref() {
                    if *what == Turn::Late(*instance) {
                        break;
                    }
                    starter(&mut emitter, turn)?;
                }
                emitter.late(*instance)?;
            }
            _ => {}
        }
    }
    for (turn, _) in turns {
        starter(&mut emitter, turn)?;
    }
    for item in after {
        emitter.item(item, &plan.roots)?;
    }
    Ok(emitter.component.finish())
}

struct Emitter<'e, 'a> {
    graph: &'e Graph<'a>,
    merged: &'e Merged,
    members: BTreeSet<usize>,
    component: Component,
    /// The sizes of the core index spaces so far, and what is in them where.
    counts: [u32; Kind::COUNT],
    index: BTreeMap<Entity, u32>,
    modules: u32,
    instances: u32,
    /// Late instances and their modules.
    made: BTreeMap<usize, u32>,
    module_index: BTreeMap<usize, u32>,
    merged_instance: u32,
}

impl Emitter<'_, '_> {
    fn item(&mut self, item: &Item<'_>, roots: &BTreeSet<Entity>) -> Result<(), Error> {
        match item {
            Item::Raw(id, data) => {
                self.component.section(&RawSection { id: *id, data });
            }
            Item::Instantiate(data) => {
                let id = ComponentSectionId::Instance.into();
                self.component.section(&RawSection { id, data });
            }
            Item::Alias(alias) => {
                let mut section = ComponentAliasSection::new();
                let mut same = Indices { graph: self.graph, index: &self.index };
                section.alias(same.component_alias(alias.clone())?);
                self.component.section(&section);
            }
            Item::Canon(canon) => {
                if roots.contains(&Entity::Canon(*canon)) {
                    self.canon(*canon)?;
                }
            }
            Item::Lift(lift) => self.canonical(lift)?,
            Item::Instance(instance) => {
                if !self.members.contains(instance) {
                    self.late(*instance)?;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, kind: Kind, entity: Entity) {
        let count = &mut self.counts[kind as usize];
        self.index.insert(entity, *count);
        *count += 1;
    }

    fn canon(&mut self, index: usize) -> Result<(), Error> {
        let canon = self.graph.canons.get(index).ok_or(Error::Dangling("a function"))?;
        self.canonical(canon)?;
        self.push(Kind::Func, Entity::Canon(index));
        Ok(())
    }

    fn canonical(&mut self, canon: &Canon) -> Result<(), Error> {
        self.aliases(canon.needs.iter().copied())?;
        let mut section = CanonicalFunctionSection::new();
        let mut indices = Indices { graph: self.graph, index: &self.index };
        indices.parse_component_canonical(&mut section, canon.func.clone())?;
        self.component.section(&section);
        Ok(())
    }

    /// Brings exports of core instances into the index spaces.
    fn aliases(&mut self, entities: impl Iterator<Item = Entity>) -> Result<(), Error> {
        let mut section = ComponentAliasSection::new();
        for entity in entities {
            if self.index.contains_key(&entity) {
                continue;
            }
            let missing = Error::Dangling("an item that comes too late");
            let Entity::Def { instance, kind, index } = entity else {
                return Err(missing);
            };
            let (at, name) = if self.members.contains(&instance) {
                let name = self.merged.exports.get(&entity).ok_or(missing)?;
                (self.merged_instance, name.as_str())
            } else {
                let (module, _) = self.graph.module(instance)?;
                let found = module.exports.iter().find(|(_, at)| **at == (kind, index));
                let (Some((name, _)), Some(&at)) = (found, self.made.get(&instance)) else {
                    return Err(missing);
                };
                (at, *name)
            };
            section.alias(Alias::CoreInstanceExport { instance: at, kind: kind.export(), name });
            self.push(kind, entity);
        }
        if !section.is_empty() {
            self.component.section(&section);
        }
        Ok(())
    }

    fn module(&mut self, bytes: &[u8]) -> u32 {
        let id = ComponentSectionId::CoreModule.into();
        self.component.section(&RawSection { id, data: bytes });
        self.modules += 1;
        self.modules - 1
    }

    fn instance(&mut self, section: &InstanceSection) -> u32 {
        self.component.section(section);
        self.instances += section.len();
        self.instances - 1
    }

    fn merged(&mut self) -> Result<(), Error> {
        let merged = self.merged;
        let module = self.module(&merged.bytes);
        let mut exports = Vec::with_capacity(merged.imports.len());
        for (name, canon) in &merged.imports {
            let index = self.index.get(&Entity::Canon(*canon));
            let index = *index.ok_or(Error::Dangling("a function that comes too late"))?;
            exports.push((name.as_str(), Kind::Func.export(), index));
        }
        let mut section = InstanceSection::new();
        section.export_items(exports);
        section.instantiate(module, [("", ModuleArg::Instance(self.instances))]);
        self.merged_instance = self.instance(&section);
        Ok(())
    }

    /// An instance that stays as it was.
    fn late(&mut self, instance: usize) -> Result<(), Error> {
        let (module, entities) = self.graph.module(instance)?;
        self.aliases(entities.iter().copied())?;
        let key = self.graph.module_of(instance)?;
        let index = match self.module_index.get(&key) {
            Some(&index) => index,
            None => {
                let index = self.module(module.bytes);
                self.module_index.insert(key, index);
                index
            }
        };
        let mut args: BTreeMap<&str, BTreeMap<&str, _>> = BTreeMap::new();
        for (import, entity) in module.imports.iter().zip(entities) {
            let at = self.index.get(entity).ok_or(Error::Dangling("an import"))?;
            let names = args.entry(import.module).or_default();
            names.insert(import.name, (import.kind.export(), *at));
        }
        let mut section = InstanceSection::new();
        let mut with = Vec::with_capacity(args.len());
        for (name, items) in args {
            with.push((name, ModuleArg::Instance(self.instances + section.len())));
            section.export_items(items.into_iter().map(|(name, (kind, at))| (name, kind, at)));
        }
        section.instantiate(index, with);
        let made = self.instance(&section);
        self.made.insert(instance, made);
        Ok(())
    }

    /// A module whose start function is a function of the merged one.
    fn starter(&mut self, name: &str) -> Result<(), Error> {
        let mut types = TypeSection::new();
        types.ty().function([], []);
        let mut imports = ImportSection::new();
        imports.import("", name, EntityType::Function(0));
        let mut module = Module::new();
        module.section(&types).section(&imports).section(&StartSection { function_index: 0 });
        self.component.section(&ModuleSection(&module));
        self.modules += 1;
        let mut section = InstanceSection::new();
        section.instantiate(self.modules - 1, [("", ModuleArg::Instance(self.merged_instance))]);
        self.instance(&section);
        Ok(())
    }
}

/// Core indices of the original to those of the output.
struct Indices<'i, 'a> {
    graph: &'i Graph<'a>,
    index: &'i BTreeMap<Entity, u32>,
}

impl Indices<'_, '_> {
    fn find(&self, kind: Kind, index: u32) -> Result<u32, reencode::Error<Error>> {
        let entity = self.graph.spaces[kind as usize].get(index as usize);
        let found = entity.and_then(|entity| self.index.get(entity)).copied();
        Ok(found.ok_or(Error::Dangling("a core index"))?)
    }
}

impl Reencode for Indices<'_, '_> {
    type Error = Error;

    fn function_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.find(Kind::Func, index)
    }
    fn memory_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.find(Kind::Memory, index)
    }
    fn table_index(&mut self, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.find(Kind::Table, index)
    }
}

impl ReencodeComponent for Indices<'_, '_> {}
