//! A tile in RTL simulation behind its host port.

use crate::design;
use crate::host_port::HostPort;
pub use crate::host_port::{Answer, Request};
use crate::host_record::HostRecord;
use crate::link_ends::LinkEnds;
use lpu_gen::{EmitError, Emitted};
use lpu_isa::latency::LAUNCH_LATENCY;
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_isa::{Config, Program, Stream, memory_map as map};
use lpu_sim::{Builder, CompiledModel, Model, PortId, SimError, Watch};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::machine::{EccCount, Fault};
use lpu_verif::{Command, Effect, Event, FaultCode, Flit, LaunchReport, Source, Vector, secded};
use miette::Diagnostic;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};
use thiserror::Error;

/// Cycles of reset, enough to clear every pipeline.
const RESET_CYCLES: u64 = 32;

/// Why a simulated tile cannot be made or used.
#[derive(Debug, Error, Diagnostic)]
pub enum RtlError {
    /// The design does not emit.
    #[error("the design cannot be emitted\n{0}")]
    Emit(#[from] EmitError),
    /// The model does not build or load.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Sim(#[from] SimError),
    /// The tile refused a host request.
    #[error("the tile refused the host's {what} at {address:#010x}")]
    #[diagnostic(code(lpu::rtl::refused))]
    Refused {
        /// Read or write.
        what: &'static str,
        /// Host address.
        address: u32,
    },
}

/// Builds the model of a tile, or takes it from the cache.
pub fn build(config: &Config, builder: &Builder) -> Result<CompiledModel, RtlError> {
    build_emitted(config, &design::emit(config)?, builder)
}

/// The same for Verilog that is emitted already, and perhaps edited since.
pub fn build_emitted(
    config: &Config,
    emitted: &Emitted,
    builder: &Builder,
) -> Result<CompiledModel, RtlError> {
    Ok(builder.build(&design::design(config, emitted))?)
}

/// A simulated tile.
pub struct Rtl {
    config: Config,
    model: Model,
    host: HostPort,
    links: LinkEnds,
    busy: PortId,
    /// Model cycle of cycle 0 of the launch.
    launch: u64,
    simulating: Duration,
}

impl Rtl {
    /// A tile after reset.
    pub fn new(config: &Config, compiled: &CompiledModel) -> Result<Self, RtlError> {
        let mut model = compiled.instantiate()?;
        for watch in watches(config, &mut model)? {
            model.add_watch(&watch);
        }
        let reset = model.port("reset")?;
        model.set(reset, 1);
        model.step(RESET_CYCLES);
        model.set(reset, 0);
        let host = HostPort::new(&model)?;
        let links = LinkEnds::new(config, &model)?;
        let busy = model.port("out_busy")?;
        model.enable_groups(NO_GROUPS);
        Ok(Self {
            config: config.clone(),
            model,
            host,
            links,
            busy,
            launch: 0,
            simulating: Duration::ZERO,
        })
    }

    /// The model, for waves and states.
    pub fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Model cycle of cycle 0 of the last launch.
    pub fn launch_cycle(&self) -> u64 {
        self.launch
    }

    /// Host time spent in [`Rtl::run`] of the last launch.
    pub fn simulating(&self) -> Duration {
        self.simulating
    }

    /// Keeps what the inputs of the tile do from its first cycle on; called before anything else.
    pub fn record_host(&mut self) {
        let mut record = HostRecord::default();
        record.reset(self.model.cycle());
        self.host.record = Some(record);
    }

    /// What the inputs have done, if [`Rtl::record_host`] was called.
    pub fn host_record(&self) -> Option<&HostRecord> {
        self.host.record.as_ref()
    }

    /// Lets the clock run without a request.
    fn idle(&mut self, cycles: u64) {
        if let Some(record) = &mut self.host.record {
            record.idle(cycles);
        }
        self.model.step(cycles);
    }

    fn transact(&mut self, requests: &[Request]) -> Result<Vec<u64>, RtlError> {
        let answers = self.request(requests);
        let check = |(request, answer): (&Request, Answer)| {
            answer.map_err(|_| match *request {
                Request::Read(address) => RtlError::Refused {
                    what: "read",
                    address,
                },
                Request::Write(address, _) => RtlError::Refused {
                    what: "write",
                    address,
                },
            })
        };
        requests.iter().zip(answers).map(check).collect()
    }

    /// Sends requests, one a cycle, and returns what the tile answers, refusals included.
    pub fn request(&mut self, requests: &[Request]) -> Vec<Answer> {
        self.host.transact(&mut self.model, requests)
    }

