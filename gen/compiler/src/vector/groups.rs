//! Rows that are reduced together: partial results in registers, a tree over them, a tree over the lanes.

use super::builder::{Builder, Issued};
use super::step::{Input, Step, Target};
use super::tensor::Tensor;
use crate::CompileError;
use crate::alu::{self, feedback, folds, multiply};
use lpu_isa::descriptor::{Alu, Operand, Source};
use lpu_isa::{Descriptor, Reduction};

/// A row, or a tile of rows of which each lane holds one: neighbouring vectors of a tensor.
#[derive(Clone, Copy, Debug)]
pub struct Unit {
    pub first: usize,
    pub vectors: usize,
}

/// What becomes of vectors that are reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Their maximum.
    Max,
    /// The maximum of their absolute values.
    AbsMax,
    /// Their sum.
    Sum,
    /// The sum of their squares.
    Squares,
}

impl Fold {
    /// The first vector of a partial result.
    fn first(self) -> Alu {
        match self {
            Self::Max | Self::Sum => Alu::default(),
            Self::AbsMax => Alu {
                absolute: true,
                ..Alu::default()
            },
            Self::Squares => multiply(Operand::P),
        }
    }

    /// Any other.
    fn next(self) -> Alu {
        match self {
            Self::Max => alu::maximum(),
            Self::AbsMax => Alu {
                absolute: true,
                ..alu::maximum()
            },
            Self::Sum => alu::add(Operand::Register),
            Self::Squares => alu::fma(Operand::P, Operand::Register),
        }
    }

    /// Two partial results.
    fn join(self) -> Alu {
        match self {
            Self::Max | Self::AbsMax => alu::maximum(),
            Self::Sum | Self::Squares => alu::add(Operand::Register),
        }
    }

    fn reduction(self) -> Reduction {
        match self {
            Self::Max | Self::AbsMax => Reduction::Max,
            Self::Sum | Self::Squares => Reduction::Sum,
        }
    }
}

/// How units are dealt out to groups, and what registers a group has.
#[derive(Clone, Debug)]
pub struct Grouping {
    /// Units of each group.
    pub groups: Vec<Vec<(usize, Unit)>>,
    /// Partial results of a unit.
    pub partials: usize,
    /// Whether the lanes of a vector are reduced, too.
    pub lanes: bool,
    /// Registers of a region.
    width: usize,
    /// First register of each slot.
    slots: Vec<usize>,
}

/// A group and its registers.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// Index of each unit, and where it is.
    pub units: &'a [(usize, Unit)],
    pub partials: usize,
    lanes: bool,
    base: usize,
    width: usize,
}

/// What a kernel needs of the register file.
#[derive(Clone, Copy, Debug)]
pub struct Needs {
    /// Regions of a group.
    pub regions: usize,
    /// Phases between which a group waits for its reductions.
    pub phases: usize,
    /// Column vectors that are best kept in registers for all groups, and the least that have to be there at once.
    pub columns: usize,
    pub least_columns: usize,
    /// Partial results of a unit may be several.
    pub splits: bool,
}

/// The most passes between two that take the same partial result; more would only cost registers.
const TURN: usize = 16;

impl Grouping {
    /// Groups of `units`; the registers that are left hold columns.
    pub fn new(
        builder: &mut Builder,
        units: &[Unit],
        lanes: bool,
        needs: Needs,
    ) -> Result<Self, CompileError> {
        let feedback = feedback(builder.alus());
        let vectors = units.iter().map(|unit| unit.vectors).min().unwrap_or(1);
        let splits = if needs.splits { vectors } else { 1 };
        let wanted = TURN.max(feedback).min(units.len() * splits).max(1);
        let available = builder.available();
        let width = |slots: usize, columns: usize| {
            available.saturating_sub(columns) / (needs.regions * slots)
        };
        let few = needs.least_columns;
        let choices = [
            (needs.phases, needs.columns),
            (needs.phases, needs.columns.min(64)),
            (1, needs.columns),
            (1, needs.columns.min(16)),
            (1, few),
        ];
        let roomy = choices
            .into_iter()
            .find(|&(slots, columns)| width(slots, columns) >= wanted);
        let (slots, columns) = roomy.unwrap_or((1, few));
        let most = width(slots, columns).min(wanted);
        if most == 0 {
            return Err(CompileError::Kernel(format!(
                "the operation needs {} registers at least and {available} of vxm.registers are left: raise it to {}",
                needs.regions + few,
                (needs.regions + few).next_power_of_two().max(16)
            )));
        }
        let count = units.len().div_ceil(most);
        let size = units.len().div_ceil(count);
        let partials = (most / size).min(feedback.div_ceil(size)).clamp(1, splits);
        builder.partials = partials;
        let width = size * partials;
        // Neighbouring groups differ by one unit at most.
        let numbered: Vec<_> = units.iter().copied().enumerate().collect();
        let bounds: Vec<usize> = (0..=count).map(|i| i * units.len() / count).collect();
        let groups = bounds.windows(2).map(|b| numbered[b[0]..b[1]].to_vec());
        let slots = (0..slots.min(count))
            .map(|_| builder.take(needs.regions * width))
            .collect();
        Ok(Self {
            groups: groups.collect(),
            partials,
            lanes,
            width,
            slots,
        })
    }

