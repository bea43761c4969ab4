//! Tool: calculator.
