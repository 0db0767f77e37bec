//! The MXM planes: state and what is in flight.
//!
//! [`issue`] samples and schedules, [`compute`] multiplies and accumulates, [`write`] is the edge that
//! ends a cycle and the result drives.

use super::calendar::Calendar;
use crate::vector::MAX_CODEWORDS;
use crate::{Origin, Vector};
use lpu_isa::Config;
use lpu_isa::latency::{LX_TO_MM, acc_latency, mm_latency};
use lpu_isa::secded::LANES_PER_CODEWORD;

mod compute;
mod issue;
mod write;

/// MM issue to the cycle in which the operand buffer is read.
const BUFFER_READ: u64 = LX_TO_MM - 1;
const MAX_LANES: usize = MAX_CODEWORDS * LANES_PER_CODEWORD;
const MAX_WEIGHT_STREAMS: usize = 32;

/// Weights that enter the shadow.
#[derive(Clone, Debug)]
struct Load {
    pub row: usize,
    pub column: bool,
    pub vectors: Vec<Vector>,
}

/// An activation on its way to the multipliers.
#[derive(Clone, Copy, Debug)]
struct Operand {
    pub row: usize,
    pub vector: Vector,
    pub origin: Origin,
}

/// Dot products on their way to the accumulators.
#[derive(Clone, Copy, Debug)]
struct Dots {
    sums: [i32; MAX_LANES],
    origin: Origin,
}

/// Four byte planes of a result.
#[derive(Clone, Copy, Debug)]
struct Emission {
    pub stream: u8,
    pub vectors: [Vector; 4],
    pub origin: Origin,
}

/// State of a plane.
#[derive(Clone, Debug)]
pub struct Plane {
    /// Weights by column, widened: element n * L + k.
    pub shadow: Vec<i16>,
    pub active: Vec<i16>,
    pub accumulators: Vec<i32>,
    pub operands: Vec<Vector>,
    /// c: streams that an LW takes.
    pub weight_streams: usize,
}

/// All planes.
#[derive(Clone, Debug)]
pub struct Mxm {
    pub planes: Vec<Plane>,
    lanes: usize,
    codewords: usize,
    position: usize,
    max_weight_streams: usize,
    operand_depth: usize,
    accumulator_depth: usize,
    /// MM issue to the cycle in which its dot products are visible.
    mm_latency: u64,
    /// ACC issue to the cycle in which it drives.
    emit: u64,
    loads: Calendar<Load>,
    installs: Calendar<()>,
    operand_loads: Calendar<Operand>,
    buffer_reads: Calendar<Operand>,
    activations: Calendar<Operand>,
    dots: Calendar<Dots>,
    emissions: Calendar<Emission>,
}

impl Mxm {
    pub fn new(config: &Config) -> Self {
        let (lanes, planes) = (config.lanes, config.mxm.planes);
        let origin = Origin {
            queue: 0,
            index: 0,
            inner: 0,
            outer: 0,
        };
        let load = Load {
            row: 0,
            column: false,
            vectors: Vec::with_capacity(MAX_WEIGHT_STREAMS),
        };
        let operands = Calendar::new(
            planes,
            Operand {
                row: 0,
                vector: Vector::default(),
                origin,
            },
        );
        let sums = [0; MAX_LANES];
        let emission = Emission {
            stream: 0,
            vectors: [Vector::default(); 4],
            origin,
        };
        let plane = Plane {
            shadow: vec![0; lanes * lanes],
            active: vec![0; lanes * lanes],
            accumulators: vec![0; config.mxm.accumulator_depth * lanes],
            operands: vec![Vector::default(); config.mxm.operand_depth],
            weight_streams: config.mxm.weight_streams,
        };
        Self {
            planes: vec![plane; planes],
            lanes,
            codewords: lanes / LANES_PER_CODEWORD,
            position: config.mxm_position(),
            max_weight_streams: config.mxm.weight_streams,
            operand_depth: config.mxm.operand_depth,
            accumulator_depth: config.mxm.accumulator_depth,
            mm_latency: mm_latency(config),
            emit: acc_latency(config) - 1,
            loads: Calendar::new(planes, load),
            installs: Calendar::new(planes, ()),
            operand_loads: operands.clone(),
            buffer_reads: operands.clone(),
            activations: operands,
            dots: Calendar::new(planes, Dots { sums, origin }),
            emissions: Calendar::new(planes, emission),
        }
    }

    pub fn restart(&mut self) {
        for plane in &mut self.planes {
            plane.weight_streams = self.max_weight_streams;
        }
        self.loads.clear();
        self.installs.clear();
        self.operand_loads.clear();
        self.buffer_reads.clear();
        self.activations.clear();
        self.dots.clear();
        self.emissions.clear();
    }

    /// CONFIG in plane `p`, for the LWs of later cycles. Returns whether it is legal.
    pub fn configure(&mut self, p: usize, register: u8, value: u16) -> bool {
        let count = usize::from(value);
        let legal = register == 0 && count.is_power_of_two() && count <= self.max_weight_streams;
        if legal {
            self.planes[p].weight_streams = count;
        }
        legal
    }
}
