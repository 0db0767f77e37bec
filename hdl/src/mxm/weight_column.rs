//! The weights of one column of the array: a shadow and an active byte for each row.

use crate::info::Info;
use rust_hdl::prelude::*;

/// The weights of one column: the L weights that make one lane of the result, twice.
///
/// ```text
/// clock        _/~\_/~\_/~\_/~\_/~\_
/// in_group[g]  ~~~~~________________     rows of group g take the slots
/// shadow            < s0           >
/// in_install   ____~~~~~____________
/// out_weight             < s0      >
/// ```
///
/// Row `k` belongs to group `k / W` and slot `k % W`. Row form: `in_group[g]` loads row `k` of the group from
/// `in_row[k % W]` if `in_slot[k % W]`. Column form: `in_column` loads all rows from the lanes of `in_vector`.
/// `in_install` copies the shadow weights, as they are in that cycle, to the active ones.
///
/// Parameters: L rows (8, 16, 32, 64), W slots (a power of two, at most L). Latency: one cycle from a load to the shadow
/// weights, one from `in_install` to `out_weight`. No reset: weights are undefined until loaded. At most one of the loads
/// may be high.
#[derive(Clone, Debug, LogicBlock)]
pub struct WeightColumn<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Row form: loads the rows of a group.
    pub in_group: Vec<Signal<In, Bit>>,
    /// Row form: which slots are in use.
    pub in_slot: Vec<Signal<In, Bit>>,
    /// Row form: this column's byte of each slot.
    pub in_row: Vec<Signal<In, Bits<8>>>,
    /// Column form: loads all rows.
    pub in_column: Signal<In, Bit>,
    /// Column form: the vector, one byte a row.
    pub in_vector: Signal<In, Bits<V>>,
    /// Copies shadow to active.
    pub in_install: Signal<In, Bit>,
    /// The active weights.
    pub out_weight: Vec<Signal<Out, Bits<8>>>,
    info: Info,
    _shadow: Vec<Bits<8>>,
}

impl<const L: usize, const V: usize> WeightColumn<L, V> {
    /// A column fed by `slots` weight streams.
    pub fn new(slots: usize) -> Self {
        assert_eq!(V, 8 * L, "a vector of {V} bits for {L} lanes");
        Self {
            clock: Signal::default(),
            in_group: (0..L / slots).map(|_| Signal::default()).collect(),
            in_slot: (0..slots).map(|_| Signal::default()).collect(),
            in_row: (0..slots).map(|_| Signal::default()).collect(),
            in_column: Signal::default(),
            in_vector: Signal::default(),
            in_install: Signal::default(),
            out_weight: (0..L).map(|_| Signal::default()).collect(),
            info: Info::new("weight_column", file!())
                .summary("Shadow and active weights of one column")
                .param("LANES", L)
                .param("WEIGHT_STREAMS", slots)
                .port("in_group", "row form: loads the rows of the group")
                .port("in_slot", "row form: the slot is in use")
                .port("in_row", "row form: one byte a slot")
                .port("in_column", "column form: loads all rows")
                .port("in_vector", "column form: one byte a row")
                .port("in_install", "shadow to active")
                .port("out_weight", "active weights, int8"),
            _shadow: vec![Bits::default(); L],
        }
    }
}

impl<const L: usize, const V: usize> Logic for WeightColumn<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        if self.in_install.val() {
            for (weight, shadow) in self.out_weight.iter_mut().zip(&self._shadow) {
                weight.next = *shadow;
            }
        }
        let slots = self.in_slot.len();
        for k in 0..L {
            if self.in_column.val() {
                self._shadow[k] = self.in_vector.val().get_bits::<8>(8 * k);
            } else if self.in_group[k / slots].val() && self.in_slot[k % slots].val() {
                self._shadow[k] = self.in_row[k % slots].val();
            }
        }
    }

    fn connect(&mut self) {
        self.out_weight.iter_mut().for_each(Logic::connect);
    }

    fn hdl(&self) -> Verilog {
        let slots = self.in_slot.len();
        let mut text = String::new();
        for k in 0..L {
            text += &format!("reg [7:0] shadow_{k};\n");
        }
        text += "\nalways @(posedge clock) begin\n  if (in_column) begin\n";
        for k in 0..L {
            text += &format!("    shadow_{k} <= in_vector[{}:{}];\n", 8 * k + 7, 8 * k);
        }
        text += "  end\n";
        for group in 0..L / slots {
            text += &format!("  if (in_group${group}) begin\n");
            for slot in 0..slots {
                let k = group * slots + slot;
                text += &format!("    if (in_slot${slot}) shadow_{k} <= in_row${slot};\n");
            }
            text += "  end\n";
        }
        text += "end\n\nalways @(posedge clock)\n  if (in_install) begin\n";
        for k in 0..L {
            text += &format!("    out_weight${k} <= shadow_{k};\n");
        }
        text += "  end";
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let names = |name: &str, count: usize| {
            (0..count)
                .map(move |i| format!("{name}${i}"))
                .collect::<Vec<_>>()
        };
        let mut inputs: Vec<String> = ["in_column", "in_vector", "in_install"]
            .map(String::from)
            .into();
        inputs.extend(names("in_group", self.in_group.len()));
        inputs.extend(names("in_slot", self.in_slot.len()));
        inputs.extend(names("in_row", self.in_row.len()));
        vec![TimingInfo {
            name: "weight_column".into(),
            clock: "clock".into(),
            inputs,
            outputs: names("out_weight", L),
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;

    const L: usize = 8;
    type Column = WeightColumn<L, 64>;

    fn step(column: &mut Column) {
        cycle(column, |column, level| {
            column.clock.next = Clock::from(level)
        });
        column
            .in_group
            .iter_mut()
            .for_each(|enable| enable.next = false);
        column.in_column.next = false;
        column.in_install.next = false;
    }

    fn active(column: &Column) -> Vec<u64> {
        column
            .out_weight
            .iter()
            .map(|weight| weight.val().to_u64())
            .collect()
    }

    #[test]
    fn rows_and_columns_reach_the_active_weights() {
        let mut column = Column::new(4);
        column.connect_all();
        // Column form: rows 0..8 take 0x10..0x17.
        column.in_column.next = true;
        column.in_vector.next = Bits::from(0x1716_1514_1312_1110);
        step(&mut column);
        column.in_install.next = true;
        step(&mut column);
        assert_eq!(
            active(&column),
            [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17]
        );
        // Row form: rows 4..8 are group 1; slots 2 and 3 are in use. An install in the same cycle sees the old rows.
        for (slot, byte) in [0xa0, 0xa1, 0xa2, 0xa3].into_iter().enumerate() {
            column.in_row[slot].next = Bits::from(byte);
            column.in_slot[slot].next = slot >= 2;
        }
        column.in_group[1].next = true;
        column.in_install.next = true;
        step(&mut column);
        assert_eq!(active(&column)[6..], [0x16, 0x17]);
        column.in_install.next = true;
        step(&mut column);
        assert_eq!(
            active(&column),
            [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0xa2, 0xa3]
        );
    }
}
