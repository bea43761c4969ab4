//! From what a chat model replies to a completion that can be graded.
//!
//! Models wrap code in Markdown, explain it, show it off, think aloud, and repeat what they were
//! given. HumanEval's own harness grades none of that; those who evaluate chat models cut the code
//! out first, as EvalPlus does (Liu et al. 2023, <https://arxiv.org/abs/2305.01210>). June's rules,
//! in the order in which they apply:
//!
//! 1. **Reasoning goes**: `<think>…</think>`, and everything before a `</think>` that nothing opened.
//! 2. **Blocks** are what stands in fences; where a fence is never closed, the runs of lines in it
//!    that can be Python; and such runs outside of fences.
//! 3. **The chosen block** is the one that defines the most of what the tests call, and of those
//!    the last, since models correct themselves; a head with no more than a docstring defines
//!    nothing. Where none does, it is (for HumanEval) a block
//!    that can be the function's body, then one marked as Python, then one in a fence, then the
//!    longest.
//! 4. **Other blocks** give it the functions, classes, imports and constants that it uses and does
//!    not have.
//! 5. **Examples go**: after the first definition that the tests call, only definitions, imports
//!    and what they use is kept, and so it is after a function's body. Before, everything is.
//! 6. **HumanEval's grader puts the completion after the prompt**, which ends within a function. A
//!    whole program is put there as it is, since a prompt whose function has nothing but a
//!    docstring is a program already; where it has not even that, `pass` comes first. Anything
//!    else is the function's body, and gets the body's indentation.
//!
//! The code itself is never repaired: what is wrong in it, the model got wrong. Every rule is
//! linear in the reply's length, and takes any text.
//!
//! ```
//! use june_benchmarks::dataset::Dataset;
//! use june_benchmarks::extraction::{Kind, extract};
//!
//! let json = r#"[{"task_id": "Sum/0", "prompt": "def add(a, b):\n", "entry_point": "add",
//!     "canonical_solution": "    return a + b\n", "test": "def check(f):\n    assert f(1, 2) == 3\n"}]"#;
//! let dataset = Dataset::parse("sums", json.as_bytes())?;
//! let reply = "Sure! Just return the sum:\n```python\nreturn a + b\n```\nAnything else?";
//! let extraction = extract(&dataset.tasks[0], reply);
//! assert_eq!(extraction.kind, Kind::Continuation);
//! assert_eq!(extraction.completion, "    return a + b\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod program;
mod prose;
mod python;
mod reply;

use std::borrow::Cow;
use std::collections::HashSet;

use crate::dataset::Task;
use program::Part;
use python::statements;
use reply::Block;

/// What was found in a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extraction {
    /// What is graded, to be given to [`Task::source`].
    pub completion: String,
    /// What it is.
    pub kind: Kind,
}

/// What an extracted completion is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program that defines what the tests call; for MBPP also one that does not.
    Program,
    /// The body of the function that the prompt begins.
    Continuation,
    /// Empty: the reply has nothing that can be code.
    Nothing,
}

/// Finds the code in a reply to a task.
pub fn extract(task: &Task, reply: &str) -> Extraction {
    let wanted = Wanted::of(task);
    let names: Vec<&str> = wanted.names.iter().map(String::as_str).collect();
    let blocks = reply::blocks(reply);
    let codes: Vec<Code> = blocks.iter().map(|block| Code::new(block, &names)).collect();
    let Some((chosen, code)) = choose(&codes, task.entry_point.is_some()) else {
        return Extraction { completion: String::new(), kind: Kind::Nothing };
    };
    let others = codes.iter().enumerate().filter(|(place, _)| *place != chosen);
    let prompt = program::parts(&task.prompt);
    let bound = prompt.iter().filter(|_| task.entry_point.is_some()).flat_map(|part| &part.names);
    let bound = names.iter().chain(bound).map(|name| (*name).to_owned()).collect();
    let helpers = helpers(code, others.map(|(_, other)| other), bound);
    let continues = task.entry_point.is_some() && code.defined == 0;
    let (mut own, parts) = if continues {
        let (body, rest) = program::indented(&code.typed, margin(&task.prompt));
        let parts = program::without_examples(program::parts(rest), 0, &body, &names);
        (body, parts)
    } else {
        let parts = program::parts(&code.flat);
        let first = parts.iter().position(|part| part.defines(&names));
        let kept = first.map_or(parts.len(), |first| first + 1);
        (String::new(), program::without_examples(parts, kept, "", &names))
    };
    let future = |part: &&Part| task.entry_point.is_none() || part.kind != program::Kind::Future;
    own.extend(parts.iter().filter(future).map(|part| part.text));
    // A program that needs `__future__` has it in its first line, before any helper.
    let (head, rest) = own.split_at(future_end(&own));
    let mut completion = String::new();
    if task.entry_point.is_some() {
        completion.push_str(&lead(&task.prompt, continues));
    }
    let pieces = if continues { [head, rest, &helpers] } else { [head, &helpers, rest] };
    for piece in pieces.into_iter().filter(|piece| !piece.trim().is_empty()) {
        completion.push_str(piece.trim_start_matches('\n'));
        if !completion.ends_with('\n') {
            completion.push('\n');
        }
    }
    let kind = if continues { Kind::Continuation } else { Kind::Program };
    Extraction { completion, kind }
}

/// What the tests call.
struct Wanted {
    names: Vec<String>,
}

