//! A workload on RTL or on the golden machine, compared in value and cycle.

mod rack;

use crate::data::Array;
use crate::divergence::DivergenceReport;
use crate::files::{self, FileError, Output};
use crate::rtl::{Rtl, RtlError};
use crate::workload::{Errors, Pipelined, Shape, Workload};
use lpu_compiler::CompileError;
use lpu_compiler::decoder::Inputs;
use lpu_isa::Config;
use lpu_isa::c2c;
use lpu_isa::rack::Rack;
use lpu_sim::CompiledModel;
use lpu_verif::{Divergence, Effect, Event, LaunchReport, Machine, Scoreboard, Status, Vector};
use miette::Diagnostic;
use serde::Serialize;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;
use thiserror::Error;

/// Cycles between comparisons; bounds the memory that events take.
const CHUNK: u64 = 4096;

/// Why a workload did not run.
#[derive(Debug, Error, Diagnostic)]
pub enum RunError {
    /// The workload does not compile for the machine.
    #[error(transparent)]
    #[diagnostic(code(lpu::compile))]
    Compile(#[from] CompileError),
    /// The simulated tile failed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rtl(#[from] RtlError),
    /// A wave file cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    File(#[from] FileError),
}

/// What computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The emitted Verilog under Verilator, compared with the golden machine in every cycle.
    Rtl,
    /// The golden machine.
    Model,
}

/// The LPUs of a run, if there are several.
#[derive(Clone, Debug, Serialize)]
pub struct Lpus {
    /// How many.
    pub lpus: usize,
    /// How their links are joined.
    pub topology: String,
    /// Cycles from a link that takes a flit to the first RECEIVE that finds it.
    pub hop: u64,
    /// Slots in a frame of a link, if it has frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<usize>,
    /// Threads that simulated them.
    pub threads: usize,
}

impl Lpus {
    /// Those of a rack of more than one.
    pub fn of(rack: &Rack, threads: usize) -> Option<Self> {
        (rack.chips() > 1).then(|| Self {
            lpus: rack.chips(),
            topology: rack.topology().to_string(),
            hop: rack.hop(),
            slots: rack.shape().map(c2c::Shape::slots),
            threads,
        })
    }
}

/// What a run measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Workload.
    pub workload: &'static str,
    /// Name of the configuration.
    pub config: String,
    /// Its hash.
    pub config_hash: String,
    /// What computed.
    pub engine: Engine,
    /// Its dimensions.
    #[serde(flatten)]
    pub shape: Shape,
    /// The LPUs, if there are several.
    #[serde(flatten)]
    pub lpus: Option<Lpus>,
    /// What a pipeline of them is worth.
    #[serde(flatten)]
    pub pipelined: Option<Pipelined>,
    /// Cycles from the first SRAM read to the last result written, of a pipeline those of a launch, as compiled.
    pub cycles_predicted: u64,
    /// The same as observed.
    pub cycles_measured: u64,
    /// Cycles from launch until busy falls, as the CYCLE register says.
    pub launch_cycles: u64,
    /// Useful multiply-accumulates of elements: those of the zero padding do not count.
    pub macs: u64,
    /// Useful multiply-accumulates for each that the matrix unit could do in the measured cycles.
    pub mac_utilization: f64,
    /// Bytes of weights (of attention: of keys and values) for each that all MEM slices could read in the measured cycles.
    pub sram_read_utilization: f64,
    /// Elements of the result that differ from the golden kernel, plus one if RTL and golden machine differ in any event or register.
    pub mismatches: u64,
    /// Differences from double precision, of a workload that rounds.
    #[serde(flatten)]
    pub errors: Option<Errors>,
    /// Stream writes, SRAM reads and SRAM writes compared.
    pub events_compared: u64,
    /// Clock cycles simulated per second of host time.
    pub sim_cycles_per_second: f64,
    /// Multiply-accumulates simulated per second of host time.
    pub sim_macs_per_second: f64,
    /// Seed of the operands, if they were made here.
    pub seed: Option<u64>,
    /// Whether the RTL model was in the cache.
    pub model_cached: Option<bool>,
    /// Host time to build the RTL model or to find it in the cache.
    pub model_build_seconds: Option<f64>,
    /// The first difference between RTL and golden machine.
    pub divergence: Option<Box<DivergenceReport>>,
}

