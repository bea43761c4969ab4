//! Code benchmarks: what is asked, what a model answered, and what the verdicts say.
//!
//! [`dataset`] reads the tasks of HumanEval and MBPP, [`samples`] reads the completions that a
//! model gave for them, [`statistics`] turns counts of passed samples into pass@k with a
//! confidence interval. [`grading`] judges one sample in a sandbox, [`evaluation`] many at once,
//! [`run`] keeps what is finished on disk, and [`summary`] adds it up, [`effort`] for agents too.
//!
//! [`prompt`] puts a task to a chat model, [`extraction`] finds the code in what it replies.
//! [`comparison`] holds two runs against each other, [`report`] shows one as a page of HTML.
//!
//! Every file is treated as outside input: it is read in bounded memory, checked whole before
//! it is used, and a mistake is reported with the file, the line, the reason and a hint.

pub mod answers;
pub mod comparison;
pub mod dataset;
pub mod effort;
pub mod evaluation;
pub mod extraction;
pub mod grading;
mod input;
mod json;
pub mod prompt;
pub mod report;
pub mod run;
pub mod samples;
pub mod significance;
pub mod statistics;
pub mod summary;
pub mod text;

pub use input::{InputError, Limits};
