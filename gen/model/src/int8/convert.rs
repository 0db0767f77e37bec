//! Weights of a model to int8.

use super::{Int8Layer, Int8Matrix, Int8Model, Steps};
use crate::Model;
use crate::architecture::{Activation, Architecture, NormKind, Positions, Rope, RopePairs};
use crate::model::{Dense, Ffn, Layer, Linear, Norm};
use lpu_verif::numeric::Matrix;
use miette::Diagnostic;
use thiserror::Error;

/// The largest code.
const LARGEST: f64 = 127.0;

/// A model that the decoder layers do not cover.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error(
    "the decoder layers of an LPU cannot compute this model: {what} is {found}, and has to be {rule}"
)]
#[diagnostic(
    code(lpu::int8::model),
    help(
        "use a model of the Llama family, --afd, which takes any attention and experts, or --engine reference, which computes it on the host"
    )
)]
pub struct ConvertError {
    /// Which property.
    pub what: String,
    /// What it is.
    pub found: String,
    /// What it has to be.
    pub rule: &'static str,
}

impl ConvertError {
    pub(super) fn new(what: &str, found: String, rule: &'static str) -> Self {
        Self {
            what: what.into(),
            found,
            rule,
        }
    }
}

/// Converts a model, with the steps of each layer.
///
/// # Panics
/// If there are not as many steps as layers.
pub fn convert(model: &Model, steps: &[Steps]) -> Result<Int8Model, ConvertError> {
    let shape = &model.architecture;
    let (rope, hidden) = check(model)?;
    assert_eq!(steps.len(), model.layers.len(), "steps of each layer");
    let neighbours = rope.pairs == RopePairs::Neighbours;
    let layers = model.layers.iter().zip(steps).map(|(layer, steps)| {
        let Ffn::Dense(Dense {
            gate: Some(gate),
            up,
            down,
        }) = &layer.ffn
        else {
            unreachable!("the model is checked");
        };
        let rotated = |linear| {
            let order = |row| rotation_order(row, shape.head_dim, neighbours);
            quantise(linear, Some(&layer.attention_norm), order)
        };
        let plain = |linear, norm| quantise(linear, norm, |row| row);
        let (attention, ffn) = (Some(&layer.attention_norm), Some(&layer.ffn_norm));
        Int8Layer {
            query: rotated(&layer.query),
            key: rotated(&layer.key),
            value: plain(&layer.value, attention),
            output: plain(&layer.output, None),
            gate: plain(gate, ffn),
            up: plain(up, ffn),
            down: plain(down, None),
            steps: *steps,
        }
    });
    Ok(Int8Model {
        width: shape.width,
        heads: shape.heads,
        kv_heads: shape.kv_heads,
        head_dim: shape.head_dim,
        hidden,
        vocabulary: shape.vocabulary,
        context: shape.context,
        epsilon: shape.epsilon as f32,
        frequencies: rope.frequencies(shape.head_dim),
        layers: layers.collect(),
        head: quantise(&model.head, Some(&model.norm), |row| row),
        neighbours,
    })
}

/// The row of the model's matrix that becomes row `row` of ours: neighbours 2i, 2i + 1 of a head go to i and i + half.
pub(super) fn rotation_order(row: usize, head_dim: usize, neighbours: bool) -> usize {
    if !neighbours {
        return row;
    }
    let (head, element, half) = (row / head_dim, row % head_dim, head_dim / 2);
    head * head_dim + 2 * (element % half) + element / half
}

/// int8 codes of a matrix, the gain of a norm multiplied into its rows in double precision; `order` gives the row for each output.
pub(super) fn quantise(
    linear: &Linear,
    norm: Option<&Norm>,
    order: impl Fn(usize) -> usize,
) -> Int8Matrix {
    let (outputs, inputs) = (linear.weight.outputs(), linear.weight.inputs());
    let mut row = vec![0f32; inputs];
    let (mut codes, mut scales) = (Vec::with_capacity(outputs * inputs), Vec::new());
    for output in 0..outputs {
        linear.weight.row(order(output), &mut row);
        let gain = |input: usize| norm.map_or(1.0, |norm| norm.weight[input].into());
        let weights: Vec<f64> = (row.iter().enumerate())
            .map(|(input, &weight)| f64::from(weight) * gain(input))
            .collect();
        let largest = weights.iter().fold(0f64, |most, w| most.max(w.abs()));
        let scale = (largest / LARGEST) as f32;
        scales.push(scale);
        codes.extend(weights.iter().map(|weight| {
            match scale {
                0.0 => 0,
                // A subnormal scale may be much too small.
                scale => (weight / f64::from(scale))
                    .round_ties_even()
                    .clamp(-LARGEST, LARGEST) as i8,
            }
        }));
    }
    Int8Matrix {
        codes: Matrix::from_fn(outputs, inputs, |r, c| codes[r * inputs + c]),
        scales,
    }
}

/// Whether the model is one that `docs/decoder.md` describes; its positions and inner width.
fn check(model: &Model) -> Result<(Rope, usize), ConvertError> {
    let shape: &Architecture = &model.architecture;
    let refuse = |what: &str, found, rule| Err(ConvertError::new(what, found, rule));
    let name = |value: &dyn std::fmt::Debug| format!("{value:?}");
    if shape.norm != NormKind::Rms {
        return refuse("its norm", name(&shape.norm), "Rms");
    }
    if shape.activation != Activation::Silu {
        return refuse("its activation", name(&shape.activation), "Silu");
    }
    let Positions::Rope(rope) = shape.positions else {
        return refuse("its position embedding", "learned".into(), "rotary");
    };
    if shape.head_norm {
        return refuse("the norm of each head", "there".into(), "absent");
    }
    if model.head.bias.is_some() {
        return refuse("the bias of the head", "there".into(), "absent");
    }
    let mut hidden = None;
    for (number, layer) in model.layers.iter().enumerate() {
        let inner = check_layer(number, layer)?;
        if *hidden.get_or_insert(inner) != inner {
            let what = format!("the inner width of layer {number}");
            return refuse(&what, inner.to_string(), "that of layer 0");
        }
    }
    match hidden {
        Some(hidden) => Ok((rope, hidden)),
        None => refuse("its number of layers", "0".into(), "at least 1"),
    }
}

/// The inner width of a layer.
fn check_layer(number: usize, layer: &Layer) -> Result<usize, ConvertError> {
    let refuse = |what: &str, found: &str, rule| {
        let what = format!("{what} of layer {number}");
        Err(ConvertError::new(&what, found.into(), rule))
    };
    for (name, linear) in layer.linears() {
        if linear.bias.is_some() {
            return refuse(&format!("the bias of {name}"), "there", "absent");
        }
    }
    match &layer.ffn {
        Ffn::Experts(_) => refuse(
            "the feed-forward network",
            "a mixture of experts",
            "one network",
        ),
        Ffn::Dense(dense) if dense.gate.is_none() => {
            refuse("the feed-forward network", "without a gate", "gated")
        }
        Ffn::Dense(dense) => Ok(dense.up.weight.outputs()),
    }
}

#[cfg(test)]
mod tests {
    use super::rotation_order;

    #[test]
    fn neighbours_become_halves() {
        let order: Vec<usize> = (0..12).map(|row| rotation_order(row, 6, true)).collect();
        assert_eq!(order, [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]);
        assert!((0..12).all(|row| rotation_order(row, 6, false) == row));
    }
}
