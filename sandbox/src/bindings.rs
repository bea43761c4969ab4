//! The contract `june:agent`, as Rust types and traits generated from `wit/`.

/// `world strategy`: an agent's mind.
pub mod strategy {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "strategy",
        imports: { default: async | trappable },
        exports: { default: async },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

/// `world tool`: a component that an agent can call.
pub mod tool {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "tool",
        imports: { default: async | trappable },
        exports: { default: async },
        with: {
            "june:agent/types": super::strategy::june::agent::types,
            "june:agent/tools": super::strategy::june::agent::tools,
            "june:agent/program-types": super::strategy::june::agent::program_types,
            "june:agent/programs": super::strategy::june::agent::programs,
        },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

/// `world runner`: a component that runs programs.
pub mod runner {
    #![expect(missing_docs, reason = "generated from wit/, where each item is documented")]
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "runner",
        exports: { default: async },
        with: {
            "june:agent/program-types": super::strategy::june::agent::program_types,
        },
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}
