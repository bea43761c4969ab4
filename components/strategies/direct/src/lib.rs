//! Strategy: direct.
