//! The matrix unit: planes of L x L int8 multiply-accumulators with two sets of weights.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`WeightControl`] | pipeline of LW, IW and CONFIG | LW 5, IW 6 with the array |
//! | [`WeightSelect`] | streams to weight slots | 2 |
//! | [`WeightColumn`] | shadow and active weights of one column | 1 |
//! | [`DotProduct`] | multipliers and adder tree of one column | 1 + log2 L |
//! | [`Array`] | all columns | 1 + log2 L |

mod array;
mod dot_product;
mod weight_column;
mod weight_control;
mod weight_select;

pub use array::Array;
pub use dot_product::{DOT_BITS, DotProduct};
pub use weight_column::WeightColumn;
pub use weight_control::WeightControl;
pub use weight_select::WeightSelect;
