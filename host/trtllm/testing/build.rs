//! Compiles the test executor.

fn main() {
    for file in ["src/test_executor.hpp", "src/test_executor.cpp"] {
        println!("cargo:rerun-if-changed={file}");
    }
    cxx_build::bridge("src/lib.rs")
        .file("src/test_executor.cpp")
        .std("c++17")
        .flag_if_supported("-Wall")
        .flag_if_supported("-Wextra")
        .compile("june-trtllm-testing");
}
