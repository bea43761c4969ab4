//! The component, read into a graph of core instances and the functions that
//! the canonical ABI makes for them.
//!
//! Everything is resolved while it is read: an import, an alias or an export
//! of a core instance is at once the [`Entity`] that it stands for, since a
//! component refers only to what came before. What is of the component's own
//! level (types, imports, nested components, …) is kept as bytes, for its
//! indices do not change.

use std::collections::BTreeMap;

use wasm_encoder::reencode::{self, Reencode, ReencodeComponent};
use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, Encoding, Instance, KnownCustom, Parser, Payload,
};

use crate::error::{Error, Feature};
use crate::module::{Kind, Module};

/// A thing in the core index spaces, whatever its names and aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Entity {
    /// A function of the canonical ABI: an index into [`Graph::canons`].
    Canon(usize),
    /// What an instance's module defines: `index` is in the module's own
    /// index space, so at or after its imports.
    Def { instance: usize, kind: Kind, index: u32 },
}

/// A function that the canonical ABI makes.
pub(crate) struct Canon {
    pub func: CanonicalFunction,
    /// The core functions, memories and tables in its options.
    pub needs: Vec<Entity>,
}

/// A core instance.
pub(crate) enum CoreInstance<'a> {
    /// Made from a module: what each of its imports is.
    Module { module: usize, imports: Vec<Entity> },
    /// A bag of names.
    Exports(BTreeMap<&'a str, Entity>),
}

