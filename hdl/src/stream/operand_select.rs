//! Takes one of the cells a unit sees.

use crate::info::Info;
use rust_hdl::prelude::*;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Candidates that one register of the first stage chooses from.
const GROUP: usize = 16;
/// Values of `in_select`.
const CODES: usize = 64;

/// Takes one of the stream cells a unit sees, in two stages.
///
/// ```text
/// clock       _/~\_/~\_/~\_/~\_
/// in_enable   /~~~\____________
/// in_select   X s X                 one-hot: bit c is high to take the candidate with code c
/// in_valid_s  /~~~\____________
/// in_data_s   X d X
/// group               X d           one register for every 16 codes
/// out_valid   ________/~~~\____     or out_missing, if in_valid_s was low
/// out_data            X d           <- zero if not valid; holds until the next operation
/// ```
///
/// Each candidate has a code. A code without a candidate counts as a cell that is not valid. One operation per cycle.
///
/// Parameters: L lanes and V = 8 L for whole vectors; any other pair is possible, for example 8 and 64 to take codeword 0
/// only. One to 64 candidates. Latency: [`LATENCY`](Self::LATENCY). Reset clears `out_valid` and `out_missing`.
#[derive(LogicBlock)]
pub struct OperandSelect<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Data of each candidate.
    pub in_data: Vec<Signal<In, Bits<V>>>,
    /// Check bits of each candidate.
    pub in_check: Vec<Signal<In, Bits<L>>>,
    /// Whether each candidate is there.
    pub in_valid: Vec<Signal<In, Bit>>,
    /// Bit c: takes the candidate with code c. At most one bit is high.
    pub in_select: Signal<In, Bits<64>>,
    /// Takes a candidate.
    pub in_enable: Signal<In, Bit>,
    /// The data taken.
    pub out_data: Signal<Out, Bits<V>>,
    /// The check bits taken.
    pub out_check: Signal<Out, Bits<L>>,
    /// A candidate was taken and was there.
    pub out_valid: Signal<Out, Bit>,
    /// A candidate was asked for and was not there.
    pub out_missing: Signal<Out, Bit>,
    info: Info,
    /// The code of each candidate.
    _codes: Vec<usize>,
    _enable: bool,
    _found: bool,
    _taken: (Bits<V>, Bits<L>),
}

impl<const L: usize, const V: usize> OperandSelect<L, V> {
    /// Cycles from the candidates to `out_data`.
    pub const LATENCY: u64 = lpu_isa::latency::SELECT_LATENCY;

    /// `inputs` candidates with the codes 0, 1, 2, ...
    pub fn new(inputs: usize) -> Self {
        Self::with_order((0..inputs).collect(), format!("first_{inputs}"))
    }

    /// The streams of both directions: candidates 0 to `streams` - 1 are the eastward ones, then the westward ones follow.
    /// The codes are those of instructions: bit 5 is set for westward.
    pub fn both_directions(streams: usize) -> Self {
        let east = 0..streams;
        let west = CODES / 2..CODES / 2 + streams;
        Self::with_order(east.chain(west).collect(), format!("both_{streams}"))
    }

    /// The same in another order, for blocks that connect them in a loop: candidate 2 s is eastward stream s, candidate
    /// 2 s + 1 is westward stream s.
    pub fn alternating_directions(streams: usize) -> Self {
        let codes = (0..streams).flat_map(|s| [s, CODES / 2 + s]);
        Self::with_order(codes.collect(), format!("alternating_{streams}"))
    }

    /// The westward streams, with the codes of instructions: bit 5 is set.
    pub fn westward(streams: usize) -> Self {
        let codes = CODES / 2..CODES / 2 + streams;
        Self::with_order(codes.collect(), format!("westward_{streams}"))
    }

    /// Candidates with the given codes, all different.
    pub fn with_codes(codes: Vec<usize>) -> Self {
        let list: Vec<String> = codes.iter().map(usize::to_string).collect();
        Self::with_order(codes, list.join("_"))
    }

