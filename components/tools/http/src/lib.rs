//! Tool: http.