/// A step of the component, in its order.
pub(crate) enum Item<'a> {
    /// A section that has nothing of the core spaces.
    Raw(u8, &'a [u8]),
    /// A nested component is instantiated, maybe with effects.
    Instantiate(&'a [u8]),
    Alias(ComponentAlias<'a>),
    /// A core function of the canonical ABI, in [`Graph::canons`].
    Canon(usize),
    /// A component function made from a core function.
    Lift(Canon),
    /// A core instance made from a module.
    Instance(usize),
}

/// A component.
#[derive(Default)]
pub(crate) struct Graph<'a> {
    pub modules: Vec<Module<'a>>,
    pub instances: Vec<CoreInstance<'a>>,
    pub canons: Vec<Canon>,
    pub items: Vec<Item<'a>>,
    /// The core index spaces.
    pub spaces: [Vec<Entity>; Kind::COUNT],
}

impl<'a> Graph<'a> {
    /// Reads a component, which has been validated.
    pub(crate) fn read(input: &'a [u8]) -> Result<Self, Error> {
        let mut graph = Graph::default();
        let mut depth = 0u32;
        for payload in Parser::new(0).parse_all(input) {
            let payload = payload?;
            match &payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    if depth == 0 {
                        graph.modules.push(Module::read(input, unchecked_range.clone())?);
                    }
                    depth += 1;
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    if depth == 0 {
                        graph.raw(input, &payload, unchecked_range.clone())?;
                    }
                    depth += 1;
                }
                Payload::End(_) => depth = depth.saturating_sub(1),
                Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => {
                    return Err(Error::CoreModule);
                }
                _ if depth == 0 => graph.payload(input, payload)?,
                // Outside a nested component, only its aliases reach us.
                Payload::ComponentAliasSection(section) => {
                    for alias in section.clone() {
                        if let ComponentAlias::Outer { kind, count, .. } = alias?
                            && kind == ComponentOuterAliasKind::CoreModule
                            && count >= depth
                        {
                            return Err(Error::Unsupported(Feature::ModuleValue));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(graph)
    }

    /// What an export of a core instance is.
    fn export(&self, instance: usize, name: &str) -> Result<Entity, Error> {
        let missing = Error::Dangling("an export");
        match self.instances.get(instance) {
            Some(CoreInstance::Exports(exports)) => exports.get(name).copied().ok_or(missing),
            Some(CoreInstance::Module { module, .. }) => {
                let module = self.modules.get(*module).ok_or(Error::Dangling("a module"))?;
                let &(kind, index) = module.exports.get(name).ok_or(missing)?;
                self.local(instance, kind, index)
            }
            None => Err(Error::Dangling("a core instance")),
        }
    }

    /// What an index in an instance's module is: an import's entity, or its
    /// own.
    pub(crate) fn local(&self, instance: usize, kind: Kind, index: u32) -> Result<Entity, Error> {
        let (module, imports) = self.module(instance)?;
        if index >= module.imported(kind) {
            return Ok(Entity::Def { instance, kind, index });
        }
        let position = module.imported[kind as usize].get(index as usize);
        let entity = position.and_then(|&position| imports.get(position));
        entity.copied().ok_or(Error::Dangling("an import"))
    }

    /// The module that an instance was made from, and its imports.
    pub(crate) fn module(&self, instance: usize) -> Result<(&Module<'a>, &[Entity]), Error> {
        match self.instances.get(instance) {
            Some(CoreInstance::Module { module, imports }) => {
                let module = self.modules.get(*module).ok_or(Error::Dangling("a module"))?;
                Ok((module, imports))
            }
            _ => Err(Error::Dangling("a core instance")),
        }
    }

    /// Which module an instance was made from.
    pub(crate) fn module_of(&self, instance: usize) -> Result<usize, Error> {
        match self.instances.get(instance) {
            Some(CoreInstance::Module { module, .. }) => Ok(*module),
            _ => Err(Error::Dangling("a core instance")),
        }
    }

    fn space(&self, kind: Kind, index: u32) -> Result<Entity, Error> {
        let found = self.spaces[kind as usize].get(index as usize);
        found.copied().ok_or(Error::Dangling("a core index"))
    }

    fn raw(
        &mut self,
        input: &'a [u8],
        payload: &Payload<'a>,
        range: std::ops::Range<usize>,
    ) -> Result<(), Error> {
        let (id, _) = payload.as_section().ok_or(Error::Dangling("a section"))?;
        let bytes = input.get(range).ok_or(Error::Dangling("a section"))?;
        self.items.push(Item::Raw(id, bytes));
        Ok(())
    }

    fn payload(&mut self, input: &'a [u8], payload: Payload<'a>) -> Result<(), Error> {
        let value = Err(Error::Unsupported(Feature::ModuleValue));
        match &payload {
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    self.instance(instance?)?;
                }
                return Ok(());
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.alias(alias?)?;
                }
                return Ok(());
            }
            Payload::ComponentCanonicalSection(section) => {
                for func in section.clone() {
                    self.canonical(func?)?;
                }
                return Ok(());
            }
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    if let ComponentTypeRef::Module(_) = import?.ty {
                        return value;
                    }
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    if export?.kind == ComponentExternalKind::Module {
                        return value;
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                let mut effects = false;
                for instance in section.clone() {
                    let module = match instance? {
                        ComponentInstance::Instantiate { args, .. } => {
                            effects = true;
                            args.iter().any(|arg| arg.kind == ComponentExternalKind::Module)
                        }
                        ComponentInstance::FromExports(exports) => {
                            exports.iter().any(|e| e.kind == ComponentExternalKind::Module)
                        }
                    };
                    if module {
                        return value;
                    }
                }
                if effects {
                    let bytes = input.get(section.range()).ok_or(Error::Dangling("a section"))?;
                    self.items.push(Item::Instantiate(bytes));
                    return Ok(());
                }
            }
            Payload::ComponentStartSection { .. } => {
                return Err(Error::Unsupported(Feature::ComponentStart));
            }
            Payload::CustomSection(section) => {
                // Names of core items would be wrong now.
                if matches!(section.as_known(), KnownCustom::ComponentName(_)) {
                    return Ok(());
                }
            }
            Payload::CoreTypeSection(_) | Payload::ComponentTypeSection(_) => {}
            Payload::Version { .. } => return Ok(()),
            other => {
                let id = other.as_section().map_or(0, |(id, _)| id);
                return Err(Error::Unsupported(Feature::Section(id)));
            }
        }
        let (_, range) = payload.as_section().ok_or(Error::Dangling("a section"))?;
        self.raw(input, &payload, range)
    }

    fn instance(&mut self, instance: Instance<'a>) -> Result<(), Error> {
        let made = match instance {
            Instance::FromExports(exports) => {
                let mut names = BTreeMap::new();
                for export in &exports {
                    names.insert(export.name, self.space(Kind::of(export.kind)?, export.index)?);
                }
                CoreInstance::Exports(names)
            }
            Instance::Instantiate { module_index, args } => {
                let args: BTreeMap<_, _> =
                    args.iter().map(|arg| (arg.name, arg.index as usize)).collect();
                let index = module_index as usize;
                let module = self.modules.get(index).ok_or(Error::Dangling("a module"))?;
                let mut imports = Vec::with_capacity(module.imports.len());
                for import in &module.imports {
                    let from = args.get(import.module).ok_or(Error::Dangling("an import"))?;
                    imports.push(self.export(*from, import.name)?);
                }
                self.items.push(Item::Instance(self.instances.len()));
                CoreInstance::Module { module: index, imports }
            }
        };
        self.instances.push(made);
        Ok(())
    }

    fn alias(&mut self, alias: ComponentAlias<'a>) -> Result<(), Error> {
        match alias {
            ComponentAlias::CoreInstanceExport { kind, instance_index, name } => {
                let entity = self.export(instance_index as usize, name)?;
                self.spaces[Kind::of(kind)? as usize].push(entity);
            }
            ComponentAlias::InstanceExport { kind: ComponentExternalKind::Module, .. }
            | ComponentAlias::Outer { kind: ComponentOuterAliasKind::CoreModule, .. } => {
                return Err(Error::Unsupported(Feature::ModuleValue));
            }
            other => self.items.push(Item::Alias(other)),
        }
        Ok(())
    }

    fn canonical(&mut self, func: CanonicalFunction) -> Result<(), Error> {
        let mut needs = Needs { graph: self, found: Vec::new() };
        let mut scratch = wasm_encoder::CanonicalFunctionSection::new();
        needs.parse_component_canonical(&mut scratch, func.clone())?;
        let canon = Canon { needs: needs.found, func };
        if let CanonicalFunction::Lift { .. } = canon.func {
            self.items.push(Item::Lift(canon));
        } else {
            let index = self.canons.len();
            self.spaces[Kind::Func as usize].push(Entity::Canon(index));
            self.items.push(Item::Canon(index));
            self.canons.push(canon);
        }
        Ok(())
    }
}

/// Finds what the options of a canonical function refer to.
struct Needs<'g, 'a> {
    graph: &'g Graph<'a>,
    found: Vec<Entity>,
}

impl Needs<'_, '_> {
    fn find(&mut self, kind: Kind, index: u32) -> Result<u32, reencode::Error<Error>> {
        self.found.push(self.graph.space(kind, index)?);
        Ok(index)
    }
}

impl Reencode for Needs<'_, '_> {
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

impl ReencodeComponent for Needs<'_, '_> {}
