//! A workload on the chips of a rack.

use super::{CHUNK, Engine, Finished, Job, Lpus, Run, RunError, Span};
use crate::rack::RackTile;
use crate::tile::{Launch, ModelTile, RtlTile, Task, Tile};
use lpu_compiler::Prediction;
use lpu_compiler::decoder::Inputs;
use lpu_isa::rack::Rack;
use lpu_sim::CompiledModel;
use std::time::Instant;

impl Job {
    /// Runs on the chips of a rack: in RTL if there is a model, every event compared, else on golden machines.
    pub fn run_rack(
        &self,
        rack: &Rack,
        compiled: Option<&CompiledModel>,
        threads: usize,
        mut progress: impl FnMut(u64),
    ) -> Result<Finished, RunError> {
        let tasks = self.workload.chips().into_iter();
        let tiles = tasks.map(|(program, prediction)| {
            let task = Task {
                config: &self.config,
                program,
                prediction,
            };
            Ok(match compiled {
                Some(compiled) => {
                    Box::new(RtlTile::new(task, compiled, true)?) as Box<dyn Tile + Send>
                }
                None => Box::new(ModelTile::new(task)),
            })
        });
        let tiles = tiles.collect::<Result<Vec<_>, RunError>>()?;
        let mut tile = RackTile::new(*rack, &self.config, tiles, threads);
        let (mut launches, mut memory) = (Vec::new(), Some(Vec::new()));
        let (mut cycle, mut seconds) = (0, 0.0);
        for number in 0..self.workload.launches() {
            let Inputs { vectors, bases } = self.writes(number)?;
            tile.write(&vectors)?;
            for (queue, base) in bases {
                tile.set_base(queue, base)?;
            }
            let start = Instant::now();
            tile.begin();
            while tile.advance(CHUNK) {
                cycle += CHUNK;
                progress(cycle);
            }
            seconds += start.elapsed().as_secs_f64();
            let launch = tile.finish()?;
            // While it is busy a tile refuses to be read.
            if !launch.ended {
                memory = None;
            } else if let Some(memory) = &mut memory {
                memory.extend(tile.read(&self.workload.results_of(number))?);
            }
            let ended = launch.ended;
            launches.push(launch);
            if !ended {
                break;
            }
        }
        let launch = summary(self.workload.prediction(), launches);
        let run = Run {
            engine: compiled.map_or(Engine::Model, |_| Engine::Rtl),
            lpus: Lpus::of(rack, threads),
            launches: self.workload.launches() as u64,
            launch_cycles: launch.cycles,
            events_compared: launch.events_compared,
            span: Span {
                first: launch.first_read,
                last: launch.last_write,
            },
            seconds,
        };
        let unsound = usize::from(launch.unsound_units > 0 || launch.waiting_flits > 0);
        let mut finished = self.finish(run, memory.as_deref(), launch.divergence);
        finished.report.mismatches += unsound as u64;
        Ok(finished)
    }
}

/// Launches as one: the first that is not as predicted, or the last, with the events of all and what is wrong with any.
fn summary(prediction: &Prediction, launches: Vec<Launch>) -> Launch {
    let as_predicted = |launch: &Launch| {
        launch.cycles == prediction.busy_cycles
            && launch.first_read == prediction.first_read
            && launch.last_write == prediction.last_write
    };
    let shown = launches.iter().position(|launch| !as_predicted(launch));
    let shown = &launches[shown.unwrap_or(launches.len() - 1)];
    Launch {
        ended: launches.iter().all(|launch| launch.ended),
        unsound_units: launches
            .iter()
            .map(|launch| launch.unsound_units)
            .max()
            .unwrap_or(0),
        waiting_flits: launches
            .iter()
            .map(|launch| launch.waiting_flits)
            .max()
            .unwrap_or(0),
        events_compared: launches.iter().map(|launch| launch.events_compared).sum(),
        divergence: launches.iter().find_map(|launch| launch.divergence.clone()),
        ..shown.clone()
    }
}
