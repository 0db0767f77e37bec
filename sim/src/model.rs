//! A running model.

use crate::bridge::ffi;
use crate::error::SimError;
use cxx::UniquePtr;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A port of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PortId {
    index: usize,
    width: u32,
}

impl PortId {
    /// Width in bits.
    pub fn width(self) -> u32 {
        self.width
    }

    /// 64-bit words that its value takes.
    pub fn words(self) -> usize {
        words(self.width)
    }
}

fn words(width: u32) -> usize {
    width.div_ceil(64) as usize
}

/// Something to record in every cycle in which `valid` is not zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watch {
    /// Number that its events carry.
    pub id: u32,
    /// Hierarchical name of the signal that triggers it (at most 64 bits).
    pub valid: String,
    /// Hierarchical names of the signals to record with it.
    pub payload: Vec<String>,
}

/// What a watch recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Cycle.
    pub cycle: u64,
    /// Number of the watch.
    pub id: u32,
    /// Value of the trigger.
    pub valid: u64,
    /// The payload signals one after another, each in whole 64-bit words, little endian.
    pub payload: &'a [u64],
}

/// One instance of a compiled model.
pub struct Model {
    simulator: UniquePtr<ffi::Simulator>,
    library: PathBuf,
    ports: BTreeMap<String, (PortId, bool)>,
    payload_words: BTreeMap<u32, usize>,
    trace: bool,
    pub(crate) waves: Option<crate::waves::Waves>,
}

// SAFETY: a simulator is used through one owner at a time, and no state of it is bound to a thread: the Verilated runtime sets its
// thread-local context on entry.
unsafe impl Send for Model {}

impl Model {
    pub(crate) fn load(library: &Path, trace: bool) -> Result<Self, SimError> {
        let simulator =
            ffi::load_simulator(&library.to_string_lossy()).map_err(|error| SimError::Load {
                path: library.to_owned(),
                reason: error.what().to_owned(),
            })?;
        let ports = (0..simulator.num_ports())
            .map(|index| {
                let id = PortId {
                    index,
                    width: simulator.port_width(index),
                };
                (
                    simulator.port_name(index).to_owned(),
                    (id, simulator.port_is_input(index)),
                )
            })
            .collect();
        let payload_words = BTreeMap::new();
        Ok(Self {
            simulator,
            library: library.to_owned(),
            ports,
            payload_words,
            trace,
            waves: None,
        })
    }

    /// The port called `name`.
    pub fn port(&self, name: &str) -> Result<PortId, SimError> {
        let found = self.ports.get(name).map(|(id, _)| *id);
        found.ok_or_else(|| SimError::NoSuchPort {
            name: name.to_owned(),
        })
    }

    /// Names of all ports, inputs with `true`.
    pub fn ports(&self) -> impl Iterator<Item = (&str, PortId, bool)> {
        self.ports
            .iter()
            .map(|(name, (id, input))| (name.as_str(), *id, *input))
    }

    /// Sets a port of at most 64 bits.
    pub fn set(&mut self, port: PortId, value: u64) {
        self.set_words(port, &[value]);
    }

    /// Sets a port of any width; missing words are zero.
    pub fn set_words(&mut self, port: PortId, value: &[u64]) {
        let mut padded = value.to_vec();
        padded.resize(port.words(), 0);
        self.simulator.pin_mut().set(port.index, &padded);
    }

    /// Value of a port, the low 64 bits.
    pub fn get(&self, port: PortId) -> u64 {
        self.get_words(port)[0]
    }

    /// Value of a port of any width.
    pub fn get_words(&self, port: PortId) -> Vec<u64> {
        let mut value = vec![0; port.words()];
        self.simulator.get(port.index, &mut value);
        value
    }

    /// Cycles since construction.
    pub fn cycle(&self) -> u64 {
        self.simulator.cycle()
    }

    /// Runs `cycles` clock cycles.
    pub fn step(&mut self, cycles: u64) {
        self.simulator.pin_mut().step(cycles);
    }

    /// Runs `cycles` clock cycles in the tightest C++ loop, without watches and waves.
    pub fn spin(&mut self, cycles: u64) {
        self.simulator.pin_mut().spin(cycles);
    }

    /// Runs until `port` has `value`; false if it does not within `max_cycles`.
    pub fn run_until(&mut self, port: PortId, value: u64, max_cycles: u64) -> bool {
        self.simulator
            .pin_mut()
            .run_until(port.index, value, max_cycles)
    }

