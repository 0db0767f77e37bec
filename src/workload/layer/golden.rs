//! What layers have to give.

use super::{EPSILON, Layers, Linear, Options, THETA, score};
use lpu_verif::kernels::decoder as golden;
use lpu_verif::numeric::Matrix;

impl From<&Linear> for golden::Linear {
    fn from(linear: &Linear) -> Self {
        let codes = &linear.codes;
        Self {
            codes: Matrix::from_fn(codes.rows, codes.columns, |row, column| {
                codes.elements[row * codes.columns + column]
            }),
            factors: linear.factors.clone(),
        }
    }
}

impl Layers {
    fn parameters(&self) -> golden::Parameters {
        let Options {
            dim,
            ffn,
            heads,
            kv_heads,
            head_dim,
            cache,
            ..
        } = self.options;
        let layers = self.layers.iter().map(|layer| {
            let [query, key, value, output, gate, up, down] =
                layer.linears.each_ref().map(golden::Linear::from);
            golden::Layer {
                query,
                key,
                value,
                output,
                gate,
                up,
                down,
                score: score(&self.options).to_bits(),
            }
        });
        golden::Parameters {
            shape: golden::Shape {
                width: dim,
                heads,
                kv_heads,
                head_dim,
                hidden: ffn,
                vocabulary: 0,
                positions: cache,
                lanes: self.lanes,
            },
            layers: layers.collect(),
            head: None,
            epsilon: EPSILON.to_bits(),
            frequencies: golden::frequencies(THETA, head_dim),
        }
    }

    /// A decoder of a group of sequences, with the positions before the first token.
    fn decoder(&self, parameters: golden::Parameters, group: usize) -> golden::Decoder {
        let batch = self.options.batch;
        let mut decoder =
            golden::Decoder::new(parameters, batch).expect("the compiler has accepted the shape");
        for (number, layer) in self.layers.iter().enumerate() {
            for sequence in 0..batch {
                let entries = &layer.caches[group * batch + sequence];
                for (at, entry) in entries.iter().enumerate() {
                    let cache = decoder.cache_mut(sequence);
                    cache.set(number, at, &entry.keys, &entry.values);
                }
            }
        }
        decoder
    }

    /// The rows of x behind the last layer, of all tokens, by a golden decoder of each group.
    pub(super) fn golden(&self) -> Vec<Vec<u32>> {
        let parameters = self.parameters();
        let groups = 0..self.options.groups;
        let mut decoders: Vec<_> = groups
            .map(|group| self.decoder(parameters.clone(), group))
            .collect();
        let mut rows = Vec::new();
        for (number, token) in self.tokens.iter().enumerate() {
            let position = self.options.position_of(number);
            let outputs = decoders[token.group].step(&token.rows, position);
            rows.extend(outputs.into_iter().map(|output| output.x));
        }
        rows
    }
}
