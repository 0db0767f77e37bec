//! A tile that computes feed-forward networks, a launch for each, while attention runs on the host.

use super::log::SharedLog;
use crate::divergence::DivergenceReport;
use crate::run::RunError;
use crate::tile::{Launch, Tile};
use lpu_compiler::CompileError;
use lpu_compiler::decoder::{self, Matrix, Network, NetworkShape, NetworkWeights};
use lpu_isa::Config;
use lpu_model::engine::EngineError;
use lpu_model::int8::{GoldenNetworks, Int8Matrix, Int8Network, Int8Networks};
use lpu_model::reference::{Networks, Which};

/// Compiles the networks of a model for a machine, one row of x in a launch.
pub fn compile_networks(config: &Config, int8: &Int8Networks) -> Result<Network, CompileError> {
    let shape = NetworkShape {
        width: int8.width,
        hidden: int8.hidden,
        networks: int8.networks.len(),
        sequences: 1,
        epsilon: int8.epsilon,
    };
    decoder::compile_network(config, &shape)
}

/// Networks on a tile. The golden networks compute every row too.
pub struct MachineNetworks<'m, T> {
    config: &'m Config,
    int8: &'m Int8Networks,
    network: &'m Network,
    golden: GoldenNetworks<'m>,
    tile: T,
    log: SharedLog,
}

impl<'m, T: Tile> MachineNetworks<'m, T> {
    /// Writes the weights into a tile that has the program.
    pub fn new(
        config: &'m Config,
        int8: &'m Int8Networks,
        network: &'m Network,
        mut tile: T,
        log: SharedLog,
    ) -> Result<Self, RunError> {
        for (number, weights) in int8.networks.iter().enumerate() {
            let packed = network.layout.pack(number, &packed_weights(weights))?;
            tile.write(&packed)?;
        }
        Ok(Self {
            config,
            int8,
            network,
            golden: GoldenNetworks::new(int8, config.lanes),
            tile,
            log,
        })
    }

    /// A launch of network `number`; its row, unless the launch never came to an end.
    fn launch(&mut self, number: usize, x: &[u32]) -> Result<(Launch, Option<Vec<u32>>), RunError> {
        let layout = &self.network.layout;
        let decoder::Inputs { vectors, bases } = layout.inputs(number, &[x]);
        self.tile.write(&vectors)?;
        for (queue, base) in bases {
            self.tile.set_base(queue, base)?;
        }
        let launch = self.tile.launch()?;
        if !launch.ended {
            return Ok((launch, None));
        }
        let bytes = self.tile.read(&layout.result_places(number))?;
        Ok((launch, layout.results(&bytes).pop()))
    }

    /// Compares a launch with the golden network and notes what differs.
    fn judge(&self, number: usize, launch: &Launch, found: Option<&[u32]>, expected: &[u32]) {
        let prediction = &self.network.prediction;
        let wrong = |found: &[u32]| found.iter().zip(expected).position(|(f, e)| f != e);
        let differing = match found {
            Some(found) => found.iter().zip(expected).filter(|(f, e)| f != e).count(),
            None => expected.len(),
        };
        let mut log = self.log.borrow_mut();
        let counts = log.launches.get_or_insert_default();
        counts.cycles += launch.cycles;
        counts.predicted += prediction.busy_cycles;
        counts.events_compared += launch.events_compared;
        let mismatches = differing as u64 + launch.mismatches(prediction);
        counts.mismatches += mismatches;
        if mismatches == 0 || log.difference.is_some() {
            return;
        }
        let mut lines = vec![format!("difference in feed-forward network {number}")];
        if !launch.ended || launch.cycles != prediction.busy_cycles {
            lines.push(format!(
                "the launch took {} cycles{}, predicted are {}",
                launch.cycles,
                if launch.ended {
                    ""
                } else {
                    " and has not ended"
                },
                prediction.busy_cycles
            ));
        }
        if launch.unsound_units > 0 {
            let units = launch.unsound_units;
            lines.push(format!("units with a fault or a wrong bit: {units}"));
        }
        if let Some((found, i)) = found.and_then(|found| Some((found, wrong(found)?))) {
            lines.push(format!(
                "element {i} is {:#010x}, of the golden network {:#010x}",
                found[i], expected[i]
            ));
        }
        if let Some(divergence) = &launch.divergence {
            lines.push(DivergenceReport::new(self.config, divergence).to_string());
        }
        log.difference = Some(lines.join("\n"));
    }
}

fn packed_weights(network: &Int8Network) -> NetworkWeights<'_> {
    fn matrix(matrix: &Int8Matrix, factors: Vec<u32>) -> Matrix<'_> {
        let rows = 0..matrix.codes.rows();
        Matrix {
            rows: rows.map(|row| matrix.codes.row(row)).collect(),
            factors,
        }
    }
    let [gate, up, down] = network.factors();
    NetworkWeights {
        gate: matrix(&network.gate, gate),
        up: matrix(&network.up, up),
        down: matrix(&network.down, down),
    }
}

impl<T: Tile> Networks for MachineNetworks<'_, T> {
    fn apply(&mut self, layer: usize, which: Which, x: &[f32]) -> Result<Vec<f32>, EngineError> {
        let number = self.int8.number(layer, which);
        let x: Vec<u32> = x.iter().map(|x| x.to_bits()).collect();
        let (launch, found) = self.launch(number, &x).map_err(|error| {
            let reason = error.to_string();
            self.log.borrow_mut().failure.get_or_insert(error);
            EngineError::Machine { reason }
        })?;
        let expected = self.golden.row(number, &x);
        self.judge(number, &launch, found.as_deref(), &expected);
        let y = found.unwrap_or(expected);
        Ok(y.into_iter().map(f32::from_bits).collect())
    }
}
