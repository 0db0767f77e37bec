//! The matrix unit: planes of L x L int8 multiply-accumulators with two sets of weights.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`WeightControl`] | pipeline of LW, IW and CONFIG | LW 5, IW 6 with the array |
//! | [`WeightSelect`] | streams to weight slots | 2 |
//! | [`WeightColumn`] | shadow and active weights of one column | 1 |
//! | [`DotProduct`] | multipliers and adder tree of one column | 1 + log2 L |
//! | [`Array`] | all columns | 1 + log2 L |
//!
//! Machines with formats beside int8 have blocks of [`formats`] in place of, or beside, some of these.

mod accumulate;
mod accumulator_adder;
mod activation_decoder;
mod array;
mod compute;
mod count_sum;
mod datapath;
mod dot_product;
pub mod formats;
mod plane;
mod result_encoder;
mod weight_column;
mod weight_control;
mod weight_select;
mod weights;

pub use accumulate::Accumulate;
pub use accumulator_adder::{AccumulatorAdder, PARTS};
pub use activation_decoder::ActivationDecoder;
pub use array::Array;
pub use compute::Compute;
pub use count_sum::CountSum;
pub use datapath::Datapath;
pub use dot_product::{DOT_BITS, DotProduct};
pub use plane::MxmPlane;
pub use result_encoder::ResultEncoder;
pub use weight_column::WeightColumn;
pub use weight_control::WeightControl;
pub use weight_select::WeightSelect;
pub use weights::Weights;
