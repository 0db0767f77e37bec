//! NVFP4: blocks of 16 E2M1 elements with an E4M3 scale, and one FP32 scale for all blocks.

use lpu_verif::numeric::{e2m1, e4m3};

/// Elements of a block.
pub const SIZE: usize = 16;
/// Largest E2M1 number.
const LARGEST: f32 = 6.0;
/// Largest E4M3 number.
const LARGEST_SCALE: f32 = 448.0;

/// A block: elements in the low four bits of each byte, and their scale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Block {
    /// E2M1.
    pub elements: [u8; SIZE],
    /// E4M3, not negative.
    pub scale: u8,
}

/// The FP32 scale of values whose largest magnitude is `largest`: the largest block scale becomes 448. 1 if all are zero, or so small that the
/// scale would be.
pub fn global_scale(largest: f32) -> f32 {
    let scale = largest / (LARGEST * LARGEST_SCALE);
    if scale > 0.0 { scale } else { 1.0 }
}

/// Rounds values, of which the last block may lack some (they are zero).
pub fn blocks(values: &[f32], global: f32) -> Vec<Block> {
    values
        .chunks(SIZE)
        .map(|values| block(values, global))
        .collect()
}

fn block(values: &[f32], global: f32) -> Block {
    let largest = values
        .iter()
        .fold(0.0f32, |most, value| most.max(value.abs()));
    let scale = e4m3::from_fp32((largest / LARGEST / global).to_bits());
    let step = f32::from_bits(e4m3::to_fp32(scale)) * global;
    let mut elements = [0; SIZE];
    if step > 0.0 {
        for (element, value) in elements.iter_mut().zip(values) {
            *element = e2m1::from_fp32((value / step).to_bits());
        }
    }
    Block { elements, scale }
}
