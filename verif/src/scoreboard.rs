//! stub
/// stub
pub struct Divergence;
/// stub
pub struct Scoreboard;
