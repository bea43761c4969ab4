//! Tool: clock.
