//! Launch, cycle count and end of a tile.

use crate::info::Info;
use crate::prim::Flop;
use lpu_isa::Config;
use lpu_isa::latency::drain_cycles;
use rust_hdl::prelude::*;

/// Launch, cycle count and end of a tile, and the NOTIFY pulse.
///
/// ```text
/// in_launch  /~~~\___________________ ... ______________________
/// out_cycle      X  n X 0 X 1 X 2 X   ...   X e X e+1 X     X e+d   <- stays; d: drain_cycles
/// in_ended (all) ~~~~~\______________ ... ____/~~~~~~~~~~~~~~~~~    visible in e, the issue cycle of the last END
/// out_busy       ____/~~~~~~~~~~~~~~~ ... ~~~~~~~~~~~~~~~~~~~~~\___ low from e+d on
/// in_notify      any queue in t ->  out_notify in t+1, seen by a SYNC in t+2
/// ```
///
/// Reset ends a launch; the count is then zero.
#[derive(LogicBlock)]
pub struct LaunchControl {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The cycle after the next is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// Each MEM queue: it has ended.
    pub in_ended_mem: Vec<Signal<In, Bit>>,
    /// Each MXM queue: it has ended.
    pub in_ended_mxm: Vec<Signal<In, Bit>>,
    /// Each other queue: it has ended.
    pub in_ended_unit: Vec<Signal<In, Bit>>,
    /// Each MEM slice: a queue of it notifies.
    pub in_notify_mem: Vec<Signal<In, Bit>>,
    /// Each MXM plane: a queue of it notifies.
    pub in_notify_mxm: Vec<Signal<In, Bit>>,
    /// Each other unit: its queue notifies.
    pub in_notify_unit: Vec<Signal<In, Bit>>,
    /// Each MEM unit: it has a fault.
    pub in_fault_mem: Vec<Signal<In, Bit>>,
    /// Each MXM unit: it has a fault.
    pub in_fault_mxm: Vec<Signal<In, Bit>>,
    /// Each other unit: it has a fault.
    pub in_fault_unit: Vec<Signal<In, Bit>>,
    /// Cycle of the launch.
    pub out_cycle: Signal<Out, Bits<32>>,
    /// A launch is going on.
    pub out_busy: Signal<Out, Bit>,
    /// The pulse that releases SYNC.
    pub out_notify: Signal<Out, Bit>,
    /// Some unit has a fault.
    pub out_fault: Signal<Out, Bit>,
    cycle: Flop<Bits<32>>,
    busy: Flop<Bit>,
    all_ended: Flop<Bit>,
    drain: Flop<Bits<6>>,
    notify_1: Flop<Bit>,
    launch: Flop<Bit>,
    fault: Flop<Bit>,
    ended: Signal<Local, Bit>,
    notify: Signal<Local, Bit>,
    any_fault: Signal<Local, Bit>,
    last_drain: Constant<Bits<6>>,
    info: Info,
    _slices: usize,
    _planes: usize,
    _mem_queues: usize,
    _mxm_queues: usize,
    _units: usize,
}

