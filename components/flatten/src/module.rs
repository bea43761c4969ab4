//! One core module, read into what merging needs of it.

use std::collections::BTreeMap;
use std::ops::Range;

use wasmparser::{
    CompositeInnerType, Data, Element, ExternalKind, FuncType, FunctionBody, Global, Imports,
    KnownCustom, MemoryType, Name, Parser, Payload, Table, TagType, TypeRef,
};

use crate::error::{Error, Feature};

/// One of the index spaces that modules share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Func,
    Table,
    Memory,
    Global,
    Tag,
}

impl Kind {
    /// The number of kinds, for arrays indexed by `kind as usize`.
    pub(crate) const COUNT: usize = 5;

    pub(crate) fn of(kind: ExternalKind) -> Result<Self, Error> {
        Ok(match kind {
            ExternalKind::Func => Kind::Func,
            ExternalKind::Table => Kind::Table,
            ExternalKind::Memory => Kind::Memory,
            ExternalKind::Global => Kind::Global,
            ExternalKind::Tag => Kind::Tag,
            ExternalKind::FuncExact => return Err(Error::Unsupported(Feature::ExactFunction)),
        })
    }

    pub(crate) fn export(self) -> wasm_encoder::ExportKind {
        match self {
            Kind::Func => wasm_encoder::ExportKind::Func,
            Kind::Table => wasm_encoder::ExportKind::Table,
            Kind::Memory => wasm_encoder::ExportKind::Memory,
            Kind::Global => wasm_encoder::ExportKind::Global,
            Kind::Tag => wasm_encoder::ExportKind::Tag,
        }
    }
}

/// An import, in the order of the module's index spaces.
pub(crate) struct Import<'a> {
    pub module: &'a str,
    pub name: &'a str,
    pub kind: Kind,
    /// The type's index, for a function.
    pub ty: u32,
}

/// A core module. The vectors hold what the module defines; imports come
/// before these in the index spaces.
#[derive(Default)]
pub(crate) struct Module<'a> {
    pub bytes: &'a [u8],
    pub types: Vec<FuncType>,
    pub imports: Vec<Import<'a>>,
    /// Where in `imports` those of each kind are.
    pub imported: [Vec<usize>; Kind::COUNT],
    /// Type indices of the functions, to go with `bodies`.
    pub funcs: Vec<u32>,
    pub bodies: Vec<FunctionBody<'a>>,
    pub tables: Vec<Table<'a>>,
    pub memories: Vec<MemoryType>,
    pub globals: Vec<Global<'a>>,
    pub tags: Vec<TagType>,
    pub exports: BTreeMap<&'a str, (Kind, u32)>,
    pub start: Option<u32>,
    pub elements: Vec<Element<'a>>,
    pub data: Vec<Data<'a>>,
    /// From the name section, with exports to fill the gaps.
    pub func_names: BTreeMap<u32, &'a str>,
    pub global_names: BTreeMap<u32, &'a str>,
}

impl<'a> Module<'a> {
    /// Reads the module that lies at `range` of the whole input.
    pub(crate) fn read(input: &'a [u8], range: Range<usize>) -> Result<Self, Error> {
        let bytes = input.get(range.clone()).ok_or(Error::Dangling("a module"))?;
        let mut module = Module { bytes, ..Module::default() };
        for payload in Parser::new(range.start as u64).parse_all(bytes) {
            module.payload(payload?)?;
        }
        for (&name, &(kind, index)) in &module.exports {
            if kind == Kind::Func {
                module.func_names.entry(index).or_insert(name);
            }
        }
        Ok(module)
    }

    /// The number of imports of this kind, where definitions begin.
    pub(crate) fn imported(&self, kind: Kind) -> u32 {
        self.imported[kind as usize].len() as u32
    }

    fn payload(&mut self, payload: Payload<'a>) -> Result<(), Error> {
        match payload {
            Payload::TypeSection(section) => {
                for group in section {
                    let group = group?;
                    let mut types = group.into_types();
                    let (Some(ty), None) = (types.next(), types.next()) else {
                        return Err(Error::Unsupported(Feature::Type));
                    };
                    let plain = ty.is_final
                        && ty.supertype_idx.is_none()
                        && !ty.composite_type.shared
                        && ty.composite_type.descriptor_idx.is_none()
                        && ty.composite_type.describes_idx.is_none();
                    match ty.composite_type.inner {
                        CompositeInnerType::Func(func) if plain => self.types.push(func),
                        _ => return Err(Error::Unsupported(Feature::Type)),
                    }
                }
            }
            Payload::ImportSection(section) => {
                for group in section {
                    self.imports(group?)?;
                }
            }
            Payload::FunctionSection(section) => {
                self.funcs = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::TableSection(section) => {
                self.tables = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::MemorySection(section) => {
                self.memories = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::GlobalSection(section) => {
                self.globals = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::TagSection(section) => {
                self.tags = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::ExportSection(section) => {
                for export in section {
                    let export = export?;
                    self.exports.insert(export.name, (Kind::of(export.kind)?, export.index));
                }
            }
            Payload::StartSection { func, .. } => self.start = Some(func),
            Payload::ElementSection(section) => {
                self.elements = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::DataSection(section) => {
                self.data = section.into_iter().collect::<Result<_, _>>()?;
            }
            Payload::CodeSectionEntry(body) => self.bodies.push(body),
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(names) = section.as_known() {
                    for name in names {
                        // Names are advice: a malformed section only ends them.
                        let Ok(name) = name else { break };
                        self.names(name);
                    }
                }
            }
            Payload::Version { .. }
            | Payload::DataCountSection { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::End(_) => {}
            other => {
                let id = other.as_section().map_or(0, |(id, _)| id);
                return Err(Error::Unsupported(Feature::Section(id)));
            }
        }
        Ok(())
    }

    fn names(&mut self, name: Name<'a>) {
        let (map, into) = match name {
            Name::Function(map) => (map, &mut self.func_names),
            Name::Global(map) => (map, &mut self.global_names),
            _ => return,
        };
        into.extend(map.into_iter().map_while(Result::ok).map(|n| (n.index, n.name)));
    }

    fn imports(&mut self, group: Imports<'a>) -> Result<(), Error> {
        match group {
            Imports::Single(_, import) => self.import(import.module, import.name, import.ty)?,
            Imports::Compact1 { module, items } => {
                for item in items {
                    let item = item?;
                    self.import(module, item.name, item.ty)?;
                }
            }
            Imports::Compact2 { module, ty, names } => {
                for name in names {
                    self.import(module, name?, ty)?;
                }
            }
        }
        Ok(())
    }

    fn import(&mut self, module: &'a str, name: &'a str, ty: TypeRef) -> Result<(), Error> {
        let (kind, ty) = match ty {
            TypeRef::Func(ty) => (Kind::Func, ty),
            TypeRef::Table(_) => (Kind::Table, 0),
            TypeRef::Memory(_) => (Kind::Memory, 0),
            TypeRef::Global(_) => (Kind::Global, 0),
            TypeRef::Tag(_) => (Kind::Tag, 0),
            TypeRef::FuncExact(_) => return Err(Error::Unsupported(Feature::ExactFunction)),
        };
        self.imported[kind as usize].push(self.imports.len());
        self.imports.push(Import { module, name, kind, ty });
        Ok(())
    }
}
