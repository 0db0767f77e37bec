//! The two halves of a layer.

use super::super::attention::{Row, Sum, Weights};
use super::network::layer_sums;
use super::norm::{Normed, normalise};
use super::{Cache, Linear, Parameters, Rotation, Stage, Values};
use crate::numeric::fp32;

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
    let Normed { codes, factor } = normalise(x, parameters.epsilon, shape.lanes);
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
    let Parameters {
        shape,
        layers,
        epsilon,
        ..
    } = place.parameters;
    let sums = layer_sums(&layers[place.layer], x, *epsilon, shape.lanes, see);
    for (x, y) in x.iter_mut().zip(sums) {
        *x = fp32::add(y, *x);
    }
    see(Stage::Out, Values::Numbers(x));
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
