//! The blocks of E4M3 and NVFP4: clean under lint; their Verilog, under Verilator, against golden arithmetic; and the same in
//! Verilog as in rust-hdl's simulator.

mod cosim;
mod numbers;
mod tools;

use cosim::{Random, clean, compare, equal};
use lpu_gen::{EmitOptions, emit};
use lpu_hdl::mxm::formats::{
    ActivationScales, FormatAdder, FormatArray, FormatDot, FormatOperand, FormatPipeline,
    FormatWeights, Formats, NanFlags, RoundSum, Rounder, ScaleOperand,
};
use lpu_isa::Config;
use lpu_isa::latency::{MM_OPERAND_LATENCY, mm_latency};
use lpu_sim::{Model, PortId};
use lpu_verif::numeric::{E4m3Accumulator, Nvfp4Accumulator, e4m3, fp32};
use numbers::{cases, differences, verilated};
use rust_hdl::prelude::*;

const SEED: u64 = 1;
const INT8: u8 = 0;
const E4M3: u8 = 1;
const NVFP4: u8 = 2;
const ALL: [Formats; 3] = [
    Formats {
        e4m3: true,
        nvfp4: false,
    },
    Formats {
        e4m3: false,
        nvfp4: true,
    },
    Formats {
        e4m3: true,
        nvfp4: true,
    },
];

/// The formats of [`ALL`], by name of a preset's suffix.
const SUFFIXES: [&str; 3] = ["+e4m3", "+nvfp4", "+e4m3+nvfp4"];

/// The formats of a machine, int8 among them.
fn built(formats: Formats) -> impl Iterator<Item = u8> {
    let all = [(INT8, true), (E4M3, formats.e4m3), (NVFP4, formats.nvfp4)];
    all.into_iter()
        .filter_map(|(format, built)| built.then_some(format))
}

/// Weights, or an activation, with the scales of its blocks.
#[derive(Clone)]
struct Vector {
    bytes: Vec<u8>,
    scales: Vec<u8>,
}

/// An array under Verilator, all stages enabled, with one format.
struct Bench {
    model: Model,
    lanes: usize,
    stages: usize,
    format: u8,
    scaled: bool,
}

const SLOTS: usize = 4;

impl Bench {
    fn new<const L: usize, const V: usize>(formats: Formats, format: u8) -> Self {
        Self::changed::<L, V>(formats, format, |text| text)
    }

    fn changed<const L: usize, const V: usize>(
        formats: Formats,
        format: u8,
        change: impl Fn(String) -> String,
    ) -> Self {
        let model = verilated(FormatArray::<L, V>::new(SLOTS, formats), change);
        let mut bench = Self {
            model,
            lanes: L,
            stages: formats.stages(L),
            format,
            scaled: formats.nvfp4,
        };
        for j in 0..formats.block_stages() {
            bench.set(&format!("in_block_{j}"), u64::from(format == NVFP4));
        }
        if formats.nvfp4 {
            bench.set("in_scaled_0", 1);
        }
        for port in ["in_install_format", "in_format"] {
            bench.set(port, format.into());
        }
        bench
    }

    fn port(&self, name: &str) -> PortId {
        self.model.port(name).unwrap()
    }

    fn set(&mut self, name: &str, value: u64) {
        let port = self.port(name);
        self.model.set(port, value);
    }

    fn pulse(&mut self, name: &str) {
        self.set(name, 1);
        self.model.step(1);
        self.set(name, 0);
    }

