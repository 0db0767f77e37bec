//! The blocks that move, select and check vectors: clean under lint, and the same in Verilog as in rust-hdl's simulator.

mod cosim;
mod tools;

use cosim::{Random, clean, compare, equal};
use lpu_hdl::ecc::{EccCounter, SecdedDecoder, SecdedEncodeStage, SecdedEncoder};
use lpu_hdl::stream::{OperandSelect, StreamStage};
use rust_hdl::prelude::*;

clocked!(
    SecdedDecoder<8, 64>,
    SecdedDecoder<32, 256>,
    SecdedEncodeStage<16, 128>,
    EccCounter,
    OperandSelect<8, 64>,
    StreamStage<8, 64>,
);

const SEED: u64 = 1;

/// Vectors of which some have one or two wrong bits.
fn feed<const L: usize, const V: usize>(
    random: &mut Random,
    encoder: &mut SecdedEncoder<L, V>,
    decoder: &mut SecdedDecoder<L, V>,
) {
    let data = random.bits::<V>();
    encoder.in_data.next = data;
    rust_hdl::core::simulate::simulate(encoder, 10);
    let mut hit_data = data;
    let mut check = encoder.out_check.val();
    for codeword in 0..L / 8 {
        for _ in 0..random.below(3) {
            let bit = random.below(72) as usize;
            match bit.checked_sub(64) {
                None => {
                    let at = 64 * codeword + bit;
                    hit_data = hit_data.replace_bit(at, !hit_data.get_bit(at));
                }
                Some(bit) => {
                    let at = 8 * codeword + bit;
                    check = check.replace_bit(at, !check.get_bit(at));
                }
            }
        }
    }
    decoder.in_valid.next = !random.once_in(3);
    decoder.in_data.next = hit_data;
    decoder.in_check.next = check;
}

fn decoders<const L: usize, const V: usize>(cycles: usize, change: fn(String) -> String) -> String
where
    SecdedDecoder<L, V>: cosim::Clocked,
{
    let mut random = Random(SEED);
    let mut encoder = SecdedEncoder::<L, V>::default();
    encoder.connect_all();
    let stimulus = |_, decoder: &mut SecdedDecoder<L, V>| feed(&mut random, &mut encoder, decoder);
    compare(SecdedDecoder::default(), cycles, stimulus, change)
}

#[test]
fn decoders_are_equal() {
    assert_eq!(decoders::<8, 64>(500, |text| text).trim(), "0 wrong");
    assert_eq!(decoders::<32, 256>(200, |text| text).trim(), "0 wrong");
}

#[test]
fn a_wrong_matrix_is_found() {
    let change = |text: String| text.replace("pattern == 8'h0b", "pattern == 8'h0f");
    assert!(decoders::<8, 64>(500, change).contains("out_data is"));
}

#[test]
fn encode_stages_are_equal() {
    let mut random = Random(SEED);
    let stage = SecdedEncodeStage::<16, 128>::default();
    equal(stage, 200, |_, stage| {
        stage.in_valid.next = random.once_in(2);
        stage.in_data.next = random.bits();
    });
}

#[test]
fn counters_are_equal() {
    let mut random = Random(SEED);
    equal(EccCounter::default(), 200, |_, counter| {
        counter.in_corrected.next = random.bits();
        counter.in_uncorrectable.next = random.bits();
        counter.in_clear.next = random.once_in(50);
    });
}

fn selects(select: OperandSelect<8, 64>, change: fn(String) -> String) -> String {
    let mut random = Random(SEED);
    let stimulus = |_, select: &mut OperandSelect<8, 64>| {
        for n in 0..select.in_data.len() {
            select.in_data[n].next = random.bits();
            select.in_check[n].next = random.bits();
            select.in_valid[n].next = !random.once_in(4);
        }
        select.in_enable.next = !random.once_in(4);
        select.in_select.next = Bits::from(1u64 << random.below(64));
    };
    compare(select, 150, stimulus, change)
}

#[test]
fn operand_selects_are_equal() {
    for inputs in [1, 5, 16, 17, 48, 64] {
        let output = selects(OperandSelect::new(inputs), |text| text);
        assert_eq!(output.trim(), "0 wrong", "{inputs} inputs");
    }
    for streams in [4, 16, 32] {
        let output = selects(OperandSelect::both_directions(streams), |text| text);
        assert_eq!(output.trim(), "0 wrong", "{streams} streams");
        let output = selects(OperandSelect::alternating_directions(streams), |text| text);
        assert_eq!(output.trim(), "0 wrong", "{streams} streams, alternating");
    }
    let output = selects(OperandSelect::with_codes(vec![63, 3, 19]), |text| text);
    assert_eq!(output.trim(), "0 wrong");
}

#[test]
fn a_wrong_candidate_is_found() {
    let output = selects(OperandSelect::new(5), |text| {
        text.replace("data_0 <= in_data_3", "data_0 <= in_data_2")
    });
    assert!(output.contains("out_data is"), "{output}");
}

fn stages(stage: StreamStage<8, 64>, change: fn(String) -> String) -> String {
    let mut random = Random(SEED);
    let stimulus = |now: usize, stage: &mut StreamStage<8, 64>| {
        for s in 0..stage.in_data.len() {
            stage.in_data[s].next = random.bits();
            stage.in_check[s].next = random.bits();
            stage.in_valid[s].next = random.once_in(2);
        }
        for d in 0..stage.in_drive.len() {
            // Few streams half of the time, so that drivers collide.
            let first = random.below(if now.is_multiple_of(2) { 2 } else { 8 }) * 4;
            let streams = if random.once_in(2) {
                random.below(16) << first
            } else {
                0
            };
            stage.in_drive[d].next = Bits::from(streams);
            stage.in_drive_data[d].next = random.bits();
            stage.in_drive_check[d].next = random.bits();
        }
    };
    compare(stage, 150, stimulus, change)
}

#[test]
fn stream_stages_are_equal() {
    for (streams, drivers, group) in [
        (8, 1, 1),
        (32, 1, 1),
        (4, 2, 1),
        (12, 8, 4),
        (32, 16, 4),
        (4, 4, 4),
        (3, 0, 1),
    ] {
        let output = stages(StreamStage::grouped(streams, drivers, group), |text| text);
        assert_eq!(
            output.trim(),
            "0 wrong",
            "{streams} streams, {drivers} drivers in groups of {group}"
        );
    }
}

#[test]
fn a_missed_collision_is_found() {
    let output = stages(StreamStage::new(8, 2), |text| {
        text.replace("(arriving | in_drive_0)", "in_drive_0")
    });
    assert!(output.contains("out_collision_1 is"), "{output}");
}

#[test]
fn all_are_clean() {
    clean(SecdedEncoder::<8, 64>::default());
    clean(SecdedEncoder::<64, 512>::default());
    clean(SecdedEncodeStage::<32, 256>::default());
    clean(SecdedDecoder::<8, 64>::default());
    clean(SecdedDecoder::<64, 512>::default());
    clean(EccCounter::default());
    clean(OperandSelect::<8, 64>::new(1));
    clean(OperandSelect::<32, 256>::new(64));
    clean(OperandSelect::<16, 128>::both_directions(12));
    clean(OperandSelect::<16, 128>::with_codes(vec![63, 3, 19]));
    clean(StreamStage::<8, 64>::new(4, 1));
    clean(StreamStage::<32, 256>::new(32, 1));
    clean(StreamStage::<16, 128>::grouped(32, 16, 4));
    clean(StreamStage::<16, 128>::grouped(12, 4, 4));
    clean(StreamStage::<8, 64>::new(4, 0));
}