impl LaunchControl {
    /// The control of this machine.
    pub fn new(config: &Config) -> Self {
        let (slices, planes) = (config.mem.slices, config.mxm.planes);
        let units = config.num_queues() - 2 * slices - 3 * planes;
        let signals = |count| (0..count).map(|_| Signal::default()).collect::<Vec<_>>();
        // `all_ended` is visible one cycle after the last END, `busy` one cycle after the count is full.
        let drain = drain_cycles(config) - 2;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_ended_mem: signals(2 * slices),
            in_ended_mxm: signals(3 * planes),
            in_ended_unit: signals(units),
            in_notify_mem: signals(slices),
            in_notify_mxm: signals(planes),
            in_notify_unit: signals(units),
            in_fault_mem: signals(2 * slices),
            in_fault_mxm: signals(3 * planes),
            in_fault_unit: signals(units),
            out_cycle: Signal::default(),
            out_busy: Signal::default(),
            out_notify: Signal::default(),
            out_fault: Signal::default(),
            cycle: Flop::default(),
            busy: Flop::default(),
            all_ended: Flop::default(),
            drain: Flop::default(),
            notify_1: Flop::default(),
            launch: Flop::default(),
            fault: Flop::default(),
            ended: Signal::default(),
            notify: Signal::default(),
            any_fault: Signal::default(),
            last_drain: Constant::new(drain.into()),
            info: Info::new("launch_control", file!())
                .summary("Launch, cycle count and end of a tile")
                .param("SLICES", slices)
                .param("PLANES", planes)
                .param("UNITS", units)
                .port("in_launch", "the cycle after the next is cycle 0")
                .port("out_cycle", "cycle of the launch; stays when busy falls")
                .port("out_notify", "one cycle after in_notify"),
            _slices: slices,
            _planes: planes,
            _mem_queues: 2 * slices,
            _mxm_queues: 3 * planes,
            _units: units,
        }
    }
}

impl Logic for LaunchControl {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, cycle, busy, all_ended, drain, notify_1, launch, fault
        );
        self.cycle.reset.next = self.reset.val();
        self.busy.reset.next = self.reset.val();
        self.all_ended.reset.next = self.reset.val();
        self.drain.reset.next = self.reset.val();
        self.notify_1.reset.next = self.reset.val();
        self.launch.reset.next = self.reset.val();
        self.fault.reset.next = self.reset.val();

        self.ended.next = true;
        self.notify.next = false;
        self.any_fault.next = false;
        for q in 0..self._mem_queues {
            self.ended.next = self.ended.val() & self.in_ended_mem[q].val();
            self.any_fault.next = self.any_fault.val() | self.in_fault_mem[q].val();
        }
        for q in 0..self._mxm_queues {
            self.ended.next = self.ended.val() & self.in_ended_mxm[q].val();
            self.any_fault.next = self.any_fault.val() | self.in_fault_mxm[q].val();
        }
        for u in 0..self._units {
            self.ended.next = self.ended.val() & self.in_ended_unit[u].val();
            self.any_fault.next = self.any_fault.val() | self.in_fault_unit[u].val();
            self.notify.next = self.notify.val() | self.in_notify_unit[u].val();
        }
        for i in 0..self._slices {
            self.notify.next = self.notify.val() | self.in_notify_mem[i].val();
        }
        for p in 0..self._planes {
            self.notify.next = self.notify.val() | self.in_notify_mxm[p].val();
        }

        self.cycle.enable.next = self.launch.q.val() | self.busy.q.val();
        self.cycle.d.next = self.cycle.q.val() + 1;
        if self.launch.q.val() {
            self.cycle.d.next = 0.into();
        }

        // The queues are not ended any more from cycle 0 on; the register shows that in cycle 1.
        self.all_ended.enable.next = true;
        self.all_ended.d.next = self.ended.val() & self.busy.q.val() & !self.launch.q.val();
        self.drain.enable.next = true;
        self.drain.d.next = 0.into();
        if self.all_ended.q.val() {
            self.drain.d.next = self.drain.q.val() + 1;
        }
        self.busy.enable.next = true;
        self.busy.d.next = self.launch.q.val()
            | (self.busy.q.val()
                & !(self.all_ended.q.val() & (self.drain.q.val() == self.last_drain.val())));

        self.notify_1.enable.next = true;
        self.notify_1.d.next = self.notify.val();
        self.launch.enable.next = true;
        self.launch.d.next = self.in_launch.val();
        self.fault.enable.next = true;
        self.fault.d.next = self.any_fault.val();

        self.out_cycle.next = self.cycle.q.val();
        self.out_busy.next = self.busy.q.val();
        self.out_notify.next = self.notify_1.q.val();
        self.out_fault.next = self.fault.q.val();
    }
}