impl Report {
    /// Whether nothing differs and the run took the predicted cycles.
    pub fn is_right(&self) -> bool {
        self.mismatches == 0 && self.cycles_measured == self.cycles_predicted
    }
}

/// A finished run.
pub struct Finished {
    /// What was measured.
    pub report: Report,
    /// The result as the engine computed it; none if the tile never came to an end.
    pub result: Option<Array>,
    /// The scales of a quantised result, likewise.
    pub scales: Option<Array>,
}

/// A workload ready to run.
pub struct Job {
    config: Config,
    workload: Box<dyn Workload>,
    host_record: Option<PathBuf>,
}

/// First SRAM read and last SRAM write among events.
#[derive(Clone, Copy, Debug, Default)]
struct Span {
    first: Option<u64>,
    last: Option<u64>,
}

/// What an engine did, before it is summed up.
struct Run {
    engine: Engine,
    lpus: Option<Lpus>,
    /// Launches, each of which took as long as the one that is described.
    launches: u64,
    launch_cycles: u64,
    events_compared: u64,
    span: Span,
    seconds: f64,
}

impl Span {
    fn extend(&mut self, events: &[Event]) {
        for event in events {
            match event.effect {
                Effect::ReadStart { .. } => self.first = Some(self.first.unwrap_or(event.cycle)),
                Effect::Write { .. } => self.last = Some(event.cycle),
                _ => {}
            }
        }
    }

    fn cycles(self) -> u64 {
        match (self.first, self.last) {
            (Some(first), Some(last)) => last + 1 - first,
            _ => 0,
        }
    }
}

impl Job {
    /// A workload that was compiled for `config`.
    pub fn new(config: &Config, workload: impl Workload + 'static) -> Self {
        Self {
            config: config.clone(),
            workload: Box::new(workload),
            host_record: None,
        }
    }

    /// Has [`Job::run_rtl`] write what it drives on the inputs of the tile, as text of a
    /// [`HostRecord`](crate::host_record::HostRecord).
    pub fn record_host(&mut self, path: PathBuf) {
        self.host_record = Some(path);
    }

    /// Cycles of the launch until busy falls.
    pub fn busy_cycles(&self) -> u64 {
        self.workload.prediction().busy_cycles
    }

    /// All that the host writes before a launch.
    fn writes(&self, launch: usize) -> Result<Inputs, CompileError> {
        let mut all = self.workload.inputs(launch);
        if launch == 0 {
            all.vectors.extend(self.workload.image()?);
        }
        Ok(all)
    }

    fn golden(&self) -> Result<Machine, RunError> {
        let mut machine = Machine::new(&self.config);
        let Inputs { vectors, bases } = self.writes(0)?;
        for vector in vectors {
            machine.write_sram(vector.slice, vector.address, &Vector::encode(&vector.bytes));
        }
        machine
            .load(self.workload.program())
            .expect("a compiled program fits its machine");
        for (queue, base) in bases {
            machine.set_base(queue, base);
        }
        machine.launch();
        Ok(machine)
    }

    /// Runs on the golden machine alone; `progress` hears of every chunk of cycles.
    pub fn run_model(&self, mut progress: impl FnMut(u64)) -> Result<Finished, RunError> {
        let mut machine = self.golden()?;
        let (mut events, mut span, mut total) = (Vec::new(), Span::default(), 0);
        let start = Instant::now();
        loop {
            let status = machine.run(CHUNK, &mut events);
            span.extend(&events);
            total += events.len() as u64;
            events.clear();
            progress(machine.cycle());
            if status != Status::Running {
                break;
            }
        }
        let run = Run {
            engine: Engine::Model,
            lpus: None,
            launches: 1,
            launch_cycles: machine.report().cycles,
            events_compared: total,
            span,
            seconds: start.elapsed().as_secs_f64(),
        };
        let lanes = self.config.lanes;
        let result = self
            .places()
            .map(|(slice, address)| machine.sram(slice, address).lanes(lanes));
        let memory: Vec<Vec<u8>> = result.collect();
        Ok(self.finish(run, Some(&memory.concat()), None))
    }

