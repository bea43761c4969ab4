//! Strategy: deliberate.
