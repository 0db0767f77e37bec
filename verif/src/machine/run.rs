//! Launches.

use super::calendar::FAR_HORIZON;
use super::faults::{EccCount, Fault};
use super::queue::{Issue, NEVER};
use super::{Command, Machine, c2c, sxm, vxm};
use crate::{Event, EventCount, FaultCode, Observe, Origin};
use lpu_isa::QueueKind;
use lpu_isa::latency::{GO_LATENCY, NOTIFY_LATENCY};

/// Where a launch is after a call of [`Machine::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// There are cycles left to run.
    Running,
    /// Busy has fallen.
    Finished,
    /// Queues wait, for a NOTIFY that nobody is left to send or for a link that never says go.
    Deadlocked,
}

/// What a launch leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchReport {
    /// The CYCLE register: cycles with busy high.
    pub cycles: u64,
    /// First cycle in which an SRAM read used its address.
    pub first_read: Option<u64>,
    /// Last cycle in which an SRAM write used its port.
    pub last_write: Option<u64>,
    /// FAULT registers by unit.
    pub faults: Vec<Option<Fault>>,
    /// ECC registers by unit.
    pub ecc: Vec<EccCount>,
    /// The host's own ECC register.
    pub host_ecc: EccCount,
}

impl Machine {
    /// Starts a launch: the next cycle to run is cycle 0.
    pub fn launch(&mut self) {
        for queue in &mut self.queues {
            queue.restart();
        }
        self.agenda.restart();
        self.waiting.fill(false);
        self.shared.streams.clear();
        self.shared.faults.restart();
        self.mem.restart();
        self.mxm.restart();
        self.vxm.iter_mut().for_each(vxm::Vxm::restart);
        self.sxm.iter_mut().for_each(sxm::Sxm::restart);
        self.c2c.iter_mut().for_each(c2c::C2c::restart);
        self.pulses = [false; 4];
        (self.cycle, self.quiet, self.ended) = (0, 0, 0);
        self.waited = 0;
        self.alive = self.queues.len();
    }

    /// Runs up to `max_cycles` cycles and appends their events.
    ///
    /// Every call appends whole cycles, so that the events of a launch do not depend on how it is cut
    /// into calls.
    pub fn run(&mut self, max_cycles: u64, events: &mut impl Observe) -> Status {
        let stop = self.cycle.saturating_add(max_cycles);
        loop {
            let busy_falls = self.busy_falls();
            if self.cycle >= busy_falls {
                return Status::Finished;
            }
            if self.cycle >= self.quiet {
                // Nothing in flight: go to the next issue, or to the end.
                let goal = self.agenda.earliest().min(busy_falls);
                if goal == NEVER {
                    return Status::Deadlocked;
                }
                self.cycle = self.cycle.max(goal.min(stop));
            }
            if self.cycle >= stop {
                return if self.cycle >= busy_falls {
                    Status::Finished
                } else {
                    Status::Running
                };
            }
            if self.cycle < busy_falls {
                self.step(events);
                self.cycle += 1;
            }
        }
    }

    /// [`Self::run`] that counts the events. Compiled as a part of the machine, not of the crate that calls it, it is faster.
    pub fn run_counting(&mut self, max_cycles: u64, events: &mut EventCount) -> Status {
        self.run(max_cycles, events)
    }

    /// Launches, runs to the end and returns all events with the report; `None` after `max_cycles`
    /// or in a deadlock.
    pub fn launch_and_run(&mut self, max_cycles: u64) -> Option<(LaunchReport, Vec<Event>)> {
        let mut events = Vec::new();
        self.launch();
        let status = self.run(max_cycles, &mut events);
        (status == Status::Finished).then(|| (self.report(), events))
    }

    /// The registers and statistics of the launch so far.
    pub fn report(&self) -> LaunchReport {
        LaunchReport {
            cycles: self.cycle,
            first_read: self.mem.first_read,
            last_write: self.mem.last_write,
            faults: self.shared.faults.kept().to_vec(),
            ecc: self.shared.faults.ecc().to_vec(),
            host_ecc: self.host_ecc,
        }
    }

    /// Cycle of the launch that runs next.
    pub const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// Cycles by which the DESKEWs and RUNTIME_DESKEWs of the launch took longer than
    /// [`Instruction::cycles`](lpu_isa::Instruction::cycles) says.
    pub const fn waited(&self) -> i64 {
        self.waited
    }

