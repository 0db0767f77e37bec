//! A tile as a decode engine.

use super::log::{Launches, SharedLog, StepRecord, logits_hash};
use super::step::{Inputs, StepProgram};
use crate::divergence::DivergenceReport;
use crate::run::RunError;
use crate::tile::{Launch, Tile};
use lpu_isa::Config;
use lpu_model::engine::{EngineError, check_logits, check_step};
use lpu_model::int8::Int8Model;
use lpu_model::int8::engine::{embedding, import};
use lpu_model::kv::KvCache;
use lpu_model::{Engine, Model};
use lpu_verif::kernels::decoder::{Decoder, ShapeError};
use std::collections::VecDeque;
use std::sync::Arc;

/// Decodes one sequence on a tile. The golden decoder computes every step too; the logits are those of the tile.
pub struct MachineEngine<S, T> {
    config: Arc<Config>,
    model: Arc<Model>,
    int8: Arc<Int8Model>,
    step: S,
    tile: T,
    golden: Decoder,
    capacity: usize,
    position: usize,
    /// For each stage but the first what it gets in the next launch.
    waiting: VecDeque<Option<Flight>>,
    /// Launches since a token came out.
    since: Launches,
    logits: Vec<f32>,
    log: SharedLog,
}

/// A token on its way through the stages.
struct Flight {
    token: u32,
    position: usize,
    row: Vec<u32>,
    /// The logits of the golden decoder.
    expected: Vec<u32>,
}

/// What does not change while an engine decodes.
#[derive(Clone, Debug)]
pub struct Setup<S> {
    /// The machine.
    pub config: Arc<Config>,
    /// The model.
    pub model: Arc<Model>,
    /// Its weights in int8.
    pub int8: Arc<Int8Model>,
    /// The compiled step.
    pub step: S,
    /// Positions of the cache that it was compiled for.
    pub positions: usize,
}

impl<S: StepProgram, T: Tile> MachineEngine<S, T> {
    /// Writes the weights into a tile that has the program.
    pub fn new(setup: Setup<S>, mut tile: T, log: SharedLog) -> Result<Self, RunError> {
        let Setup {
            config,
            model,
            int8,
            step,
            positions,
        } = setup;
        tile.write(&step.image()?)?;
        let golden: Result<_, ShapeError> = int8.decoder(positions, config.lanes);
        let capacity = positions.min(int8.context);
        Ok(Self {
            config,
            model,
            int8,
            tile,
            golden: golden.expect("the compiler has accepted the shape"),
            capacity,
            position: 0,
            waiting: (1..step.stages()).map(|_| None).collect(),
            since: Launches::default(),
            step,
            logits: Vec::new(),
            log,
        })
    }

    /// The tile, for its statistics.
    pub fn tile(&self) -> &T {
        &self.tile
    }

    /// The tile, for another model.
    pub fn into_tile(self) -> T {
        self.tile
    }

    /// A launch with the tokens of all stages; the logits of the last one, unless the launch never came to an end.
    fn launch(
        &mut self,
        stages: &VecDeque<Option<Flight>>,
    ) -> Result<(Launch, Option<Vec<u32>>), RunError> {
        for (stage, flight) in stages.iter().enumerate() {
            let token = flight
                .as_ref()
                .map(|flight| (&flight.row[..], flight.position));
            let Inputs { vectors, bases } = self.step.inputs(stage, token)?;
            self.tile.write(&vectors)?;
            for (queue, base) in bases {
                self.tile.set_base(queue, base)?;
            }
        }
        let launch = self.tile.launch()?;
        // While it is busy a tile refuses to be read.
        let logits = match stages.back() {
            Some(Some(flight)) if launch.ended => {
                let places = self.step.logit_places(flight.position);
                let bytes = self.tile.read(&places)?;
                Some(self.step.logits(&bytes))
            }
            _ => None,
        };
        Ok((launch, logits))
    }

