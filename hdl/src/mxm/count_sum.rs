//! Adds up what the decoders of the weight slots found.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Adds up the numbers of the slots that count: an adder tree with a register at every level.
///
/// ```text
/// clock       _/~\_/~\_/~\_/~\_/~\_
/// in_count    X n X
/// in_counted  X c X
/// out_count   0                X s X 0     one cycle, and one for each halving of the slots
/// ```
///
/// Parameter: the number of slots (a power of two, 1 to 32). The sum stops at 255. Latency: `1 + log2 SLOTS` cycles.
/// Reset clears what is under way.
#[derive(Clone, Debug, LogicBlock)]
pub struct CountSum {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Which slots count.
    pub in_counted: Vec<Signal<In, Bit>>,
    /// The numbers.
    pub in_count: Vec<Signal<In, Bits<4>>>,
    /// Their sum.
    pub out_count: Signal<Out, Bits<8>>,
    info: Info,
    _levels: Vec<Vec<u64>>,
}

impl CountSum {
    /// The sum of `slots` numbers.
    pub fn new(slots: usize) -> Self {
        assert!(
            slots.is_power_of_two() && slots <= 32,
            "{slots} slots; a power of two up to 32 is possible"
        );
        let levels = 1 + slots.ilog2() as usize;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_counted: (0..slots).map(|_| Signal::default()).collect(),
            in_count: (0..slots).map(|_| Signal::default()).collect(),
            out_count: Signal::default(),
            info: Info::new("count_sum", file!())
                .summary("Sum of the numbers that count")
                .param("SLOTS", slots)
                .port("in_counted", "the slot counts")
                .port("out_count", "stops at 255"),
            _levels: (0..levels).map(|level| vec![0; slots >> level]).collect(),
        }
    }

    /// Cycles from the numbers to their sum.
    pub fn latency(&self) -> usize {
        self._levels.len()
    }
}

impl Logic for CountSum {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let reset = self.reset.val();
        for level in (1..self._levels.len()).rev() {
            let nodes = self._levels[level].len();
            for i in 0..nodes {
                let sum = self._levels[level - 1][i] + self._levels[level - 1][i + nodes];
                self._levels[level][i] = if reset { 0 } else { sum };
            }
        }
        for (i, node) in self._levels[0].iter_mut().enumerate() {
            let counts = self.in_counted[i].val() && !reset;
            *node = if counts {
                self.in_count[i].val().to_u64()
            } else {
                0
            };
        }
        let sum = self._levels[self._levels.len() - 1][0];
        self.out_count.next = Bits::from(sum.min(255));
    }

    fn connect(&mut self) {
        self.out_count.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::new();
        let top = |level: usize| 3 + level;
        for (level, nodes) in self._levels.iter().enumerate() {
            for i in 0..nodes.len() {
                text += &format!("reg [{}:0] node_{level}_{i};\n", top(level));
            }
        }
        text += "\nalways @(posedge clock)\n  if (reset) begin\n";
        for (level, nodes) in self._levels.iter().enumerate() {
            for i in 0..nodes.len() {
                text += &format!("    node_{level}_{i} <= {}'d0;\n", top(level) + 1);
            }
        }
        text += "  end else begin\n";
        for i in 0..self._levels[0].len() {
            text += &format!("    node_0_{i} <= in_counted${i} ? in_count${i} : 4'd0;\n");
        }
        for level in 1..self._levels.len() {
            let nodes = self._levels[level].len();
            let above = level - 1;
            for i in 0..nodes {
                text += &format!(
                    "    node_{level}_{i} <= {{1'd0, node_{above}_{i}}} + {{1'd0, node_{above}_{}}};\n",
                    i + nodes
                );
            }
        }
        text += "  end\n\n";
        let last = self._levels.len() - 1;
        text += &match 8usize.checked_sub(top(last) + 1) {
            Some(0) => format!("always @(*) out_count = node_{last}_0;"),
            Some(pad) => format!("always @(*) out_count = {{{pad}'d0, node_{last}_0}};"),
            None => {
                format!("always @(*) out_count = node_{last}_0[8] ? 8'd255 : node_{last}_0[7:0];")
            }
        };
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let slots = self.in_count.len();
        let names = |name: &str| {
            (0..slots)
                .map(|i| format!("{name}${i}"))
                .collect::<Vec<_>>()
        };
        vec![TimingInfo {
            name: "count_sum".into(),
            clock: "clock".into(),
            inputs: [names("in_counted"), names("in_count"), vec!["reset".into()]].concat(),
            outputs: vec!["out_count".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    fn sum_of(slots: usize, count: impl Fn(usize) -> (bool, u64)) -> u64 {
        let mut sum = CountSum::new(slots);
        sum.connect_all();
        for i in 0..slots {
            let (counted, count) = count(i);
            sum.in_counted[i].next = counted;
            sum.in_count[i].next = Bits::from(count);
        }
        for _ in 0..sum.latency() {
            cycle(&mut sum, |sum, level| sum.clock.next = Clock::from(level));
            sum.in_counted
                .iter_mut()
                .for_each(|counted| counted.next = false);
        }
        let value = sum.out_count.val().to_u64();
        cycle(&mut sum, |sum, level| sum.clock.next = Clock::from(level));
        assert_eq!(
            sum.out_count.val().to_u64(),
            0,
            "it must be gone a cycle later"
        );
        value
    }

    #[test]
    fn adds_what_counts() {
        assert_eq!(sum_of(1, |_| (true, 8)), 8);
        assert_eq!(sum_of(8, |i| (i < 4, 1 + i as u64)), 1 + 2 + 3 + 4);
        assert_eq!(sum_of(16, |_| (true, 8)), 128);
    }

    #[test]
    fn stops_at_255() {
        assert_eq!(sum_of(32, |i| (true, if i == 0 { 7 } else { 8 })), 255);
        assert_eq!(sum_of(32, |_| (true, 8)), 255);
    }
}
