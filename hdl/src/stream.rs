//! Where vectors flow: the registers of the streams, and how a unit takes an operand from them.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`LaneWords`] | from byte planes to words | 0 |
//! | [`OperandSelect`] | takes one of the cells a unit sees | 2 |
//! | [`PlaneSelect`] | the streams of the four byte planes of an operand | 0 |
//! | [`StreamStage`] | the cells of one direction at one position | 1 |
//! | [`WordOperand`] | takes an operand of one or four byte planes and corrects it | 4 |
//! | [`WordPlanes`] | from words to byte planes | 0 |
//! | [`WordResult`] | drives a result of one, two or four byte planes | 1 |

mod lane_words;
mod operand_select;
mod plane_select;
mod stream_stage;
mod word_operand;
mod word_planes;
mod word_result;

pub use lane_words::LaneWords;
pub use operand_select::OperandSelect;
pub use plane_select::PlaneSelect;
pub use stream_stage::StreamStage;
pub use word_operand::WordOperand;
pub use word_planes::WordPlanes;
pub use word_result::WordResult;