    /// Sets the state of the tile to one that the model's `save` returned; the links are empty.
    pub fn restore(&mut self, image: &[u8]) -> Result<(), RtlError> {
        self.simulating = Duration::ZERO;
        self.links = LinkEnds::new(&self.config, &self.model)?;
        Ok(self.model.restore(image)?)
    }

    /// Writes vectors into SRAM with the check bits they have, right or wrong, by the INJECT masks.
    pub fn store<'a>(
        &mut self,
        vectors: impl IntoIterator<Item = (usize, usize, &'a Vector)>,
    ) -> Result<(), RtlError> {
        let mut requests = Vec::new();
        let (mut mask, words) = (0, self.config.lanes / LANES_PER_CODEWORD);
        let mut set_mask = |requests: &mut Vec<Request>, wanted: u8| {
            if mask != wanted {
                requests.push(Request::Write(map::INJECT_CHECK, wanted.into()));
                mask = wanted;
            }
        };
        for (slice, address, vector) in vectors {
            for g in 0..words {
                let wrong = vector.check[g] ^ secded::encode(vector.data[g]);
                set_mask(&mut requests, wrong);
                let at = map::sram(&self.config, slice, address, g);
                requests.push(Request::Write(at, vector.data[g]));
            }
        }
        set_mask(&mut requests, 0);
        self.transact(&requests).map(drop)
    }

    /// Writes vectors into SRAM: slice, address and the bytes of all lanes.
    pub fn write_sram<'a>(
        &mut self,
        vectors: impl IntoIterator<Item = (usize, usize, &'a [u8])>,
    ) -> Result<(), RtlError> {
        let requests: Vec<Request> = vectors
            .into_iter()
            .flat_map(|(slice, address, bytes)| {
                map::vector_words(&self.config, slice, address, bytes)
            })
            .map(|(address, word)| Request::Write(address, word))
            .collect();
        self.transact(&requests).map(drop)
    }

    /// Reads vectors from SRAM, the bytes of all lanes one vector after another.
    pub fn read_sram(
        &mut self,
        places: impl IntoIterator<Item = (usize, usize)>,
    ) -> Result<Vec<u8>, RtlError> {
        let words = self.config.lanes / LANES_PER_CODEWORD;
        let requests: Vec<Request> = places
            .into_iter()
            .flat_map(|place| (0..words).map(move |g| (place, g)))
            .map(|((slice, address), g)| Request::Read(map::sram(&self.config, slice, address, g)))
            .collect();
        let answers = self.transact(&requests)?;
        Ok(answers.into_iter().flat_map(u64::to_le_bytes).collect())
    }

    /// Loads a program into the queues.
    pub fn load(&mut self, program: &Program) -> Result<(), RtlError> {
        let requests: Vec<Request> = map::program_words(&self.config, program)
            .map(|(address, word)| Request::Write(address, word))
            .collect();
        self.transact(&requests).map(drop)
    }

    /// Sets the base register of a MEM queue.
    pub fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RtlError> {
        let address = map::BASE + queue as u32;
        self.transact(&[Request::Write(address, base.into())])
            .map(drop)
    }

    /// Launches; the next cycle that [`Rtl::run`] shows is cycle 0.
    pub fn launch(&mut self) {
        self.launch_watching(true);
    }

    /// The same; without `watching` [`Rtl::run`] observes nothing, and takes less time.
    pub fn launch_watching(&mut self, watching: bool) {
        self.simulating = Duration::ZERO;
        self.launch = self.model.cycle() + LAUNCH_LATENCY;
        let groups = if watching { ALL_GROUPS } else { NO_GROUPS };
        self.model.enable_groups(groups);
        self.host
            .post(&mut self.model, map::CONTROL, map::CONTROL_LAUNCH);
        // The request was on the inputs in the cycle that has just ended; stop before cycle 0.
        self.idle(LAUNCH_LATENCY - 2);
        self.links.launch();
    }

    /// A flit comes by a link; see [`Machine::arrive`](lpu_verif::Machine::arrive).
    pub fn arrive(&mut self, flit: Flit) {
        self.links.arrive(flit);
    }

    /// The flits that have left since the last call, in the order of their cycles.
    pub fn take_sent(&mut self) -> Vec<Flit> {
        self.links.take_sent()
    }

    /// Sets the clock of a link; see [`Machine::set_clock`](lpu_verif::Machine::set_clock).
    pub fn set_clock(&mut self, link: usize, clock: ProgramClock) {
        *self.links.clock(link) = clock;
    }

