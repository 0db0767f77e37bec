//! Parts of the switch unit and the operands of vectors of words: clean under lint, and the same in Verilog as in rust-hdl's
//! simulator.

mod cosim;
mod tools;

use cosim::{Random, clean, equal};
use lpu_hdl::stream::{WordOperand, WordResult};
use lpu_hdl::sxm::{Crossbar, LaneSource, ReduceTree, Transposer};
use rust_hdl::prelude::*;

clocked!(no_reset ReduceTree<8>, ReduceTree<16>, LaneSource<8>, LaneSource<16>, Crossbar<8, 64>, Crossbar<16, 128>);
clocked!(Transposer<8, 64>, Transposer<16, 128>, WordOperand<8, 64>, WordOperand<16, 128>, WordResult<8, 64>);

const SEED: u64 = 1;
const CYCLES: usize = 300;

fn lane_source<const L: usize>()
where
    LaneSource<L>: cosim::Clocked,
{
    let mut random = Random(SEED);
    equal(LaneSource::<L>::default(), CYCLES, |_, block| {
        block.in_enable.next = !random.once_in(4);
        block.in_mode.next = Bits::from(random.below(6));
        let limit = if random.once_in(2) {
            1 << 12
        } else {
            2 * L as u64
        };
        block.in_argument.next = Bits::from(random.below(limit));
        for word in &mut block.in_map {
            let lanes = (0..8).map(|_| random.below(L as u64 + 2));
            word.next = Bits::from(lanes.fold(0u64, |word, lane| word << 8 | lane));
        }
    });
}

fn crossbar<const L: usize, const V: usize>()
where
    Crossbar<L, V>: cosim::Clocked,
{
    let mut random = Random(SEED);
    equal(Crossbar::<L, V>::default(), CYCLES, |_, block| {
        block.in_enable.next = !random.once_in(4);
        block.in_data.next = random.bits();
        for source in &mut block.in_source {
            source.next = Bits::from(random.below(L as u64) | random.below(2) << 7);
        }
    });
}

fn transposer<const L: usize, const V: usize>()
where
    Transposer<L, V>: cosim::Clocked,
{
    let mut random = Random(SEED);
    equal(Transposer::<L, V>::default(), CYCLES, |now, block| {
        // Every byte is loaded before the first column is stored.
        let filling = now < 2 * L + 4;
        block.in_load.next = filling || !random.once_in(3);
        let row = if filling { now as u64 } else { random.word() };
        block.in_row.next = Bits::from(row & 127);
        block.in_data.next = random.bits();
        block.in_store.next = !filling && !random.once_in(3);
        block.in_column.next = Bits::from(random.below(128));
    });
}

fn operand<const L: usize, const V: usize>(streams: u64)
where
    WordOperand<L, V>: cosim::Clocked,
{
    let mut random = Random(SEED);
    let block = WordOperand::<L, V>::new(streams as usize);
    equal(block, CYCLES, |_, block| {
        for s in 0..streams as usize {
            block.in_east_valid[s].next = !random.once_in(10);
            block.in_west_valid[s].next = !random.once_in(10);
            // Of three set bits at most, some make codewords with a wrong check bit, some are uncorrectable.
            let few = |random: &mut Random| {
                Bits::from((random.below(2) << random.below(64)) | random.below(2))
            };
            block.in_east_data[s].next = few(&mut random);
            block.in_west_data[s].next = few(&mut random);
            block.in_east_check[s].next = Bits::from(random.below(2) << random.below(8));
            block.in_west_check[s].next = Bits::default();
        }
        let code = 32 * random.below(2) + random.below(streams + 2).min(31);
        block.in_enable.next = !random.once_in(3);
        block.in_stream.next = Bits::from(code);
        block.in_select.next = Bits::from(1u64 << code);
        // The number of planes comes two cycles later: any of the three for each operand.
        let planes = random.below(3);
        block.in_one.next = planes == 1;
        block.in_four.next = planes == 2;
        block.in_drop.next = random.once_in(4);
    });
}

fn reduction<const L: usize>()
where
    ReduceTree<L>: cosim::Clocked,
{
    let mut random = Random(SEED);
    equal(ReduceTree::<L>::default(), CYCLES, |now, block| {
        for enable in &mut block.in_enable {
            enable.next = now < 40 || !random.once_in(8);
        }
        for maximum in &mut block.in_maximum {
            maximum.next = random.once_in(2);
        }
        for word in &mut block.in_word {
            // Exponents near each other, now and then an infinity, a NaN or a zero.
            let field = match random.below(20) {
                0 => 255,
                1 => 0,
                _ => 120 + random.below(12),
            };
            let fraction = random.below(1 << 23) & random.word();
            word.next = Bits::from(random.below(2) << 31 | field << 23 | fraction);
        }
    });
}

#[test]
fn reductions_are_equal() {
    reduction::<8>();
    reduction::<16>();
}

#[test]
fn parts_are_equal() {
    lane_source::<8>();
    lane_source::<16>();
    crossbar::<8, 64>();
    crossbar::<16, 128>();
    transposer::<8, 64>();
    transposer::<16, 128>();
}

#[test]
fn operands_are_equal() {
    operand::<8, 64>(8);
    operand::<16, 128>(4);
}

#[test]
fn results_are_equal() {
    let mut random = Random(SEED);
    equal(WordResult::<8, 64>::default(), CYCLES, |_, block| {
        block.in_enable.next = !random.once_in(3);
        let planes = random.below(3);
        block.in_two.next = planes == 1;
        block.in_four.next = planes == 2;
        block.in_stream.next = random.bits();
        for plane in &mut block.in_plane {
            plane.next = random.bits();
        }
    });
}

#[test]
fn parts_are_clean() {
    clean(LaneSource::<8>::default());
    clean(LaneSource::<64>::default());
    clean(Crossbar::<64, 512>::default());
    clean(ReduceTree::<8>::default());
    clean(ReduceTree::<64>::default());
    clean(Transposer::<8, 64>::default());
    clean(Transposer::<64, 512>::default());
    clean(WordOperand::<8, 64>::new(8));
    clean(WordOperand::<64, 512>::new(32));
    clean(WordResult::<8, 64>::default());
}
