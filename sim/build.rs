//! Compiles the C++ side of the bridge.

fn main() {
    cxx_build::bridge("src/bridge.rs")
        .file("src/cpp/simulator.cpp")
        .include("include")
        .std("c++17")
        .opt_level(3)
        .compile("lpu_sim_bridge");
    println!("cargo:rustc-link-lib=dl");
    for file in [
        "src/bridge.rs",
        "src/cpp/simulator.cpp",
        "include/lpu_sim/simulator.h",
        "include/lpu_sim/model.h",
    ] {
        println!("cargo:rerun-if-changed={file}");
    }
}