    /// The clock of a link.
    pub fn clock(&mut self, link: usize) -> &ProgramClock {
        self.links.clock(link)
    }

    /// The DESKEWs and RUNTIME_DESKEWs that have issued since the last call.
    pub fn take_commands(&mut self) -> Vec<Command> {
        self.links.take_commands()
    }

    /// Flits that have come by links and that no RECEIVE has taken.
    pub fn waiting_flits(&self) -> usize {
        self.links.waiting()
    }

    /// Writes waves of the given cycles of the launch to a file.
    pub fn open_waves(&mut self, path: &Path, window: Range<u64>) -> Result<(), RtlError> {
        let window = window.start + self.launch..window.end + self.launch;
        Ok(self.model.open_trace(path, window)?)
    }

    /// Finishes the wave file, if there is one.
    pub fn close_waves(&mut self) -> Result<(), RtlError> {
        Ok(self.model.close_trace()?)
    }

    /// Runs `cycles` cycles of the launch and appends what was observed, in canonical order. False once busy has fallen.
    pub fn run(&mut self, cycles: u64, events: &mut Vec<Event>) -> bool {
        let start = Instant::now();
        if self.links.is_empty() {
            self.idle(cycles);
        } else {
            for _ in 0..cycles {
                self.idle(1);
                let cycle = self.model.cycle() - self.launch;
                self.links.serve(&mut self.model, cycle);
            }
        }
        self.simulating += start.elapsed();
        let first = events.len();
        let (config, launch) = (&self.config, self.launch);
        for event in self.model.drain_events().iter() {
            let cycle = event.cycle.wrapping_sub(launch);
            observe(config, event.id, event.words, |effect| {
                events.push(Event::observed(cycle, effect));
            });
        }
        events[first..].sort_by_key(Event::key);
        self.model.get(self.busy) != 0
    }