    /// First cycle with busy low, as far as it is known.
    const fn busy_falls(&self) -> u64 {
        if self.alive == 0 {
            self.ended + self.drain
        } else {
            NEVER
        }
    }

    fn step(&mut self, events: &mut impl Observe) {
        let cycle = self.cycle;
        let shared = &mut self.shared;
        let pulse = std::mem::take(&mut self.pulses[(cycle % 4) as usize]);
        if pulse {
            for (id, waiting) in self.waiting.iter_mut().enumerate() {
                if std::mem::take(waiting) {
                    self.agenda.set(id, cycle, cycle + 1);
                }
            }
        }
        let due = self.agenda.take(cycle);
        for id in ones(due) {
            self.quiet = cycle + FAR_HORIZON;
            let unit = self.units[id];
            let (issue, next) = self.queues[id].issue(cycle);
            self.agenda.set(id, cycle, next);
            let mut ends = false;
            match issue {
                Issue::Nothing => {}
                Issue::Operation(op) if unit.is_mem() => {
                    self.mem
                        .issue(shared, cycle, unit.index, self.bases[id], op);
                }
                Issue::Operation(op) => match unit.kind {
                    QueueKind::Vxm => present(&mut self.vxm).issue(shared, cycle, op),
                    QueueKind::Sxm => present(&mut self.sxm).issue(shared, cycle, op),
                    QueueKind::C2cSend | QueueKind::C2cReceive => {
                        present(&mut self.c2c).issue(shared, cycle, unit.index, op);
                    }
                    _ => self.mxm.issue(shared, cycle, unit.index, op),
                },
                Issue::Config {
                    register,
                    value,
                    origin,
                } => {
                    let legal = self.mxm.configure(unit.index, register, value);
                    illegal_unless(legal, shared, cycle, origin);
                }
                Issue::Notify => {
                    self.pulses[((cycle + NOTIFY_LATENCY - 1) % 4) as usize] = true;
                }
                Issue::Sync if pulse => self.agenda.set(id, cycle, cycle + 1),
                Issue::Sync => self.waiting[id] = true,
                Issue::Deskew(wait) => {
                    let link = unit.index;
                    let go = present(&mut self.c2c).deskew(Command { link, cycle, wait });
                    if let Some(go) = go {
                        self.agenda.set(id, cycle, go + GO_LATENCY);
                        let least = u64::from(wait.unwrap_or(1).max(1));
                        self.waited += (go - cycle) as i64 - least as i64;
                    }
                }
                Issue::End => ends = true,
                Issue::Illegal(origin) => illegal_unless(false, shared, cycle, origin),
                Issue::NoEnd(origin) => {
                    illegal_unless(false, shared, cycle, origin);
                    ends = true;
                }
            }
            if ends {
                self.alive -= 1;
                self.ended = cycle;
            }
        }
        if let Some(vxm) = &mut self.vxm {
            vxm.late_operands(shared, cycle);
        }
        self.mxm.lose_results(shared, cycle);
        self.mem.read_ports(shared, cycle, events);
        self.mem.drive(shared, cycle, events);
        self.mxm
            .drive(shared, cycle, self.config.mxm_position(), events);
        if let Some(vxm) = &mut self.vxm {
            vxm.drive(shared, cycle, events);
            vxm.compute(cycle);
            vxm.write(cycle);
        }
        if let Some(sxm) = &mut self.sxm {
            sxm.drive(shared, cycle, events);
            sxm.read_columns(cycle);
            sxm.write(cycle);
        }
        if let Some(c2c) = &mut self.c2c {
            c2c.drive(shared, cycle, events);
        }
        self.mxm.read_buffers(shared, cycle);
        self.mxm.multiply(cycle);
        self.mxm.write(cycle);
        self.mem.write_ports(shared, cycle, events);
        if let Some(c2c) = &mut self.c2c {
            c2c.leave(cycle, events);
        }
        shared.faults.flush(cycle, events);
    }
}

/// Numbers of the bits that are set.
fn ones(mut bits: u128) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros() as usize;
        bits &= bits.wrapping_sub(1);
        (bit < 128).then_some(bit)
    })
}

/// The unit of a queue that the machine has.
fn present<T>(unit: &mut Option<T>) -> &mut T {
    unit.as_mut()
        .expect("a machine with the queue has its unit")
}

fn illegal_unless(legal: bool, shared: &mut super::Shared, cycle: u64, origin: Origin) {
    if !legal {
        let code = FaultCode::IllegalInstruction;
        shared.faults.record(cycle, code, origin);
    }
}
