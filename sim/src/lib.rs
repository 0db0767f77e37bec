//! Verilated simulation of the emitted Verilog.
