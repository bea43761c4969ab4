//! A tool that works on the files of the folders that its grants name.

pub mod edit;
pub mod folder;
pub mod glob;
pub mod lines;

#[cfg(target_arch = "wasm32")]
mod tool {
    use june_sdk::{CallError, Tool, arguments, tool};
    use wasip2::filesystem::preopens::get_directories;

    use crate::folder::Folder;

    arguments! {
        struct Request {
            /// What to do: `list` the entries of a folder, `read` a file, `write` a file (a new one,
            /// or all of an old one), `edit` a file by replacing a piece of its text, `search` files
            /// for text.
            action: Action,
            /// The file or folder, such as `src/main.rs`. Without it, the whole tree is meant.
            path: Option<String>,
            /// For write: all that the file is to hold.
            content: Option<String>,
            /// For edit: the piece to replace, exactly as it is in the file, without line numbers. It
            /// must be there once only, so give enough of its surroundings.
            old: Option<String>,
            /// For edit: what comes in its place.
            new: Option<String>,
            /// For search: the text to look for, within a line, upper and lower case alike.
            text: Option<String>,
            /// For list and search: only files at any depth whose path matches, such as `**/*.py`.
            glob: Option<String>,
            /// For read: the first line wanted, from 1.
            first_line: Option<usize>,
            /// For read: the last line wanted.
            last_line: Option<usize>,
        }

        enum Action { List, Read, Write, Edit, Search }
    }

    struct Files;

    impl Tool for Files {
        const NAME: &str = "files";
        const DESCRIPTION: &str = "Lists, reads, writes, edits and searches text files in the agent's \
            folders. Read a file before editing it.";
        type Arguments = Request;

        fn call(request: Request) -> Result<String, CallError> {
            let roots = get_directories().into_iter().map(|(_, path)| path).collect();
            let folder = Folder::new("/", roots);
            let path = request.path.as_deref();
            let file = || path.ok_or_else(|| missing("path"));
            let glob = request.glob.as_deref();
            let done = match request.action {
                Action::List => folder.list(path.unwrap_or("."), glob),
                Action::Read => folder.read(file()?, request.first_line, request.last_line),
                Action::Write => {
                    folder.write(file()?, &request.content.ok_or_else(|| missing("content"))?)
                }
                Action::Edit => {
                    let old = request.old.ok_or_else(|| missing("old"))?;
                    folder.edit(file()?, &old, &request.new.ok_or_else(|| missing("new"))?)
                }
                Action::Search => {
                    let text = request.text.ok_or_else(|| missing("text"))?;
                    folder.search(path.unwrap_or("."), &text, glob)
                }
            };
            done.map_err(CallError::Failed)
        }
    }

    tool!(Files);

    fn missing(argument: &str) -> CallError {
        CallError::invalid(format!("this action needs `{argument}`"))
    }
}
