//! All-reduce, reduce-scatter and all-gather of FP32 vectors over the chips of a rack.
//!
//! `docs/collectives.md` defines shares, the order of the additions and the schedules. Every issue of every queue is computed here, cycle by
//! cycle; the checkers prove that it works out.

mod cadence;
mod exchange;
mod region;
mod ring;
mod script;
mod sums;
mod tree;
mod unit;

use crate::alu::PLANES;
use crate::matmul::Vector;
use crate::{CompileError, Prediction, check, check_rack};
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Descriptor, Program};
use region::Region;
use ring::Ring;
use unit::{FLITS, SENDS, Unit};

/// What to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Every chip gets the sum of the vectors of all.
    AllReduce,
    /// Every chip gets its share of that sum.
    ReduceScatter,
    /// Every chip has a share, and gets those of all.
    AllGather,
}

impl Kind {
    /// Whether vectors are added up.
    pub const fn adds(self) -> bool {
        !matches!(self, Self::AllGather)
    }

    /// Whether every chip gets all shares.
    pub const fn gathers(self) -> bool {
        !matches!(self, Self::ReduceScatter)
    }
}

/// A collective in words of L elements.
#[derive(Clone, Copy, Debug)]
struct Plan {
    kind: Kind,
    /// Word vectors of a share, the last ones padded; over a tree all of them are one share.
    words: usize,
}

/// Words of a share somewhere on a chip.
#[derive(Clone, Debug)]
struct Block {
    chip: usize,
    share: usize,
    /// The first word of the share.
    first: usize,
    words: usize,
    region: Region,
}

/// A compiled collective.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program of each chip.
    pub programs: Vec<Program>,
    /// What the launch takes on each chip.
    pub predictions: Vec<Prediction>,
    /// What it takes on all of them together.
    pub prediction: Prediction,
    /// Cycles in which the links carry what no schedule can spare them: no launch is shorter.
    pub bound: u64,
    kind: Kind,
    elements: usize,
    lanes: usize,
    slices: usize,
    words: usize,
    inputs: Vec<Block>,
    outputs: Vec<Block>,
}

/// Compiles a collective of `elements` FP32 numbers for a rack of machines `config`.
///
/// The programs have passed [`check`](crate::check()) and [`check_rack`]. The same arguments always give the same programs.
///
/// ```
/// use lpu_compiler::collective::{Kind, compile};
/// use lpu_isa::config::C2cConfig;
/// use lpu_isa::rack::{Rack, Topology};
/// let mut config = lpu_isa::Config::preset("proto").unwrap();
/// config.c2c = Some(C2cConfig { links: 3 });
/// let rack = Rack::new(4, Topology::AllToAll, 57).unwrap();
/// let sum = compile(&config, &rack, Kind::AllReduce, 1000)?;
/// assert_eq!(sum.programs.len(), 4);
/// # Ok::<(), lpu_compiler::CompileError>(())
/// ```
pub fn compile(
    config: &Config,
    rack: &Rack,
    kind: Kind,
    elements: usize,
) -> Result<Compiled, CompileError> {
    config.validate()?;
    require(config, rack, kind, elements)?;
    let all = elements.div_ceil(config.lanes);
    let words = match rack.topology() {
        Topology::Tree => all,
        _ => all.div_ceil(rack.chips()),
    };
    let plan = Plan { kind, words };
    let (units, descriptors, inputs, outputs) = match rack.topology() {
        Topology::AllToAll => exchange(config, rack, plan)?,
        Topology::Ring => around(config, rack, plan)?,
        Topology::Tree => up_and_down(config, rack, plan)?,
    };
    let timelines: Vec<_> = units
        .into_iter()
        .map(|unit| unit.script.timeline())
        .collect();
    // All chips begin in the same cycle.
    let firsts = timelines.iter().filter_map(|timeline| timeline.first());
    let origin = firsts.min().unwrap_or(0);
    let programs = timelines.into_iter().map(|timeline| {
        let mut program = timeline.lower_from(config, origin)?;
        for (index, &descriptor) in descriptors.iter().enumerate() {
            program.describe(index, descriptor);
        }
        Ok(program)
    });
    let programs = programs.collect::<Result<Vec<_>, CompileError>>()?;
    let predictions = programs
        .iter()
        .map(|program| check(config, program).map_err(CompileError::Schedule))
        .collect::<Result<Vec<_>, _>>()?;
    check_rack(config, rack, &programs).map_err(CompileError::Collective)?;
    Ok(Compiled {
        prediction: Prediction::together(&predictions),
        programs,
        predictions,
        bound: bound(config, rack, kind, elements),
        kind,
        elements,
        lanes: config.lanes,
        slices: config.mem.slices,
        words,
        inputs,
        outputs,
    })
}

