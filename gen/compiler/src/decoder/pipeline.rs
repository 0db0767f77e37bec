//! A pipeline of chips: each has some of the layers, and x goes from one to the next while each works on a token of its own.
//!
//! A launch is one step of all chips. At its end every chip but the last sends x, and the next one receives it into the registers that
//! its own x has left: the token of the next launch.

use super::choice::{CHOICES, Choice, fewest};
use super::plan::{Part, Plan, Share};
use super::scheduler::{Arrival, Links};
use super::step::Step;
use super::{Layout, Shape, place as place_alone, team};
use crate::alu::PLANES;
use crate::{CompileError, check};
use lpu_isa::c2c;
use lpu_isa::latency::SEND_LATENCY;
use lpu_isa::rack::Rack;
use lpu_isa::{Config, Program};
use std::ops::Range;

/// Cycles without a SEND behind each word: half the rate of a link, more than any shape of it takes away for its frames.
const REST: usize = PLANES;

/// Where a chip stands: the link to the next chip, and that of the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    next: Option<usize>,
    before: Option<usize>,
    /// The frames of the links.
    shape: Option<c2c::Shape>,
}

impl Ends {
    fn links(self) -> Links {
        Links {
            out: self.next.into_iter().collect(),
            receives: self.before.is_some(),
            rest: REST,
            shape: self.shape,
        }
    }
}

/// What a chip computes, and how.
#[derive(Clone)]
struct Stage {
    shape: Shape,
    ends: Ends,
    plan: Plan,
    layout: Layout,
}

impl Stage {
    fn new(
        config: &Config,
        shape: &Shape,
        ends: Ends,
        choice: Choice,
    ) -> Result<Self, CompileError> {
        let plan = Plan::new(config, Part::Layers, shape, choice, [Share::ALONE; 2])?;
        Ok(Self {
            shape: shape.clone(),
            ends,
            layout: Layout::new(config, &plan)?,
            plan,
        })
    }

    /// All that the chip computes: x comes from the host or is there, and is in the registers at the end, or its results are in SRAM.
    fn step<'a>(&'a self, config: &'a Config) -> Result<Step<'a>, CompileError> {
        let mut step = Step::new(config, &self.plan, &self.layout, self.ends.links());
        if self.ends.before.is_none() {
            step.rows_of_x()?;
        }
        step.layers()?;
        if self.ends.next.is_none() {
            step.results()?;
        }
        Ok(step)
    }

    /// Cycles of that, with x sent as soon as it is there.
    fn cycles(&self, config: &Config) -> Result<u64, CompileError> {
        let mut step = self.step(config)?;
        if self.ends.next.is_some() {
            for tile in 0..self.plan.width.len() {
                step.send_x(tile, 0)?;
            }
        }
        let program = step.scheduler.finish(self.plan.streams)?;
        let prediction = check(config, &program).map_err(CompileError::Schedule)?;
        Ok(prediction.busy_cycles)
    }

    /// The choice of the fewest cycles.
    fn best(config: &Config, shape: &Shape, ends: Ends) -> Result<Self, CompileError> {
        let made = CHOICES.into_iter().map(|choice| {
            let stage = Self::new(config, shape, ends, choice)?;
            Ok((stage.cycles(config)?, stage))
        });
        Ok(fewest(made, |made| made.0)?.1)
    }
}

/// Layouts and programs of all chips.
pub fn place(
    config: &Config,
    shape: &Shape,
    rack: &Rack,
) -> Result<(Vec<Layout>, Vec<Program>), CompileError> {
    let ends = chain(rack)?;
    let shares = shares(config, shape, rack.chips())?;
    let mut stages: Vec<Stage> = Vec::new();
    for (layers, &ends) in shares.into_iter().zip(&ends) {
        let own = part(shape, layers, ends.next.is_none());
        let same = |stage: &&Stage| {
            let alike =
                |of: fn(Ends) -> Option<usize>| of(stage.ends).is_some() == of(ends).is_some();
            stage.shape == own && alike(|ends| ends.next) && alike(|ends| ends.before)
        };
        let known = stages.iter().find(same).cloned();
        stages.push(match known {
            Some(stage) => Stage { ends, ..stage },
            None => Stage::best(config, &own, ends)?,
        });
    }
    let steps = stages.iter().map(|stage| stage.step(config));
    let mut steps = steps.collect::<Result<Vec<_>, _>>()?;
    // The last one first: a chip is sent x when its own has gone on.
    for chip in (1..steps.len()).rev() {
        hand_on(rack, &mut steps, &ends, chip)?;
    }
    let programs = team::lower(config, steps)?;
    let layouts = stages.into_iter().map(|stage| stage.layout);
    Ok((layouts.collect(), programs))
}

