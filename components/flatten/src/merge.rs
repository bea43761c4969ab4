//! Writing the merged module.

use std::collections::{BTreeMap, BTreeSet};

use wasm_encoder::reencode::Reencode;
use wasm_encoder::{
    CodeSection, ConstExpr, DataCountSection, EntityType, ExportKind, ExportSection,
    FunctionSection, GlobalSection, ImportSection, MemorySection, Module, NameMap, NameSection,
    StartSection, TableSection, TagSection,
};
use wasmparser::TableInit;

use crate::error::Error;
use crate::fold::{Globals, Value};
use crate::graph::{Entity, Graph};
use crate::layout::{Layout, Rewriter};
use crate::live::Live;
use crate::module::Kind;
use crate::plan::{Plan, Turn};

/// The merged module.
pub(crate) struct Merged {
    pub bytes: Vec<u8>,
    /// The functions of the canonical ABI that it imports, all from `""`.
    pub imports: Vec<(String, usize)>,
    pub exports: BTreeMap<Entity, String>,
    /// The exported functions for turns of steps after the first turn.
    pub starters: BTreeMap<usize, String>,
    /// How many functions and globals were there, and are.
    pub funcs: (usize, usize),
    pub globals: (usize, usize),
}

/// Merges what the plan says.
pub(crate) fn merge(graph: &Graph<'_>, plan: &Plan) -> Result<Merged, Error> {
    let globals = Globals::new(graph, &plan.merged)?;
    let live = Live::new(graph, plan, &globals)?;
    let layout = Layout::new(graph, plan, &live, &globals)?;
    let mut writer = Writer { graph, plan, globals: &globals, live: &live, layout };
    writer.write()
}

/// What all sections are written from.
pub(crate) struct Writer<'w, 'a> {
    pub graph: &'w Graph<'a>,
    pub plan: &'w Plan,
    pub globals: &'w Globals,
    pub live: &'w Live,
    pub layout: Layout,
}

