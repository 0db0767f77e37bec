//! Answers of the golden numbers, as bytes for other programs: `scripts/check_numbers.py` compares them with ml_dtypes.
//!
//! `cargo run -p lpu-verif --example number_tables -- WHAT`, where WHAT is
//!
//! - `decode`: FP32 of all 256 E4M3 and all 16 E2M1 patterns;
//! - `products`: FP32 of all 256 x 256 products of E4M3, then of all 16 x 16 of E2M1;
//! - `encode`: for every FP32 pattern on standard input, a byte of E4M3 and one of E2M1.
//!
//! Patterns of FP32 are little-endian words of 32 bits.

use lpu_verif::numeric::accumulator::BLOCK;
use lpu_verif::numeric::{E4m3Accumulator, Nvfp4Accumulator, e2m1, e4m3};
use std::io::{self, Read, Write};

/// The E4M3 number 1.0.
const ONE: u8 = 0x38;

fn e4m3_product(a: u8, b: u8) -> u32 {
    let mut sum = E4m3Accumulator::default();
    sum.add(a, b);
    sum.to_fp32()
}

/// The product of one pair in a block of zeros.
fn e2m1_product(a: u8, b: u8) -> u32 {
    let first = |x| std::array::from_fn::<u8, BLOCK, _>(|i| if i == 0 { x } else { 0 });
    let mut sum = Nvfp4Accumulator::default();
    sum.add_block(&first(a), ONE, &first(b), ONE);
    sum.to_fp32()
}

fn encode(input: &mut impl Read, out: &mut impl Write) -> io::Result<()> {
    let mut words = vec![0; 1 << 20];
    loop {
        let mut length = 0;
        while length < words.len() {
            match input.read(&mut words[length..])? {
                0 => break,
                count => length += count,
            }
        }
        if length == 0 {
            return Ok(());
        }
        let patterns = words[..length].as_chunks().0.iter();
        let codes = patterns.flat_map(|&bytes| {
            let pattern = u32::from_le_bytes(bytes);
            [e4m3::from_fp32(pattern), e2m1::from_fp32(pattern)]
        });
        out.write_all(&codes.collect::<Vec<u8>>())?;
    }
}

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let what = std::env::args().nth(1);
    let words: Vec<u32> = match what.as_deref() {
        Some("decode") => {
            let e4m3 = (0..=255).map(e4m3::to_fp32);
            e4m3.chain((0..16).map(e2m1::to_fp32)).collect()
        }
        Some("products") => {
            let e4m3 = (0..=255).flat_map(|a| (0..=255).map(move |b| e4m3_product(a, b)));
            let e2m1 = (0..16).flat_map(|a| (0..16).map(move |b| e2m1_product(a, b)));
            e4m3.chain(e2m1).collect()
        }
        Some("encode") => {
            encode(&mut io::stdin().lock(), &mut out)?;
            Vec::new()
        }
        _ => {
            eprintln!("number_tables decode | products | encode");
            std::process::exit(2);
        }
    };
    for word in words {
        out.write_all(&word.to_le_bytes())?;
    }
    out.flush()
}
