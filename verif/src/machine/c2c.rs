//! The C2C unit: SEND, RECEIVE, DESKEW and RUNTIME_DESKEW, as `docs/c2c.md` defines them.
//!
//! The links themselves are elsewhere ([`crate::c2c`]): here a flit leaves in a cycle and comes in a cycle.

use super::Shared;
use super::calendar::Calendar;
use super::queue::Issued;
use super::words::planes;
use crate::c2c::ProgramClock;
use crate::{Effect, Event, FaultCode, Observe, Origin, Source, Vector};
use lpu_isa::latency::{MM_OPERAND_LATENCY, RECEIVE_LATENCY, SEND_LATENCY};
use lpu_isa::secded::LANES_PER_CODEWORD;
use lpu_isa::{Config, Operation, Stream};
use std::collections::VecDeque;

/// A vector at the border between the unit and a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flit {
    /// Link of the chip.
    pub link: usize,
    /// Leaving: the cycle in which the link takes it. Coming: the first cycle in which a RECEIVE finds it.
    pub cycle: u64,
    /// The bytes of all lanes; check bits are zero.
    pub vector: Vector,
}

/// A DESKEW or RUNTIME_DESKEW on its way to a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// Link of the chip.
    pub link: usize,
    /// Issue cycle.
    pub cycle: u64,
    /// That of RUNTIME_DESKEW.
    pub wait: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Drive {
    stream: Stream,
    planes: usize,
    /// As many as planes, encoded.
    vectors: [Vector; WORD],
    origin: Origin,
}

/// Planes of a vector of words.
const WORD: usize = 4;

/// The C2C unit.
#[derive(Clone, Debug)]
pub struct C2c {
    lanes: usize,
    streams: usize,
    /// What has come by each link, the oldest first.
    come: Vec<VecDeque<Flit>>,
    /// The vectors that RECEIVEs of each link have taken last, the oldest first.
    kept: Vec<[Vector; WORD]>,
    sent: Vec<Flit>,
    clocks: Vec<ProgramClock>,
    commands: Vec<Command>,
    leaving: Calendar<Option<(Vector, Origin)>>,
    drives: Calendar<Option<Drive>>,
}

impl C2c {
    /// The C2C unit of a machine that has links.
    pub fn new(config: &Config) -> Option<Self> {
        let links = config.c2c.as_ref()?.links;
        Some(Self {
            lanes: config.lanes,
            streams: config.streams,
            come: vec![VecDeque::new(); links],
            kept: vec![[Vector::default(); WORD]; links],
            sent: Vec::new(),
            clocks: vec![ProgramClock::default(); links],
            commands: Vec::new(),
            leaving: Calendar::new(links, None),
            drives: Calendar::new(links, None),
        })
    }

    /// A launch: what waits in the links stays there.
    pub fn restart(&mut self) {
        self.leaving.clear();
        self.drives.clear();
        self.clocks.iter_mut().for_each(ProgramClock::restart);
        for flit in self.come.iter_mut().flatten() {
            flit.cycle = 0;
        }
    }

    /// A flit comes.
    pub fn arrive(&mut self, flit: Flit) {
        let come = &mut self.come[flit.link];
        let in_order = come.back().is_none_or(|last| last.cycle <= flit.cycle);
        assert!(in_order, "flits of a link come in order");
        come.push_back(flit);
    }

    /// What has left since the last call.
    pub fn take_sent(&mut self) -> Vec<Flit> {
        std::mem::take(&mut self.sent)
    }

    /// Flits that wait in the links.
    pub fn waiting(&self) -> usize {
        self.come.iter().map(VecDeque::len).sum()
    }

    /// The clock of a link.
    pub fn clock(&mut self, link: usize) -> &mut ProgramClock {
        &mut self.clocks[link]
    }

    /// The commands since the last call.
    pub fn take_commands(&mut self) -> Vec<Command> {
        std::mem::take(&mut self.commands)
    }

    /// DESKEW or RUNTIME_DESKEW issues; the cycle in which the link says go, if it does.
    pub fn deskew(&mut self, command: Command) -> Option<u64> {
        self.commands.push(command);
        self.clocks[command.link].command(command.cycle, command.wait)
    }

    /// An operation of a link issues.
    pub fn issue(&mut self, shared: &mut Shared, cycle: u64, link: usize, op: Issued) {
        let origin = op.origin;
        match op.operation {
            Operation::Send { stream } => {
                let seen = shared.streams.sample_west_end(cycle, Stream::west(stream));
                let Some(mut vector) = seen.copied() else {
                    return shared.missing(cycle, origin);
                };
                let count = shared.correct(&mut vector, self.lanes / LANES_PER_CODEWORD);
                shared
                    .faults
                    .count(cycle + MM_OPERAND_LATENCY, count, origin);
                vector.check = Default::default();
                *self.leaving.schedule(cycle + SEND_LATENCY, link) = Some((vector, origin));
            }
            Operation::Receive { stream, word } => {
                let come = &mut self.come[link];
                let ready = come.front().is_some_and(|flit| flit.cycle <= cycle);
                let Some(flit) = ready.then(|| come.pop_front()).flatten() else {
                    return shared.missing(cycle, origin);
                };
                let vector = Vector::encode(&flit.vector.lanes(self.lanes));
                let kept = &mut self.kept[link];
                kept.rotate_left(1);
                kept[WORD - 1] = vector;
                let (planes, vectors) = match word {
                    true if op.last[0] => (WORD, *kept),
                    true => return,
                    false => (1, [vector; WORD]),
                };
                *self.drives.schedule(cycle + RECEIVE_LATENCY - 1, link) = Some(Drive {
                    stream: Stream::east(stream),
                    planes,
                    vectors,
                    origin,
                });
            }
            _ => unreachable!("the queue takes no other operation"),
        }
    }

    /// The stream drives of `cycle`. Links that drive the same stream collide; the lowest wins.
    pub fn drive(&mut self, shared: &mut Shared, cycle: u64, events: &mut impl Observe) {
        let due = self.drives.take(cycle);
        let entry = |link: usize| self.drives.entry(cycle, link).expect("set when scheduled");
        let drives = |link: usize, stream: Stream| {
            let drive = entry(link);
            planes(drive.stream, drive.planes).any(|driven| driven == stream)
        };
        for link in due {
            let drive = entry(link);
            let mut collides = false;
            for (stream, vector) in planes(drive.stream, drive.planes).zip(drive.vectors) {
                let mut rivals = due.filter(|&other| drives(other, stream));
                let wins = rivals.next() == Some(link);
                let exists = usize::from(stream.index) < self.streams;
                collides |= exists && (!wins || rivals.next().is_some());
                if wins {
                    shared.streams.drive_west_end(cycle, stream, &vector);
                }
                events.see(|| Event {
                    cycle,
                    effect: Effect::Drive {
                        source: Source::C2c(link as u8),
                        stream,
                        vector,
                    },
                    origin: Some(drive.origin),
                });
            }
            if collides {
                let code = FaultCode::StreamCollision;
                shared.faults.record(cycle, code, drive.origin);
            }
        }
    }

    /// The flits that the links take in `cycle`.
    pub fn leave(&mut self, cycle: u64, events: &mut impl Observe) {
        for link in self.leaving.take(cycle) {
            let (vector, origin) = self.leaving.entry(cycle, link).expect("set when scheduled");
            self.sent.push(Flit {
                link,
                cycle,
                vector,
            });
            events.see(|| Event {
                cycle,
                effect: Effect::Send {
                    link: link as u8,
                    vector,
                },
                origin: Some(origin),
            });
        }
    }
}
