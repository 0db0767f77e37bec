//! The MXM planes: state and what is in flight.
//!
//! [`issue`] samples and schedules, [`compute`] multiplies and accumulates, [`write`] is the edge that
//! ends a cycle and the result drives.

use super::calendar::Calendar;
use crate::vector::MAX_CODEWORDS;
use crate::{Origin, Vector};
use lpu_isa::Config;
use lpu_isa::config::MxmFormat;
use lpu_isa::instruction::encoding::register;
use lpu_isa::latency::{LX_TO_MM, acc_latency, mm_latency};
use lpu_isa::secded::LANES_PER_CODEWORD;

use formats::{Sums, Values};

mod compute;
mod formats;
mod issue;
mod write;

/// MM issue to the cycle in which the operand buffer is read.
const BUFFER_READ: u64 = LX_TO_MM - 1;
const MAX_LANES: usize = MAX_CODEWORDS * LANES_PER_CODEWORD;

/// Weights that enter the shadow.
#[derive(Clone, Debug)]
struct Load {
    pub row: usize,
    pub column: bool,
    /// Rows of scales, counted from the first of them.
    pub scales: bool,
    /// Vectors.
    pub count: usize,
    /// Their lanes, corrected, one vector after the other.
    pub lanes: Vec<u8>,
}

/// An activation on its way to the multipliers.
#[derive(Clone, Copy, Debug)]
struct Operand {
    pub row: usize,
    pub vector: Vector,
    pub scales: Option<Codeword>,
    pub origin: Origin,
}

/// Data and check bits of codeword 0 of a vector: the scales of an activation.
#[derive(Clone, Copy, Debug, Default)]
struct Codeword(u64, u8);

impl From<&Vector> for Codeword {
    fn from(vector: &Vector) -> Self {
        Self(vector.data[0], vector.check[0])
    }
}

/// Dot products on their way to the accumulators.
#[derive(Clone, Copy, Debug)]
struct Dots {
    sums: Sums,
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
    /// Weights by row, widened: element k * L + n.
    pub shadow: Vec<i16>,
    pub active: Vec<i16>,
    /// E4M3 scales of the blocks of NVFP4 weights: element g * L + n.
    pub shadow_scales: Vec<u8>,
    pub active_scales: Vec<u8>,
    /// Format of the active weights; none is int8.
    pub format: Option<MxmFormat>,
    /// What they are worth in it, unless it is int8.
    values: Values,
    /// Format that IWs give to the active weights (CONFIG 1).
    pub next_format: Option<MxmFormat>,
    /// Sums in the unit of their format; hardware without formats keeps the low 32 bits.
    pub accumulators: Vec<i64>,
    /// Lanes of each accumulator row that are a NaN.
    pub nans: Vec<u64>,
    pub operands: Vec<Vector>,
    /// Scales beside the operands.
    operand_scales: Vec<Codeword>,
    /// c: streams that an LW takes.
    pub weight_streams: usize,
}

/// All planes.
#[derive(Clone, Debug)]
pub struct Mxm {
    pub planes: Vec<Plane>,
    lanes: usize,
    codewords: usize,
    formats: Vec<MxmFormat>,
    /// Rows of scales: L/8 with NVFP4.
    scale_rows: usize,
    position: usize,
    max_weight_streams: usize,
    operand_depth: usize,
    accumulator_depth: usize,
    /// MM issue to the cycle in which its dot products are visible.
    mm_latency: u64,
    /// ACC issue to the cycle in which it drives.
    emit: u64,
    loads: Calendar<Load>,
    installs: Calendar<Option<MxmFormat>>,
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
            scales: false,
            count: 0,
            lanes: vec![0; config.mxm.weight_streams * lanes],
        };
        let operands = Calendar::new(
            planes,
            Operand {
                row: 0,
                vector: Vector::default(),
                scales: None,
                origin,
            },
        );
        let sums = Sums {
            units: [0; MAX_LANES],
            nan: 0,
            format: None,
        };
        let emission = Emission {
            stream: 0,
            vectors: [Vector::default(); 4],
            origin,
        };
        Self {
            planes: vec![Plane::new(config); planes],
            lanes,
            codewords: lanes / LANES_PER_CODEWORD,
            formats: config.mxm.formats.clone(),
            scale_rows: config.weight_rows() - lanes,
            position: config.mxm_position(),
            max_weight_streams: config.mxm.weight_streams,
            operand_depth: config.mxm.operand_depth,
            accumulator_depth: config.mxm.accumulator_depth,
            mm_latency: mm_latency(config),
            emit: acc_latency(config) - 1,
            loads: Calendar::new(planes, load),
            installs: Calendar::new(planes, None),
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
            plane.next_format = None;
        }
        self.loads.clear();
        self.installs.clear();
        self.operand_loads.clear();
        self.buffer_reads.clear();
        self.activations.clear();
        self.dots.clear();
        self.emissions.clear();
    }

    /// CONFIG in plane `p`, for the LWs and IWs of later cycles. Returns whether it is legal.
    pub fn configure(&mut self, p: usize, number: u8, value: u16) -> bool {
        let plane = &mut self.planes[p];
        match number {
            register::WEIGHT_STREAMS => {
                let count = usize::from(value);
                let legal = count.is_power_of_two() && count <= self.max_weight_streams;
                if legal {
                    plane.weight_streams = count;
                }
                legal
            }
            register::FORMAT if !self.formats.is_empty() => {
                let built_in = self.formats.iter().find(|format| format.code() == value);
                let legal = value == 0 || built_in.is_some();
                if legal {
                    plane.next_format = built_in.copied();
                }
                legal
            }
            _ => false,
        }
    }
}

impl Plane {
    /// A plane with all memories zero.
    fn new(config: &Config) -> Self {
        let (lanes, mxm) = (config.lanes, &config.mxm);
        let scales = vec![0; (config.weight_rows() - lanes) * lanes];
        Self {
            shadow: vec![0; lanes * lanes],
            active: vec![0; lanes * lanes],
            shadow_scales: scales.clone(),
            active_scales: scales,
            format: None,
            values: Values::default(),
            next_format: None,
            accumulators: vec![0; mxm.accumulator_depth * lanes],
            nans: vec![0; mxm.accumulator_depth],
            operands: vec![Vector::default(); mxm.operand_depth],
            operand_scales: vec![Codeword::default(); mxm.operand_depth],
            weight_streams: mxm.weight_streams,
        }
    }
}
