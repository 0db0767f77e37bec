//! The switch unit: lanes to other lanes, rows to columns, all lanes to one.
//!
//! | block | what it is | latency |
//! |---|---|---|
//! | [`LaneSource`] | which lane each lane of a result takes | 2 |
//! | [`Crossbar`] | moves lanes of a vector to other lanes | 1 |
//! | [`Transposer`] | rows in, columns out | 3 |
//! | [`ReduceTree`] | sum or maximum of all lanes | 5 log2 L |
//! | [`Datapath`] | all of them behind one operand and before one result | TSTORE 4, LANES 7, REDUCE 5 + 5 log2 L |

mod crossbar;
mod datapath;
mod lane_source;
mod reduce_tree;
mod transposer;

pub use crossbar::Crossbar;
pub use datapath::Datapath;
pub use lane_source::LaneSource;
pub use reduce_tree::ReduceTree;
pub use transposer::Transposer;
