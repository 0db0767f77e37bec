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
    /// The unit belongs to the MXM.
    pub in_is_mxm: Signal<In, Bit>,
    /// Its number, from the first of its kind on.
    pub in_select: Signal<In, Bits<6>>,
    /// The registers of the MEM units.
    pub in_mem: Vec<Signal<In, T>>,
    /// The registers of the MXM units.
    pub in_mxm: Vec<Signal<In, T>>,
    /// The register selected two cycles ago.
    pub out_value: Signal<Out, T>,
    mem: MuxRegister<T>,
    mxm: MuxRegister<T>,
    is_mxm: Pipe<Bit>,
    value: Pipe<T>,
    info: Info,
    _num_mem: usize,
    _num_mxm: usize,
}

impl<T: Synth> UnitMux<T> {
    /// Cycles from `in_select` to `out_value`.
    pub const LATENCY: u64 = 2;

    /// A multiplexer over the units of this machine.
    pub fn new(config: &Config) -> Self {
        let num_mem = 2 * config.mem.slices;
        let num_mxm = 3 * config.mxm.planes;
        Self {
            clock: Signal::default(),
            in_is_mxm: Signal::default(),
            in_select: Signal::default(),
            in_mem: (0..num_mem).map(|_| Signal::default()).collect(),
            in_mxm: (0..num_mxm).map(|_| Signal::default()).collect(),
            out_value: Signal::default(),
            mem: MuxRegister::new(num_mem).low_bits(),
            mxm: MuxRegister::new(num_mxm).low_bits(),
            is_mxm: Pipe::default(),
            value: Pipe::default(),
            info: Info::new("unit_mux", file!())
                .summary("Reads one of the registers that every unit has")
                .param("MEM_UNITS", num_mem)
                .param("MXM_UNITS", num_mxm)
                .param("WIDTH", T::BITS)
                .port("in_select", "from the first unit of its kind on")
                .port("out_value", "two cycles later"),
            _num_mem: num_mem,
            _num_mxm: num_mxm,
        }
    }
}

impl<T: Synth> Logic for UnitMux<T> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, mem, mxm, is_mxm, value);
        for i in 0..self._num_mem {
            self.mem.d[i].next = self.in_mem[i].val();
        }
        for i in 0..self._num_mxm {
            self.mxm.d[i].next = self.in_mxm[i].val();
        }
        self.mem.enable.next = true;
        self.mxm.enable.next = true;
        self.mem.select.next = self.in_select.val();
        self.mxm.select.next = self.in_select.val();
        self.is_mxm.d.next = self.in_is_mxm.val();
        self.value.d.next = self.mem.q.val();
        if self.is_mxm.q.val() {
            self.value.d.next = self.mxm.q.val();
        }
        self.out_value.next = self.value.q.val();
    }
}
