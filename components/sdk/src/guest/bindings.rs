//! What wit-bindgen makes of `wit/`: the imports once, so that both worlds share their types, and
//! of each world its export.

#![allow(missing_docs, unsafe_code, unused_qualifications, reason = "wit-bindgen wrote it")]

pub mod imports {
    wit_bindgen::generate!({
        path: "wit",
        inline: "
            package june:sdk;

            world imports {
                import june:agent/types@0.1.0;
                import june:agent/llm@0.1.0;
                import june:agent/tools@0.1.0;
                import june:agent/programs@0.1.0;
                import june:agent/memory@0.1.0;
                import june:agent/reply@0.1.0;
            }
        ",
        generate_all,
        additional_derives: [PartialEq],
    });
}

pub mod strategy {
    wit_bindgen::generate!({
        path: "wit",
        world: "strategy",
        with: {
            "june:agent/types@0.1.0": super::imports::june::agent::types,
            "june:agent/llm@0.1.0": super::imports::june::agent::llm,
            "june:agent/tools@0.1.0": super::imports::june::agent::tools,
            "june:agent/program-types@0.1.0": super::imports::june::agent::program_types,
            "june:agent/programs@0.1.0": super::imports::june::agent::programs,
            "june:agent/memory@0.1.0": super::imports::june::agent::memory,
            "june:agent/reply@0.1.0": super::imports::june::agent::reply,
        },
        pub_export_macro: true,
    });
}

pub mod tool {
    wit_bindgen::generate!({
        path: "wit",
        world: "tool",
        with: {
            "june:agent/types@0.1.0": super::imports::june::agent::types,
            "june:agent/tools@0.1.0": super::imports::june::agent::tools,
            "june:agent/program-types@0.1.0": super::imports::june::agent::program_types,
            "june:agent/programs@0.1.0": super::imports::june::agent::programs,
        },
        pub_export_macro: true,
    });
}
