//! Whether a component fits a world of the contract, by the names and versions of what it imports
//! and exports. The types of functions are left to the linker.

use std::fmt;

use wasmtime::Engine;
use wasmtime::component::Component;
use wasmtime::component::types::{ComponentInstance, ComponentItem};

use crate::wasi;

/// The contract's package.
const PACKAGE: &str = "june:agent";

/// The contract's version.
pub(crate) const VERSION: &str = "0.1.0";

/// The version of WASI.
const WASI: &str = "0.2";

/// What to do about a component of another version.
pub const REBUILD: &str = "rebuild it with the wit of this June, which `june component new` writes";

/// The interfaces that have functions, and these.
const INTERFACES: [(&str, &[&str]); 8] = [
    ("llm", &["chat", "stream", "[method]token-stream.next"]),
    ("tools", &["list", "call", "call-all"]),
    ("programs", &["run"]),
    ("memory", &["get", "set", "list", "delete"]),
    ("reply", &["say", "note"]),
    ("turn-handler", &["respond"]),
    ("tool-handler", &["describe", "call"]),
    ("program-handler", &["run"]),
];

/// What a component is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// An agent's mind.
    Strategy,
    /// Something that an agent can use.
    Tool,
    /// What runs programs.
    Runner,
}

/// How a component fits a world.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Fit {
    /// The world.
    pub world: World,
    /// What the component exports, and what it would have to.
    pub exports: Vec<Item>,
    /// What the component imports.
    pub imports: Vec<Item>,
}

/// An import or an export.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Item {
    /// The interface without its version.
    pub name: String,
    /// The version that the component was built with; none where it has no version, or lacks the
    /// export.
    pub found: Option<String>,
    /// The version that June has; none where it has no such interface, or the interface no
    /// functions.
    pub offered: Option<&'static str>,
    /// Why it does not fit.
    pub misfit: Option<Misfit>,
}

/// Why a component does not fit.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Misfit {
    /// What is wrong.
    pub why: String,
    /// What to do.
    pub fix: String,
}

impl World {
    /// All worlds.
    pub const ALL: [World; 3] = [World::Strategy, World::Tool, World::Runner];

    /// The world's name.
    pub fn name(self) -> &'static str {
        match self {
            World::Strategy => "strategy",
            World::Tool => "tool",
            World::Runner => "runner",
        }
    }

    /// The interface that a component of this world exports.
    pub fn export(self) -> &'static str {
        match self {
            World::Strategy => "turn-handler",
            World::Tool => "tool-handler",
            World::Runner => "program-handler",
        }
    }

    /// The interfaces with functions that it may import.
    fn imports(self) -> &'static [&'static str] {
        match self {
            World::Strategy => &["llm", "tools", "programs", "memory", "reply"],
            World::Tool => &["tools", "programs"],
            World::Runner => &[],
        }
    }

    /// The world of this name.
    pub fn named(name: &str) -> Option<World> {
        World::ALL.into_iter().find(|world| world.name() == name)
    }

    /// The worlds that a component is for, by what it exports.
    pub(crate) fn of(component: &Component) -> Vec<World> {
        let kind = component.component_type();
        let exports = kind.exports(component.engine());
        let exports: Vec<_> = exports.filter_map(|(name, _)| own(parted(name).0)).collect();
        World::ALL.into_iter().filter(|world| exports.contains(&world.export())).collect()
    }
}

impl Fit {
    /// Holds a component against a world.
    pub(crate) fn of(component: &Component, world: World) -> Self {
        let (engine, kind) = (component.engine(), component.component_type());
        let imports = kind.imports(engine).map(|(name, item)| import(engine, world, name, item.ty));
        let imports = imports.collect();
        let mut exports: Vec<_> =
            kind.exports(engine).map(|(name, item)| export(engine, world, name, item.ty)).collect();
        let wanted = format!("{PACKAGE}/{}", world.export());
        if !exports.iter().any(|item| item.name == wanted) {
            let why = format!("{wanted} is not exported, which a {world} has to");
            let fix = match World::of(component).first() {
                Some(other) => format!("it is a {other}: use it as one"),
                None => format!("export {wanted}@{VERSION}"),
            };
            let (found, offered, misfit) = (None, Some(VERSION), Misfit::new(why, fix));
            exports.insert(0, Item { name: wanted, found, offered, misfit });
        }
        Self { world, exports, imports }
    }

