//! Language models of GGUF files, run in this process.
mod attention;
mod cache;
mod config;
mod error;
mod network;
mod ops;
mod parallel;
mod simd;
