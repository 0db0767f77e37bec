//! All-reduce, reduce-scatter and all-gather of the vectors of several LPUs.

use super::{Errors, Judgement, OperandError, Shape, Work, Workload};
use crate::data::{Array, Elements, Matrix};
use lpu_compiler::collective::{self, Compiled, Kind};
use lpu_compiler::matmul::Vector;
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::rack::{Rack, Topology};
use lpu_isa::{Config, Program};
use lpu_verif::kernels::collective as golden;

/// A compiled collective with a vector for each LPU.
pub struct Collective {
    compiled: Compiled,
    kind: Kind,
    topology: Topology,
    lanes: usize,
    slices: usize,
    elements: usize,
    /// FP32 patterns.
    inputs: Vec<Vec<u32>>,
}

impl Collective {
    /// Compiles a collective of `elements` numbers for the LPUs of a rack and makes their vectors.
    pub fn new(
        config: &Config,
        rack: &Rack,
        kind: Kind,
        elements: usize,
        seed: u64,
    ) -> Result<Self, OperandError> {
        let compiled = collective::compile(config, rack, kind, elements)?;
        let inputs = Matrix::seeded_reals(rack.chips(), elements, seed, 0);
        let patterns = |row: &[f32]| row.iter().map(|x| x.to_bits()).collect();
        Ok(Self {
            compiled,
            kind,
            topology: rack.topology(),
            lanes: config.lanes,
            slices: config.mem.slices,
            elements,
            inputs: inputs.elements.chunks(elements).map(patterns).collect(),
        })
    }

    /// The whole vector by the golden collective: the sum, or the shares one after the other.
    fn golden(&self) -> Vec<u32> {
        if self.kind.adds() {
            return golden::sum(self.topology, &self.inputs, self.lanes, self.slices);
        }
        let chips = self.inputs.len();
        let share = |chip| golden::share(chip, chips, self.elements, self.lanes);
        let shares = self.inputs.iter().enumerate();
        shares
            .flat_map(|(chip, input)| input[share(chip)].to_vec())
            .collect()
    }

    /// Differences from the sum in double precision.
    fn errors(&self, sum: &[u32]) -> Option<Errors> {
        let real = |&word: &u32| f64::from(f32::from_bits(word));
        let exact: Vec<f64> = (0..self.elements)
            .map(|i| self.inputs.iter().map(|input| real(&input[i])).sum())
            .collect();
        let sum: Vec<f64> = sum.iter().map(real).collect();
        (self.kind.adds()).then(|| Errors::between(&sum, &exact, self.elements))
    }
}

impl Workload for Collective {
    fn name(&self) -> &'static str {
        match self.kind {
            Kind::AllReduce => "all-reduce",
            Kind::ReduceScatter => "reduce-scatter",
            Kind::AllGather => "all-gather",
        }
    }

    fn shape(&self) -> Shape {
        Shape::Collective {
            elements: self.elements,
            bound_cycles: self.compiled.bound,
        }
    }

    fn program(&self) -> &Program {
        &self.compiled.programs[0]
    }

    fn prediction(&self) -> &Prediction {
        &self.compiled.prediction
    }

    fn chips(&self) -> Vec<(&Program, &Prediction)> {
        let programs = self.compiled.programs.iter();
        programs.zip(&self.compiled.predictions).collect()
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        self.compiled.pack(&self.inputs)
    }

    fn results(&self) -> Vec<(usize, usize)> {
        self.compiled.result_places()
    }

    fn work(&self) -> Work {
        let chips = self.inputs.len();
        let results = (0..chips).map(|chip| self.compiled.result(chip).len() as u64);
        let vectors = if self.kind.adds() { chips } else { 1 };
        Work {
            elements: results.sum(),
            macs: 0,
            macs_per_multiplier: 1,
            read_bytes: (4 * self.elements * vectors) as u64,
        }
    }

    fn judge<'a>(&self, read: &dyn Fn(usize, usize) -> &'a [u8]) -> Judgement {
        let golden = self.golden();
        let results = self.compiled.unpack(read);
        let wrong = |(chip, result): (usize, &Vec<u32>)| {
            let expected = &golden[self.compiled.result(chip)];
            result.iter().zip(expected).filter(|(a, b)| a != b).count() as u64
        };
        // Every LPU has all of it, or its share.
        let whole = match self.kind.gathers() {
            true => results[0].clone(),
            false => results.concat(),
        };
        Judgement {
            wrong: results.iter().enumerate().map(wrong).sum(),
            errors: self.errors(&whole),
            scales: None,
            result: Array {
                shape: vec![self.elements],
                elements: Elements::Fp32(whole.into_iter().map(f32::from_bits).collect()),
            },
        }
    }
}
