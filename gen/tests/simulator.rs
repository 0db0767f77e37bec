//! Our Verilog against rust-hdl's simulator, where rust-hdl's own Verilog does not mean the same as its simulator:
//! carries under `bit_cast`, and operators whose precedence differs between Rust and Verilog.

mod tools;
mod toys;

use lpu_gen::{EmitOptions, emit};
use rust_hdl::core::simulate::simulate;
use rust_hdl::prelude::*;
use std::fmt::Write;
use toys::*;

const VECTORS: u64 = 300;

/// Numbers without a pattern, the same in every run.
fn scramble(x: u64) -> u64 {
    let mut z = x.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 27)
}

/// A pixel as one number.
fn bits_of(pixel: Pixel) -> u64 {
    pixel.red.to_u64() | pixel.green.to_u64() << 5 | u64::from(pixel.flag) << 11
}

/// What `Words` answers in rust-hdl's simulator: width and value of each output.
fn answer(a: u64, b: u64, sel: u64) -> Vec<(usize, u64)> {
    let mut words = connected(Words::default());
    // From the opposite values, so that every input changes.
    for flip in [true, false] {
        words.in_a.next = Bits::from(if flip { !a & 0x7f } else { a });
        words.in_b.next = Bits::from(if flip { !b & 0x3f } else { b });
        words.in_sel.next = Bits::from(if flip { !sel & 7 } else { sel });
        assert!(simulate(&mut words, 20));
    }
    vec![
        (9, words.out_carry.val().to_u64()),
        (9, words.out_wrap.val().to_u64()),
        (4, words.out_low.val().to_u64()),
        (8, words.out_shift.val().to_u64()),
        (1, words.out_masked.val().into()),
        (4, words.out_ordered.val().to_u64()),
        (16, words.out_wide.val().inner().to_u64()),
        (1, words.out_select.val().into()),
        (4, words.out_nibble.val().to_u64()),
        (8, words.out_replaced.val().to_u64()),
        (8, words.out_moved.val().to_u64()),
        (4, words.out_reduced.val().to_u64()),
        (12, bits_of(words.out_pixel.val())),
        (5, words.out_red.val().to_u64()),
        (8, words.out_steps.val().to_u64()),
        (2, words.out_part.val().to_u64()),
        (16, words.out_extended.val().inner().to_u64()),
        (4, words.out_chosen.val().to_u64()),
        (4, words.out_fixed.val().to_u64()),
        (12, bits_of(words.out_fixed_pixel.val())),
    ]
}

/// What the comparison prints: a line for each difference, then a count.
fn compare(change: impl Fn(String) -> String) -> String {
    let text = emit(&connected(Words::default()), &EmitOptions::new("lpu_words"))
        .unwrap()
        .single_file();
    let names = [
        "carry",
        "wrap",
        "low",
        "shift",
        "masked",
        "ordered",
        "wide",
        "select",
        "nibble",
        "replaced",
        "moved",
        "reduced",
        "pixel",
        "red",
        "steps",
        "part",
        "extended",
        "chosen",
        "fixed",
        "fixed_pixel",
    ];
    let mut bench =
        "module testbench;\n  reg [7:0] a, b; reg [2:0] sel; integer wrong = 0;\n".to_owned();
    let widths = answer(0, 0, 0);
    let mut connections = String::new();
    for (name, (width, _)) in names.iter().zip(&widths) {
        let _ = writeln!(bench, "  wire [{}:0] {name};", width - 1);
        let _ = write!(connections, ", .out_{name}({name})");
    }
    let _ = writeln!(
        bench,
        "  lpu_words dut (.in_a(a), .in_b(b), .in_sel(sel){connections});\n  initial begin"
    );
    for i in 0..VECTORS {
        let r = scramble(i);
        // Small differences and corners as often as anything else.
        let (a, b, sel) = match i % 3 {
            0 => (r & 0xff, r >> 8 & 0xff, r >> 16 & 7),
            1 => (r & 0xff, r & 0xff, 7),
            _ => (
                [0, 0xff, 0x81, 0x7f][r as usize & 3],
                [0, 0xff, 0x81, 7][r as usize >> 2 & 3],
                r >> 16 & 7,
            ),
        };
        // rust-hdl's `signed_bit_cast` does not end for the most negative number.
        let [a, b] = [a, if b >> 3 & 0xf == 8 { b ^ 8 } else { b }]
            .map(|x| if x == 0x80 { 0x81 } else { x });
        let _ = writeln!(bench, "    a = {a}; b = {b}; sel = {sel}; #1;");
        for (name, (width, value)) in names.iter().zip(answer(a, b, sel)) {
            let _ = writeln!(
                bench,
                "    if ({name} !== {width}'d{value}) begin wrong = wrong + 1; $display(\"a {a} b {b} sel {sel}: {name} is %0d, not {value}\", {name}); end"
            );
        }
    }
    let _ = writeln!(
        bench,
        "    $display(\"%0d wrong\", wrong);\n  end\nendmodule"
    );
    tools::simulate(&[("ours.v", &change(text)), ("bench.v", &bench)])
}

#[test]
fn words_mean_what_the_simulator_says() {
    let output = compare(|text| text);
    assert_eq!(output.trim(), "0 wrong");
}

#[test]
fn a_wrong_operator_is_found() {
    let output = compare(|text| text.replace("{1'd0, in_a + in_b}", "{1'd0, in_a} + {1'd0, in_b}"));
    assert!(
        output.contains("wrap is") && !output.contains("carry is"),
        "{output}"
    );
}
