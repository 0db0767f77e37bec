//! Layers of a decoder on several chips.

mod layout;

pub use layout::RackLayout;

use super::choice::{CHOICES, Choice, fewest};
use super::plan::{Part, Plan, Share};
use super::{Decoder, Layout, Shape, pipeline, team};
use crate::{CompileError, Prediction, check};
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Program};

/// What the chips of a rack have of a decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Placement {
    /// A share of every product, of one token of each sequence.
    #[default]
    Tensor,
    /// Whole layers, one after the other, and a token on each chip.
    Pipeline,
}

/// Compiled layers of all chips.
#[derive(Clone, Debug)]
pub struct RackDecoder {
    /// The program of each chip.
    pub programs: Vec<Program>,
    /// What a launch takes on each chip, whatever the position.
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

/// Compiles decoder layers for a rack of machines `config`.
///
/// The programs have passed [`check`](crate::check()) and [`check_rack`](crate::check_rack). The same arguments always give the same programs. A rack of one
/// chip is [`compile`](super::compile).
pub fn compile_rack(
    config: &Config,
    shape: &Shape,
    rack: &Rack,
    placement: Placement,
) -> Result<RackDecoder, CompileError> {
    if rack.chips() == 1 {
        let Decoder {
            program,
            layout,
            prediction,
            ..
        } = super::compile(config, shape)?;
        let layout = RackLayout::new(config, shape, Placement::Tensor, vec![layout]);
        return Ok(RackDecoder::new(layout, vec![program], vec![prediction]));
    }
    config.validate()?;
    shape.validate(config.lanes)?;
    if config.links() < rack.links() {
        return Err(CompileError::Decoder(format!(
            "{} LPUs need {} links each and c2c.links is {}: raise it to {}",
            rack.chips(),
            rack.links(),
            config.links(),
            rack.links()
        )));
    }
    match placement {
        Placement::Tensor => tensor_parallel(config, shape, rack),
        Placement::Pipeline => {
            let (layouts, programs) = pipeline::place(config, shape, rack)?;
            let layout = RackLayout::new(config, shape, placement, layouts);
            RackDecoder::checked(config, rack, layout, programs)
        }
    }
}

/// Every chip has x, keys and values, and a share of all else.
fn tensor_parallel(
    config: &Config,
    shape: &Shape,
    rack: &Rack,
) -> Result<RackDecoder, CompileError> {
    if rack.topology() != Topology::AllToAll {
        return Err(CompileError::Decoder(format!(
            "tensor parallel layers on {} LPUs need a link from each to every other and the topology is {}: choose all-to-all, or a pipeline",
            rack.chips(),
            rack.topology()
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
    let layout = RackLayout::new(config, shape, Placement::Tensor, layouts);
    RackDecoder::checked(config, rack, layout, programs)
}

impl RackDecoder {
    /// Checks the programs of several chips.
    fn checked(
        config: &Config,
        rack: &Rack,
        layout: RackLayout,
        programs: Vec<Program>,
    ) -> Result<Self, CompileError> {
        let predictions = programs
            .iter()
            .map(|program| check(config, program).map_err(CompileError::Schedule))
            .collect::<Result<_, _>>()?;
        crate::check_rack(config, rack, &programs).map_err(CompileError::Decoder)?;
        Ok(Self::new(layout, programs, predictions))
    }

    /// Programs that keep all rules, with what they take.
    fn new(layout: RackLayout, programs: Vec<Program>, predictions: Vec<Prediction>) -> Self {
        let (read_bytes, macs) = (layout.shape().read_bytes(), layout.shape().macs());
        Self {
            programs,
            prediction: Prediction::together(&predictions),
            predictions,
            layout,
            read_bytes,
            macs,
        }
    }
}