    /// A launch in which a token enters, or none, and another one may come out.
    fn advance(&mut self, entering: Option<Flight>) -> Result<(), EngineError> {
        let mut stages = std::mem::take(&mut self.waiting);
        stages.push_front(entering);
        let launched = self.launch(&stages);
        let leaving = stages.pop_back().flatten();
        self.waiting = stages;
        let (launch, found) = launched.map_err(|error| self.fail(error))?;
        if let Some(flight) = &leaving {
            let logits = found.as_ref().unwrap_or(&flight.expected);
            self.logits = logits.iter().copied().map(f32::from_bits).collect();
        }
        self.judge(&launch, leaving.as_ref(), found.as_deref());
        match leaving {
            Some(flight) => check_logits(&self.logits, flight.position),
            None => Ok(()),
        }
    }

    /// Takes a failure of the machine into the log.
    fn fail(&self, error: RunError) -> EngineError {
        let reason = error.to_string();
        self.log.borrow_mut().failure.get_or_insert(error);
        EngineError::Machine { reason }
    }

    /// Compares a launch with its prediction, and what comes out with the golden decoder, and notes what differs.
    fn judge(&mut self, launch: &Launch, leaving: Option<&Flight>, found: Option<&[u32]>) {
        let prediction = self.step.prediction();
        let wrong = match (leaving, found) {
            (None, _) => 0,
            (Some(flight), Some(found)) => differences(found, &flight.expected).count() as u64,
            (Some(flight), None) => flight.expected.len() as u64,
        };
        let mismatches = wrong + launch.mismatches(prediction);
        self.since.cycles += launch.cycles;
        self.since.predicted += prediction.busy_cycles;
        self.since.mismatches += mismatches;
        self.since.events_compared += launch.events_compared;
        let mut log = self.log.borrow_mut();
        if mismatches > 0 && log.difference.is_none() {
            log.difference = Some(self.describe(launch, leaving, found));
        }
        if let Some(flight) = leaving {
            let launches = std::mem::take(&mut self.since);
            log.steps.push(StepRecord {
                position: flight.position,
                token: flight.token,
                logits: logits_hash(&self.logits),
                cycles: Some(launches.cycles),
                predicted: Some(launches.predicted),
                mismatches: launches.mismatches,
                events_compared: launches.events_compared,
            });
        }
    }

    /// The differences of a launch for people.
    fn describe(&self, launch: &Launch, leaving: Option<&Flight>, found: Option<&[u32]>) -> String {
        let mut lines = vec![match leaving {
            Some(flight) => format!("difference at position {}", flight.position),
            None => format!("difference in a launch before position {}", self.position),
        }];
        if !launch.ended {
            let cycles = launch.cycles;
            lines.push(format!("the launch has not ended after {cycles} cycles"));
        }
        let predicted = self.step.prediction().busy_cycles;
        if launch.ended && launch.cycles != predicted {
            let cycles = launch.cycles;
            lines.push(format!(
                "the launch took {cycles} cycles, predicted are {predicted}"
            ));
        }
        if launch.unsound_units > 0 {
            let units = launch.unsound_units;
            lines.push(format!("units with a fault or a wrong bit: {units}"));
        }
        let compared = found.zip(leaving.map(|flight| &flight.expected[..]));
        let first = compared.and_then(|(found, expected)| {
            let i = differences(found, expected).next()?;
            Some((i, found[i], expected[i]))
        });
        if let Some((i, found, expected)) = first {
            let value = f32::from_bits;
            lines.push(format!(
                "logit {i} is {} ({found:#010x}), of the golden decoder {} ({expected:#010x})",
                value(found),
                value(expected)
            ));
        }
        if let Some(divergence) = &launch.divergence {
            lines.push(DivergenceReport::new(&self.config, divergence).to_string());
        }
        lines.join("\n")
    }
}

/// Where two vectors differ.
fn differences<'a>(found: &'a [u32], expected: &'a [u32]) -> impl Iterator<Item = usize> + 'a {
    (0..expected.len()).filter(|&i| found.get(i) != Some(&expected[i]))
}