impl Wanted {
    /// HumanEval says it; for MBPP it is what the tests call and neither have nor import, and what
    /// is no builtin function, unless nothing else is left.
    fn of(task: &Task) -> Wanted {
        const BUILTINS: [&str; 35] = [
            "abs",
            "all",
            "any",
            "bool",
            "bytes",
            "chr",
            "complex",
            "dict",
            "divmod",
            "enumerate",
            "filter",
            "float",
            "frozenset",
            "hash",
            "int",
            "isinstance",
            "iter",
            "len",
            "list",
            "map",
            "max",
            "min",
            "next",
            "ord",
            "pow",
            "print",
            "range",
            "repr",
            "reversed",
            "round",
            "set",
            "sorted",
            "str",
            "sum",
            "tuple",
        ];
        if let Some(entry_point) = &task.entry_point {
            return Wanted { names: vec![entry_point.clone()] };
        }
        let checks = task.checks();
        let parts = program::parts(&checks);
        let own: HashSet<&str> = parts.iter().flat_map(|part| part.names.iter().copied()).collect();
        let mut called: Vec<&str> = Vec::new();
        for statement in statements(&checks) {
            called.extend(program::calls(&statement.tokens));
        }
        called.retain(|name| !own.contains(name));
        called.sort_unstable();
        called.dedup();
        let special: Vec<&str> =
            called.iter().copied().filter(|name| !BUILTINS.contains(name)).collect();
        let names = if special.is_empty() { called } else { special };
        Wanted { names: names.into_iter().map(String::from).collect() }
    }
}

/// A block, read as Python.
struct Code<'a> {
    block: &'a Block,
    /// As it would stand in a file.
    typed: Cow<'a, str>,
    /// The same without indentation.
    flat: String,
    /// How many of the wanted names it defines.
    defined: usize,
}

impl<'a> Code<'a> {
    fn new(block: &'a Block, wanted: &[&str]) -> Code<'a> {
        let typed = program::without_prompts(&block.code);
        let flat = program::dedented(&typed).into_owned();
        let parts = program::parts(&flat);
        let defines = |name: &&&str| parts.iter().any(|part| part.defines(&[**name]));
        let defined = wanted.iter().filter(defines).count();
        Code { block, typed, flat, defined }
    }
}

/// The block to grade, and its place.
fn choose<'a, 'b>(codes: &'a [Code<'b>], body: bool) -> Option<(usize, &'a Code<'b>)> {
    let rank = |(place, code): &(usize, &Code)| {
        let Block { fenced, python, .. } = *code.block;
        let is_body = body && code.defined == 0 && program::is_body(&code.typed);
        let last = if code.defined > 0 { *place } else { code.typed.trim().len() };
        // The runs outside come after the fences, whatever their place in the reply.
        (code.defined, is_body, python, fenced, last)
    };
    let filled = |(_, code): &(usize, &Code)| !statements(&code.typed).is_empty();
    codes.iter().enumerate().filter(filled).max_by_key(rank)
}

/// What the chosen code uses and other blocks define, in their order, without the names that are
/// `bound`. Of several definitions of a name, the last.
fn helpers<'a>(
    chosen: &Code,
    others: impl DoubleEndedIterator<Item = &'a Code<'a>>,
    mut bound: HashSet<String>,
) -> String {
    for part in program::parts(&chosen.flat) {
        bound.extend(part.names.into_iter().map(String::from));
    }
    let mut used: HashSet<String> = program::words(&chosen.flat).map(String::from).collect();
    let mut kept: Vec<&str> = Vec::new();
    for other in others.rev() {
        for part in program::parts(&other.flat).into_iter().rev() {
            let constant = part.kind == program::Kind::Assignment && part.calls.is_empty();
            let defines = matches!(part.kind, program::Kind::Definition | program::Kind::Import);
            let needed =
                part.names.iter().any(|name| used.contains(*name) && !bound.contains(*name));
            if (constant || defines) && needed {
                bound.extend(part.names.iter().map(|name| (*name).to_owned()));
                used.extend(program::words(part.text).map(String::from));
                kept.push(part.text);
            }
        }
    }
    let mut helpers = String::new();
    for text in kept.into_iter().rev() {
        helpers.push_str(text.trim_start_matches('\n'));
        helpers.push_str(if helpers.ends_with('\n') { "" } else { "\n" });
    }
    helpers
}

/// Where `from __future__ import …` ends, if the text begins with it.
fn future_end(text: &str) -> usize {
    let parts = program::parts(text);
    let last = parts.iter().rposition(|part| part.kind == program::Kind::Future);
    let head = last.map_or(&[][..], |last| &parts[..=last]);
    head.iter().map(|part| part.text.len()).sum()
}

/// The indentation of the body that a prompt begins: that of the first statement after the last
/// head of a function, else four spaces more than the head has.
fn margin(prompt: &str) -> &str {
    let statements = statements(prompt);
    let head = statements.iter().rposition(|one| one.begins(&["def", "async"]));
    let body = head.and_then(|head| statements.get(head + 1));
    body.map(|first| first.indent).filter(|indent| !indent.is_empty()).unwrap_or("    ")
}

/// What has to stand between the prompt and a completion: a line feed where the prompt has none
/// at its end, and before a program a body for a function that has none.
fn lead(prompt: &str, continues: bool) -> String {
    let mut lead = String::new();
    if !prompt.is_empty() && !prompt.ends_with('\n') {
        lead.push('\n');
    }
    if let Some(last) = statements(prompt).last()
        && last.opens_block()
        && !continues
    {
        lead.push_str(last.indent);
        lead.push_str("    pass\n");
    }
    lead
}
