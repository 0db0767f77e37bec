//! Which slices, streams, registers and rows attention uses on a machine.

use super::Shape;
use crate::CompileError;
use crate::alu::{PLANES, feedback};
use lpu_isa::Config;
use lpu_isa::latency::vxm_chain;

/// Everything that does not depend on time.
#[derive(Clone, Debug)]
pub struct Plan {
    pub shape: Shape,
    pub lanes: usize,
    pub alus: usize,
    /// Weight streams: c.
    pub streams: usize,
    /// Streams of activations, of masks, and the first of the scores.
    pub activation_stream: u8,
    pub mask_stream: u8,
    pub score_stream: u8,
    /// First westward stream of the vector unit's results.
    pub vector_stream: u8,
    /// Slices of each plane of the softmax weights, by class; the first also hold the queries.
    pub weight_slices: Vec<Vec<usize>>,
    /// Slices of keys and values.
    pub operand_slices: [usize; 2],
    pub score_slices: [usize; PLANES],
    pub output_slices: [usize; PLANES],
    /// Tiles of queries under way at once.
    pub buffers: usize,
    /// Partial maxima of a tile.
    pub partials: usize,
    /// Keys in one turn of the accumulators.
    pub chunk: usize,
    pub registers: Registers,
}

/// Rows of the register file.
#[derive(Clone, Copy, Debug)]
pub struct Registers {
    /// Minus the amplitude, in every lane.
    pub amplitude: usize,
    /// First row of each buffer.
    first: usize,
    size: usize,
    partials: usize,
    /// Masked scores.
    pub stage: usize,
}

impl Registers {
    /// Partial maxima of a buffer.
    pub const fn partials(&self, buffer: usize) -> usize {
        self.first + buffer * self.size
    }

    /// Scaled maximum of a buffer: in the place of the first partial maximum.
    pub const fn maximum(&self, buffer: usize) -> usize {
        self.partials(buffer)
    }

    /// Sums of a buffer: of the weights, then one for each element of the values.
    pub const fn sums(&self, buffer: usize) -> usize {
        self.partials(buffer) + self.partials
    }
}

impl Plan {
    pub fn new(config: &Config, shape: Shape) -> Result<Self, CompileError> {
        let Some(vxm) = &config.vxm else {
            return Err(CompileError::NoVectorUnit);
        };
        let refuse = |rule: String| Err(CompileError::Attention(rule));
        let (lanes, slices, width) = (config.lanes, config.mem.slices, config.streams);
        if slices < PLANES {
            return Err(CompileError::Slices {
                needed: PLANES,
                available: slices,
            });
        }
        if width < 8 {
            return refuse(format!(
                "weights, activations, masks and scores take 8 streams and the machine has {width}: raise streams to 8"
            ));
        }
        let planes = shape.weights.planes();
        let roomy = |c: &usize| {
            let wanted = planes * c + 2 + PLANES;
            *c <= config.mxm.weight_streams && c + 2 + PLANES <= width && wanted <= slices
        };
        let streams = [16, 8, 4, 2].into_iter().find(roomy).unwrap_or(1);
        let weight_slices = (0..planes)
            .map(|plane| {
                (0..streams)
                    .map(|i| (plane * streams + i) % slices)
                    .collect()
            })
            .collect();
        let operand = planes * streams;
        let partials = feedback(vxm.alus).next_power_of_two();
        let stage = if shape.causal { lanes } else { 0 };
        let size = partials + shape.dim + 1;
        let needed = |buffers: usize| 1 + buffers * size + stage;
        let Some(buffers) = [2, 1].into_iter().find(|&b| needed(b) <= vxm.registers) else {
            return refuse(format!(
                "a head of {} elements needs {} registers and vxm.registers is {}: raise it to {}",
                shape.dim,
                needed(1),
                vxm.registers,
                needed(1).next_power_of_two()
            ));
        };
        let rows = config.mxm.accumulator_depth;
        if rows < shape.dim + 1 || rows < partials {
            return refuse(format!(
                "a head of {} elements needs {} accumulator rows and mxm.accumulator_depth is {rows}: raise it to {}",
                shape.dim,
                (shape.dim + 1).max(partials),
                (shape.dim + 1).max(partials).next_power_of_two()
            ));
        }
        let score_stream = (width - PLANES) as u8 & !3;
        Ok(Self {
            shape,
            lanes,
            alus: vxm.alus,
            streams,
            activation_stream: streams as u8,
            mask_stream: streams as u8 + 1,
            score_stream,
            vector_stream: PLANES as u8,
            weight_slices,
            operand_slices: [operand % slices, (operand + 1) % slices],
            score_slices: std::array::from_fn(|i| slices - PLANES + i),
            output_slices: std::array::from_fn(|i| i),
            buffers,
            partials,
            chunk: rows / partials * partials,
            registers: Registers {
                amplitude: 0,
                first: 1,
                size,
                partials,
                stage: 1 + buffers * size,
            },
        })
    }

    /// Distance of two passes of which the second takes in ALU 0, or as A, what the first wrote.
    pub fn chain(&self) -> i64 {
        vxm_chain(self.alus) as i64
    }

    /// Groups of masked scores, one for each turn of the partial maxima.
    pub const fn groups(&self) -> usize {
        self.lanes.div_ceil(self.partials)
    }

    /// Cycles of a burst of weights.
    pub const fn burst(&self) -> usize {
        self.lanes / self.streams
    }

    /// Tiles along the elements of a head.
    pub const fn dim_tiles(&self) -> usize {
        self.shape.dim.div_ceil(self.lanes)
    }

    /// Tiles of queries.
    pub const fn query_tiles(&self) -> usize {
        self.shape.queries.div_ceil(self.lanes)
    }

    /// Tiles along the keys.
    pub const fn key_tiles(&self) -> usize {
        self.shape.keys.div_ceil(self.lanes)
    }

    /// Keys that any query of tile `tile` sees.
    pub fn visible(&self, tile: usize) -> usize {
        let last = ((tile + 1) * self.lanes).min(self.shape.queries) - 1;
        self.shape.visible(last)
    }

    /// Keys that all queries of tile `tile` see.
    pub const fn unmasked(&self, tile: usize) -> usize {
        self.shape.visible(tile * self.lanes)
    }
}
