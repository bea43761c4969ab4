//! What a recorded run was to do, by its start record.

use std::collections::BTreeMap;

use june_journal::blobs::Blobs;
use june_journal::record::{Data, Start};

use super::{ReplayError, malformed};
use crate::Program;
use crate::contract::Turn;
use crate::grants::FileGrant;
use crate::workspace::Tree;

/// What a run was to do.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A program, in world `runner`.
    Program(Program),
    /// A turn of an agent, in world `strategy`.
    Turn(Turn),
    /// A call of a tool, in world `tool`.
    Call {
        /// Its arguments, a JSON object.
        arguments: String,
        /// The folders that it saw.
        grants: Vec<FileGrant>,
        /// What was in them.
        files: Tree,
    },
}

impl Subject {
    pub(super) fn gather(run: u64, start: &Start, blobs: &Blobs) -> Result<Self, ReplayError> {
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).map_err(|_bytes| malformed(run, "a text of it is not UTF-8"))
        };
        let mut input: BTreeMap<&str, &Data> =
            start.input.iter().map(|(name, data)| (name.as_str(), data)).collect();
        let mut take = |name| input.remove(name).map(|data| blobs.value(data)).transpose();
        let files = match start.input.get("files") {
            None => Tree::default(),
            Some(data) => Tree::recall(data, blobs)?
                .ok_or_else(|| malformed(run, "the list of its files cannot be read"))?,
        };
        take("files")?;
        let needed = |bytes: Option<Vec<u8>>| {
            text(bytes.ok_or_else(|| malformed(run, "it lacks an input"))?)
        };
        let subject = match start.world.as_str() {
            "runner" => Subject::Program(Program {
                source: needed(take("source")?)?,
                checks: take("checks")?.map(text).transpose()?,
                stdin: take("stdin")?.unwrap_or_default(),
                files,
            }),
            "strategy" => Subject::Turn(
                serde_json::from_str(&needed(take("turn")?)?)
                    .map_err(|_error| malformed(run, "its turn cannot be read"))?,
            ),
            "tool" => {
                let grants = start.grants.iter().filter_map(|grant| FileGrant::from_text(grant));
                let grants = grants.collect();
                Subject::Call { arguments: needed(take("arguments")?)?, grants, files }
            }
            world => return Err(ReplayError::World { run, world: world.into() }),
        };
        match input.is_empty() {
            true => Ok(subject),
            false => Err(malformed(run, "it has an input of no known name")),
        }
    }
}
