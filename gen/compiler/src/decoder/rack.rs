//! Layers of a decoder on several chips.

use super::choice::{CHOICES, Choice, fewest};
use super::plan::{Part, Plan, Share};
use super::{Decoder, Entry, Inputs, Layout, Shape, Weights, team};
use crate::matmul::Vector;
use crate::{CompileError, Prediction, check};
use lpu_isa::rack::{Numbering, Rack, Topology};
use lpu_isa::{Config, Program};

/// Where the tensors are, slices and queues as [`Numbering`] counts.
#[derive(Clone, Debug)]
pub struct RackLayout {
    chips: Vec<Layout>,
    numbering: Numbering,
}

/// Compiled layers of all chips.
#[derive(Clone, Debug)]
pub struct RackDecoder {
    /// The program of each chip.
    pub programs: Vec<Program>,
    /// What the launch takes on each chip, whatever the position.
    pub predictions: Vec<Prediction>,
    /// What it takes on all of them together.
    pub prediction: Prediction,
    /// Where the tensors are.
    pub layout: RackLayout,
    /// Bytes of weights, keys and values that a step has to read once, padding and copies not counted.
    pub read_bytes: u64,
    /// Multiply-accumulates of all products and of attention, padding and copies not counted.
    pub macs: u64,
}

/// Compiles decoder layers for a rack of machines `config`: tensor parallel, with x, keys and values on every chip.
///
/// The programs have passed [`check`](crate::check()) and [`check_rack`](crate::check_rack). The same arguments always give the same programs. A rack of one
/// chip is [`compile`](super::compile).
pub fn compile_rack(
    config: &Config,
    shape: &Shape,
    rack: &Rack,
) -> Result<RackDecoder, CompileError> {
    if rack.chips() == 1 {
        let alone = super::compile(config, shape)?;
        return Ok(RackDecoder::alone(config, shape, alone));
    }
    config.validate()?;
    shape.validate(config.lanes)?;
    if rack.topology() != Topology::AllToAll {
        return Err(CompileError::Decoder(format!(
            "decoder layers on {} LPUs need a link from each to every other and the topology is {}: choose all-to-all",
            rack.chips(),
            rack.topology()
        )));
    }
    if config.links() < rack.links() {
        return Err(CompileError::Decoder(format!(
            "{} LPUs need {} links each and c2c.links is {}: raise it to {}",
            rack.chips(),
            rack.links(),
            config.links(),
            rack.links()
        )));
    }
    let choices = CHOICES.into_iter().flat_map(|c| [(c, true), (c, false)]);
    let placed = choices.map(|(choice, shared)| place(config, shape, rack, choice, shared));
    fewest(placed, |placed| placed.prediction.busy_cycles)
}

fn place(
    config: &Config,
    shape: &Shape,
    rack: &Rack,
    choice: Choice,
    attention_is_shared: bool,
) -> Result<RackDecoder, CompileError> {
    let chips = rack.chips();
    let plans: Vec<Plan> = (0..chips)
        .map(|chip| {
            let share = Share { chip, chips };
            let attention = match attention_is_shared {
                true => share,
                false => Share::ALONE,
            };
            Plan::new(config, Part::Layers, shape, choice, [share, attention])
        })
        .collect::<Result<_, _>>()?;
    let layouts: Vec<Layout> = plans
        .iter()
        .map(|plan| Layout::new(config, plan))
        .collect::<Result<_, _>>()?;
    let programs = team::programs(config, rack, &plans, &layouts)?;
    let predictions = programs
        .iter()
        .map(|program| check(config, program).map_err(CompileError::Schedule))
        .collect::<Result<Vec<_>, _>>()?;
    crate::check_rack(config, rack, &programs).map_err(CompileError::Decoder)?;
    let layout = RackLayout::new(config, layouts);
    Ok(RackDecoder::new(shape, programs, predictions, layout))
}

impl RackDecoder {
    fn new(
        shape: &Shape,
        programs: Vec<Program>,
        predictions: Vec<Prediction>,
        layout: RackLayout,
    ) -> Self {
        Self {
            programs,
            prediction: Prediction::together(&predictions),
            predictions,
            layout,
            read_bytes: shape.read_bytes(),
            macs: shape.macs(),
        }
    }

