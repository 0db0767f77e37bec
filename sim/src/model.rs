//! A running model.

use std::collections::HashMap;

use cxx::UniquePtr;

use crate::bridge::ffi;
use crate::compiled::CompiledModel;
use crate::error::SimError;
use crate::wave::Wave;

/// Which way a port goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Into the design.
    Input,
    /// Out of the design.
    Output,
    /// Both.
    InOut,
}

/// A port of the top module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortInfo {
    /// Verilog name.
    pub name: String,
    /// Bits.
    pub width: u32,
    /// Which way it goes.
    pub direction: Direction,
}

/// A port of a [`Model`], valid for every instance of the same compiled model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PortId(pub(crate) u32);

/// A port or an observed signal of one [`Model`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignalId(pub(crate) u32);

impl From<PortId> for SignalId {
    fn from(port: PortId) -> Self {
        Self(port.0)
    }
}

/// One instance of a compiled model. See the crate's documentation for when inputs take effect and outputs are sampled.
///
/// # Panics
///
/// A design that stops itself (`$finish`, `$stop`, `$fatal`, or combinational logic that does not settle) ends the call in
/// progress, and every later one that would move time, with a panic that says where. So does a port or signal of another
/// model, and a value that does not fit its port.
pub struct Model {
    // Declared, and so dropped, before `compiled`, which keeps the library whose code it runs.
    pub(crate) inner: UniquePtr<ffi::Model>,
    pub(crate) compiled: CompiledModel,
    ports: Vec<PortInfo>,
    names: HashMap<String, PortId>,
    pub(crate) wave: Option<Wave>,
    /// Width of every slot: the ports, then the signals found so far.
    widths: Vec<u32>,
}

impl Model {
    pub(crate) fn new(compiled: &CompiledModel) -> Result<Self, SimError> {
        // SAFETY: `lpu_sim_create` has the signature of a factory; only its address is taken.
        let factory = unsafe {
            compiled
                .library
                .get::<unsafe extern "C" fn()>(b"lpu_sim_create")
        };
        let factory = factory.map_err(|error| SimError::Load {
            path: compiled.path.clone(),
            reason: error.to_string(),
        })?;
        // SAFETY: the library was built against the header of this crate (part of its cache key) and is kept by `compiled`.
        let inner = unsafe { ffi::create(*factory as *const () as usize) };
        let mut ports = Vec::new();
        for slot in 0..inner.port_count() {
            let direction = match inner.direction(slot) {
                0 => Direction::Input,
                1 => Direction::Output,
                _ => Direction::InOut,
            };
            ports.push(PortInfo {
                name: ffi::name_of(&inner, slot),
                width: inner.width(slot),
                direction,
            });
        }
        let names = ports
            .iter()
            .zip(0..)
            .map(|(port, slot)| (port.name.clone(), PortId(slot)))
            .collect();
        let widths = ports.iter().map(|port| port.width).collect();
        Ok(Self {
            inner,
            compiled: compiled.clone(),
            ports,
            names,
            wave: None,
            widths,
        })
    }

    /// All ports.
    pub fn ports(&self) -> &[PortInfo] {
        &self.ports
    }

    /// The port called `name`.
    pub fn port(&self, name: &str) -> Result<PortId, SimError> {
        self.names
            .get(name)
            .copied()
            .ok_or_else(|| SimError::UnknownPort {
                top: self.compiled.top.clone(),
                name: name.to_string(),
                known: self.ports.iter().map(|port| port.name.clone()).collect(),
            })
    }

    /// Name, width and direction of a port.
    pub fn port_info(&self, port: PortId) -> &PortInfo {
        &self.ports[port.0 as usize]
    }

    /// The signal at `path`, which starts with the top module: a port of it, or a signal listed in
    /// [`Design::observed`](crate::Design::observed).
    pub fn signal(&mut self, path: &str) -> Result<SignalId, SimError> {
        let unknown = |reason| SimError::UnknownSignal {
            path: path.to_string(),
            reason,
        };
        let (scope, name) = path
            .rsplit_once('.')
            .ok_or(unknown("the path names no module instance"))?;
        if scope == self.compiled.top
            && let Some(port) = self.names.get(name)
        {
            return Ok((*port).into());
        }
        let slot = match ffi::find_signal(self.inner.pin_mut(), scope, name) {
            -1 => return Err(unknown("nothing is observed in an instance of that name")),
            -2 => return Err(unknown("that instance has no observed signal of that name")),
            -3 => {
                return Err(unknown(
                    "it is an array, and only single values can be read",
                ));
            }
            slot => u32::try_from(slot).map_err(|_| unknown("the model gave no reason"))?,
        };
        if slot as usize == self.widths.len() {
            self.widths.push(self.inner.width(slot));
        }
        Ok(SignalId(slot))
    }

    /// Bits of a port or signal.
    pub fn width(&self, signal: impl Into<SignalId>) -> u32 {
        self.widths[signal.into().0 as usize]
    }