    /// What does not fit.
    pub fn misfits(&self) -> impl Iterator<Item = &Misfit> {
        self.exports.iter().chain(&self.imports).filter_map(|item| item.misfit.as_ref())
    }
}

impl Misfit {
    fn new(why: String, fix: impl Into<String>) -> Option<Self> {
        Some(Self { why, fix: fix.into() })
    }
}

fn import(engine: &Engine, world: World, import: &str, item: ComponentItem) -> Item {
    let (name, found) = parted(import);
    let (offered, misfit) = match item {
        ComponentItem::ComponentInstance(instance) => {
            let functions = functions(engine, &instance);
            if functions.is_empty() && !has_resources(engine, &instance) {
                // Types alone ask for nothing.
                (None, None)
            } else if name.starts_with("wasi:") {
                wasi_import(import)
            } else {
                own_import(world, import, &functions)
            }
        }
        ComponentItem::Type(_) => (None, None),
        _ => {
            let why = format!("{import} is imported, which is no interface");
            (None, Misfit::new(why, format!("import only what the world `{world}` names")))
        }
    };
    Item { name: name.into(), found: found.map(str::to_owned), offered, misfit }
}

/// What is offered for an import of WASI, and why it does not fit.
fn wasi_import(import: &str) -> (Option<&'static str>, Option<Misfit>) {
    let (name, found) = parted(import);
    if !wasi::offers(name) {
        let why = format!("{import} is imported, which June does not have");
        return (None, Misfit::new(why, "do without it"));
    }
    if found.is_some_and(|found| found.starts_with("0.2.") && is_plain(found)) {
        return (Some(WASI), None);
    }
    let why = format!("{import} is imported, and June offers WASI {WASI}");
    (Some(WASI), Misfit::new(why, "rebuild it for WASI 0.2, in Rust for wasm32-wasip2"))
}

/// What is offered for any other import, and why it does not fit.
fn own_import(
    world: World,
    import: &str,
    functions: &[String],
) -> (Option<&'static str>, Option<Misfit>) {
    let (name, found) = parted(import);
    let known = INTERFACES.iter().find(|(known, _)| own(name) == Some(known));
    let Some((interface, offered)) = known else {
        let why = format!("{import} is imported, which no world has");
        return (None, Misfit::new(why, format!("import only what the world `{world}` names")));
    };
    let may = |world: &World| world.imports().contains(interface);
    if !may(&world) {
        let others: Vec<_> = World::ALL.into_iter().filter(may).map(World::name).collect();
        let why = match others.is_empty() {
            true => format!("{import} is imported, and is there to be exported"),
            false => format!("{import} is imported, which only a {} may", others.join(" or a ")),
        };
        return (None, Misfit::new(why, "do without it"));
    }
    if !found.is_some_and(|found| are_compatible(found, VERSION)) {
        let why = format!("{import} is imported, and June offers {VERSION}");
        return (Some(VERSION), Misfit::new(why, REBUILD));
    }
    let unknown = functions.iter().find(|function| !offered.contains(&function.as_str()));
    let misfit = unknown.and_then(|unknown| {
        let why = format!("`{unknown}` of {import} is imported, which June does not have");
        Misfit::new(why, REBUILD)
    });
    (Some(VERSION), misfit)
}

fn export(engine: &Engine, world: World, export: &str, item: ComponentItem) -> Item {
    let (name, found) = parted(export);
    let is_wanted = own(name) == Some(world.export());
    let why = match item {
        // June has no use for what else is exported.
        _ if !is_wanted => None,
        _ if !found.is_some_and(|found| are_compatible(found, VERSION)) => {
            Some(format!("{export} is exported, and June asks for {VERSION}"))
        }
        ComponentItem::ComponentInstance(instance) => {
            let there = functions(engine, &instance);
            let mut wanted = INTERFACES.iter().filter(|(known, _)| *known == world.export());
            let mut wanted = wanted.next().into_iter().flat_map(|(_, functions)| *functions);
            let missing = wanted.find(|function| !there.iter().any(|there| there == *function));
            missing.map(|function| format!("{export} is exported without `{function}`"))
        }
        _ => Some(format!("{export} is exported, and is no interface")),
    };
    Item {
        name: name.into(),
        found: found.map(str::to_owned),
        offered: is_wanted.then_some(VERSION),
        misfit: why.and_then(|why| Misfit::new(why, REBUILD)),
    }
}