    fn vector(&mut self, slot: usize, bytes: &[u8]) {
        let words: Vec<u64> = bytes
            .chunks(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap()))
            .collect();
        let port = self.port(&format!("in_vector_{slot}"));
        self.model.set_wide(port, &words);
    }

    /// Loads and installs the columns.
    fn load(&mut self, columns: &[Vector]) {
        for (n, column) in columns.iter().enumerate() {
            self.vector(n % SLOTS, &column.bytes);
            self.pulse(&format!("in_column_{n}"));
        }
        for g in 0..self.lanes / 8 {
            if self.scaled {
                let row: Vec<u8> = columns.iter().map(|column| column.scales[g]).collect();
                self.vector(g % SLOTS, &row);
                self.pulse(&format!("in_scale_row_{g}"));
            }
        }
        self.pulse("in_install");
    }

    /// Multiplies activations, one a cycle: for each the dot products with their NaN flags.
    fn multiply(&mut self, activations: &[Vector]) -> Vec<Vec<(i64, bool)>> {
        let mut inputs: Vec<PortId> = (0..self.lanes)
            .map(|k| self.port(&format!("in_x_{k}")))
            .collect();
        if self.scaled {
            inputs.push(self.port("in_scale_0"));
        }
        let mut outputs: Vec<PortId> = (0..self.lanes)
            .map(|n| self.port(&format!("out_dot_{n}")))
            .collect();
        outputs.push(self.port("out_nan"));
        let mut rows = vec![];
        for x in activations {
            rows.extend(x.bytes.iter().map(|&byte| u64::from(byte)));
            if self.scaled {
                let scales = x.scales.iter().rev();
                rows.push(scales.fold(0, |word, &scale| word << 8 | u64::from(scale)));
            }
        }
        // Zeros follow: a result that came late would be seen as wrong.
        rows.resize(rows.len() + inputs.len() * (self.stages - 1), 0);
        let mut record = vec![];
        self.model.play(&inputs, &rows, &outputs, &mut record);
        let results = record[outputs.len() * (self.stages - 1)..].chunks_exact(outputs.len());
        results
            .map(|row| {
                let nan = row[self.lanes];
                (0..self.lanes)
                    .map(|n| (row[n] as i64, nan >> n & 1 == 1))
                    .collect()
            })
            .collect()
    }

    /// Differences between the array and golden arithmetic.
    fn differences(&mut self, columns: &[Vector], activations: &[Vector]) -> Vec<String> {
        self.load(columns);
        let results = self.multiply(activations);
        assert_eq!(results.len(), activations.len());
        let mut found = vec![];
        for (x, result) in activations.iter().zip(&results) {
            for (n, (w, &dot)) in columns.iter().zip(result).enumerate() {
                let right = golden(self.format, x, w);
                if dot != right && found.len() < 20 {
                    found.push(format!(
                        "column {n}: {dot:x?}, not {right:x?}; x {:x?} {:x?}, weights {:x?} {:x?}",
                        x.bytes, x.scales, w.bytes, w.scales
                    ));
                }
            }
        }
        found
    }
}

/// The dot product by golden arithmetic.
fn golden(format: u8, x: &Vector, w: &Vector) -> (i64, bool) {
    let pairs = x.bytes.iter().zip(&w.bytes);
    match format {
        E4M3 => {
            let mut sum = E4m3Accumulator::default();
            pairs.for_each(|(&x, &w)| sum.add(x, w));
            (sum.sum(), sum.is_nan())
        }
        NVFP4 => {
            let mut sum = Nvfp4Accumulator::default();
            let elements = |bytes: &[u8]| -> [u8; 16] {
                std::array::from_fn(|i| bytes[i / 2] >> (4 * (i % 2)) & 15)
            };
            for (g, (x_block, w_block)) in x.bytes.chunks(8).zip(w.bytes.chunks(8)).enumerate() {
                let (x_block, w_block) = (elements(x_block), elements(w_block));
                sum.add_block(&x_block, x.scales[g], &w_block, w.scales[g]);
            }
            (sum.sum(), sum.is_nan())
        }
        _ => {
            let products = pairs.map(|(&x, &w)| i64::from(x as i8) * i64::from(w as i8));
            (products.sum(), false)
        }
    }
}

/// A byte of E4M3 with a preference for the ends: zeros, subnormals, ±448, now and then a NaN.
fn byte(random: &mut Random) -> u8 {
    const ENDS: [u8; 8] = [0x00, 0x01, 0x07, 0x08, 0x77, 0x7e, 0x7d, 0x38];
    let sign = (random.below(2) as u8) << 7;
    match random.below(8) {
        0..3 => sign | ENDS[random.below(8) as usize],
        3 if random.once_in(20) => sign | 0x7f,
        _ => random.word() as u8,
    }
}

fn vector(random: &mut Random, lanes: usize, format: u8) -> Vector {
    let extreme = random.once_in(4);
    let mut element = || match format {
        E4M3 => byte(random),
        _ if extreme => [0x77, 0xff, 0x7f, 0x80][random.below(4) as usize],
        _ => random.word() as u8,
    };
    let bytes = (0..lanes).map(|_| element()).collect();
    let scales = (0..lanes / 8).map(|_| byte(random)).collect();
    Vector { bytes, scales }
}

