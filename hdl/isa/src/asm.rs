//! Assembler and disassembler: the text form of programs.
//!
//! ```text
//! ; activations of 16 k tiles, once for each of 4 n tiles
//! .queue mem0.read
//!     nop 12
//!     read e8, 0x0000 repeat 512, 1, 1 repeat 4, 8192, 0
//!     end
//! .descriptor 3
//!     a int32
//!     alu 0 fma k, -0.0 k 0x3eb8aa3b
//!     sfu exp2
//!     store 0
//!     out int8 e4
//! .queue vxm
//!     vec w0, w0, d3, r8 repeat 16, 1, 1
//! ```
//!
//! A descriptor says what a pass of the vector unit does, a part a line:
//!
//! | line | part |
//! |---|---|
//! | `a FORMAT`, `a register OFFSET` | operand A, or a register instead |
//! | `b FORMAT ALU` | operand B and the ALU that takes it |
//! | `alu J OPERATION[.abs][.neg][.negz] Y, Z [r OFFSET] [k PATTERN]` | an ALU; Y and Z are `k`, `b`, `r`, `p`, `1.0`, `-0.0` |
//! | `sfu FUNCTION` | the special function behind ALU 0 |
//! | `store OFFSET` | write a register |
//! | `out FORMAT STREAM` | the result |
//!
//! `.map N LANE, LANE, ..` is permutation table N of the switch unit.
//!
//! One instruction a line; `;` begins a comment. `repeat count, interval, stride` stands up to twice, the
//! inner level first. Numbers are decimal or hexadecimal (`0x`). The disassembler prints the canonical
//! form, which assembles to the same words.

mod describe;
mod parse;
mod print;

pub use parse::{AsmError, assemble, parse_instruction};
pub use print::disassemble;