    /// Sets an input of at most 64 bits.
    pub fn set(&mut self, port: PortId, value: u64) {
        let width = self.input_width(port);
        assert!(
            width <= 64,
            "port `{}` has {width} bits: use set_wide",
            self.port_info(port).name
        );
        assert!(
            width == 64 || value >> width == 0,
            "value {value:#x} does not fit port `{}` of {width} bits",
            self.port_info(port).name
        );
        self.inner.pin_mut().set(port.0, value);
    }

    /// Sets an input of any width from 64-bit words, the least significant first.
    pub fn set_wide(&mut self, port: PortId, words: &[u64]) {
        let width = self.input_width(port);
        let name = &self.port_info(port).name;
        assert!(
            words.len() == words_of(width),
            "port `{name}` of {width} bits takes {} words, not {}",
            words_of(width),
            words.len()
        );
        let spare = words.len() as u32 * 64 - width;
        assert!(
            words
                .last()
                .is_none_or(|last| last.leading_zeros() >= spare),
            "{words:#x?} do not fit port `{name}` of {width} bits"
        );
        ffi::set_words(self.inner.pin_mut(), port.0, words);
    }

    /// A port or signal of at most 64 bits.
    pub fn get(&self, signal: impl Into<SignalId>) -> u64 {
        let slot = signal.into();
        let width = self.width(slot);
        assert!(
            width <= 64,
            "signal `{}` has {width} bits: use get_wide",
            ffi::name_of(&self.inner, slot.0)
        );
        self.inner.get(slot.0)
    }

    /// A port or signal of any width as 64-bit words, the least significant first.
    pub fn get_wide(&self, signal: impl Into<SignalId>) -> Vec<u64> {
        let slot = signal.into();
        let mut words = vec![0; words_of(self.width(slot))];
        ffi::get_words(&self.inner, slot.0, &mut words);
        words
    }

    /// Lets inputs reach outputs that depend on them without a flop, without a clock edge.
    pub fn settle(&mut self) {
        let going = self.inner.pin_mut().settle();
        self.check(going);
    }

    /// Runs `cycles` clock cycles with the inputs as they are.
    pub fn step(&mut self, cycles: u64) {
        let going = self.inner.pin_mut().step(cycles);
        self.check(going);
    }

    /// [`step`](Self::step) with watches and waves ignored: the yardstick of the loop benchmark.
    #[doc(hidden)]
    pub fn step_bare(&mut self, cycles: u64) {
        let going = self.inner.pin_mut().step_bare(cycles);
        self.check(going);
    }

    /// Runs until `signal` (of at most 64 bits) has `value`, but at most `max_cycles`. Returns how many cycles that took: 0 if
    /// it has it already.
    pub fn run_until(
        &mut self,
        signal: impl Into<SignalId>,
        value: u64,
        max_cycles: u64,
    ) -> Option<u64> {
        let slot = signal.into();
        let reached = self.get(slot) == value;
        let done = if reached {
            0
        } else {
            self.inner.pin_mut().run_until(slot.0, value, max_cycles)
        };
        self.check(true);
        (self.get(slot) == value).then_some(done)
    }

    /// Drives a table of input values, one row per clock cycle, and appends the outputs of every cycle to `record`.
    ///
    /// A row holds the words of each input in turn (one word per started 64 bits), and so does a row of `record` for each
    /// output. The inputs keep their last values.
    pub fn play<S: Copy + Into<SignalId>>(
        &mut self,
        inputs: &[PortId],
        rows: &[u64],
        outputs: &[S],
        record: &mut Vec<u64>,
    ) {
        let row: usize = inputs
            .iter()
            .map(|&port| words_of(self.input_width(port)))
            .sum();
        assert!(row > 0, "play needs at least one input");
        assert!(
            rows.len().is_multiple_of(row),
            "{} words are no whole number of rows of {row}",
            rows.len()
        );
        let num_rows = rows.len() / row;
        let inputs: Vec<u32> = inputs.iter().map(|port| port.0).collect();
        let outputs: Vec<u32> = outputs.iter().map(|&signal| signal.into().0).collect();
        let width: usize = outputs
            .iter()
            .map(|&slot| words_of(self.widths[slot as usize]))
            .sum();
        let start = record.len();
        record.resize(start + num_rows * width, 0);
        let into = &mut record[start..];
        let going = ffi::play(
            self.inner.pin_mut(),
            &inputs,
            rows,
            num_rows as u64,
            &outputs,
            into,
        );
        self.check(going);
    }

    /// Rising edges of the clock since the instance was made.
    pub fn cycle(&self) -> u64 {
        self.inner.cycle()
    }

    fn input_width(&self, port: PortId) -> u32 {
        let info = self.port_info(port);
        assert!(
            info.direction != Direction::Output,
            "port `{}` is an output",
            info.name
        );
        info.width
    }

    pub(crate) fn check(&self, going: bool) {
        if going {
            return;
        }
        let reason = ffi::stop_reason_of(&self.inner);
        panic!(
            "the design `{}` stopped in cycle {}: {reason}",
            self.compiled.top,
            self.cycle()
        );
    }
}

/// 64-bit words that hold `width` bits.
pub(crate) fn words_of(width: u32) -> usize {
    width.div_ceil(64) as usize
}
