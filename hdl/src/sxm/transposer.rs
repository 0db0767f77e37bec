//! Rows in, columns out.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Rows in, columns out: two blocks of L x L bytes.
///
/// ```text
/// clock      _/~\_/~\_/~\_/~\_/~\_
/// in_load    /~~~\________________
/// in_row     X r X
/// rotated        X d X                    lane c in bank (r + c) mod L; written at the end of this cycle
/// in_store   ____/~~~\____________        sees it: the banks are read a cycle later
/// in_column      X c X
/// column             X c
/// read                   X d
/// out_data                   X c          <- 3 cycles after in_store; holds
/// ```
///
/// Byte (r, c) of a block lies in bank (r + c) mod L at address r, so a row touches every bank once, and a column too. Rows
/// and columns L to 2 L - 1 belong to the second block.
///
/// Parameter: L lanes (a power of two, 8 to 64); V = 8 L. Latency: [`LATENCY`](Self::LATENCY) from `in_store`; a row loaded
/// a cycle or more before `in_store` is seen. Reset drops what is under way; the blocks keep their bytes.
///
/// The skewed placement is that of matrix memories with row and column access: D. J. Kuck, ILLIAC IV Software and Application
/// Programming, IEEE Transactions on Computers C-17(8), 1968.
#[derive(Clone, Debug, LogicBlock)]
pub struct Transposer<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Loads a row.
    pub in_load: Signal<In, Bit>,
    /// Which row.
    pub in_row: Signal<In, Bits<7>>,
    /// The row.
    pub in_data: Signal<In, Bits<V>>,
    /// Stores a column.
    pub in_store: Signal<In, Bit>,
    /// Which column.
    pub in_column: Signal<In, Bits<7>>,
    /// There is a column.
    pub out_valid: Signal<Out, Bit>,
    /// The column.
    pub out_data: Signal<Out, Bits<V>>,
    info: Info,
    _rows: Vec<Bits<V>>,
    _load: Option<(usize, Bits<V>)>,
    _address: Option<usize>,
    _read: Option<Bits<V>>,
}

impl<const L: usize, const V: usize> Transposer<L, V> {
    /// Cycles from `in_store` to `out_data`.
    pub const LATENCY: u64 = 3;

    /// Column `column` of the rows as they are.
    fn column(&self, column: usize) -> Bits<V> {
        let (block, lane) = (column / L * L, column % L);
        let mut result = Bits::<V>::default();
        for i in 0..L {
            result.set_bits::<8>(8 * i, self._rows[block + i].get_bits::<8>(8 * lane));
        }
        result
    }
}

