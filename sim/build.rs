//! Compiles the C++ half of the cxx bridge.

fn main() {
    cxx_build::bridge("src/bridge.rs")
        .file("src/cpp/bridge.cc")
        .std("c++17")
        .compile("lpu-sim-bridge");
    for file in [
        "include/model.h",
        "src/cpp/bridge.h",
        "src/cpp/bridge.cc",
        "src/bridge.rs",
    ] {
        println!("cargo:rerun-if-changed={file}");
    }
}
