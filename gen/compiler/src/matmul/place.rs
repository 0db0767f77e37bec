//! Placement: which slice holds what.
//!
//! Weights are dealt in classes: class p * c + i of a tile is the rows r with r mod c = i of plane p's tile. In each tile step
//! one slice supplies each class and each slice supplies at most one. The wrap-around rule of McNaughton fills slice after
//! slice with class after class, in the order of the tile steps: a slice that ends one class and
//! begins the next does so at disjoint times as long as it holds no more tile steps than there are.

use super::plan::{Mode, Plan};
use lpu_isa::Config;
use std::ops::Range;

/// Consecutive tile steps of one class of weights, `burst` vectors each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
    pub class: usize,
    pub tiles: Range<usize>,
    pub slice: usize,
    pub address: usize,
}

/// Consecutive k tiles of the activations of one pass, a vector for each row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activations {
    pub pass: usize,
    pub k: Range<usize>,
    pub slice: usize,
    pub address: usize,
}

/// Consecutive n steps of the results of one pass, a vector for each row in each byte plane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Results {
    pub pass: usize,
    pub n: Range<usize>,
    /// Slice and address of byte plane b of MXM plane p at index 4 p + b.
    pub planes: Vec<(usize, usize)>,
}

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    pub weights: Vec<Weights>,
    /// In the order of passes.
    pub activations: Vec<Activations>,
    /// Vectors of scales, one for each of activations, in slices that hold none of these. In the order of passes.
    pub scales: Vec<Activations>,
    /// In the order of passes.
    pub results: Vec<Results>,
}

impl Placement {
    /// The activations of one pass.
    pub fn activations_of(&self, pass: usize) -> &[Activations] {
        of_pass(&self.activations, pass)
    }

    /// Their scales.
    pub fn scales_of(&self, pass: usize) -> &[Activations] {
        of_pass(&self.scales, pass)
    }

    /// The results of one pass.
    pub fn results_of(&self, pass: usize) -> &[Results] {
        let from = self.results.partition_point(|r| r.pass < pass);
        let to = self.results.partition_point(|r| r.pass <= pass);
        &self.results[from..to]
    }
}

fn of_pass(segments: &[Activations], pass: usize) -> &[Activations] {
    let from = segments.partition_point(|a| a.pass < pass);
    let to = segments.partition_point(|a| a.pass <= pass);
    &segments[from..to]
}

/// The matrices, in an order in which to place them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    Weights,
    Activations,
    Results,
}

/// Orders to try: placing a matrix first gives it the choice of slices.
pub const ORDERS: [[Matrix; 3]; 6] = {
    use Matrix::*;
    [
        [Weights, Results, Activations],
        [Results, Activations, Weights],
        [Results, Weights, Activations],
        [Weights, Activations, Results],
        [Activations, Weights, Results],
        [Activations, Results, Weights],
    ]
};

/// Hands out the vectors of each slice from the bottom.
struct Allocator {
    depth: usize,
    used: Vec<usize>,
}

impl Allocator {
    fn free(&self, slice: usize) -> usize {
        self.depth - self.used[slice]
    }

    fn take(&mut self, slice: usize, vectors: usize) -> usize {
        let address = self.used[slice];
        self.used[slice] += vectors;
        address
    }

    /// Slices, those with the most room first and of those the one nearest the MXM.
    fn by_room(&self) -> Vec<usize> {
        let mut slices: Vec<usize> = (0..self.used.len()).rev().collect();
        slices.sort_by_key(|&slice| self.used[slice]);
        slices
    }
}

/// Places the matrices in the given order, or not at all.
pub fn place(config: &Config, plan: &Plan, order: [Matrix; 3]) -> Option<Placement> {
    let mut room = Allocator {
        depth: config.mem.depth,
        used: vec![0; config.mem.slices],
    };
    let mut placement = Placement::default();
    for matrix in order {
        match matrix {
            Matrix::Weights => {
                let beside = placement.activations.iter().chain(&placement.scales);
                let taken = |slice| beside.clone().any(|a| a.slice == slice);
                placement.weights = weights(plan, &mut room, taken)?;
            }
            Matrix::Activations => {
                let taken = |slice| placement.weights.iter().any(|w| w.slice == slice);
                let streamed = plan.mode == Mode::Streamed;
                let kept = |slice| streamed && taken(slice);
                placement.activations = activations(plan, &mut room, kept)?;
                if plan.scale_stream.is_some() {
                    // Read in the same cycles.
                    let beside = &placement.activations;
                    let kept = |slice| kept(slice) || beside.iter().any(|a| a.slice == slice);
                    placement.scales = activations(plan, &mut room, kept)?;
                }
            }
            Matrix::Results => placement.results = results(plan, &mut room)?,
        }
    }
    Some(placement)
}

/// Slices that may be used. Streamed activations and weights are read in the same cycles, so from different slices.
fn candidates(room: &Allocator, kept: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut slices = room.by_room();
    slices.retain(|&slice| !kept(slice));
    slices
}

fn weights(
    plan: &Plan,
    room: &mut Allocator,
    taken: impl Fn(usize) -> bool,
) -> Option<Vec<Weights>> {
    let (tiles, classes) = (plan.tiles(), plan.classes());
    let mut segments = Vec::new();
    let (mut class, mut done) = (0, 0);
    let kept = |slice| plan.mode == Mode::Streamed && taken(slice);
    for slice in candidates(room, kept) {
        let mut left = (room.free(slice) / plan.burst).min(tiles);
        while left > 0 && class < classes {
            let count = left.min(tiles - done);
            segments.push(Weights {
                class,
                tiles: done..done + count,
                slice,
                address: room.take(slice, count * plan.burst),
            });
            left -= count;
            done += count;
            if done == tiles {
                (class, done) = (class + 1, 0);
            }
        }
    }
    (class == classes).then_some(segments)
}

fn activations(
    plan: &Plan,
    room: &mut Allocator,
    kept: impl Fn(usize) -> bool,
) -> Option<Vec<Activations>> {
    let mut segments = Vec::new();
    for (pass, rows) in plan.rows.iter().enumerate() {
        let mut done = 0;
        while done < plan.k_tiles() {
            let needed = (plan.k_tiles() - done) * rows.len();
            let slices = candidates(room, &kept);
            // The fullest slice that takes all, else the emptiest.
            let slice = slices
                .iter()
                .rev()
                .find(|&&slice| room.free(slice) >= needed);
            let slice = *slice.or(slices.first())?;
            let count = (room.free(slice) / rows.len()).min(plan.k_tiles() - done);
            if count == 0 {
                return None;
            }
            segments.push(Activations {
                pass,
                k: done..done + count,
                slice,
                address: room.take(slice, count * rows.len()),
            });
            done += count;
        }
    }
    Some(segments)
}

fn results(plan: &Plan, room: &mut Allocator) -> Option<Vec<Results>> {
    let mut segments = Vec::new();
    for (pass, rows) in plan.rows.iter().enumerate() {
        let mut done = 0;
        while done < plan.n_steps() {
            let slices = room.by_room().get(..4 * plan.planes)?.to_vec();
            let room_left = slices.iter().map(|&slice| room.free(slice)).min()?;
            let count = (room_left / rows.len()).min(plan.n_steps() - done);
            if count == 0 {
                return None;
            }
            let take = |slice| (slice, room.take(slice, count * rows.len()));
            segments.push(Results {
                pass,
                n: done..done + count,
                planes: slices.into_iter().map(take).collect(),
            });
            done += count;
        }
    }
    Some(segments)
}
