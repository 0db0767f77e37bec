//! Kernels of the vector unit on FP32 matrices: softmax, RMSNorm, LayerNorm, SiLU, GELU, RoPE, quantisation and dequantisation of rows.
//!
//! `docs/kernels.md` defines the arithmetic, the layouts and the schedules. Each kernel is a function that places its passes in a calendar, given
//! where its operands are and from which cycle on they may be read, and returns from which cycle on its result may be; [`compile`] makes a program of one.

mod builder;
mod columns;
mod groups;
mod norm;
mod placer;
mod pointwise;
mod quantise;
mod rope;
pub(crate) mod sequence;
mod shape;
mod softmax;
mod stages;
mod step;
mod tensor;

pub use shape::{Kernel, Shape, Spread};
pub use tensor::{Arrangement, Element};

use crate::matmul::Vector;
use crate::place::Room;
use crate::{CompileError, Prediction, check};
use builder::Builder;
use groups::Unit;
use lpu_isa::{Config, Program};
use placer::{Placer, Side};
use tensor::Bound;

/// Elements that share a scale of E2M1.
const BLOCK: usize = 16;

/// A compiled kernel.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The program of every queue.
    pub program: Program,
    /// What the launch takes.
    pub prediction: Prediction,
    /// How rows lie.
    pub spread: Spread,
    /// Partial results of a row, which is the order of its sums.
    pub partials: usize,
    /// Passes of the vector unit.
    pub passes: u64,
    /// Passes that the elements need, whatever the schedule: no launch is shorter.
    pub bound: u64,
    operands: Vec<(&'static str, Bound)>,
    results: Vec<Bound>,
    /// What else has to be in SRAM.
    constants: Vec<Vector>,
}