fn arrays<const L: usize, const V: usize>(sets: usize) {
    for (formats, suffix) in ALL.into_iter().zip(SUFFIXES) {
        let preset = match L {
            8 => "nano",
            16 => "edge",
            _ => "proto",
        };
        let config = Config::preset(&format!("{preset}{suffix}")).unwrap();
        let latency = formats.stages(L) as u64 + MM_OPERAND_LATENCY;
        assert_eq!(latency, mm_latency(&config), "{}", config.name);
        for format in built(formats) {
            let mut random = Random(SEED);
            let mut bench = Bench::new::<L, V>(formats, format);
            for _ in 0..sets {
                let columns: Vec<_> = (0..L).map(|_| vector(&mut random, L, format)).collect();
                let xs: Vec<_> = (0..200).map(|_| vector(&mut random, L, format)).collect();
                let found = bench.differences(&columns, &xs);
                assert!(found.is_empty(), "{formats}, format {format}: {found:#?}");
            }
        }
    }
}

#[test]
fn dot_products_of_eight_lanes_are_exact() {
    arrays::<8, 64>(cases(40));
}

#[test]
fn dot_products_of_sixteen_lanes_are_exact() {
    arrays::<16, 128>(cases(20));
}

/// Every pair of E4M3 numbers, one product in each dot product.
fn all_products(change: impl Fn(String) -> String) -> Vec<String> {
    const L: usize = 8;
    let formats = ALL[0];
    let mut bench = Bench::changed::<L, 64>(formats, E4M3, change);
    let mut found = vec![];
    for set in 0..4u8 {
        let weight = |n: usize, k: usize| set << 6 | (n * L + k) as u8;
        let columns: Vec<_> = (0..L)
            .map(|n| Vector {
                bytes: (0..L).map(|k| weight(n, k)).collect(),
                scales: vec![0],
            })
            .collect();
        let lanes = (0..L).flat_map(|k| (0..=255).map(move |x| (k, x)));
        let xs: Vec<_> = lanes
            .map(|(k, x)| {
                let mut bytes = vec![0; L];
                bytes[k] = x;
                Vector {
                    bytes,
                    scales: vec![0],
                }
            })
            .collect();
        found.extend(bench.differences(&columns, &xs));
    }
    found
}

