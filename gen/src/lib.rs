//! Elaborates, checks, deduplicates and emits the LPU as Verilog.