impl<const L: usize, const V: usize> Default for Transposer<L, V> {
    fn default() -> Self {
        assert!(
            L.is_power_of_two() && (8..=64).contains(&L) && V == 8 * L,
            "{L} lanes of {V} bits; a power of two from 8 to 64 lanes is possible"
        );
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_load: Signal::default(),
            in_row: Signal::default(),
            in_data: Signal::default(),
            in_store: Signal::default(),
            in_column: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            info: Info::new("transposer", file!())
                .summary("Rows in, columns out")
                .param("LANES", L)
                .port("in_row", "of both blocks; upper bits are ignored")
                .unused("in_row")
                .port("in_column", "of both blocks; upper bits are ignored")
                .unused("in_column")
                .port("out_data", "3 cycles after in_store; holds"),
            _rows: vec![Bits::default(); 2 * L],
            _load: None,
            _address: None,
            _read: None,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Transposer<L, V> {
    fn update(&mut self) {
        if !self.clock.pos_edge() {
            return;
        }
        let reset = self.reset.val();
        self.out_valid.next = self._read.is_some() && !reset;
        if let Some(data) = self._read {
            self.out_data.next = data;
        }
        self._read = self._address.filter(|_| !reset).map(|c| self.column(c));
        let asked = self.in_store.val() && !reset;
        self._address = asked.then(|| self.in_column.val().index() % (2 * L));
        if let Some((row, data)) = self._load {
            self._rows[row] = data;
        }
        let loaded = self.in_load.val() && !reset;
        self._load = loaded.then(|| (self.in_row.val().index() % (2 * L), self.in_data.val()));
    }

    fn connect(&mut self) {
        self.out_valid.connect();
        self.out_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let bits = L.ilog2() as usize;
        let (top, lane) = (bits, bits - 1);
        let (v, twice) = (V - 1, 2 * V - 1);
        let mut text = format!(
            "\
reg load;
reg [{top}:0] row;
reg [{v}:0] rotated;

always @(posedge clock) begin
  load <= in_load && !reset;
  if (in_load) begin : rotate_row
    reg [{twice}:0] twice;
    twice = {{in_data, in_data}} << {{in_row[{lane}:0], 3'd0}};
    row <= in_row[{top}:0];
    rotated <= twice[{twice}:{V}];
  end
end

reg store;
reg store_read;
reg [{top}:0] column;
reg [{lane}:0] column_read;
wire [{v}:0] read;

always @(posedge clock) begin
  store <= in_store && !reset;
  store_read <= store && !reset;
  out_valid <= store_read && !reset;
  if (in_store) column <= in_column[{top}:0];
  if (store) column_read <= column[{lane}:0];
  if (store_read) begin : rotate_column
    reg [{twice}:0] twice;
    twice = {{read, read}} >> {{column_read, 3'd0}};
    out_data <= twice[{v}:0];
  end
end
"
        );
        for b in 0..L {
            let (high, low) = (8 * b + 7, 8 * b);
            text += &format!(
                "
reg [7:0] bank_{b} [0:{last}];
reg [7:0] byte_{b};
assign read[{high}:{low}] = byte_{b};
always @(posedge clock) begin
  if (load) bank_{b}[row] <= rotated[{high}:{low}];
  if (store) begin : read_{b}
    reg [{lane}:0] r;
    r = {bits}'d{b} - column[{lane}:0];
    byte_{b} <= bank_{b}[{{column[{top}], r}}];
  end
end
",
                last = 2 * L - 1
            );
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![TimingInfo {
            name: "transposer".into(),
            clock: "clock".into(),
            inputs: [
                "reset",
                "in_load",
                "in_row",
                "in_data",
                "in_store",
                "in_column",
            ]
            .map(String::from)
            .to_vec(),
            outputs: vec!["out_valid".into(), "out_data".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    const L: usize = 8;

    proptest! {
        /// Rows go in, one a cycle; columns come out, one a cycle, of the block that is not being loaded.
        #[test]
        fn columns_are_what_rows_were(blocks: [[[u8; L]; L]; 3]) {
            let mut block = Transposer::<L, 64>::default();
            block.connect_all();
            let mut columns = vec![];
            for now in 0..4 * L + 4 {
                block.in_load.next = now < 3 * L;
                block.in_row.next = Bits::from(now as u64 % (2 * L as u64));
                let row = blocks.iter().flatten().nth(now).copied().unwrap_or_default();
                block.in_data.next = Bits::from(u64::from_le_bytes(row));
                let store = now.checked_sub(L).filter(|column| *column < 3 * L);
                block.in_store.next = store.is_some();
                block.in_column.next = Bits::from(store.unwrap_or(0) as u64 % (2 * L as u64));
                cycle(&mut block, |block, level| block.clock.next = Clock::from(level));
                if block.out_valid.val() {
                    columns.push(block.out_data.val().to_u64().to_le_bytes());
                }
            }
            prop_assert_eq!(columns.len(), 3 * L);
            for (at, column) in columns.iter().enumerate() {
                let (block, lane) = (at / L, at % L);
                let expected: Vec<u8> = (0..L).map(|row| blocks[block][row][lane]).collect();
                prop_assert_eq!(column.as_slice(), expected.as_slice(), "column {}", at);
            }
        }
    }
}
