//! Every flag given to Verilator and to the C++ compiler.

/// Flags of Verilator for every model. Warnings are errors unless the design waives them.
///
/// - `--x-assign fast --x-initial fast`: an unknown or unassigned bit becomes a constant chosen when the model is compiled
///   (zero for initial values), never a random one: runs are reproducible.
/// - `--output-split`: large designs become several C++ files, which compile in parallel.
/// - no `--threads`: one instance runs on one thread; several instances run on several.
pub(crate) const VERILATOR: &[&str] = &[
    "--cc",
    "--quiet",
    "-O3",
    "--x-assign",
    "fast",
    "--x-initial",
    "fast",
    "--noassert",
    "--no-timing",
    "--savable",
    "--timescale-override",
    "1ns/1ns",
    "--output-split",
    "20000",
];

/// Further flags of Verilator for a model with waves.
pub(crate) const VERILATOR_TRACE: &[&str] = &["--trace", "--trace-structs"];

/// Flags of the C++ compiler for every file.
pub(crate) const CXX: &[&str] = &[
    "-std=c++17",
    "-march=native",
    "-fPIC",
    "-fvisibility=hidden",
    "-fvisibility-inlines-hidden",
    "-w",
    "-DVERILATOR=1",
    "-DVL_TIME_CONTEXT",
    "-DVL_USER_FINISH",
    "-DVL_USER_STOP",
    "-DVL_USER_FATAL",
    "-DVM_COVERAGE=0",
    "-DVM_SC=0",
    "-DVM_TIMING=0",
    "-DVM_TRACE_FST=0",
    "-DVM_TRACE_SAIF=0",
];

/// The same, for models without and with waves.
pub(crate) fn cxx_trace(trace: bool) -> [&'static str; 2] {
    if trace {
        ["-DVM_TRACE=1", "-DVM_TRACE_VCD=1"]
    } else {
        ["-DVM_TRACE=0", "-DVM_TRACE_VCD=0"]
    }
}

/// x86 only. GCC 12 prefers vectors of 512 bits where the processor has them, finds that multiplying bytes does not pay in
/// them, and leaves every product of the MXM scalar; with 256 bits it packs all of them, and a tile of 32 lanes runs 1.3 times
/// as fast.
pub(crate) const VECTORS: &[&str] = if cfg!(target_arch = "x86_64") {
    &["-mprefer-vector-width=256"]
} else {
    &[]
};

/// GCC only: no process-wide unique symbols, which would tie loaded models together.
pub(crate) const GCC: &[&str] = &["-fno-gnu-unique"];

/// Optimisation of code that runs every cycle.
pub(crate) const HOT: &str = "-O3";

/// Optimisation of constructors, save and restore, the tracer's set-up and the run-time library.
pub(crate) const COLD: &str = "-O1";

/// Generated files are compiled together up to this many bytes.
pub(crate) const UNIT_BYTES: u64 = 400_000;

/// Flags that make the shared object.
pub(crate) const LINK: &[&str] = &["-shared", "-Wl,-z,defs"];

/// Parts of Verilator's run-time library that a model needs; those that a version lacks are skipped.
pub(crate) const RUNTIME: &[&str] = &[
    "verilated",
    "verilated_dpi",
    "verilated_save",
    "verilated_threads",
];

/// The same for waves.
pub(crate) const RUNTIME_TRACE: &[&str] = &["verilated_vcd_c"];
