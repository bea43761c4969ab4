//! The contract `june:agent`, as Rust types and traits generated from `wit/`.

/// `world runner`: a component that runs programs.
pub mod runner {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "runner",
        exports: { default: async },
    });
}

/// `world tool`: a component that an agent can call.
pub mod tool {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "tool",
        exports: { default: async },
    });
}

/// `world strategy`: an agent's mind.
pub mod strategy {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "strategy",
        imports: { default: async | trappable },
        exports: { default: async },
    });
}