    /// The same, with what the name of the module says of the codes.
    fn with_order(codes: Vec<usize>, order: String) -> Self {
        let distinct: BTreeSet<usize> = codes.iter().copied().collect();
        let fits = distinct.len() == codes.len() && distinct.last().is_some_and(|&c| c < CODES);
        assert!(
            fits,
            "codes {codes:?}; at least one, all different and below {CODES}"
        );
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_data: codes.iter().map(|_| Signal::default()).collect(),
            in_check: codes.iter().map(|_| Signal::default()).collect(),
            in_valid: codes.iter().map(|_| Signal::default()).collect(),
            in_select: Signal::default(),
            in_enable: Signal::default(),
            out_data: Signal::default(),
            out_check: Signal::default(),
            out_valid: Signal::default(),
            out_missing: Signal::default(),
            info: Info::new("operand_select", file!())
                .summary("Takes one of the cells a unit sees")
                .param("DATA_BITS", V)
                .param("CHECK_BITS", L)
                .param("CODES", order)
                .port("in_select", "bit c: the candidate with code c")
                .port(
                    "out_data",
                    "two cycles later; holds until the next operation",
                )
                .port("out_missing", "asked for, but not there")
                .unused("in_select"),
            _codes: codes,
            _enable: false,
            _found: false,
            _taken: Default::default(),
        }
    }

    /// Number of the candidate with this code.
    fn candidate(&self, code: usize) -> Option<usize> {
        self._codes.iter().position(|&c| c == code)
    }

    /// The groups that have candidates.
    fn groups(&self) -> Vec<usize> {
        let groups: BTreeSet<usize> = self._codes.iter().map(|code| code / GROUP).collect();
        groups.into_iter().collect()
    }

    /// Verilog: moves one candidate of a group into its register; if none of them is taken, anything.
    ///
    /// Synthesis makes an AND-OR tree of it, of which every input is a register, and with nothing that depends on whether
    /// any candidate is taken.
    fn choice(&self, group: usize) -> String {
        let mut text = String::from("    (* parallel_case *) case (1'b1)\n");
        for code in group * GROUP..(group + 1) * GROUP {
            if let Some(n) = self.candidate(code) {
                let _ = write!(
                    text,
                    "      in_select[{code}]: begin\n\
                     \x20       valid_{group} <= in_valid${n};\n\
                     \x20       data_{group} <= in_data${n};\n\
                     \x20       check_{group} <= in_check${n};\n\
                     \x20     end\n"
                );
            }
        }
        let _ = write!(
            text,
            "      default: begin\n\
             \x20       valid_{group} <= 1'd0;\n\
             \x20       data_{group} <= {V}'bx;\n\
             \x20       check_{group} <= {L}'bx;\n\
             \x20     end\n\
             \x20   endcase\n"
        );
        text
    }
}

