//! Assembler and disassembler: the text form of programs.
//!
//! ```text
//! ; activations of 16 k tiles, once for each of 4 n tiles
//! .queue mem0.read
//!     nop 12
//!     read e8, 0x0000 repeat 512, 1, 1 repeat 4, 8192, 0
//!     end
//! ```
//!
//! One instruction a line; `;` begins a comment. `repeat count, interval, stride` stands up to twice, the
//! inner level first. Numbers are decimal or hexadecimal (`0x`). The disassembler prints the canonical
//! form, which assembles to the same words.

mod parse;
mod print;

pub use parse::{AsmError, assemble, parse_instruction};
pub use print::disassemble;
