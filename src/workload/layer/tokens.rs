//! The tokens of layers, one after the other, and where they are in each launch.

use super::{Layers, Options, THETA};
use crate::data::Matrix;
use lpu_compiler::decoder::{Entry, Inputs, Token};

/// A token of each sequence of a group.
pub struct Flight {
    pub group: usize,
    pub rows: Vec<Vec<u32>>,
}

/// Random tokens of groups that take turns.
pub fn seeded(options: &Options, seed: u64) -> Vec<Flight> {
    let &Options {
        tokens, batch, dim, ..
    } = options;
    let rows = Matrix::seeded_reals(tokens * batch, dim, seed, 0);
    let rows: Vec<Vec<u32>> = (rows.elements.chunks(dim))
        .map(|row| row.iter().map(|x| x.to_bits()).collect())
        .collect();
    let flights = rows.chunks(batch).enumerate().map(|(number, rows)| Flight {
        group: number % options.groups,
        rows: rows.to_vec(),
    });
    flights.collect()
}

impl Layers {
    /// The token that a stage has in a launch, if it has one.
    fn token_at(&self, stage: usize, launch: usize) -> Option<usize> {
        let token = launch.checked_sub(stage)?;
        (token < self.tokens.len()).then_some(token)
    }

    /// The token whose results a launch gives, if it gives any.
    pub(super) fn leaving(&self, launch: usize) -> Option<usize> {
        self.token_at(self.compiled.layout.stages() - 1, launch)
    }

    /// Where in the cache a token is.
    pub(super) fn place(&self, token: usize) -> usize {
        self.first(self.tokens[token].group) + self.options.position_of(token)
    }

    /// Positions of the cache before those of a group.
    const fn first(&self, group: usize) -> usize {
        group * self.options.cache
    }

    /// cos and sin of a position, FP32 patterns.
    fn angles(&self, position: usize) -> (Vec<u32>, Vec<u32>) {
        let dim = self.options.head_dim;
        let angle = |i: usize| {
            let turn = libm::pow(THETA, -(2.0 * i as f64) / dim as f64);
            let (sine, cosine) = libm::sincos(position as f64 * turn);
            ((cosine as f32).to_bits(), (sine as f32).to_bits())
        };
        (0..dim / 2).map(angle).unzip()
    }

    /// What the host writes for a stage before a launch.
    pub(super) fn stage_inputs(&self, stage: usize, launch: usize) -> Inputs {
        let layout = &self.compiled.layout;
        let Some(number) = self.token_at(stage, launch) else {
            return layout.inputs(stage, None);
        };
        let Flight { group, rows } = &self.tokens[number];
        let rows: Vec<&[u32]> = rows.iter().map(Vec::as_slice).collect();
        let (cosines, sines) = self.angles(self.options.position_of(number));
        let token = Token {
            rows: &rows,
            tables: (&cosines, &sines),
            seen: self.first(*group)..self.place(number) + 1,
        };
        layout.inputs(stage, Some(&token))
    }

    /// Keys and values of a sequence of every group in the cache that they share, by layer.
    pub(super) fn cached(&self, sequence: usize) -> Vec<Vec<Entry>> {
        let Options {
            batch,
            groups,
            kv_heads,
            head_dim,
            ..
        } = self.options;
        let none = Entry {
            keys: vec![0; kv_heads * head_dim],
            values: vec![0; kv_heads * head_dim],
        };
        let of_layer = |layer: &super::Layer| {
            let mut entries = Vec::new();
            for group in 0..groups {
                entries.resize(self.first(group), none.clone());
                entries.extend_from_slice(&layer.caches[group * batch + sequence]);
            }
            entries
        };
        self.layers.iter().map(of_layer).collect()
    }
}