impl<'a> Writer<'_, 'a> {
    fn write(&mut self) -> Result<Merged, Error> {
        let nothing = self.layout.ty(wasm_encoder::FuncType::new([], []));
        let (imports, import_section) = self.imports()?;
        let mut functions = FunctionSection::new();
        let mut code = CodeSection::new();
        for &entity in &self.layout.funcs {
            self.function(entity, &mut functions, &mut code)?;
        }
        let mut exports = self.exports()?;
        let (mut start, mut starters) = (None, BTreeMap::new());
        let mut start_names = Vec::new();
        for (turn, steps) in self.plan.turns.iter().enumerate() {
            let Turn::Steps(steps) = steps else { continue };
            let index = (imports.len() as u32) + functions.len();
            functions.function(nothing);
            code.function(&self.steps(steps)?);
            let name = exports.names.unique(format!("start-{turn}"));
            start_names.push(name.clone());
            if turn == 0 {
                start = Some(index);
            } else {
                exports.section.export(&name, ExportKind::Func, index);
                starters.insert(turn, name);
            }
        }
        let (tables, memories, tags) = self.spaces()?;
        let elements = self.elements()?;
        let data = self.data()?;
        let mut module = Module::new();
        module.section(&self.layout.types).section(&import_section).section(&functions);
        module.section(&tables).section(&memories);
        if !tags.is_empty() {
            module.section(&tags);
        }
        module.section(&self.global_section()?).section(&exports.section);
        if let Some(function_index) = start {
            module.section(&StartSection { function_index });
        }
        module.section(&elements);
        if !data.is_empty() {
            module.section(&DataCountSection { count: data.len() });
        }
        module.section(&code).section(&data).section(&self.names(&imports, &start_names)?);
        let count = |of: fn(&crate::module::Module<'_>) -> usize| {
            let modules = self.plan.merged.iter().filter_map(|&i| self.graph.module(i).ok());
            modules.map(|(module, _)| of(module)).sum::<usize>()
        };
        Ok(Merged {
            bytes: module.finish(),
            imports,
            exports: exports.of,
            starters,
            funcs: (count(|module| module.funcs.len()), self.layout.funcs.len()),
            globals: (count(|module| module.globals.len()), self.layout.globals.len()),
        })
    }

    pub(crate) fn rewriter(&self, instance: usize) -> Result<Rewriter<'_, 'a>, Error> {
        self.layout.rewriter(self.graph, self.globals, instance)
    }

    /// The functions of the canonical ABI, under the names that a module
    /// imported them by.
    fn imports(&self) -> Result<(Vec<(String, usize)>, ImportSection), Error> {
        let mut found = BTreeMap::new();
        for &instance in &self.plan.merged {
            let (module, entities) = self.graph.module(instance)?;
            for (import, entity) in module.imports.iter().zip(entities) {
                if let Entity::Canon(canon) = entity {
                    found.entry(*canon).or_insert((instance, import));
                }
            }
        }
        let mut section = ImportSection::new();
        let mut list = Vec::new();
        let mut taken = Taken::default();
        for canon in &self.layout.imports {
            let (instance, import) = found.get(canon).ok_or(Error::Dangling("an import"))?;
            let name = taken.unique(format!("{}#{}", import.module, import.name));
            let ty = self.rewriter(*instance)?.type_index(import.ty)?;
            section.import("", &name, EntityType::Function(ty));
            list.push((name, *canon));
        }
        Ok((list, section))
    }

    fn function(
        &self,
        entity: Entity,
        functions: &mut FunctionSection,
        code: &mut CodeSection,
    ) -> Result<(), Error> {
        let missing = Error::Dangling("a function");
        let Entity::Def { instance, index, .. } = entity else {
            return Err(missing);
        };
        let (module, _) = self.graph.module(instance)?;
        let at = index.saturating_sub(module.imported(Kind::Func)) as usize;
        let (Some(&ty), Some(body)) = (module.funcs.get(at), module.bodies.get(at)) else {
            return Err(missing);
        };
        let mut rewriter = self.rewriter(instance)?;
        functions.function(rewriter.type_index(ty)?);
        rewriter.parse_function_body(code, body.clone())?;
        Ok(())
    }

    fn spaces(&self) -> Result<(TableSection, MemorySection, TagSection), Error> {
        let (mut tables, mut memories, mut tags) =
            (TableSection::new(), MemorySection::new(), TagSection::new());
        for &instance in &self.plan.merged {
            let (module, _) = self.graph.module(instance)?;
            let mut rewriter = self.rewriter(instance)?;
            for (index, table) in (module.imported(Kind::Table)..).zip(&module.tables) {
                let mut ty = rewriter.table_type(table.ty)?;
                let kind = Kind::Table;
                if !self.live.grown.contains(&Entity::Def { instance, kind, index }) {
                    // A known size spares a load in each indirect call.
                    ty.maximum = Some(ty.minimum);
                }
                match &table.init {
                    TableInit::RefNull => tables.table(ty),
                    TableInit::Expr(expr) => {
                        tables.table_with_init(ty, &self.constant(instance, expr)?)
                    }
                };
            }
            for memory in &module.memories {
                memories.memory(rewriter.memory_type(*memory)?);
            }
            for tag in &module.tags {
                tags.tag(rewriter.tag_type(*tag)?);
            }
        }
        Ok((tables, memories, tags))
    }

    fn global_section(&self) -> Result<GlobalSection, Error> {
        let mut section = GlobalSection::new();
        for &entity in &self.layout.globals {
            let missing = Error::Dangling("a global");
            let Entity::Def { instance, index, .. } = entity else {
                return Err(missing);
            };
            let (module, _) = self.graph.module(instance)?;
            let at = index.saturating_sub(module.imported(Kind::Global)) as usize;
            let global = module.globals.get(at).ok_or(missing)?;
            let ty = self.rewriter(instance)?.global_type(global.ty)?;
            section.global(ty, &self.encode(self.globals.value(entity)?)?);
        }
        Ok(section)
    }

    fn exports(&self) -> Result<Exports, Error> {
        let mut exports = Exports::default();
        for &entity in &self.plan.roots {
            let Entity::Def { instance, kind, index } = entity else {
                continue;
            };
            if !self.plan.merged.contains(&instance) {
                continue;
            }
            let (module, _) = self.graph.module(instance)?;
            let name = module.exports.iter().find(|(_, at)| **at == (kind, index));
            let (name, _) = name.ok_or(Error::Dangling("an export"))?;
            let name = exports.names.unique((*name).to_owned());
            exports.section.export(&name, kind.export(), self.layout.of(entity)?);
            exports.of.insert(entity, name);
        }
        Ok(exports)
    }

    /// A constant expression's value, encoded.
    pub(crate) fn constant(
        &self,
        instance: usize,
        expr: &wasmparser::ConstExpr<'_>,
    ) -> Result<ConstExpr, Error> {
        self.encode(self.globals.evaluate(self.graph, instance, expr)?)
    }

    fn encode(&self, value: Value) -> Result<ConstExpr, Error> {
        let null = |instance, ty| Ok(self.rewriter(instance)?.heap_type(ty)?);
        value.encode(|func| self.layout.of(func), null)
    }

    /// Names for profiles and traces.
    fn names(&self, imports: &[(String, usize)], starts: &[String]) -> Result<NameSection, Error> {
        let (mut funcs, mut globals) = (NameMap::new(), NameMap::new());
        let mut next = 0;
        let mut append = |name: Option<&str>| {
            if let Some(name) = name {
                funcs.append(next, name);
            }
            next += 1;
        };
        for (name, _) in imports {
            append(Some(name));
        }
        for &entity in &self.layout.funcs {
            let Entity::Def { instance, index, .. } = entity else {
                continue;
            };
            append(self.graph.module(instance)?.0.func_names.get(&index).copied());
        }
        for name in starts {
            append(Some(name));
        }
        for (at, &entity) in (0..).zip(&self.layout.globals) {
            let Entity::Def { instance, index, .. } = entity else {
                continue;
            };
            if let Some(name) = self.graph.module(instance)?.0.global_names.get(&index) {
                globals.append(at, name);
            }
        }
        let mut section = NameSection::new();
        section.functions(&funcs);
        section.globals(&globals);
        Ok(section)
    }
}

/// The exports of the merged module.
#[derive(Default)]
struct Exports {
    section: ExportSection,
    of: BTreeMap<Entity, String>,
    names: Taken,
}

/// Names that are taken.
#[derive(Default)]
struct Taken(BTreeSet<String>);

impl Taken {
    /// This name, or a longer one.
    fn unique(&mut self, mut name: String) -> String {
        while !self.0.insert(name.clone()) {
            name.push('\'');
        }
        name
    }
}
