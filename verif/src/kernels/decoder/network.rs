//! A feed-forward network, with attention or by itself.

use super::norm::{Normed, normalise};
use super::{Layer, Linear, Stage, Values, block::See};
use crate::numeric::{fp32, functions};

/// -log2(e).
const MINUS_LOG2_E: f32 = -std::f32::consts::LOG2_E;

/// The matrices of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// (F, d).
    pub gate: Linear,
    /// (F, d).
    pub up: Linear,
    /// (d, F).
    pub down: Linear,
}

impl Network {
    /// What the network adds to x, d FP32 patterns: the part "Feed-forward alone" of `docs/decoder.md`.
    ///
    /// # Panics
    /// If the matrices do not belong to a row as long as x.
    pub fn apply(&self, x: &[u32], epsilon: u32, lanes: usize) -> Vec<u32> {
        let Self { gate, up, down } = self;
        for (linear, outputs, inputs) in [
            (gate, up.codes.rows(), x.len()),
            (up, gate.codes.rows(), x.len()),
            (down, x.len(), gate.codes.rows()),
        ] {
            let size = (linear.codes.rows(), linear.codes.columns());
            assert_eq!(size, (outputs, inputs), "outputs and inputs");
        }
        sums([gate, up, down], x, epsilon, lanes, &mut |_, _| {})
    }
}

/// Lines norm, gate and up of a layer, and the sums of down.
pub fn layer_sums(
    layer: &Layer,
    x: &[u32],
    epsilon: u32,
    lanes: usize,
    see: &mut See<'_>,
) -> Vec<u32> {
    let matrices = [&layer.gate, &layer.up, &layer.down];
    sums(matrices, x, epsilon, lanes, see)
}

fn sums(
    [gate, up, down]: [&Linear; 3],
    x: &[u32],
    epsilon: u32,
    lanes: usize,
    see: &mut See<'_>,
) -> Vec<u32> {
    let Normed { codes, factor } = normalise(x, epsilon, lanes);
    see(Stage::NormedMiddle, Values::Codes(&codes));
    let gate = gate.project(&codes, factor);
    let up = up.project(&codes, factor);
    let gated = gate.iter().zip(&up).map(|(&g, &u)| fp32::mul(u, silu(g)));
    let hidden: Vec<i8> = gated.map(fp32::to_i8).collect();
    see(Stage::Hidden, Values::Codes(&hidden));
    down.scaled(&hidden).collect()
}

/// g / (1 + e^-g).
fn silu(g: u32) -> u32 {
    let exponential = functions::exp2(fp32::mul(g, MINUS_LOG2_E.to_bits()));
    fp32::mul(functions::rcp(fp32::add(exponential, fp32::ONE)), g)
}

#[cfg(test)]
mod tests {
    use super::silu;

    #[test]
    fn silu_has_its_limits() {
        let silu = |x: f32| f32::from_bits(silu(x.to_bits()));
        assert_eq!(silu(0.0), 0.0);
        assert_eq!(silu(200.0), 200.0);
        // exp2 is infinite there, and its reciprocal zero.
        assert_eq!(silu(-200.0).to_bits(), (-0f32).to_bits());
        for x in [-20f32, -3.0, -0.5, 0.5, 3.0, 20.0] {
            let exact = f64::from(x) / (1.0 + (-f64::from(x)).exp());
            let error = (f64::from(silu(x)) - exact).abs() / exact.abs();
            assert!(error < 4e-6, "silu({x}): relative error {error}");
        }
    }
}
