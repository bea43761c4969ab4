//! The commands, one module for each noun.

pub(crate) mod component;
pub(crate) mod dataset;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod journal;
