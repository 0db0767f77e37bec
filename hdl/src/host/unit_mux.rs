//! Reads one of the registers that every unit has.

use crate::info::Info;
use crate::prim::{MuxRegister, Pipe};
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// Reads one of the registers that every unit has, by two registered levels of multiplexers.
///
/// Latency: [`LATENCY`](Self::LATENCY). No reset. A number beyond the last unit reads an arbitrary register; whoever asks checks it.
#[derive(LogicBlock)]
pub struct UnitMux<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// The unit is no MEM unit.
    pub in_is_other: Signal<In, Bit>,
    /// Its number, from the first of its kind on.
    pub in_select: Signal<In, Bits<6>>,
    /// The registers of the MEM units.
    pub in_mem: Vec<Signal<In, T>>,
    /// The registers of the other units.
    pub in_other: Vec<Signal<In, T>>,
    /// The register selected two cycles ago.
    pub out_value: Signal<Out, T>,
    mem: MuxRegister<T>,
    other: MuxRegister<T>,
    is_other: Pipe<Bit>,
    value: Pipe<T>,
    info: Info,
    _num_mem: usize,
    _num_other: usize,
}

impl<T: Synth> UnitMux<T> {
    /// Cycles from `in_select` to `out_value`.
    pub const LATENCY: u64 = 2;

    /// A multiplexer over the units of this machine.
    pub fn new(config: &Config) -> Self {
        let num_mem = 2 * config.mem.slices;
        let num_other = config.num_queues() - num_mem;
        Self {
            clock: Signal::default(),
            in_is_other: Signal::default(),
            in_select: Signal::default(),
            in_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_other: (0..num_other).map(|_| Signal::default()).collect(),
            out_value: Signal::default(),
            mem: MuxRegister::new(num_mem).low_bits(),
            other: MuxRegister::new(num_other).low_bits(),
            is_other: Pipe::default(),
            value: Pipe::default(),
            info: Info::new("unit_mux", file!())
                .summary("Reads one of the registers that every unit has")
                .param("MEM_UNITS", num_mem)
                .param("OTHER_UNITS", num_other)
                .param("WIDTH", T::BITS)
                .port("in_select", "from the first unit of its kind on")
                .port("out_value", "two cycles later"),
            _num_mem: num_mem,
            _num_other: num_other,
        }
    }
}

impl<T: Synth> Logic for UnitMux<T> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, mem, other, is_other, value);
        for i in 0..self._num_mem {
            self.mem.d[i].next = self.in_mem[i].val();
        }
        for i in 0..self._num_other {
            self.other.d[i].next = self.in_other[i].val();
        }
        self.mem.enable.next = true;
        self.other.enable.next = true;
        self.mem.select.next = self.in_select.val();
        self.other.select.next = self.in_select.val();
        self.is_other.d.next = self.in_is_other.val();
        self.value.d.next = self.mem.q.val();
        if self.is_other.q.val() {
            self.value.d.next = self.other.q.val();
        }
        self.out_value.next = self.value.q.val();
    }
}
