//! Configuration, instruction set, latencies and memory map of the LPU.