    fn group(&self, index: usize) -> Group<'_> {
        Group {
            units: &self.groups[index],
            partials: self.partials,
            lanes: self.lanes,
            base: self.slots[index % self.slots.len()],
            width: self.width,
        }
    }

    /// Runs the phases of all groups; those of neighbouring groups overlap if each has registers of its own. `phase` is given the number of the phase, the group, and
    /// the cycle from which on it may take what the one before has made; it returns its last pass and the same for the next.
    pub fn drive(
        &self,
        builder: &mut Builder,
        phases: usize,
        from: i64,
        mut phase: impl FnMut(&mut Builder, usize, &Group, i64) -> Result<Done, CompileError>,
    ) -> Result<i64, CompileError> {
        let count = self.groups.len();
        let overlap = self.slots.len() >= phases.min(count);
        let mut ready = vec![from; count];
        let mut free = vec![from; self.slots.len()];
        let turns: Vec<(usize, usize)> = match overlap {
            true => (0..count + phases - 1)
                .flat_map(|turn| (0..phases).rev().map(move |k| (turn, k)))
                .filter_map(|(turn, k)| Some((turn.checked_sub(k)?, k)))
                .filter(|&(group, _)| group < count)
                .collect(),
            false => (0..count)
                .flat_map(|group| (0..phases).map(move |k| (group, k)))
                .collect(),
        };
        let mut end = from;
        for (index, k) in turns {
            let slot = index % self.slots.len();
            if k == 0 {
                ready[index] = free[slot];
            }
            let done = phase(builder, k, &self.group(index), ready[index])?;
            ready[index] = done.ready;
            free[slot] = done.last + 1;
            end = end.max(done.ready);
        }
        Ok(end)
    }
}

/// How far a phase is.
#[derive(Clone, Copy, Debug)]
pub struct Done {
    /// Its last pass.
    pub last: i64,
    /// First cycle in which a pass may take what it has made.
    pub ready: i64,
}

