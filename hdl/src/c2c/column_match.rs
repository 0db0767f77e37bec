//! Columns whose error is at hand.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Compares the two sums of every column. Combinational.
///
/// A column is *hit* when S0 is not zero and S0 times the power of alpha of the place (`in_x`) equals S1 (`in_y`): its error S0
/// (`in_e`) is at this place. It is *bad* when one of the sums is not zero.
///
/// Parameters: C columns; V = 8 C. Latency: 0.
#[derive(LogicBlock)]
pub struct ColumnMatch<const C: usize, const V: usize> {
    /// S0 times a power of alpha, of each column.
    pub in_x: Signal<In, Bits<V>>,
    /// S1 of each column.
    pub in_y: Signal<In, Bits<V>>,
    /// S0 of each column.
    pub in_e: Signal<In, Bits<V>>,
    /// The errors of the columns hit, zero in the others.
    pub out_flip: Signal<Out, Bits<V>>,
    /// Columns hit.
    pub out_hit: Signal<Out, Bits<C>>,
    /// Columns with an error anywhere.
    pub out_bad: Signal<Out, Bits<C>>,
    info: Info,
}

impl<const C: usize, const V: usize> ColumnMatch<C, V> {
    /// Cycles from the inputs to the outputs.
    pub const LATENCY: u64 = 0;
}

impl<const C: usize, const V: usize> Default for ColumnMatch<C, V> {
    fn default() -> Self {
        assert_eq!(V, 8 * C, "bits of {C} columns");
        Self {
            in_x: Signal::default(),
            in_y: Signal::default(),
            in_e: Signal::default(),
            out_flip: Signal::default(),
            out_hit: Signal::default(),
            out_bad: Signal::default(),
            info: Info::new("c2c_column_match", file!())
                .summary("Columns whose error is at hand")
                .param("COLUMNS", C)
                .port("in_x", "S0 times the power of the place")
                .port("in_y", "S1")
                .port("in_e", "S0"),
        }
    }
}

impl<const C: usize, const V: usize> Logic for ColumnMatch<C, V> {
    fn update(&mut self) {
        let (x, y, e) = (self.in_x.val(), self.in_y.val(), self.in_e.val());
        let (mut flip, mut hit, mut bad) = (
            Bits::<V>::default(),
            Bits::<C>::default(),
            Bits::<C>::default(),
        );
        for column in 0..C {
            let byte = |word: Bits<V>| word.get_bits::<8>(8 * column);
            let any = byte(e).any();
            if any && byte(x) == byte(y) {
                hit = hit.replace_bit(column, true);
                flip.set_bits::<8>(8 * column, byte(e));
            }
            if any || byte(y).any() {
                bad = bad.replace_bit(column, true);
            }
        }
        self.out_flip.next = flip;
        self.out_hit.next = hit;
        self.out_bad.next = bad;
    }

    fn connect(&mut self) {
        self.out_flip.connect();
        self.out_hit.connect();
        self.out_bad.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom(format!(
            "\
integer column;

always @(*) begin
  out_flip = {V}'d0;
  for (column = 0; column < {C}; column = column + 1) begin
    out_hit[column] = in_e[8*column +: 8] != 8'd0 && in_x[8*column +: 8] == in_y[8*column +: 8];
    out_bad[column] = in_e[8*column +: 8] != 8'd0 || in_y[8*column +: 8] != 8'd0;
    if (out_hit[column]) out_flip[8*column +: 8] = in_e[8*column +: 8];
  end
end"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_hdl::core::simulate::simulate;

    #[test]
    fn hits_and_bad_columns() {
        let mut columns = ColumnMatch::<8, 64>::default();
        columns.connect_all();
        // Column: 0 good, 1 hit, 2 elsewhere, 3 S0 alone, 4 S1 alone.
        columns.in_e.next = Bits::from(0x00_07_33_22_00);
        columns.in_x.next = Bits::from(0x00_09_12_44_00);
        columns.in_y.next = Bits::from(0x05_00_13_44_00);
        simulate(&mut columns, 10);
        assert_eq!(columns.out_hit.val().to_u64(), 0b00010);
        assert_eq!(columns.out_bad.val().to_u64(), 0b11110);
        assert_eq!(columns.out_flip.val().to_u64(), 0x2200);
    }
}