/// x of the chip before `chip` into the registers of `chip`.
fn hand_on(
    rack: &Rack,
    steps: &mut [Step<'_>],
    ends: &[Ends],
    chip: usize,
) -> Result<(), CompileError> {
    let (before, rest) = steps.split_at_mut(chip);
    let (before, step) = (&mut before[chip - 1], &mut rest[0]);
    let link = ends[chip].before.expect("a chip before it");
    let plan = step.plan;
    let flight = (SEND_LATENCY + rack.hop()) as i64;
    for tile in 0..plan.width.len() {
        let sequences = 0..plan.shape.sequences;
        let free = sequences.map(|sequence| step.scheduler.free(plan.registers.x(sequence, tile)));
        // A tile comes when there is room for it, and behind the last flit of the tile before: so few of them wait in the elastic buffer.
        let wanted = free.max().unwrap_or(0) - step.scheduler.way_of_words();
        let wanted = wanted.max(step.scheduler.received(link));
        before.send_x(tile, wanted - flight - before.scheduler.way_of_sent())?;
        for sent in before.scheduler.take_sent() {
            debug_assert_eq!(sent.what, Arrival::X { tile });
            step.receive(link, sent.issue + flight, sent.what, None)?;
        }
    }
    Ok(())
}

/// The links of a chain of all chips in the order of their numbers.
fn chain(rack: &Rack) -> Result<Vec<Ends>, CompileError> {
    let chips = rack.chips();
    let mut ends = vec![
        Ends {
            next: None,
            before: None,
            shape: rack.shape(),
        };
        chips
    ];
    for chip in 0..chips - 1 {
        let mut links = (0..rack.links()).filter_map(|link| Some((link, rack.peer(chip, link)?)));
        let Some((link, (_, back))) = links.find(|&(_, (other, _))| other == chip + 1) else {
            return Err(CompileError::Decoder(format!(
                "a pipeline of {chips} LPUs needs a link from each to the next, and in a {} none joins LPU {chip} and LPU {}: choose all-to-all or ring",
                rack.topology(),
                chip + 1
            )));
        };
        ends[chip].next = Some(link);
        ends[chip + 1].before = Some(back);
    }
    Ok(ends)
}

/// Some of the layers, and the head or not.
fn part(shape: &Shape, layers: Range<usize>, head: bool) -> Shape {
    Shape {
        vocabulary: shape.vocabulary.filter(|_| head),
        layers: layers.len(),
        scores: shape.scores[layers].to_vec(),
        ..shape.clone()
    }
}

/// Layers of each chip, so that the chip that takes longest takes the fewest cycles: the last one also has the head.
fn shares(config: &Config, shape: &Shape, chips: usize) -> Result<Vec<Range<usize>>, CompileError> {
    let layers = shape.layers;
    if layers < chips {
        return Err(CompileError::Decoder(format!(
            "a pipeline of {chips} LPUs needs {chips} layers, one for each, and layers is {layers}: choose no more LPUs than layers, or tensor parallel layers"
        )));
    }
    let cycles = |head| -> Result<u64, CompileError> {
        let one = part(shape, 0..1, head);
        let placed = CHOICES
            .into_iter()
            .map(|choice| place_alone(config, Part::Layers, &one, choice));
        Ok(fewest(placed, |placed| placed.2.busy_cycles)?.2.busy_cycles)
    };
    let layer = cycles(false)?;
    let head = match shape.vocabulary {
        Some(_) => cycles(true)?.saturating_sub(layer),
        None => 0,
    };
    // Layers of the last chip; the others have as equal shares of the rest as there can be.
    let others = chips - 1;
    let slowest = |&last: &usize| {
        let most = (layers - last).div_ceil(others) as u64;
        (most * layer).max(last as u64 * layer + head)
    };
    let last = (1..=layers - others)
        .min_by_key(slowest)
        .expect("a layer for each");
    let rest = layers - last;
    let cut = |chip: usize| chip * rest / others;
    let mut shares: Vec<_> = (0..others).map(|chip| cut(chip)..cut(chip + 1)).collect();
    shares.push(rest..layers);
    Ok(shares)
}