impl<S: StepProgram, T: Tile> Engine for MachineEngine<S, T> {
    fn vocabulary(&self) -> usize {
        self.int8.vocabulary
    }

    fn capacity(&self) -> usize {
        self.capacity
    }

    fn position(&self) -> usize {
        self.position
    }

    fn step(&mut self, token: u32) -> Result<&[f32], EngineError> {
        self.feed(token)?;
        self.settle()?;
        Ok(&self.logits)
    }

    fn feed(&mut self, token: u32) -> Result<(), EngineError> {
        check_step(&self.model, token, self.position, self.capacity)?;
        let row = embedding(&self.model, token);
        let rows = std::slice::from_ref(&row);
        let output = self.golden.step(rows, self.position).swap_remove(0);
        self.advance(Some(Flight {
            token,
            position: self.position,
            row,
            expected: output.logits.expect("the decoder has a head"),
        }))?;
        self.position += 1;
        Ok(())
    }

    fn settle(&mut self) -> Result<(), EngineError> {
        while self.waiting.iter().any(Option::is_some) {
            self.advance(None)?;
        }
        Ok(())
    }

    fn rewind(&mut self, position: usize) {
        self.position = self.position.min(position);
    }

    fn export_cache(&mut self) -> Result<KvCache, EngineError> {
        self.settle()?;
        let bytes = self.tile.read(&self.step.cache_places(self.position));
        let bytes = bytes.map_err(|error| self.fail(error))?;
        let mut cache = self.int8.empty_cache();
        let layers = self.step.cache(&bytes, self.position);
        for (layer, entries) in layers.iter().enumerate() {
            for entry in entries {
                self.int8.push_entry(&mut cache, layer, entry);
            }
        }
        Ok(cache)
    }

    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError> {
        self.int8.check_cache(&cache, self.capacity)?;
        self.settle()?;
        let positions = cache.positions();
        let layers = 0..self.int8.layers.len();
        let entries: Vec<Vec<_>> = layers
            .map(|layer| {
                (0..positions)
                    .map(|p| self.int8.entry(&cache, layer, p))
                    .collect()
            })
            .collect();
        let written = self.step.cache_image(&entries).map_err(RunError::from);
        let written = written.and_then(|vectors| self.tile.write(&vectors));
        written.map_err(|error| self.fail(error))?;
        import(&self.int8, &mut self.golden, &cache);
        self.position = positions;
        Ok(())
    }
}

/// An engine whose steps are noted, with the launches that it noted itself.
pub struct Logged<E> {
    inner: E,
    log: SharedLog,
}

impl<E: Engine> Logged<E> {
    /// Notes the steps of an engine.
    pub fn new(inner: E, log: SharedLog) -> Self {
        Self { inner, log }
    }
}

impl<E: Engine> Engine for Logged<E> {
    fn vocabulary(&self) -> usize {
        self.inner.vocabulary()
    }

    fn capacity(&self) -> usize {
        self.inner.capacity()
    }

    fn position(&self) -> usize {
        self.inner.position()
    }

    fn step(&mut self, token: u32) -> Result<&[f32], EngineError> {
        let position = self.inner.position();
        let logits = self.inner.step(token)?;
        let mut log = self.log.borrow_mut();
        let launches = log.launches.take();
        let counts = launches.unwrap_or_default();
        log.steps.push(StepRecord {
            position,
            token,
            logits: logits_hash(logits),
            cycles: launches.map(|launches| launches.cycles),
            predicted: launches.map(|launches| launches.predicted),
            mismatches: counts.mismatches,
            events_compared: counts.events_compared,
        });
        Ok(logits)
    }

    fn rewind(&mut self, position: usize) {
        self.inner.rewind(position);
    }

    fn export_cache(&mut self) -> Result<KvCache, EngineError> {
        self.inner.export_cache()
    }

    fn import_cache(&mut self, cache: KvCache) -> Result<(), EngineError> {
        self.inner.import_cache(cache)
    }
}