/// What a machine and a rack need.
fn require(config: &Config, rack: &Rack, kind: Kind, elements: usize) -> Result<(), CompileError> {
    let refuse = |rule: String| Err(CompileError::Collective(rule));
    let (chips, links) = (rack.chips(), rack.links());
    if chips < 2 {
        return refuse(format!(
            "a collective of {chips} LPU has nobody to talk to: choose 2 to 8 LPUs"
        ));
    }
    if elements == 0 {
        return refuse("a vector of 0 elements: it must have at least 1".to_owned());
    }
    if rack.topology() == Topology::Tree && kind != Kind::AllReduce {
        return refuse(
            "over the topology tree there is an all-reduce only: choose all-to-all or ring"
                .to_owned(),
        );
    }
    if config.links() < links {
        return refuse(format!(
            "{chips} LPUs need {links} links each and c2c.links is {}: raise it to {links}",
            config.links()
        ));
    }
    if kind.adds() && config.vxm.is_none() {
        return Err(CompileError::NoVectorUnit);
    }
    if config.mem.slices < PLANES {
        return Err(CompileError::WordSlices {
            needed: PLANES,
            available: config.mem.slices,
        });
    }
    let streams = usize::from(FLITS.max(SENDS)) + links;
    if config.streams < streams {
        return refuse(format!(
            "{links} links and the operands of sums take {streams} streams each way and the machine has {}: raise streams to {}",
            config.streams,
            streams.next_power_of_two()
        ));
    }
    Ok(())
}

/// Cycles in which the busiest links carry their part, S flits in F cycles: (chips - 1) / chips of the vector for each phase, over all links
/// of a chip; over a tree all of it, up and down at once.
fn bound(config: &Config, rack: &Rack, kind: Kind, elements: usize) -> u64 {
    let phases = u64::from(kind.adds()) + u64::from(kind.gathers());
    let chips = rack.chips() as u64;
    let (slots, frame) = rack
        .shape()
        .map_or((1, 1), |shape| (shape.slots() as u64, shape.frame() as u64));
    // Parts of the vector that a link carries.
    let (carried, of) = match rack.topology() {
        // Both lead to the same chip; a direct exchange of two has one link.
        Topology::Ring => (phases * (chips - 1), 2 * chips),
        Topology::AllToAll => (phases * (chips - 1), rack.links() as u64 * chips),
        Topology::Tree => (1, 1),
    };
    let flits = carried * (PLANES * elements) as u64;
    (flits * frame).div_ceil(of * config.lanes as u64 * slots)
}

type Parts<'a> = (Vec<Unit<'a>>, Vec<Descriptor>, Vec<Block>, Vec<Block>);

fn exchange<'a>(config: &'a Config, rack: &Rack, plan: Plan) -> Result<Parts<'a>, CompileError> {
    let chips = rack.chips();
    let (unit, descriptors, shares) = exchange::compile(config, rack, plan)?;
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for chip in 0..chips {
        let block = |back: usize, region: &Region| Block {
            chip,
            share: (chip + back) % chips,
            first: 0,
            words: plan.words,
            region: region.clone(),
        };
        inputs.push(block(0, &shares.own));
        outputs.push(block(0, &shares.sum));
        for link in 0..rack.links() {
            inputs.extend(shares.first.get(link).map(|region| block(link + 1, region)));
            outputs.extend(shares.last.get(link).map(|region| block(link + 1, region)));
        }
    }
    Ok((vec![unit; chips], descriptors, inputs, outputs))
}

fn around<'a>(config: &'a Config, rack: &Rack, plan: Plan) -> Result<Parts<'a>, CompileError> {
    let chips = rack.chips();
    let ring = Ring::new(config, rack, plan)?;
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    for (chip, share) in (0..chips).flat_map(|chip| (0..chips).map(move |share| (chip, share))) {
        for (number, part) in ring.parts.iter().enumerate() {
            let block = |region| Block {
                chip,
                share,
                first: part.before,
                words: part.words,
                region,
            };
            inputs.extend(ring.input(part, number, chip, share).map(block));
            outputs.extend(ring.output(part, chip, share).map(block));
        }
    }
    let units = (0..chips).map(|chip| ring.chip(chip)).collect();
    let descriptors = match plan.kind.adds() {
        true => sums::descriptors(&Unit::new(config, rack.hop()), 2),
        false => Vec::new(),
    };
    Ok((units, descriptors, inputs, outputs))
}