fn functions(engine: &Engine, instance: &ComponentInstance) -> Vec<String> {
    let items = instance.exports(engine);
    let items = items.filter(|(_, item)| matches!(item.ty, ComponentItem::ComponentFunc(_)));
    items.map(|(name, _)| name.to_owned()).collect()
}

fn has_resources(engine: &Engine, instance: &ComponentInstance) -> bool {
    instance.exports(engine).any(|(_, item)| matches!(item.ty, ComponentItem::Resource(_)))
}

/// A name, and its version.
fn parted(name: &str) -> (&str, Option<&str>) {
    name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)))
}

/// The interface, where it is one of the contract's package.
fn own(name: &str) -> Option<&str> {
    name.strip_prefix(PACKAGE)?.strip_prefix('/')
}

/// Whether a component that was built with one version can be linked with another, as the linker
/// sees it: the first number that is not 0 has to be the same.
fn are_compatible(found: &str, offered: &str) -> bool {
    let track = |version: &str| {
        let place = version.split('.').position(|number| number != "0")?;
        Some(version.split('.').take(place + 1).collect::<Vec<_>>().join("."))
    };
    found == offered || (is_plain(found) && track(found) == track(offered))
}

/// Whether a version has three numbers, and nothing more.
fn is_plain(version: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    version.split('.').count() == 3 && version.split('.').all(number)
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// All that does not fit, line by line; what to do, once for all that it helps.
pub fn told(misfits: &[Misfit]) -> String {
    let mut lines = Vec::new();
    for same in misfits.chunk_by(|one, next| one.fix == next.fix) {
        lines.extend(same.iter().map(|misfit| misfit.why.clone()));
        lines.extend(same.first().map(|misfit| format!("hint: {}", misfit.fix)));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compatible_as_in_the_linker() {
        for (found, fits) in [
            ("0.1.0", true),
            ("0.1.7", true),
            ("0.2.0", false),
            ("1.1.0", false),
            ("0.1.0-draft", false),
            ("0.1", false),
            ("", false),
        ] {
            assert_eq!(are_compatible(found, VERSION), fits, "{found}");
        }
        assert!(are_compatible("2.7.0", "2.1.3") && !are_compatible("0.0.2", "0.0.1"));
    }

    #[test]
    fn the_worlds_are_those_of_wit() {
        let mut resolve = wit_parser::Resolve::default();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../wit");
        let (package, _) = resolve.push_dir(folder).expect("valid WIT");
        let package = &resolve.packages[package];
        assert_eq!(package.name.to_string(), format!("{PACKAGE}@{VERSION}"));

        let with_functions = |item: &wit_parser::WorldItem| {
            let wit_parser::WorldItem::Interface { id, .. } = item else { return None };
            let interface = &resolve.interfaces[*id];
            let name = interface.name.clone().expect("a name");
            let functions: Vec<_> = interface.functions.keys().map(String::as_str).collect();
            if functions.is_empty() {
                return None;
            }
            let known = INTERFACES.iter().find(|(known, _)| *known == name);
            let mut known = known.expect("a known interface").1.to_vec();
            let mut functions = functions;
            known.sort_unstable();
            functions.sort_unstable();
            assert_eq!(known, functions, "{name}");
            Some(name)
        };
        for world in World::ALL {
            let found = &resolve.worlds[package.worlds[world.name()]];
            let mut imports: Vec<_> = found.imports.values().filter_map(with_functions).collect();
            let mut expected = world.imports().to_vec();
            imports.sort();
            expected.sort_unstable();
            assert_eq!(imports, expected, "{world}");
            let exports: Vec<_> = found.exports.values().filter_map(with_functions).collect();
            assert_eq!(exports, [world.export()]);
        }
        assert_eq!(package.worlds.len(), World::ALL.len());
    }
}