impl<const L: usize, const V: usize> Logic for OperandSelect<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let reset = self.reset.val();
        let found = self._enable && self._found;
        if self._enable {
            (self.out_data.next, self.out_check.next) = self._taken;
        }
        self.out_valid.next = found && !reset;
        self.out_missing.next = self._enable && !found && !reset;
        self._enable = self.in_enable.val() && !reset;
        if self.in_enable.val() {
            let select = self.in_select.val();
            let taken = |(n, &code): (usize, &usize)| {
                (select.get_bit(code) && self.in_valid[n].val()).then_some(n)
            };
            let candidate = self._codes.iter().enumerate().find_map(taken);
            self._found = candidate.is_some();
            self._taken = candidate
                .map(|n| (self.in_data[n].val(), self.in_check[n].val()))
                .unwrap_or_default();
        }
    }

    fn connect(&mut self) {
        self.out_data.connect();
        self.out_check.connect();
        self.out_valid.connect();
        self.out_missing.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::from("reg enable;\nwire found;\n");
        for group in self.groups() {
            let _ = write!(
                text,
                "reg valid_{group};\nreg [{}:0] data_{group};\nreg [{}:0] check_{group};\n",
                V - 1,
                L - 1
            );
        }
        text += "\nalways @(posedge clock) begin\n  enable <= in_enable && !reset;\n  if (in_enable) begin\n";
        for group in self.groups() {
            text += &self.choice(group);
        }
        let any = |part: &dyn Fn(usize) -> String| {
            let parts: Vec<_> = self.groups().into_iter().map(part).collect();
            parts.join(" | ")
        };
        let _ = write!(
            text,
            "  end\nend\n\n\
             assign found = {};\n\n\
             always @(posedge clock) begin\n\
             \x20 out_valid <= enable && found && !reset;\n\
             \x20 out_missing <= enable && !found && !reset;\n\
             \x20 if (enable) begin\n\
             \x20   out_data <= {};\n\
             \x20   out_check <= {};\n\
             \x20 end\nend",
            any(&|g| format!("valid_{g}")),
            any(&|g| format!("({{{V}{{valid_{g}}}}} & data_{g})")),
            any(&|g| format!("({{{L}{{valid_{g}}}}} & check_{g})"))
        );
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let array = |name: &str| {
            (0..self._codes.len())
                .map(|n| format!("{name}${n}"))
                .collect::<Vec<_>>()
        };
        let mut inputs = ["reset", "in_select", "in_enable"]
            .map(String::from)
            .to_vec();
        inputs.extend(array("in_data"));
        inputs.extend(array("in_check"));
        inputs.extend(array("in_valid"));
        vec![TimingInfo {
            name: "operand_select".into(),
            clock: "clock".into(),
            inputs,
            outputs: ["out_data", "out_check", "out_valid", "out_missing"]
                .map(String::from)
                .to_vec(),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    type Select = OperandSelect<8, 64>;

    fn connected(mut select: Select) -> Select {
        select.connect_all();
        select
    }

    fn step(select: &mut Select) {
        cycle(select, |select, level| {
            select.clock.next = Clock::from(level);
        });
    }

    #[test]
    fn an_operand_is_visible_two_cycles_later() {
        let mut select = connected(Select::new(5));
        select.in_valid[3].next = true;
        select.in_data[3].next = Bits::from(0x33);
        select.in_check[3].next = Bits::from(0x3);
        select.in_data[4].next = Bits::from(0x44);
        // (enable, code) in a cycle; (valid, missing, data) in the same cycle
        let rows = [
            (true, 3, false, false, 0),
            (false, 3, false, false, 0),
            (true, 4, true, false, 0x33),  // of code 3
            (true, 3, false, false, 0x33), // of the idle cycle
            (true, 5, false, true, 0),     // of code 4, which is not valid
            (false, 0, true, false, 0x33), // of code 3
            (false, 0, false, true, 0),    // of code 5, which does not exist
            (false, 0, false, false, 0),
        ];
        for (now, (enable, code, valid, missing, data)) in rows.into_iter().enumerate() {
            assert_eq!(select.out_valid.val(), valid, "cycle {now}");
            assert_eq!(select.out_missing.val(), missing, "cycle {now}");
            assert_eq!(select.out_data.val().to_u64(), data, "cycle {now}");
            select.in_enable.next = enable;
            select.in_select.next = Bits::from(1u64 << code);
            step(&mut select);
        }
        assert_eq!(select.out_check.val().to_u64(), 0);
    }

    #[test]
    fn the_codes_are_those_of_instructions() {
        let select = Select::both_directions(16);
        assert_eq!(select.candidate(0), Some(0));
        assert_eq!(select.candidate(15), Some(15));
        assert_eq!(select.candidate(16), None);
        assert_eq!(select.candidate(32), Some(16));
        assert_eq!(select.candidate(47), Some(31));
        assert_eq!(select.candidate(48), None);
        assert_eq!(select.groups(), [0, 2]);
        let select = Select::alternating_directions(16);
        assert_eq!(select.candidate(15), Some(30));
        assert_eq!(select.candidate(47), Some(31));
        assert_eq!(select.candidate(48), None);
        assert_eq!(select.groups(), [0, 2]);
    }

    proptest! {
        #[test]
        fn takes_what_was_asked_for(
            inputs in 1usize..=64,
            valid in any::<u64>(),
            codes in prop::collection::vec(prop::option::of(0usize..64), 1..40),
        ) {
            let mut select = connected(Select::new(inputs));
            for n in 0..inputs {
                select.in_valid[n].next = valid >> n & 1 == 1;
                select.in_data[n].next = Bits::from(n as u64 + 100);
                select.in_check[n].next = Bits::from(n as u64);
            }
            let latency = Select::LATENCY as usize;
            for now in 0..codes.len() + latency {
                if now >= latency {
                    let asked = codes[now - latency];
                    let there = asked.filter(|&n| n < inputs && valid >> n & 1 == 1);
                    prop_assert_eq!(select.out_valid.val(), there.is_some());
                    prop_assert_eq!(select.out_missing.val(), asked.is_some() && there.is_none());
                    if let Some(n) = there {
                        prop_assert_eq!(select.out_data.val().to_u64(), n as u64 + 100);
                        prop_assert_eq!(select.out_check.val().to_u64(), n as u64);
                    }
                }
                let code = codes.get(now).copied().flatten();
                select.in_enable.next = code.is_some();
                select.in_select.next = Bits::from(1u64 << code.unwrap_or(0));
                step(&mut select);
            }
        }
    }

    #[test]
    fn reset_drops_what_is_under_way() {
        let mut select = connected(Select::new(2));
        select.in_enable.next = true;
        select.in_select.next = Bits::from(1);
        select.in_valid[0].next = true;
        step(&mut select);
        select.reset.next = true;
        step(&mut select);
        select.reset.next = false;
        select.in_enable.next = false;
        step(&mut select);
        assert!(!select.out_valid.val() && !select.out_missing.val());
    }

    #[test]
    #[should_panic(expected = "at least one, all different and below 64")]
    fn too_many_candidates() {
        let _ = Select::new(65);
    }
}
