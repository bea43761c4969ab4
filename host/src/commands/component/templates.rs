//! The files of new projects, as they were when this June was built.

use june_sandbox::World;

use super::Language;

/// A file's path in its folder, and its text.
type File = (&'static str, &'static str);

macro_rules! files {
    ($folder:literal: $($path:literal)*) => {
        &[$((
            $path,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../", $folder, "/", $path)),
        )),*]
    };
}

const WIT: &[File] = files!("wit": "llm.wit" "memory.wit" "programs.wit" "reply.wit" "tools.wit"
    "types.wit" "worlds.wit");

/// What components in Rust are written with; its `wit` is [`WIT`].
const SDK: &[File] = files!("components/sdk": "Cargo.toml" "src/arguments.rs"
    "src/guest/bindings.rs" "src/guest/chat.rs" "src/guest/message.rs" "src/guest/program.rs"
    "src/guest/strategy.rs" "src/guest/tool.rs" "src/lib.rs");

const RUST_STRATEGY: &[File] = files!("components/templates/rust-strategy": ".cargo/config.toml"
    "Cargo.toml" "README.md" "src/lib.rs");
const RUST_TOOL: &[File] = files!("components/templates/rust-tool": ".cargo/config.toml"
    "Cargo.toml" "README.md" "src/lib.rs");
const PYTHON_STRATEGY: &[File] =
    files!("components/templates/python-strategy": "README.md" "app.py" "requirements.txt");
const PYTHON_TOOL: &[File] =
    files!("components/templates/python-tool": "README.md" "app.py" "requirements.txt");
const JS_STRATEGY: &[File] =
    files!("components/templates/js-strategy": "README.md" "component.js" "package.json");
const JS_TOOL: &[File] =
    files!("components/templates/js-tool": "README.md" "component.js" "package.json");

/// What a project's version control leaves out.
const IGNORED: &str = "/target\n/.venv\n/__pycache__\n/node_modules\n/*.wasm\n";

/// The files of a new project: paths and texts. There is none for a runner.
pub(super) fn project(world: World, language: Language, name: &str) -> Vec<(String, String)> {
    let template = match (language, world) {
        (_, World::Runner) => &[],
        (Language::Rust, World::Strategy) => RUST_STRATEGY,
        (Language::Rust, World::Tool) => RUST_TOOL,
        (Language::Python, World::Strategy) => PYTHON_STRATEGY,
        (Language::Python, World::Tool) => PYTHON_TOOL,
        (Language::Js, World::Strategy) => JS_STRATEGY,
        (Language::Js, World::Tool) => JS_TOOL,
    };
    let named = |(path, text): &File| ((*path).to_owned(), text.replace("{{name}}", name));
    let below = |folder: &'static str| {
        move |(path, text): &File| (format!("{folder}/{path}"), (*text).to_owned())
    };
    let mut files: Vec<_> = template.iter().map(named).collect();
    files.push((".gitignore".into(), IGNORED.into()));
    match language {
        Language::Rust => {
            files.extend(SDK.iter().map(below("sdk")));
            files.extend(WIT.iter().map(below("sdk/wit")));
        }
        Language::Python | Language::Js => files.extend(WIT.iter().map(below("wit"))),
    }
    files
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The paths of all files below a folder, links not followed.
    fn listed(folder: &Path, below: &str, paths: &mut Vec<String>) {
        for entry in fs::read_dir(folder.join(below)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                listed(folder, &path, paths);
            } else if kind.is_file() {
                paths.push(path);
            }
        }
    }

    #[test]
    fn no_file_is_forgotten() {
        for (folder, files) in [
            ("wit", WIT),
            ("components/sdk", SDK),
            ("components/templates/rust-strategy", RUST_STRATEGY),
            ("components/templates/rust-tool", RUST_TOOL),
            ("components/templates/python-strategy", PYTHON_STRATEGY),
            ("components/templates/python-tool", PYTHON_TOOL),
            ("components/templates/js-strategy", JS_STRATEGY),
            ("components/templates/js-tool", JS_TOOL),
        ] {
            let mut paths = Vec::new();
            listed(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder), "", &mut paths);
            paths.sort();
            let embedded: Vec<_> = files.iter().map(|(path, _)| *path).collect();
            assert_eq!(embedded, paths, "{folder}");
        }
    }

    #[test]
    fn nothing_is_left_to_fill_in() {
        for world in [World::Strategy, World::Tool] {
            for language in [Language::Rust, Language::Python, Language::Js] {
                let files = project(world, language, "example");
                // The SDK is taken as it is, and has braces of its own.
                for (path, text) in files.iter().filter(|(path, _)| !path.starts_with("sdk/")) {
                    assert!(!text.contains("{{name}}"), "{path}");
                }
                assert!(files.iter().any(|(_, text)| text.contains("example")));
            }
        }
    }
}
