//! The two halves of a layer.

use super::super::attention::{Row, Sum, Weights};
use super::norm::{Normed, normalise};
use super::{Cache, Linear, Parameters, Rotation, Stage, Values};
use crate::numeric::{fp32, functions};

/// -log2(e).
const MINUS_LOG2_E: f32 = -std::f32::consts::LOG2_E;

/// Who sees the stages of a layer.
pub type See<'a> = dyn FnMut(Stage, Values<'_>) + 'a;

/// A layer at a position.
pub struct Place<'a> {
    pub parameters: &'a Parameters,
    pub layer: usize,
    pub position: usize,
    /// Of the position.
    pub rotation: &'a Rotation,
}

/// Lines norm, project, rotate, attend and output; x is replaced.
pub fn attention(place: &Place<'_>, cache: &mut Cache, x: &mut [u32], see: &mut See<'_>) {
    let Place {
        parameters,
        layer: number,
        position,
        rotation,
    } = *place;
    let layer = &parameters.layers[number];
    let shape = &parameters.shape;
    let Normed { codes, factor } = normalise(parameters, x);
    see(Stage::Normed, Values::Codes(&codes));
    let queries = rotation.apply(&layer.query.project(&codes, factor));
    let keys = rotation.apply(&layer.key.project(&codes, factor));
    let values = to_codes(layer.value.project(&codes, factor));
    see(Stage::Query, Values::Codes(&queries));
    see(Stage::Key, Values::Codes(&keys));
    see(Stage::Value, Values::Codes(&values));
    cache.set(number, position, &keys, &values);

    let group = shape.heads / shape.kv_heads;
    let head = |(head, q): (usize, &[i8])| {
        Row {
            q,
            k: cache.keys(number, head / group),
            v: cache.values(number, head / group),
            visible: position + 1,
            scale: layer.score,
            weights: Weights::Int16,
            sum: Sum::Tree { lanes: shape.lanes },
        }
        .compute()
    };
    let heads = queries.chunks_exact(shape.head_dim).enumerate();
    let attended = to_codes(heads.flat_map(head).collect());
    see(Stage::Attended, Values::Codes(&attended));
    add_product(&layer.output, &attended, x);
    see(Stage::Middle, Values::Numbers(x));
}

/// Lines norm, gate, up and down; x is replaced.
pub fn feed_forward(place: &Place<'_>, x: &mut [u32], see: &mut See<'_>) {
    let layer = &place.parameters.layers[place.layer];
    let Normed { codes, factor } = normalise(place.parameters, x);
    see(Stage::NormedMiddle, Values::Codes(&codes));
    let gate = layer.gate.project(&codes, factor);
    let up = layer.up.project(&codes, factor);
    let gated = gate.iter().zip(&up).map(|(&g, &u)| fp32::mul(u, silu(g)));
    let hidden = to_codes(gated.collect());
    see(Stage::Hidden, Values::Codes(&hidden));
    add_product(&layer.down, &hidden, x);
    see(Stage::Out, Values::Numbers(x));
}

/// g / (1 + e^-g).
fn silu(g: u32) -> u32 {
    let exponential = functions::exp2(fp32::mul(g, MINUS_LOG2_E.to_bits()));
    fp32::mul(functions::rcp(fp32::add(exponential, fp32::ONE)), g)
}

/// x = add(mul(FP32(sum of codes w), B), x).
fn add_product(linear: &Linear, codes: &[i8], x: &mut [u32]) {
    for (x, y) in x.iter_mut().zip(linear.scaled(codes)) {
        *x = fp32::add(y, *x);
    }
}

fn to_codes(numbers: Vec<u32>) -> Vec<i8> {
    numbers.into_iter().map(fp32::to_i8).collect()
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
