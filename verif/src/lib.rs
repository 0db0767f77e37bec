//! Golden model, scoreboard and properties of the LPU.
