//! Which lane of the operand each lane of a result takes.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Bit of a source that is no lane: the lane of the result is zero, and the other bits say nothing.
const NONE: u64 = 0x80;
/// Mode: lane i takes lane i - n.
const UP: u64 = 0;
/// Mode: lane i takes lane i + n.
const DOWN: u64 = 1;
/// Mode: lane i takes lane i - n, modulo L.
const ROTATE: u64 = 2;
/// Mode: every lane takes lane n.
const BROADCAST: u64 = 3;
/// Mode: the table says it.
const PERMUTE: u64 = 4;

/// Which lane of the operand each lane of a result takes, from mode and argument of a LANES.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_
/// in_enable    /~~~\____________
/// in_argument  X n X
/// offset           X o              n or -n; base of each lane: i, 0 or i >> k
/// out_source           X s          <- base + offset, or the table's lane; bit 7: none
/// ```
///
/// Modes: 0 up, 1 down, 2 rotate, 3 broadcast, 4 permute, others distribute (`docs/vector.md`).
///
/// Parameter: L lanes (a power of two, 8 to 64). Latency: [`LATENCY`](Self::LATENCY). No reset: sources follow the enable.
#[derive(Clone, Debug, LogicBlock)]
pub struct LaneSource<const L: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// There is an operation.
    pub in_enable: Signal<In, Bit>,
    /// Its mode.
    pub in_mode: Signal<In, Bits<4>>,
    /// Its argument.
    pub in_argument: Signal<In, Bits<12>>,
    /// The permutation table, 8 lanes a word, the lowest lane in the lowest byte.
    pub in_map: Vec<Signal<In, Bits<64>>>,
    /// The source of each lane; bit 7: none.
    pub out_source: Vec<Signal<Out, Bits<8>>>,
    info: Info,
    _enable: bool,
    _operation: (u64, u64),
    _map: Vec<u64>,
}

impl<const L: usize> LaneSource<L> {
    /// Cycles from the argument to the sources.
    pub const LATENCY: u64 = 2;

    /// The source of lane `i`.
    fn source(&self, i: usize) -> u64 {
        let (mode, n) = self._operation;
        let (lanes, i) = (L as i64, i as i64);
        let argument = n as i64;
        let inside = |lane: i64| match (0..lanes).contains(&lane) {
            true => lane as u64,
            false => NONE | lane.rem_euclid(lanes) as u64,
        };
        let wrapped = |lane: i64| lane.rem_euclid(lanes) as u64;
        match mode {
            UP => inside(i - argument),
            DOWN => inside(i + argument),
            ROTATE => wrapped(i - argument),
            BROADCAST => wrapped(argument),
            PERMUTE => {
                let lane = self._map[i as usize / 8] >> (8 * (i % 8)) & 0xff;
                match lane < L as u64 {
                    true => lane,
                    false => NONE | (lane % L as u64),
                }
            }
            _ => wrapped((argument & 0xff) + (i >> (argument >> 8))),
        }
    }
}

impl<const L: usize> Default for LaneSource<L> {
    fn default() -> Self {
        assert!(
            L.is_power_of_two() && (8..=64).contains(&L),
            "{L} lanes; a power of two from 8 to 64 is possible"
        );
        Self {
            clock: Signal::default(),
            in_enable: Signal::default(),
            in_mode: Signal::default(),
            in_argument: Signal::default(),
            in_map: (0..L / 8).map(|_| Signal::default()).collect(),
            out_source: (0..L).map(|_| Signal::default()).collect(),
            info: Info::new("lane_source", file!())
                .summary("Source of each lane of a result")
                .param("LANES", L)
                .port(
                    "in_mode",
                    "0 up, 1 down, 2 rotate, 3 broadcast, 4 permute, else distribute",
                )
                .port("in_map", "table of a permutation, 8 lanes a word")
                .port("out_source", "two cycles later; bit 7: zero"),
            _enable: false,
            _operation: (0, 0),
            _map: vec![0; L / 8],
        }
    }
}