/// Compiles a kernel for the machine `config`.
///
/// The schedule has passed [`check`](crate::check()). The same arguments always give the same program.
///
/// ```
/// use lpu_compiler::vector::{Kernel, Shape, compile};
/// let config = lpu_isa::Config::preset("edge").unwrap();
/// let kernel = Kernel::Softmax { scale: 1.0 };
/// let softmax = compile(&config, Shape { rows: 1, columns: 5, spread: None, kernel })?;
/// let image = softmax.pack(&[&[0; 5]])?;
/// assert!(image.iter().all(|vector| vector.bytes.len() == config.lanes));
/// # Ok::<(), lpu_compiler::CompileError>(())
/// ```
pub fn compile(config: &Config, shape: Shape) -> Result<Compiled, CompileError> {
    config.validate()?;
    shape.validate()?;
    let spread = shape.spread(config)?;
    let mut builder = Builder::new(config)?;
    let mut room = Room::new(config);
    let mut placer = Placer {
        shape,
        spread,
        lanes: config.lanes,
        slices: [builder.slices(false), builder.slices(true)],
        room: &mut room,
    };
    let (rows, columns) = (shape.rows, shape.columns);
    let over = spread == Spread::OverLanes;
    // Rows or tiles of rows, and the vectors of each.
    let (units, vectors) = match over {
        true => (rows, columns.div_ceil(config.lanes)),
        false => (rows.div_ceil(config.lanes), columns),
    };
    let all = units * vectors;
    let (alus, wide) = (builder.alus(), builder.is_wide());
    let of_vector = match shape.kernel {
        Kernel::Softmax { .. } => softmax::passes(alus),
        Kernel::RmsNorm { .. } => norm::rms_passes(alus, wide),
        Kernel::LayerNorm { .. } => norm::layer_passes(alus),
        Kernel::Silu { gated } => pointwise::silu_passes(alus) + usize::from(gated),
        Kernel::Gelu => pointwise::gelu_passes(alus),
        Kernel::Rope { .. } => rope::passes_of_pair(wide).div_ceil(2),
        Kernel::Quantise { .. } => quantise::QUANTISE_PASSES,
        Kernel::Dequantise { .. } => quantise::dequantise_passes(alus, wide),
    };
    // A burst of one piece takes up to about six instructions of a queue.
    let pieces = (config.icu.queue_depth / 8).max(1);
    builder.piece = 32.max((of_vector * all).div_ceil(pieces));
    let rows_of = |length: usize, parts: usize| -> Vec<Unit> {
        let parts_of = |unit| (0..parts).map(move |part| (unit, part));
        let all = (0..units).flat_map(parts_of);
        all.map(|(unit, part)| Unit {
            first: unit * vectors + part * length,
            vectors: length.min(vectors - part * length),
        })
        .collect()
    };
    let whole = rows_of(vectors, 1);
    let lanes = over;
    let fp32 = Element::Fp32;
    let mut constants = Vec::new();
    let mut bound = (of_vector * all) as u64;
    let (operands, results) = match shape.kernel {
        Kernel::Softmax { scale } => {
            let mut x = placer.matrix(fp32, Side::A);
            x.padding = f32::NEG_INFINITY.to_bits();
            let y = placer.matrix(fp32, Side::A);
            room.check()?;
            let factor = (f64::from(scale) * std::f64::consts::LOG2_E) as f32;
            let op = softmax::Softmax {
                x: x.tensor,
                out: y.tensor,
                factor: factor.to_bits(),
                lanes,
            };
            softmax::emit(&mut builder, &whole, op, 0)?;
            (vec![("x", x)], vec![y])
        }
        Kernel::RmsNorm { epsilon } => {
            let (x, gamma) = (placer.matrix(fp32, Side::A), placer.column());
            let y = placer.matrix(fp32, Side::A);
            room.check()?;
            let op = norm::RmsNorm {
                x: x.tensor,
                gamma: gamma.tensor,
                out: y.tensor,
                columns,
                epsilon,
                lanes,
            };
            norm::rms(&mut builder, &whole, op, 0)?;
            (vec![("x", x), ("gamma", gamma)], vec![y])
        }
        Kernel::LayerNorm { epsilon } => {
            let x = placer.matrix(fp32, Side::A);
            let (gamma, beta) = (placer.column(), placer.column());
            let y = placer.matrix(fp32, Side::A);
            let last = columns % config.lanes;
            let mask = (over && last > 0).then(|| {
                let arrangement = Arrangement::OverLanes {
                    rows: 1,
                    columns: last,
                };
                let mask = placer.place(arrangement, Element::Int8, Side::A);
                constants.extend(mask.pack(&vec![1; last]));
                mask.tensor
            });
            room.check()?;
            let op = norm::LayerNorm {
                x: x.tensor,
                gamma: gamma.tensor,
                beta: beta.tensor,
                mask,
                out: y.tensor,
                columns,
                epsilon,
                lanes,
            };
            norm::layer(&mut builder, &whole, op, 0)?;
            (vec![("x", x), ("gamma", gamma), ("beta", beta)], vec![y])
        }
        Kernel::Silu { gated } => {
            let x = placer.matrix(fp32, Side::A);
            let gate = gated.then(|| placer.matrix(fp32, Side::B));
            let y = placer.matrix(fp32, Side::A);
            room.check()?;
            let tensor = gate.map(|gate| gate.tensor);
            pointwise::silu(&mut builder, all, x.tensor, tensor, y.tensor, 0)?;
            let gate = gate.map(|gate| ("b", gate));
            ([("x", x)].into_iter().chain(gate).collect(), vec![y])
        }
        Kernel::Gelu => {
            let (x, y) = (placer.matrix(fp32, Side::A), placer.matrix(fp32, Side::A));
            room.check()?;
            pointwise::gelu(&mut builder, all, x.tensor, y.tensor, 0)?;
            (vec![("x", x)], vec![y])
        }
        Kernel::Rope { heads } => {
            let half = columns / heads / 2;
            let halves = |placer: &mut Placer| match spread {
                // Each half of each head has vectors of its own.
                Spread::OverLanes => placer.rows(rows * heads * 2, half, fp32, Side::A),
                Spread::PerLane => placer.rows(rows, columns, fp32, Side::A),
            };
            let x = halves(&mut placer);
            let [cos, sin] = [0; 2].map(|_| placer.rows(rows, half, fp32, Side::B));
            let y = halves(&mut placer);
            room.check()?;
            let half = match spread {
                Spread::OverLanes => half.div_ceil(config.lanes),
                Spread::PerLane => half,
            };
            let op = rope::Rope {
                x: x.tensor,
                cos: cos.tensor,
                sin: sin.tensor,
                out: y.tensor,
                units,
                heads,
                half,
            };
            bound = (rope::passes_of_pair(wide) * units * heads * half) as u64;
            rope::emit(&mut builder, op, 0)?;
            (vec![("x", x), ("cos", cos), ("sin", sin)], vec![y])
        }
        Kernel::Quantise { format } => {
            let x = placer.matrix(fp32, Side::A);
            let blocks = format == Element::E2m1;
            let codes = placer.matrix(format, Side::A);
            let (scales, parts) = match blocks {
                true => {
                    let parts = columns.div_ceil(BLOCK);
                    (
                        placer.rows(rows, parts, Element::E4m3, Side::A),
                        rows_of(BLOCK, parts),
                    )
                }
                false => (placer.per_row(), whole),
            };
            room.check()?;
            let op = quantise::Quantise {
                x: x.tensor,
                codes: codes.tensor,
                scales: scales.tensor,
                lanes,
            };
            quantise::quantise(&mut builder, &parts, op, 0)?;
            (vec![("x", x)], vec![codes, scales])
        }
        Kernel::Dequantise { format } => {
            let codes = placer.matrix(format, Side::A);
            let (of_rows, of_columns) = (placer.per_row(), placer.column());
            let y = placer.matrix(fp32, Side::A);
            room.check()?;
            let op = quantise::Dequantise {
                codes: codes.tensor,
                rows: of_rows.tensor,
                columns: of_columns.tensor,
                out: y.tensor,
            };
            quantise::dequantise(&mut builder, &whole, op, 0)?;
            let operands = [
                ("codes", codes),
                ("row scale", of_rows),
                ("column scale", of_columns),
            ];
            (operands.to_vec(), vec![y])
        }
    };
    let (partials, passes) = (builder.partials, builder.passes);
    let program = builder.finish()?;
    let prediction = check(config, &program).map_err(CompileError::Schedule)?;
    Ok(Compiled {
        program,
        prediction,
        spread,
        partials,
        passes,
        bound,
        operands,
        results,
        constants,
    })
}

impl Compiled {
    /// The SRAM vectors before the launch, from the operands in row-major order: FP32 and int32 as patterns, codes in the low byte.
    ///
    /// Vectors not listed may hold anything.
    pub fn pack(&self, operands: &[&[u32]]) -> Result<Vec<Vector>, CompileError> {
        let mut vectors = self.constants.clone();
        for (index, (name, bound)) in self.operands.iter().enumerate() {
            let words = operands.get(index).copied().unwrap_or_default();
            let (found, expected) = (words.len(), bound.arrangement.elements());
            if found != expected {
                return Err(CompileError::Kernel(format!(
                    "operand {name} has {found} elements, and the shape asks for {expected}"
                )));
            }
            vectors.extend(bound.pack(words));
        }
        Ok(vectors)
    }

    /// Addresses (slice, address) of the SRAM vectors that will hold the results.
    pub fn result_vectors(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.results.iter().flat_map(Bound::vectors)
    }

    /// The results in row-major order, as patterns, from the SRAM after the launch: `read` gives the vector at an address of a slice.
    pub fn unpack<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Vec<Vec<u32>> {
        self.results
            .iter()
            .map(|bound| bound.unpack(read))
            .collect()
    }
}