    /// Runs on RTL and compares every event with the golden machine; after a divergence the launch goes on unchecked.
    ///
    /// `waves` names a wave file and the cycles of the launch that go into it.
    pub fn run_rtl(
        &self,
        compiled: &CompiledModel,
        waves: Option<(&Path, Range<u64>)>,
        mut progress: impl FnMut(u64),
    ) -> Result<Finished, RunError> {
        let mut rtl = Rtl::new(&self.config, compiled)?;
        if self.host_record.is_some() {
            rtl.record_host();
        }
        self.prepare(&mut rtl)?;
        let output = waves
            .as_ref()
            .map(|(path, _)| Output::create(path))
            .transpose()?;
        if let (Some(output), Some((_, window))) = (&output, waves) {
            rtl.open_waves(&output.path(), window)?;
        }
        let mut golden = self.golden()?;
        let mut scoreboard =
            Scoreboard::new(&self.config, self.workload.program()).without_faults();
        let (mut expected, mut observed) = (Vec::new(), Vec::new());
        let (mut span, mut divergence) = (Span::default(), None);
        let mut cycle = 0;
        let ended = loop {
            // Not past the end that is predicted, so that the time measured is that of the launch.
            let left = (self.busy_cycles() + 1).saturating_sub(cycle);
            let cycles = if left == 0 { CHUNK } else { left.min(CHUNK) };
            let busy = rtl.run(cycles, &mut observed);
            cycle += cycles;
            golden.run(cycles, &mut expected);
            span.extend(&observed);
            if divergence.is_none() {
                let verdict = scoreboard
                    .expect(&expected)
                    .and_then(|()| scoreboard.observe(&observed));
                let verdict = verdict.and_then(|()| scoreboard.observed_through(cycle - 1));
                divergence = verdict.err();
            }
            expected.clear();
            observed.clear();
            progress(cycle);
            if !busy || cycle > self.workload.prediction().busy_cycles + CHUNK {
                break !busy;
            }
        };
        rtl.close_waves()?;
        output.map(Output::commit).transpose()?;
        let seconds = rtl.simulating().as_secs_f64();
        let registers = LaunchReport {
            first_read: span.first,
            last_write: span.last,
            ..rtl.report()?
        };
        let verdict = scoreboard
            .finish()
            .and_then(|()| scoreboard.compare_reports(&golden.report(), &registers));
        let divergence = divergence.or(verdict.err());
        // While it is busy the tile refuses to be read.
        let memory = match ended {
            true => Some(rtl.read_sram(self.places())?),
            false => None,
        };
        if let (Some(path), Some(record)) = (&self.host_record, rtl.host_record()) {
            files::write(path, record.to_string().as_bytes())?;
        }
        let run = Run {
            engine: Engine::Rtl,
            lpus: None,
            launches: 1,
            launch_cycles: registers.cycles,
            events_compared: scoreboard.compared(),
            span,
            seconds,
        };
        Ok(self.finish(run, memory.as_deref(), divergence))
    }

    /// Runs once more, until the end of a window of cycles, and writes waves of it. Returns the model cycle of the launch.
    ///
    /// A run is the same each time, so the waves show what another run on the same Verilog did.
    pub fn record_waves(
        &self,
        compiled: &CompiledModel,
        path: &Path,
        window: Range<u64>,
        mut progress: impl FnMut(u64),
    ) -> Result<u64, RunError> {
        let mut rtl = Rtl::new(&self.config, compiled)?;
        self.prepare(&mut rtl)?;
        let (mut cycle, end) = (0, window.end);
        let output = Output::create(path)?;
        rtl.open_waves(&output.path(), window)?;
        while cycle < end {
            let cycles = CHUNK.min(end - cycle);
            rtl.run(cycles, &mut Vec::new());
            cycle += cycles;
            progress(cycle);
        }
        rtl.close_waves()?;
        output.commit()?;
        Ok(rtl.launch_cycle())
    }

