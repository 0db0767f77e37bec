//! The ends of the links of a simulated tile: what `lpu_c2c_link` does on its side, without the line.

use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_sim::{Model, PortId, SimError};
use lpu_verif::c2c::ProgramClock;
use lpu_verif::{Command, Flit, Vector};
use std::collections::VecDeque;

/// The ports of one link, and its elastic buffer.
struct End {
    valid: PortId,
    data: PortId,
    receive: PortId,
    send: PortId,
    sent: PortId,
    deskew: PortId,
    runtime_deskew: PortId,
    wait: PortId,
    go: PortId,
    come: VecDeque<Flit>,
    /// `valid` is high.
    answered: bool,
    /// What a RECEIVE of the last cycle has taken.
    taken: Option<Vector>,
    clock: ProgramClock,
    /// When the program goes on.
    goes: Option<u64>,
    /// `go` is high.
    going: bool,
}

/// All links of a tile.
pub(crate) struct LinkEnds {
    ends: Vec<End>,
    codewords: usize,
    sent: Vec<Flit>,
    commands: Vec<Command>,
}

impl LinkEnds {
    pub(crate) fn new(config: &Config, model: &Model) -> Result<Self, SimError> {
        let end = |link: usize| {
            let port = |name: &str| model.port(&format!("{name}_{link}"));
            Ok(End {
                valid: port("in_c2c_valid")?,
                data: port("in_c2c_data")?,
                receive: port("out_c2c_receive")?,
                send: port("out_c2c_send")?,
                sent: port("out_c2c_data")?,
                deskew: port("out_c2c_deskew")?,
                runtime_deskew: port("out_c2c_runtime_deskew")?,
                wait: port("out_c2c_wait")?,
                go: port("in_c2c_go")?,
                come: VecDeque::new(),
                answered: false,
                taken: None,
                clock: ProgramClock::default(),
                goes: None,
                going: false,
            })
        };
        Ok(Self {
            ends: (0..config.links()).map(end).collect::<Result<_, _>>()?,
            codewords: config.lanes / LANES_PER_CODEWORD,
            sent: Vec::new(),
            commands: Vec::new(),
        })
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// A flit comes; see [`lpu_verif::Machine::arrive`].
    pub(crate) fn arrive(&mut self, flit: Flit) {
        self.ends[flit.link].come.push_back(flit);
    }

    /// The flits that have left since the last call.
    pub(crate) fn take_sent(&mut self) -> Vec<Flit> {
        std::mem::take(&mut self.sent)
    }

    /// The clock of a link; see [`lpu_verif::Machine::clock`].
    pub(crate) fn clock(&mut self, link: usize) -> &mut ProgramClock {
        &mut self.ends[link].clock
    }

    /// The DESKEWs and RUNTIME_DESKEWs since the last call.
    pub(crate) fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// Flits that nobody has taken.
    pub(crate) fn waiting(&self) -> usize {
        self.ends.iter().map(|end| end.come.len()).sum()
    }

    /// A launch: what waits is there from its first cycle on, and clocks begin anew.
    pub(crate) fn launch(&mut self) {
        for end in &mut self.ends {
            end.clock.restart();
            end.goes = None;
            end.come.iter_mut().for_each(|flit| flit.cycle = 0);
        }
    }

    /// After the edge that begins `cycle` of the launch: answers the RECEIVE of the last cycle and a DESKEW that is over, takes what leaves
    /// in this one.
    pub(crate) fn serve(&mut self, model: &mut Model, cycle: u64) {
        for (link, end) in self.ends.iter_mut().enumerate() {
            if let Some(vector) = end.taken.take() {
                model.set_wide(end.data, &vector.data[..self.codewords]);
                model.set(end.valid, 1);
                end.answered = true;
            } else if end.answered {
                model.set(end.valid, 0);
                end.answered = false;
            }
            let goes = end.goes == Some(cycle);
            if goes != end.going {
                model.set(end.go, goes.into());
                end.going = goes;
            }
            let runtime = model.get(end.runtime_deskew) != 0;
            if runtime || model.get(end.deskew) != 0 {
                let wait = runtime.then(|| model.get(end.wait) as u16);
                self.commands.push(Command { link, cycle, wait });
                end.goes = end.clock.command(cycle, wait);
            }
            if model.get(end.receive) != 0 {
                let ready = end.come.front().is_some_and(|flit| flit.cycle <= cycle);
                let flit = ready.then(|| end.come.pop_front()).flatten();
                end.taken = flit.map(|flit| flit.vector);
            }
            if model.get(end.send) != 0 {
                let mut vector = Vector::default();
                let words = model.get_wide(end.sent);
                vector.data[..self.codewords].copy_from_slice(&words);
                self.sent.push(Flit {
                    link,
                    cycle,
                    vector,
                });
            }
        }
    }
}
