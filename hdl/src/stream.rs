//! Where vectors flow: the registers of the streams, and how a unit takes an operand from them.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`OperandSelect`] | takes one of the cells a unit sees | 2 |
//! | [`StreamStage`] | the cells of one direction at one position | 1 |

mod operand_select;
mod stream_stage;

pub use operand_select::OperandSelect;
pub use stream_stage::StreamStage;
