//! Tool: python.
