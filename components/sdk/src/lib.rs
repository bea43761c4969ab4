//! Writing strategies and tools for June in Rust.