fn up_and_down<'a>(config: &'a Config, rack: &Rack, plan: Plan) -> Result<Parts<'a>, CompileError> {
    let (nodes, descriptors) = tree::compile(config, rack, plan.words)?;
    let blocks = |region: &dyn Fn(&tree::Node<'a>) -> Region| {
        let nodes = nodes.iter().enumerate();
        nodes
            .map(|(chip, node)| Block {
                chip,
                share: 0,
                first: 0,
                words: plan.words,
                region: region(node),
            })
            .collect()
    };
    let inputs = blocks(&|node| node.own.clone());
    let outputs = blocks(&|node| node.result.clone());
    let units = nodes.into_iter().map(|node| node.unit).collect();
    Ok((units, descriptors, inputs, outputs))
}

impl Compiled {
    /// Elements of the share of a chip, in order; over a tree the root's is all of them.
    pub fn share(&self, chip: usize) -> std::ops::Range<usize> {
        let each = self.words * self.lanes;
        let cut = |chip: usize| (chip * each).min(self.elements);
        cut(chip)..cut(chip + 1)
    }

    /// Elements that a chip has in the end.
    pub fn result(&self, chip: usize) -> std::ops::Range<usize> {
        match self.kind.gathers() {
            true => 0..self.elements,
            false => self.share(chip),
        }
    }

    /// Places of the planes of a block's words: first element, plane, slice (numbered through the chips) and address.
    fn planes<'b>(
        &self,
        block: &'b Block,
    ) -> impl Iterator<Item = (usize, usize, usize, usize)> + use<'b> {
        let (slices, lanes, words) = (self.slices, self.lanes, self.words);
        let planes = (0..block.words).flat_map(|word| (0..PLANES).map(move |plane| (word, plane)));
        planes.map(move |(word, plane)| {
            let place = block.region.place(word, plane);
            let element = (block.share * words + block.first + word) * lanes;
            let slice = block.chip * slices + place.slice;
            (element, plane, slice, place.address)
        })
    }

    /// The vectors of all chips before the launch, from the FP32 patterns of each chip: all elements, of which an all-gather takes the chip's
    /// share. Slice s of chip c has the number `c * slices + s`.
    pub fn pack(&self, inputs: &[Vec<u32>]) -> Result<Vec<Vector>, CompileError> {
        for input in inputs {
            if input.len() != self.elements {
                return Err(CompileError::Elements {
                    matrix: "vector of a chip, a",
                    rows: 1,
                    columns: self.elements,
                    expected: self.elements,
                    found: input.len(),
                });
            }
        }
        let mut vectors = Vec::new();
        for block in &self.inputs {
            let input = &inputs[block.chip];
            vectors.extend(self.planes(block).map(|(first, plane, slice, address)| {
                let lane = |lane| {
                    input
                        .get(first + lane)
                        .map_or(0, |word| word >> (8 * plane))
                };
                Vector {
                    slice,
                    address,
                    bytes: (0..self.lanes).map(|i| lane(i) as u8).collect(),
                }
            }));
        }
        Ok(vectors)
    }

    /// The vectors (slice, address) that hold the results.
    pub fn result_places(&self) -> Vec<(usize, usize)> {
        let planes = self.outputs.iter().flat_map(|block| self.planes(block));
        planes
            .map(|(_, _, slice, address)| (slice, address))
            .collect()
    }

    /// The results of each chip, the elements of [`Self::result`]; `read` gives the vector at an address of a slice.
    pub fn unpack<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Vec<Vec<u32>> {
        let chips = self.programs.len();
        let mut results: Vec<Vec<u32>> = (0..chips)
            .map(|chip| vec![0; self.result(chip).len()])
            .collect();
        for block in &self.outputs {
            let result = &mut results[block.chip];
            let begin = self.result(block.chip).start;
            for (first, plane, slice, address) in self.planes(block) {
                for (lane, &byte) in read(slice, address).iter().enumerate() {
                    if let Some(word) = result.get_mut(first + lane - begin) {
                        *word |= u32::from(byte) << (8 * plane);
                    }
                }
            }
        }
        results
    }
}