impl Group<'_> {
    /// First register of a region: unit j has partials from j * partials on.
    pub const fn region(&self, index: usize) -> usize {
        self.base + index * self.width
    }

    /// The register of unit j in a region.
    pub const fn register(&self, region: usize, j: usize) -> usize {
        self.region(region) + j * self.partials
    }

    /// Offset from a region to another.
    pub fn between(&self, builder: &Builder, from: usize, to: usize) -> u16 {
        builder.offset(self.region(from), self.region(to))
    }

    /// Vectors of all units, unit by unit: position of the unit in the group, vector in the unit, vector in the tensor.
    pub fn vectors(&self) -> impl Iterator<Item = (usize, usize, usize)> + '_ {
        let units = self.units.iter().enumerate();
        units.flat_map(|(j, &(_, unit))| (0..unit.vectors).map(move |i| (j, i, unit.first + i)))
    }

    /// Reduces the vectors that `make` gives (for unit, vector in the unit, vector in the tensor and register row) into region `to`, each unit into its
    /// first register. The passes leave their last ALU free.
    pub fn reduce(
        &self,
        builder: &mut Builder,
        fold: Fold,
        to: usize,
        from: i64,
        make: impl Fn(usize, usize, usize, usize) -> Step,
    ) -> Result<Done, CompileError> {
        let partials = self.partials;
        let last_alu = builder.last_alu();
        let longest = self.units.iter().map(|(_, unit)| unit.vectors).max();
        let turns = longest.unwrap_or(0).div_ceil(partials);
        let in_turn = self.units.len() * partials;
        let period = in_turn.max(feedback(builder.alus()));
        let of_piece = (builder.piece / in_turn).max(1);
        let mut issued = Issued {
            first: from,
            last: from,
        };
        let mut next = from;
        let mut first = 0;
        while first < turns {
            let piece = first..turns.min(first + of_piece);
            let (mut steps, mut ends) = (Vec::new(), Vec::new());
            for turn in piece.clone() {
                for (j, &(_, unit)) in self.units.iter().enumerate() {
                    for p in 0..partials {
                        let i = turn * partials + p;
                        if i >= unit.vectors {
                            continue;
                        }
                        let row = self.register(to, j) + p;
                        let mut step = make(j, i, unit.first + i, row);
                        step.row = row;
                        step.pass.write = Some(0);
                        step.pass.alus[last_alu] = match turn {
                            0 => fold.first(),
                            _ => fold.next(),
                        };
                        let cycle = (turn - first) * period + j * partials + p;
                        steps.push((cycle as i64, step));
                    }
                }
                ends.push(steps.len());
            }
            let lengths = match builder.fills_gaps {
                true => vec![steps.len(), ends[0]],
                false => vec![steps.len()],
            };
            let length;
            (length, issued) = builder.place_beginning(&steps, &lengths, next)?;
            let placed = ends.iter().position(|&end| end == length);
            let placed = placed.expect("a piece ends with a turn") + 1;
            // Places count from the first step, which is in cycle 0.
            next = issued.first + (placed * period) as i64;
            first += placed;
        }
        let mut ready = issued.last + builder.chain();
        for (distance, pairs) in folds(partials) {
            let mut pass = Descriptor {
                source: Source::Register(distance as u16),
                write: Some(0),
                ..Descriptor::default()
            };
            pass.alus[last_alu] = fold.join();
            let steps = (0..self.units.len())
                .flat_map(|j| (0..pairs).map(move |p| (j, p)))
                .map(|(j, p)| Step::register(pass, self.register(to, j) + p));
            issued = builder.run(steps, ready)?;
            ready = issued.last + builder.chain();
        }
        Ok(Done {
            last: issued.last,
            ready,
        })
    }

    /// Each unit's reduction, over the lanes if they hold the same row, goes through `pass` into region `to`: into all its partials, or into the first, and
    /// to `out`, vector by unit.
    #[allow(clippy::too_many_arguments, reason = "a pass has that many ends")]
    pub fn take(
        &self,
        builder: &mut Builder,
        fold: Fold,
        region: usize,
        to: usize,
        copies: usize,
        pass: Descriptor,
        out: Option<Tensor>,
        from: i64,
    ) -> Result<Done, CompileError> {
        let pass = Descriptor {
            write: Some(0),
            ..pass
        };
        let ends: Vec<(usize, usize)> = (0..self.units.len())
            .flat_map(|j| (0..copies).map(move |copy| (j, copy)))
            .collect();
        let target = |j: usize, copy: usize| match (out, copy) {
            (Some(tensor), 0) => Target::Tensor(tensor, self.units[j].0),
            _ => Target::None,
        };
        let mut done = Done {
            last: from,
            ready: from,
        };
        // What is shown and what is taken share a queue.
        for ends in ends.chunks(builder.reduced() as usize / 2) {
            let mut steps = Vec::new();
            let shown = match self.lanes {
                true => builder.reduced(),
                false => 0,
            };
            if self.lanes {
                steps.extend(ends.iter().enumerate().map(|(cycle, &(j, _))| {
                    let row = self.register(region, j);
                    let show = Step::register(Descriptor::default(), row);
                    let out = Target::Switch(fold.reduction());
                    (cycle as i64, Step { out, ..show })
                }));
            }
            steps.extend(ends.iter().enumerate().map(|(cycle, &(j, copy))| {
                let row = self.register(to, j) + copy;
                let out = target(j, copy);
                let step = Step {
                    out,
                    ..Step::register(pass, row)
                };
                let step = match self.lanes {
                    true => Step {
                        a: Input::Switch,
                        ..step
                    },
                    false => {
                        let offset = builder.offset(row, self.register(region, j));
                        let source = Source::Register(offset);
                        let pass = Descriptor { source, ..pass };
                        Step { pass, ..step }
                    }
                };
                (shown + cycle as i64, step)
            }));
            let issued = builder.place(&steps, from)?;
            done.last = done.last.max(issued.last);
            done.ready = done.ready.max(issued.last + builder.chain());
        }
        Ok(done)
    }
}