impl<const L: usize> Logic for LaneSource<L> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        if self._enable {
            for i in 0..L {
                self.out_source[i].next = Bits::from(self.source(i));
            }
        }
        self._enable = self.in_enable.val();
        if self._enable {
            self._operation = (self.in_mode.val().to_u64(), self.in_argument.val().to_u64());
            for (word, map) in self._map.iter_mut().zip(&self.in_map) {
                *word = map.val().to_u64();
            }
        }
    }

    fn connect(&mut self) {
        self.out_source.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let bits = L.ilog2() as usize;
        let (top, none) = (bits - 1, 7 - bits);
        let words = L / 8;
        let mut text = String::from(
            "\
reg enable;
reg permute;
reg wrap;
reg from_lane;
reg [3:0] shift;
reg [12:0] offset;
",
        );
        for g in 0..words {
            text += &format!("reg [63:0] map_{g};\n");
        }
        text += &format!(
            "
always @(posedge clock) begin
  enable <= in_enable;
  if (in_enable) begin
    permute <= in_mode == 4'd{PERMUTE};
    wrap <= in_mode > 4'd{DOWN};
    from_lane <= in_mode < 4'd{BROADCAST};
    shift <= in_mode == 4'd{BROADCAST} ? 4'd15 : in_argument[11:8];
    case (in_mode)
      4'd{UP}, 4'd{ROTATE}: offset <= -{{1'd0, in_argument}};
      4'd{DOWN}, 4'd{BROADCAST}: offset <= {{1'd0, in_argument}};
      default: offset <= {{5'd0, in_argument[7:0]}};
    endcase
"
        );
        for g in 0..words {
            text += &format!("    map_{g} <= in_map${g};\n");
        }
        text += "  end\nend\n";
        for i in 0..L {
            let (word, low) = (i / 8, 8 * (i % 8));
            let (high, from, to) = (low + 7, low + bits, low + top);
            text += &format!(
                "
always @(posedge clock)
  if (enable) begin : source_{i}
    reg [12:0] lane;
    lane = (from_lane ? 13'd{i} : 13'd{i} >> shift) + offset;
    if (permute)
      out_source${i} <= {{|map_{word}[{high}:{from}], {none}'d0, map_{word}[{to}:{low}]}};
    else
      out_source${i} <= {{!wrap & |lane[12:{bits}], {none}'d0, lane[{top}:0]}};
  end
",
            );
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let array = |name: &str, count: usize| {
            (0..count)
                .map(|n| format!("{name}${n}"))
                .collect::<Vec<_>>()
        };
        let mut inputs = ["in_enable", "in_mode", "in_argument"]
            .map(String::from)
            .to_vec();
        inputs.extend(array("in_map", L / 8));
        vec![TimingInfo {
            name: "lane_source".into(),
            clock: "clock".into(),
            inputs,
            outputs: array("out_source", L),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    /// The sources of a LANES on 8 lanes with this table.
    fn sources(mode: u64, argument: u64, map: [u8; 8]) -> Vec<u64> {
        let mut block = LaneSource::<8>::default();
        block.connect_all();
        block.in_enable.next = true;
        block.in_mode.next = Bits::from(mode);
        block.in_argument.next = Bits::from(argument);
        block.in_map[0].next = Bits::from(u64::from_le_bytes(map));
        for _ in 0..LaneSource::<8>::LATENCY {
            cycle(&mut block, |block, level| {
                block.clock.next = Clock::from(level)
            });
        }
        block
            .out_source
            .iter()
            .map(|lane| lane.val().to_u64())
            .collect()
    }

    #[test]
    fn one_example_of_each_mode() {
        let map = [7, 6, 5, 4, 3, 2, 8, 255];
        let zero = NONE;
        for (mode, argument, expected) in [
            (UP, 2, [zero, zero, 0, 1, 2, 3, 4, 5]),
            (DOWN, 3, [3, 4, 5, 6, 7, zero, zero, zero]),
            (ROTATE, 1, [7, 0, 1, 2, 3, 4, 5, 6]),
            (BROADCAST, 5, [5; 8]),
            (PERMUTE, 0, [7, 6, 5, 4, 3, 2, zero, zero]),
            (5, 2 << 8 | 6, [6, 6, 6, 6, 7, 7, 7, 7]),
            (5, 7, [7, 0, 1, 2, 3, 4, 5, 6]),
        ] {
            let got: Vec<u64> = sources(mode, argument, map)
                .iter()
                .map(|&lane| if lane >= NONE { NONE } else { lane })
                .collect();
            assert_eq!(got, expected, "mode {mode}, argument {argument}");
        }
    }

    proptest! {
        #[test]
        fn far_shifts_leave_nothing(argument in 8u64..4096) {
            for mode in [UP, DOWN] {
                prop_assert!(sources(mode, argument, [0; 8]).iter().all(|&lane| lane >= NONE));
            }
        }

        #[test]
        fn rotations_take_every_lane_once(argument in 0u64..4096) {
            let mut lanes = sources(ROTATE, argument, [0; 8]);
            lanes.sort_unstable();
            prop_assert_eq!(lanes, (0..8).collect::<Vec<_>>());
        }
    }
}