    /// Writes waves of the cycles around a divergence of an earlier run and notes them in its report.
    pub fn record_divergence(
        &self,
        compiled: &CompiledModel,
        report: &mut DivergenceReport,
        path: &Path,
        progress: impl FnMut(u64),
    ) -> Result<(), RunError> {
        let launch = self.record_waves(compiled, path, report.window(), progress)?;
        report.set_waves(path, launch);
        Ok(())
    }

    /// Writes operands and program and launches.
    pub fn prepare(&self, rtl: &mut Rtl) -> Result<(), RunError> {
        let Inputs { vectors, bases } = self.writes(0)?;
        rtl.write_sram(
            vectors
                .iter()
                .map(|vector| (vector.slice, vector.address, vector.bytes.as_slice())),
        )?;
        rtl.load(self.workload.program())?;
        for (queue, base) in bases {
            rtl.set_base(queue, base)?;
        }
        rtl.launch();
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = (usize, usize)> {
        self.workload.results().into_iter()
    }

    fn finish(
        &self,
        run: Run,
        memory: Option<&[u8]>,
        divergence: Option<Box<Divergence>>,
    ) -> Finished {
        let Run {
            engine,
            lpus,
            launches,
            launch_cycles,
            events_compared,
            span,
            seconds,
        } = run;
        let lanes = self.config.lanes;
        let places = (0..launches as usize).flat_map(|launch| {
            let places = self.workload.results_of(launch).into_iter();
            places.map(move |(slice, address)| (launch, slice, address))
        });
        let index: HashMap<_, _> = places.enumerate().map(|(i, place)| (place, i)).collect();
        let workload = &self.workload;
        let judged = memory.map(|memory| {
            workload.judge_all(&|launch, slice, address| {
                let at = index[&(launch, slice, address)] * lanes;
                &memory[at..at + lanes]
            })
        });
        let work = workload.work();
        let wrong = judged.as_ref().map_or(work.elements, |judged| judged.wrong);
        let prediction = workload.prediction();
        let pipelined = workload.pipelined(launch_cycles);
        // A launch of a pipeline ends with the hand-over, which writes no SRAM.
        let (predicted, measured) = match pipelined {
            Some(_) => (prediction.busy_cycles, launch_cycles),
            None => (prediction.cycles(), span.cycles()),
        };
        let chips = lpus.as_ref().map_or(1, |lpus| lpus.lpus);
        let share = |work: u64, each: usize| {
            if measured == 0 {
                0.0
            } else {
                work as f64 / (each as f64 * measured as f64)
            }
        };
        let per_second = |work: u64| {
            if seconds > 0.0 {
                (launches * work) as f64 / seconds
            } else {
                0.0
            }
        };
        let macs_per_cycle = chips * self.config.macs_per_cycle() * work.macs_per_multiplier;
        let report = Report {
            workload: workload.name(),
            config: self.config.name.clone(),
            config_hash: self.config.hash(),
            engine,
            shape: workload.shape(),
            lpus,
            pipelined,
            cycles_predicted: predicted,
            cycles_measured: measured,
            launch_cycles,
            macs: work.macs,
            mac_utilization: share(work.macs, macs_per_cycle),
            sram_read_utilization: share(work.read_bytes, chips * self.config.mem.slices * lanes),
            mismatches: wrong + u64::from(divergence.is_some()),
            errors: judged.as_ref().and_then(|judged| judged.errors),
            events_compared,
            sim_cycles_per_second: per_second(launch_cycles),
            sim_macs_per_second: per_second(work.macs),
            seed: None,
            model_cached: None,
            model_build_seconds: None,
            divergence: divergence
                .map(|divergence| Box::new(DivergenceReport::new(&self.config, &divergence))),
        };
        let (result, scales) = match judged {
            Some(judged) => (Some(judged.result), judged.scales),
            None => (None, None),
        };
        Finished {
            report,
            result,
            scales,
        }
    }
}