    /// Drives one row of input values in each cycle and records the outputs after each edge, in one call.
    ///
    /// `rows` holds, cycle after cycle, the words of all `inputs`; the result holds, cycle after cycle, the words of all `outputs`.
    pub fn play(&mut self, inputs: &[PortId], rows: &[u64], outputs: &[PortId]) -> Vec<u64> {
        let row: usize = inputs.iter().map(|port| port.words()).sum();
        assert!(
            row > 0 && rows.len().is_multiple_of(row),
            "{} words are not whole rows of {row}",
            rows.len()
        );
        let index = |ports: &[PortId]| ports.iter().map(|port| port.index).collect::<Vec<_>>();
        let mut record = Vec::new();
        let cycles = rows.len() / row;
        self.simulator
            .pin_mut()
            .play(&index(inputs), rows, cycles, &index(outputs), &mut record);
        record
    }

    /// Records `watch` from the next edge on.
    pub fn add_watch(&mut self, watch: &Watch) -> Result<(), SimError> {
        let mut total = 0;
        for name in [&watch.valid].into_iter().chain(&watch.payload) {
            match self.simulator.pin_mut().signal_width(name) {
                0 => return Err(SimError::NoSuchSignal { name: name.clone() }),
                width => total += words(width),
            }
        }
        let valid_words = words(self.simulator.pin_mut().signal_width(&watch.valid));
        self.payload_words.insert(watch.id, total - valid_words);
        self.simulator
            .pin_mut()
            .watch(watch.id, &watch.valid, &watch.payload);
        Ok(())
    }

    /// Switches all watches on or off.
    pub fn enable_watches(&mut self, enable: bool) {
        self.simulator.pin_mut().enable_watches(enable);
    }

    /// Hands out the events recorded since the last call, in the order of cycles, then of watches.
    pub fn drain_events(&mut self, mut each: impl FnMut(Event<'_>)) {
        let mut words = Vec::new();
        self.simulator.pin_mut().drain(&mut words);
        let mut rest = words.as_slice();
        while let [cycle, id, valid, tail @ ..] = rest {
            let id = *id as u32;
            let (payload, tail) = tail.split_at(self.payload_words[&id]);
            each(Event {
                cycle: *cycle,
                id,
                valid: *valid,
                payload,
            });
            rest = tail;
        }
    }

    /// The state of the design, to be restored into an instance of the same model.
    pub fn save(&mut self) -> Result<Vec<u8>, SimError> {
        let file = tempfile::NamedTempFile::new().map_err(SimError::file(
            "cannot make a file in",
            std::env::temp_dir(),
        ))?;
        let path = file.path();
        if !self.simulator.pin_mut().save(&path.to_string_lossy()) {
            return Err(SimError::file("cannot write", path)(
                std::io::ErrorKind::Other.into(),
            ));
        }
        let state = std::fs::read(path).map_err(SimError::file("cannot read", path))?;
        let mut saved = self.header();
        saved.extend(self.cycle().to_le_bytes());
        saved.extend(state);
        Ok(saved)
    }

    /// Continues from a saved state.
    pub fn restore(&mut self, saved: &[u8]) -> Result<(), SimError> {
        let rest = saved
            .strip_prefix(self.header().as_slice())
            .ok_or(SimError::WrongState)?;
        let (cycle, state) = rest.split_first_chunk::<8>().ok_or(SimError::WrongState)?;
        let file = tempfile::NamedTempFile::new().map_err(SimError::file(
            "cannot make a file in",
            std::env::temp_dir(),
        ))?;
        std::fs::write(file.path(), state).map_err(SimError::file("cannot write", file.path()))?;
        let path = file.path().to_string_lossy();
        match self
            .simulator
            .pin_mut()
            .restore(&path, u64::from_le_bytes(*cycle))
        {
            true => Ok(()),
            false => Err(SimError::WrongState),
        }
    }

    /// What a saved state begins with: the content key of its model.
    fn header(&self) -> Vec<u8> {
        let key = self
            .library
            .parent()
            .and_then(Path::file_name)
            .unwrap_or_default();
        format!("lpu-sim state 1 {}\n", key.to_string_lossy()).into_bytes()
    }

    pub(crate) fn has_trace(&self) -> bool {
        self.trace
    }

    pub(crate) fn simulator(&mut self) -> std::pin::Pin<&mut ffi::Simulator> {
        self.simulator.pin_mut()
    }
}