    /// The CYCLE, FAULT and ECC registers; first read and last write are not among them.
    pub fn report(&mut self) -> Result<LaunchReport, RtlError> {
        self.model.enable_groups(NO_GROUPS);
        let units = self.config.num_queues();
        let fault = |unit: usize| map::FAULT + unit as u32;
        let ecc = |unit: usize| map::ECC + unit as u32;
        let addresses: Vec<u32> = [map::CYCLE, map::ECC + map::ECC_HOST_UNIT]
            .into_iter()
            .chain((0..units).map(fault))
            .chain((0..units).map(ecc))
            .collect();
        let requests: Vec<Request> = addresses.into_iter().map(Request::Read).collect();
        let answers = self.transact(&requests)?;
        let (faults, ecc) = answers[2..].split_at(units);
        Ok(LaunchReport {
            cycles: answers[0],
            first_read: None,
            last_write: None,
            faults: faults.iter().map(|word| fault_of(*word)).collect(),
            ecc: ecc.iter().map(|word| ecc_of(*word)).collect(),
            host_ecc: ecc_of(answers[1]),
        })
    }
}

/// A FAULT register.
fn fault_of(word: u64) -> Option<Fault> {
    let code = FaultCode::from_code((word >> 32) as u8)?;
    let cycle = word as u32;
    (word >> 63 == 1).then_some(Fault { code, cycle })
}

/// An ECC register.
fn ecc_of(word: u64) -> EccCount {
    EccCount {
        corrected: word as u32,
        uncorrectable: (word >> 32) as u32,
    }
}

/// Mask of no watch groups.
const NO_GROUPS: u64 = 0;
/// Mask of all watch groups.
const ALL_GROUPS: u64 = 1 << GROUP;
/// Watches of a MEM slice; a plane has one.
const MEM_WATCHES: u32 = 3;
/// Watches of a link.
const LINK_WATCHES: u32 = 2;
/// The group of all watches.
const GROUP: u8 = 0;

/// The watches of a tile, in the canonical order of the events they make.
fn watches(config: &Config, model: &mut Model) -> Result<Vec<Watch>, SimError> {
    let mut watches = Vec::new();
    let mut add = |model: &mut Model, paths: Vec<String>| {
        let signals = paths
            .iter()
            .map(|path| model.signal(path))
            .collect::<Result<Vec<_>, _>>()?;
        let (valid, payload) = signals.split_first().expect("a watch has a trigger");
        watches.push(Watch {
            id: watches.len() as u32,
            group: u32::from(GROUP),
            valid: *valid,
            payload: payload.to_vec(),
        });
        Ok::<(), SimError>(())
    };
    for slice in 0..config.mem.slices {
        let [start, drive @ .., w0, w1, w2, w3] = &design::MEM_SIGNALS;
        for signals in [&[*start][..], drive, &[*w0, *w1, *w2, *w3]] {
            add(
                model,
                signals
                    .iter()
                    .map(|signal| design::mem_path(slice, signal))
                    .collect(),
            )?;
        }
    }
    for plane in 0..config.mxm.planes {
        add(
            model,
            design::mxm_signals()
                .map(|signal| design::mxm_path(plane, &signal))
                .collect(),
        )?;
    }
    for (instance, _) in design::units(config) {
        add(
            model,
            design::unit_signals()
                .map(|signal| design::unit_path(instance, &signal))
                .collect(),
        )?;
    }
    for link in 0..config.links() {
        let (drive, send) = design::LINK_SIGNALS.split_at(10);
        for signals in [drive, send] {
            let paths = signals.iter().map(|signal| design::link_path(link, signal));
            add(model, paths.collect())?;
        }
    }
    Ok(watches)
}

/// Turns what a watch recorded into effects.
fn observe(config: &Config, id: u32, payload: &[u64], mut each: impl FnMut(Effect)) {
    let mem_watches = MEM_WATCHES * config.mem.slices as u32;
    let planes = config.mxm.planes as u32;
    let units = design::units(config).count() as u32;
    if let Some(id) = id.checked_sub(mem_watches + planes + units) {
        let link = (id / LINK_WATCHES) as u8;
        match (id % LINK_WATCHES, payload) {
            (0, [east, words @ ..]) => {
                let source = Source::C2c(link);
                drives(config, source, [*east, 0], words, each);
            }
            (_, words) => each(Effect::Send {
                link,
                vector: data(config, words),
            }),
        }
        return;
    }
    if id >= mem_watches + planes {
        let first = if config.vxm.is_some() {
            Source::Vxm
        } else {
            Source::Sxm
        };
        let source = match id - mem_watches - planes {
            0 => first,
            _ => Source::Sxm,
        };
        let [east, west, words @ ..] = payload else {
            unreachable!("a watch has the payload it was made with");
        };
        drives(config, source, [*east, *west], words, each);
        return;
    }
    if id >= mem_watches {
        let source = Source::Mxm((id - mem_watches) as u8);
        let vector_words = vector_words(config);
        for (b, words) in payload[1..].chunks_exact(vector_words).enumerate() {
            let stream = Stream::west(payload[0] as u8 + b as u8);
            each(Effect::Drive {
                source,
                stream,
                vector: vector(config, words),
            });
        }
        return;
    }
    let slice = (id / MEM_WATCHES) as u8;
    each(match (id % MEM_WATCHES, payload) {
        (1, [stream, words @ ..]) => Effect::Drive {
            source: Source::Mem(slice),
            stream: Stream {
                westward: stream & 32 != 0,
                index: (stream & 31) as u8,
            },
            vector: vector(config, words),
        },
        (2, [address, words @ ..]) => Effect::Write {
            slice,
            // The machine uses addresses modulo the depth.
            address: *address as u16 & (config.mem.depth - 1) as u16,
            vector: vector(config, words),
        },
        _ => Effect::ReadStart { slice },
    });
}

/// Drives of the streams of a mask for each direction; the vectors in `words` are for streams by their number modulo 4.
fn drives(
    config: &Config,
    source: Source,
    masks: [u64; 2],
    words: &[u64],
    mut each: impl FnMut(Effect),
) {
    let vectors: Vec<_> = words.chunks_exact(vector_words(config)).collect();
    for (westward, mask) in [(false, masks[0]), (true, masks[1])] {
        for index in (0..32).filter(|s| mask >> s & 1 == 1) {
            each(Effect::Drive {
                source,
                stream: Stream { westward, index },
                vector: vector(config, vectors[usize::from(index) % vectors.len()]),
            });
        }
    }
}

/// 64-bit words that a vector and its check bits take in a watch.
fn vector_words(config: &Config) -> usize {
    config.lanes / 8 + config.lanes.div_ceil(64)
}

/// A vector without check bits.
fn data(config: &Config, words: &[u64]) -> Vector {
    let mut vector = Vector::default();
    let codewords = config.lanes / LANES_PER_CODEWORD;
    vector.data[..codewords].copy_from_slice(&words[..codewords]);
    vector
}

fn vector(config: &Config, words: &[u64]) -> Vector {
    let mut vector = data(config, words);
    let codewords = config.lanes / LANES_PER_CODEWORD;
    for g in 0..codewords {
        vector.check[g] = (words[codewords] >> (8 * g)) as u8;
    }
    vector
}
