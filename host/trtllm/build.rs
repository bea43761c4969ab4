//! Compiles the C++ side: the shim over TensorRT-LLM where `TRTLLM_ROOT` says where that is, and
//! nothing but a refusal elsewhere.

use std::env;
use std::path::{Path, PathBuf};

fn main() {
    for file in ["include/executor.hpp", "src/shim_trtllm.cpp", "src/shim_none.cpp"] {
        println!("cargo:rerun-if-changed={file}");
    }
    for name in ["TRTLLM_ROOT", "TENSORRT_ROOT", "CUDA_HOME"] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    cxx_build::CFG.include_prefix = "june-trtllm";
    let mut build = cxx_build::bridge("src/bridge.rs");
    build.std("c++17").flag_if_supported("-Wall").flag_if_supported("-Wextra");
    match env::var_os("TRTLLM_ROOT").map(PathBuf::from) {
        Some(root) => real(&mut build, &root),
        None => {
            build.file("src/shim_none.cpp");
        }
    }
    build.compile("june-trtllm");
}

/// TensorRT-LLM's own warnings are not ours, so its headers are system headers.
fn real(build: &mut cc::Build, root: &Path) {
    let folder = |name: &str, usual: &str| {
        env::var_os(name).map_or_else(|| PathBuf::from(usual), PathBuf::from)
    };
    let (tensorrt, cuda) =
        (folder("TENSORRT_ROOT", "/usr/local/tensorrt"), folder("CUDA_HOME", "/usr/local/cuda"));
    // A checkout of the sources has its headers in cpp/include, an installed package in include.
    let headers = [root.join("cpp/include"), root.join("include")];
    let headers = headers.into_iter().find(|folder| folder.join("tensorrt_llm").is_dir());
    let Some(headers) = headers else {
        println!(
            "cargo::error=TRTLLM_ROOT is {}, which has no tensorrt_llm in include or cpp/include. \
             hint: name the folder of TensorRT-LLM 1.2.1, or unset TRTLLM_ROOT",
            root.display()
        );
        return;
    };
    for folder in [headers, tensorrt.join("include"), cuda.join("include")] {
        build.flag(format!("-isystem{}", folder.display()));
    }
    build.file("src/shim_trtllm.cpp");
    for folder in ["lib", "libs", "cpp/build/tensorrt_llm", "cpp/build/tensorrt_llm/plugins"] {
        let folder = root.join(folder);
        if folder.is_dir() {
            println!("cargo:rustc-link-search=native={}", folder.display());
        }
    }
    println!("cargo:rustc-link-search=native={}", tensorrt.join("lib").display());
    println!("cargo:rustc-link-search=native={}", cuda.join("lib64").display());
    for library in ["tensorrt_llm", "nvinfer_plugin_tensorrt_llm", "nvinfer", "cudart"] {
        println!("cargo:rustc-link-lib=dylib={library}");
    }
}
