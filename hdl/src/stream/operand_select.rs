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
/// in_select   X s X
/// in_valid_s  /~~~\____________
/// in_data_s   X d X
/// group               X d           one register for every 16 candidates, only that of s moves
/// out_valid   ________/~~~\____     or out_missing, if in_valid_s was low
/// out_data            X d           <- holds until the next valid vector
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
    /// Code of the candidate to take.
    pub in_select: Signal<In, Bits<6>>,
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
    _taken: Option<(Bits<V>, Bits<L>)>,
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
                .port("in_select", "code of the candidate")
                .port("out_data", "two cycles later; holds while not valid")
                .port("out_missing", "asked for, but not there")
                .unused("in_select"),
            _codes: codes,
            _enable: false,
            _taken: None,
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

    /// Moves the candidate among `size` codes from `first` on into the register of its group: a tree over bits of the code.
    fn tree(&self, group: usize, first: usize, size: usize, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let any = self
            ._codes
            .iter()
            .any(|c| (first..first + size).contains(c));
        if !any {
            let _ = writeln!(text, "{indent}valid_{group} <= 1'd0;");
        } else if size == 1 {
            let n = self.candidate(first).unwrap_or_default();
            let _ = write!(
                text,
                "{indent}valid_{group} <= in_valid${n};\n\
                 {indent}data_{group} <= in_data${n};\n\
                 {indent}check_{group} <= in_check${n};\n"
            );
        } else {
            let half = size / 2;
            let _ = writeln!(text, "{indent}if (in_select[{}]) begin", half.ilog2());
            self.tree(group, first + half, half, depth + 1, text);
            let _ = writeln!(text, "{indent}end else begin");
            self.tree(group, first, half, depth + 1, text);
            let _ = writeln!(text, "{indent}end");
        }
    }
}

impl<const L: usize, const V: usize> Logic for OperandSelect<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let reset = self.reset.val();
        if let Some((data, check)) = self._taken {
            self.out_data.next = data;
            self.out_check.next = check;
        }
        self.out_valid.next = self._taken.is_some() && !reset;
        self.out_missing.next = self._enable && self._taken.is_none() && !reset;
        self._enable = self.in_enable.val() && !reset;
        self._taken = self
            .candidate(self.in_select.val().index())
            .filter(|&n| self._enable && self.in_valid[n].val())
            .map(|n| (self.in_data[n].val(), self.in_check[n].val()));
    }

    fn connect(&mut self) {
        self.out_data.connect();
        self.out_check.connect();
        self.out_valid.connect();
        self.out_missing.connect();
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::from("reg enable;\nreg [1:0] group;\nreg found;\n");
        for group in self.groups() {
            let _ = write!(
                text,
                "reg valid_{group};\nreg [{}:0] data_{group};\nreg [{}:0] check_{group};\n",
                V - 1,
                L - 1
            );
        }
        let _ = write!(
            text,
            "\nalways @(posedge clock) begin\n\
             \x20 enable <= in_enable && !reset;\n\
             \x20 if (in_enable) group <= in_select[5:4];\n"
        );
        for group in self.groups() {
            let _ = writeln!(
                text,
                "  if (in_enable && in_select[5:4] == 2'd{group}) begin"
            );
            self.tree(group, group * GROUP, GROUP, 2, &mut text);
            text += "  end\n";
        }
        text += "end\n\nalways @(*) begin\n  case (group)\n";
        for group in self.groups() {
            let _ = writeln!(text, "    2'd{group}: found = valid_{group};");
        }
        text += "    default: found = 1'd0;\n  endcase\nend\n\n";
        text += "always @(posedge clock) begin\n\
                 \x20 out_valid <= enable && found && !reset;\n\
                 \x20 out_missing <= enable && !found && !reset;\n\
                 \x20 if (enable && found) begin\n\
                 \x20   case (group)\n";
        let (last, others) = self
            .groups()
            .split_last()
            .map(|(&last, others)| (last, others.to_vec()))
            .unwrap_or_default();
        for (label, group) in others
            .iter()
            .map(|group| (format!("2'd{group}"), group))
            .chain([("default".to_owned(), &last)])
        {
            let _ = write!(
                text,
                "      {label}: begin\n\
                 \x20       out_data <= data_{group};\n\
                 \x20       out_check <= check_{group};\n\
                 \x20     end\n"
            );
        }
        text += "    endcase\n  end\nend";
        // All codes in use: the default of `found` is never taken, and lint does not like it.
        if self.groups().len() == CODES / GROUP {
            text = text.replace("    default: found = 1'd0;\n", "");
        }
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
        // (enable, code) in a cycle; (valid, missing, data) in the same cycle
        let rows = [
            (true, 3, false, false, 0),
            (false, 3, false, false, 0),
            (true, 4, true, false, 0x33),  // of code 3
            (true, 3, false, false, 0x33), // of the idle cycle
            (true, 5, false, true, 0x33),  // of code 4, which is not valid
            (false, 0, true, false, 0x33), // of code 3
            (false, 0, false, true, 0x33), // of code 5, which does not exist
            (false, 0, false, false, 0x33),
        ];
        for (now, (enable, code, valid, missing, data)) in rows.into_iter().enumerate() {
            assert_eq!(select.out_valid.val(), valid, "cycle {now}");
            assert_eq!(select.out_missing.val(), missing, "cycle {now}");
            assert_eq!(select.out_data.val().to_u64(), data, "cycle {now}");
            select.in_enable.next = enable;
            select.in_select.next = Bits::from(code);
            step(&mut select);
        }
        assert_eq!(select.out_check.val().to_u64(), 3);
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
                select.in_select.next = Bits::from(code.unwrap_or(0) as u64);
                step(&mut select);
            }
        }
    }

    #[test]
    fn reset_drops_what_is_under_way() {
        let mut select = connected(Select::new(2));
        select.in_enable.next = true;
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