    fn alone(config: &Config, shape: &Shape, decoder: Decoder) -> Self {
        let layout = RackLayout::new(config, vec![decoder.layout]);
        Self::new(
            shape,
            vec![decoder.program],
            vec![decoder.prediction],
            layout,
        )
    }
}

impl RackLayout {
    fn new(config: &Config, chips: Vec<Layout>) -> Self {
        Self {
            chips,
            numbering: Numbering::of(config),
        }
    }

    /// The sizes.
    pub fn shape(&self) -> &Shape {
        self.chips[0].shape()
    }

    /// Vectors of a chip under their numbers in the rack.
    fn numbered(&self, chip: usize, vectors: Vec<Vector>) -> impl Iterator<Item = Vector> + use<> {
        let numbering = self.numbering;
        vectors.into_iter().map(move |vector| Vector {
            slice: numbering.slice(chip, vector.slice),
            ..vector
        })
    }

    /// The same of each chip.
    fn each(&self, vectors: impl Fn(&Layout) -> Vec<Vector>) -> Vec<Vector> {
        let chips = self.chips.iter().enumerate();
        chips
            .flat_map(|(chip, layout)| self.numbered(chip, vectors(layout)))
            .collect()
    }

    /// Weights and vectors B; see [`Layout::pack`].
    pub fn pack(&self, weights: &Weights<'_>) -> Result<Vec<Vector>, CompileError> {
        let mut vectors = Vec::new();
        for (chip, layout) in self.chips.iter().enumerate() {
            vectors.extend(self.numbered(chip, layout.pack(weights)?));
        }
        Ok(vectors)
    }

    /// What the host writes for a step; see [`Layout::inputs`].
    pub fn inputs(&self, rows: &[&[u32]], tables: (&[u32], &[u32]), position: usize) -> Inputs {
        let mut all = Inputs {
            vectors: Vec::new(),
            bases: Vec::new(),
        };
        for (chip, layout) in self.chips.iter().enumerate() {
            let Inputs { vectors, bases } = layout.inputs(rows, tables, position);
            all.vectors.extend(self.numbered(chip, vectors));
            let bases = bases.into_iter();
            all.bases
                .extend(bases.map(|(queue, base)| (self.numbering.queue(chip, queue), base)));
        }
        all
    }

    /// Chips that have results of their own: all of them logits, one of them x, which is the same everywhere.
    fn with_results(&self) -> &[Layout] {
        match self.shape().vocabulary {
            Some(_) => &self.chips,
            None => &self.chips[..1],
        }
    }

    /// The vectors (slice, address) that hold the results of a step at `position`.
    pub fn result_places(&self, position: usize) -> Vec<(usize, usize)> {
        let chips = self.with_results().iter().enumerate();
        let places = chips.flat_map(|(chip, layout)| {
            let places = layout.result_places(position);
            self.numbering.places(chip, places)
        });
        places.collect()
    }

    /// The results of each sequence, FP32 patterns, from the bytes of [`Self::result_places`].
    pub fn results(&self, mut bytes: &[u8]) -> Vec<Vec<u32>> {
        let shape = self.shape();
        let size = shape.vocabulary.unwrap_or(shape.width);
        let mut rows = vec![vec![0; size]; shape.sequences];
        for layout in self.with_results() {
            let (own, rest) = bytes.split_at(layout.result_bytes());
            layout.place_results(own, &mut rows);
            bytes = rest;
        }
        rows
    }

    /// The vectors that hold keys and values of the first positions of a sequence; every chip has them all.
    pub fn cache_places(&self, sequence: usize, positions: usize) -> Vec<(usize, usize)> {
        self.chips[0].cache_places(sequence, positions)
    }

    /// Keys and values, by layer and position, from the bytes of [`Self::cache_places`].
    pub fn cache(&self, bytes: &[u8], positions: usize) -> Vec<Vec<Entry>> {
        self.chips[0].cache(bytes, positions)
    }

    /// The vectors that put keys and values into the cache of a sequence; see [`Layout::cache_image`].
    pub fn cache_image(&self, sequence: usize, entries: &[Vec<Entry>]) -> Vec<Vector> {
        self.each(|layout| layout.cache_image(sequence, entries))
    }
}
