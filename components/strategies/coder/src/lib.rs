//! Strategy: coder.
