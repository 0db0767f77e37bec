//! Flip-flops without reset, for the datapath.

use crate::info::{Info, Primitive};
use rust_hdl::prelude::*;

/// A flip-flop without reset, for the datapath.
///
/// Every rising edge of `clock` moves `d` to `q`. Undefined until the first edge. Latency: one cycle.
#[derive(Clone, Debug, LogicBlock)]
pub struct Pipe<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value.
    pub q: Signal<Out, T>,
    info: Info,
}

impl<T: Synth> Default for Pipe<T> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            d: Signal::default(),
            q: Signal::default(),
            info: Info::new("pipe", file!())
                .summary("Flip-flop without reset")
                .param("WIDTH", T::BITS)
                .primitive(Primitive::Pipe),
        }
    }
}

impl<T: Synth> Logic for Pipe<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("always @(posedge clock) q <= d;".into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "pipe".into(),
            clock: "clock".into(),
            inputs: vec!["d".into()],
            outputs: vec!["q".into()],
        }]
    }
}

/// A flip-flop with enable, without reset, for the datapath.
///
/// A rising edge of `clock` with `enable` high moves `d` to `q`. Undefined until then. Latency: one cycle.
#[derive(Clone, Debug, LogicBlock)]
pub struct PipeEnable<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Loads `d` when high.
    pub enable: Signal<In, Bit>,
    /// Next value.
    pub d: Signal<In, T>,
    /// Present value.
    pub q: Signal<Out, T>,
    info: Info,
}

impl<T: Synth> Default for PipeEnable<T> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            enable: Signal::default(),
            d: Signal::default(),
            q: Signal::default(),
            info: Info::new("pipe_enable", file!())
                .summary("Flip-flop with enable, without reset")
                .param("WIDTH", T::BITS)
                .primitive(Primitive::PipeEnable),
        }
    }
}

impl<T: Synth> Logic for PipeEnable<T> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.enable.val() {
            self.q.next = self.d.val();
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("always @(posedge clock) if (enable) q <= d;".into())
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "pipe_enable".into(),
            clock: "clock".into(),
            inputs: vec!["enable".into(), "d".into()],
            outputs: vec!["q".into()],
        }]
    }
}

/// A chain of flip-flops without reset: `q` is `d` as it was `stages` cycles ago.
///
/// Zero stages are a wire. Latency: `stages` cycles.
#[derive(Clone, Debug, LogicBlock)]
pub struct DelayLine<T: Synth> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Value now.
    pub d: Signal<In, T>,
    /// Value `stages` cycles ago.
    pub q: Signal<Out, T>,
    info: Info,
    /// Values under way, the oldest first.
    _chain: Vec<T>,
}

impl<T: Synth> DelayLine<T> {
    /// A delay of `stages` cycles.
    pub fn new(stages: usize) -> Self {
        Self {
            clock: Signal::default(),
            d: Signal::default(),
            q: Signal::default(),
            info: Info::new("delay_line", file!())
                .summary("Chain of flip-flops without reset")
                .param("WIDTH", T::BITS)
                .param("STAGES", stages)
                .primitive(Primitive::Delay { stages }),
            _chain: vec![T::default(); stages],
        }
    }
}

impl<T: Synth> Logic for DelayLine<T> {
    fn update(&mut self) {
        if self._chain.is_empty() {
            self.q.next = self.d.val();
        } else if self.clock.pos_edge() {
            self._chain.remove(0);
            self._chain.push(self.d.val());
            self.q.next = self._chain[0];
        }
    }

    fn connect(&mut self) {
        self.q.connect();
    }

    fn hdl(&self) -> Verilog {
        let stages = self._chain.len();
        Verilog::Custom(match stages {
            0 => "always @(*) q = d;".into(),
            1 => "always @(posedge clock) q <= d;".into(),
            _ => {
                let last = stages - 2;
                let range = format!("[{}:0]", T::BITS - 1);
                let regs: String = (0..=last)
                    .map(|i| format!("reg {range} stage_{i};\n"))
                    .collect();
                let moves: String = (1..=last)
                    .map(|i| format!("  stage_{i} <= stage_{};\n", i - 1))
                    .collect();
                format!(
                    "{regs}always @(posedge clock) begin\n  stage_0 <= d;\n{moves}  q <= stage_{last};\nend"
                )
            }
        })
    }

    fn timing(&self) -> Vec<TimingInfo> {
        if self._chain.is_empty() {
            return vec![];
        }
        vec![TimingInfo {
            name: "delay_line".into(),
            clock: "clock".into(),
            inputs: vec!["d".into()],
            outputs: vec!["q".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    #[test]
    fn a_delay_line_delays_by_its_stages() {
        for stages in 0..5 {
            let mut line = DelayLine::<Bits<8>>::new(stages);
            line.connect_all();
            for now in 1..20u64 {
                line.d.next = Bits::from(now);
                cycle(&mut line, |line, level| {
                    line.clock.next = Clock::from(level)
                });
                let then = (now + 1).saturating_sub(stages.max(1) as u64);
                assert_eq!(
                    line.q.val(),
                    Bits::<8>::from(then),
                    "{stages} stages, cycle {now}"
                );
            }
        }
    }

    #[test]
    fn an_enabled_pipe_holds() {
        let mut pipe = PipeEnable::<Bits<4>>::default();
        pipe.connect_all();
        for (enable, d, q) in [(true, 3, 3), (false, 4, 3), (true, 5, 5)] {
            pipe.enable.next = enable;
            pipe.d.next = Bits::from(d);
            cycle(&mut pipe, |pipe, level| {
                pipe.clock.next = Clock::from(level)
            });
            assert_eq!(pipe.q.val(), Bits::<4>::from(q));
        }
    }
}