#[test]
fn all_products_of_e4m3_are_exact() {
    let found = all_products(|text| text);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_wrong_product_is_found() {
    let found = all_products(|text| {
        assert!(text.contains("{4'd0, |code[6:3], code[2:0]}"));
        text.replace(
            "{4'd0, |code[6:3], code[2:0]}",
            "{4'd0, |code[6:4], code[2:0]}",
        )
    });
    assert!(!found.is_empty());
}

/// Every pair of scales, and of E2M1 numbers, in blocks whose other numbers are zero.
#[test]
fn all_products_of_scales_and_elements_are_exact() {
    const L: usize = 8;
    for formats in &ALL[1..] {
        let mut bench = Bench::new::<L, 64>(*formats, NVFP4);
        for set in 0..32u8 {
            let column = |n: usize| Vector {
                bytes: vec![0x10 + set % 16; L],
                scales: vec![set << 3 | n as u8],
            };
            let columns: Vec<_> = (0..L).map(column).collect();
            let xs: Vec<_> = (0..=255)
                .map(|scale: u8| Vector {
                    bytes: (0..L as u8).map(|k| scale.wrapping_mul(k + 1)).collect(),
                    scales: vec![scale],
                })
                .collect();
            let found = bench.differences(&columns, &xs);
            assert!(found.is_empty(), "{formats}: {found:#?}");
        }
    }
}

/// Sums near every power of two and its ties.
fn sum(random: &mut Random) -> i64 {
    let top = random.below(64);
    let bits = match random.below(3) {
        0 => random.word() >> top,
        1 => 1u64 << top | 1u64 << random.below(64),
        _ => ((random.word() | 1 << 63) >> top) & !(u64::MAX >> random.below(64)),
    };
    (bits.wrapping_add(random.below(3)).wrapping_sub(1) as i64)
        .wrapping_mul(1 - 2 * random.below(2) as i64)
}

#[test]
fn sums_are_rounded_once() {
    let mut random = Random(SEED);
    let mut model = verilated(RoundSum::default(), |text| text);
    let case = || {
        [
            sum(&mut random) as u64,
            random.once_in(50).into(),
            random.below(3),
        ]
    };
    let expected = |[sum, nan, format]: [u64; 3]| {
        let unit = if format == 1 {
            E4m3Accumulator::EXPONENT
        } else {
            Nvfp4Accumulator::EXPONENT
        };
        let word = match (format, nan) {
            (0, _) => sum as u32,
            (_, 1) => fp32::NAN,
            _ => fp32::from_integer((sum as i64).into(), unit),
        };
        [word.into()]
    };
    let ports = (["in_sum", "in_nan", "in_format"], ["out_word"]);
    let found = differences(
        &mut model,
        RoundSum::LATENCY,
        ports,
        cases(1_000_000),
        case,
        expected,
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn one_is_the_scale_of_a_vector_without_scales() {
    assert_eq!(e4m3::to_fp32(0x38), fp32::ONE);
}

clocked!(no_reset FormatDot<8>, FormatDot<16>, FormatWeights<8, 64>, FormatWeights<16, 128>, FormatArray<8, 64>);
clocked!(no_reset ActivationScales<16>, NanFlags<8>, FormatAdder<8, 64>, FormatAdder<16, 128>, RoundSum);
clocked!(FormatPipeline, Rounder<8>, ScaleOperand);

/// Sets each port with its own random number; the first cycles enable everything.
fn enable(random: &mut Random, now: usize, ports: &mut [Signal<In, Bit>]) {
    for port in ports {
        port.next = now < 24 || !random.once_in(6);
    }
}

fn any<const N: usize>(random: &mut Random, ports: &mut [Signal<In, Bits<N>>]) {
    for port in ports {
        port.next = random.bits();
    }
}

/// A signed number of N bits, at most `limit` in magnitude.
fn within<const N: usize>(random: &mut Random, limit: i64) -> Bits<N> {
    let number = random.below(2 * limit as u64 + 1) as i64 - limit;
    Bits::from(number as u64 & ((1 << N) - 1))
}

/// Operands and weights of one format, with enables that now and then are low.
fn column<const L: usize>(formats: Formats, format: u8)
where
    FormatDot<L>: cosim::Clocked,
{
    let mut random = Random(SEED);
    equal(FormatDot::<L>::new(formats), 120, |now, block| {
        enable(&mut random, now, &mut block.in_enable);
        for port in &mut block.in_block {
            port.next = format == NVFP4;
        }
        for port in block.in_x_low.iter_mut().chain(&mut block.in_weight_low) {
            port.next = match format {
                INT8 => random.bits(),
                E4M3 => within(&mut random, 15),
                _ => within(&mut random, 12),
            };
        }
        for port in block.in_x_high.iter_mut().chain(&mut block.in_weight_high) {
            port.next = match format {
                INT8 => Bits::default(),
                E4M3 => Bits::from(random.below(15)),
                _ => within(&mut random, 12),
            };
        }
        any(&mut random, &mut block.in_weight_scale);
        for port in &mut block.in_x_significand {
            port.next = within(&mut random, 15);
        }
        for port in &mut block.in_x_exponent {
            port.next = Bits::from(random.below(15));
        }
    });
}

#[test]
fn columns_in_verilog_and_rust_are_equal() {
    for formats in ALL {
        for format in built(formats) {
            column::<8>(formats, format);
            column::<16>(formats, format);
        }
    }
}

#[test]
fn weights_in_verilog_and_rust_are_equal() {
    for formats in ALL {
        let mut random = Random(SEED);
        equal(
            FormatWeights::<16, 128>::new(SLOTS, formats),
            200,
            |now, block| {
                // Everything is loaded before the first install.
                let load = random.below(3);
                let filling = now < 8;
                block.in_column.next = filling || load == 0;
                block.in_vector.next = random.bits();
                enable(&mut random, 99, &mut block.in_slot);
                for (g, group) in block.in_group.iter_mut().enumerate() {
                    group.next = !filling && load == 1 && g as u64 == random.0 % 4;
                }
                for scale in &mut block.in_scale {
                    scale.next = filling || load == 2;
                }
                any(&mut random, &mut block.in_row);
                block.in_install.next = now > 0 && (filling || random.once_in(2));
                let format = built(formats).nth(random.below(2) as usize);
                block.in_format.next = Bits::from(u64::from(format.unwrap_or(INT8)));
            },
        );
    }
}

#[test]
fn other_blocks_in_verilog_and_rust_are_equal() {
    let mut random = Random(SEED);
    equal(ActivationScales::<16>::new(ALL[2]), 200, |now, block| {
        enable(&mut random, now, &mut block.in_block);
        any(&mut random, &mut block.in_scale);
    });
    equal(NanFlags::<8>::new(5), 200, |now, block| {
        enable(&mut random, now, &mut block.in_enable);
        block.in_x.next = random.once_in(8);
        for flag in &mut block.in_weight {
            flag.next = random.once_in(8);
        }
    });
    equal(FormatAdder::<16, 128>::default(), 200, |now, block| {
        enable(&mut random, now, &mut block.in_hold);
        block.in_enable.next = now < 24 || !random.once_in(6);
        let from = random.below(if now < 6 { 1 } else { 3 });
        block.in_use_operand.next = from == 1;
        block.in_use_sum.next = from == 2;
        any(&mut random, &mut block.in_operand);
        any(&mut random, &mut block.in_dot);
        block.in_operand_nan.next = random.bits();
        block.in_nan.next = random.bits();
    });
    equal(RoundSum::default(), 600, |now, block| {
        enable(&mut random, now, &mut block.in_enable);
        block.in_sum.next = Bits::from(sum(&mut random) as u64);
        block.in_nan.next = random.once_in(20);
        block.in_format.next = Bits::from(random.below(3));
    });
    for formats in ALL {
        equal(FormatPipeline::new(8, formats), 200, |_, block| {
            block.in_valid.next = random.once_in(2);
            block.in_format.next = Bits::from(random.below(3));
        });
    }
    equal(Rounder::<8>::default(), 200, |_, block| {
        block.in_enable.next = random.once_in(2);
        block.in_stream.next = random.bits();
        block.in_drive.next = random.bits();
        block.in_format.next = Bits::from(random.below(3));
        for port in &mut block.in_sum {
            port.next = Bits::from(sum(&mut random) as u64);
        }
        block.in_nan.next = random.bits();
    });
}

fn scale_operands(change: fn(String) -> String) -> String {
    let mut config = Config::preset("nano+nvfp4").unwrap();
    config.mxm.operand_depth = 4;
    let mut random = Random(SEED);
    // Issues of the last cycles: a row that an LX wrote is not read before.
    let mut history: Vec<(bool, u64)> = vec![];
    compare(
        ScaleOperand::new(&config),
        400,
        move |now, block| {
            let filling = now < 16;
            let row = if filling {
                now as u64 % 4
            } else {
                random.below(4)
            };
            let issue = filling || random.once_in(2);
            block.in_issue.next = issue;
            block.in_select.next = Bits::from(1u64 << random.below(if filling { 8 } else { 10 }));
            block.in_row.next = Bits::from(row);
            let two_ago = history.len().checked_sub(2).map(|at| history[at]);
            let (loads, write_row) = two_ago.unwrap_or_default();
            block.in_write.next = loads;
            block.in_write_row.next = Bits::from(write_row);
            block.in_hit.next = write_row == row;
            block.in_multiply.next = !loads;
            block.in_buffer.next = !issue && random.once_in(2);
            history.push((filling || random.once_in(2), row));
            for s in 0..8 {
                block.in_east_valid[s].next = filling || !random.once_in(8);
            }
            any(&mut random, &mut block.in_east_data);
            any(&mut random, &mut block.in_east_check);
        },
        change,
    )
}

#[test]
fn operands_of_scales_are_equal() {
    assert_eq!(scale_operands(|text| text).trim(), "0 wrong");
}

#[test]
fn a_column_looks_like_this() {
    let mut dot = FormatDot::<8>::new(ALL[2]);
    dot.connect_all();
    let emitted = emit(&dot, &EmitOptions::new("lpu_format_dot")).unwrap();
    insta::assert_snapshot!(emitted.single_file());
}

#[test]
fn all_are_clean() {
    for formats in ALL {
        clean(FormatDot::<8>::new(formats));
        clean(FormatDot::<64>::new(formats));
        clean(FormatWeights::<16, 128>::new(4, formats));
        clean(FormatOperand::<16>::new(formats));
        clean(FormatArray::<8, 64>::new(2, formats));
        clean(FormatPipeline::new(16, formats));
    }
    clean(ActivationScales::<16>::new(ALL[2]));
    clean(NanFlags::<8>::new(5));
    clean(FormatAdder::<8, 64>::default());
    clean(FormatAdder::<64, 512>::default());
    clean(RoundSum::default());
    clean(Rounder::<8>::default());
    clean(ScaleOperand::new(&Config::preset("edge+nvfp4").unwrap()));
}
