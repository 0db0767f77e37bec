use super::*;
use crate::prim::testing::cycle;

const BOTH: Formats = Formats {
    e4m3: true,
    nvfp4: true,
};

#[test]
fn each_format_adds_its_stages() {
    let stages = |e4m3, nvfp4| [8, 64].map(|lanes| Formats { e4m3, nvfp4 }.stages(lanes));
    assert_eq!(stages(true, false), [5, 8]);
    assert_eq!(stages(false, true), [6, 9]);
    assert_eq!(stages(true, true), [7, 10]);
}

#[test]
fn blocks_are_summed_before_halves() {
    assert_eq!(
        [0, 3, 4, 7].map(|i| pair(i, 8)),
        [(0, 4), (3, 7), (8, 12), (11, 15)]
    );
    assert_eq!([0, 1].map(|i| pair(i, 4)), [(0, 2), (1, 3)]);
}

/// One column of eight lanes with both formats: stage j is enabled in cycle j alone, so each value is made once.
#[test]
fn a_dot_product_appears_after_seven_stages() {
    // Low and high parts of x and weights of lane 0, scales, whether it is NVFP4 -> the dot product.
    let rows = [
        ((100, 0), (-100i8, 0), 0x38, false, -10_000),
        ((15, 14), (-14, 13), 0x38, false, -210 << 27),
        ((12, 20), (-12, 20), 0x38, true, 0), // 6 · -6 + -6 · -6
        ((12, 3), (12, 4), 0x7e, true, (156 * 14 * 8) << (14 + 6)),
    ];
    let mut dot = FormatDot::<8>::new(BOTH);
    dot.connect_all();
    for (x, w, scale, block, expected) in rows {
        dot.in_x_low[0].next = Bits::from(x.0);
        dot.in_x_high[0].next = Bits::from(x.1);
        dot.in_weight_low[0].next = Bits::from(u64::from(w.0 as u8));
        dot.in_weight_high[0].next = Bits::from(w.1);
        dot.in_weight_scale[0].next = Bits::from(scale);
        // The scale of the activation is 1.0.
        dot.in_x_significand[0].next = Bits::from(8);
        dot.in_x_exponent[0].next = Bits::from(6);
        let before = dot.out_dot.val();
        for stage in 0..7 {
            if stage > 0 {
                assert_eq!(dot.out_dot.val(), before, "cycle {stage}");
            }
            for j in 0..7 {
                dot.in_enable[j].next = j == stage;
                dot.in_block[j].next = j == stage && block;
            }
            cycle(&mut dot, |dot, level| dot.clock.next = Clock::from(level));
        }
        assert_eq!(dot.out_dot.val().to_u64() as i64, expected);
    }
}
