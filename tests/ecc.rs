//! SECDED through the whole tile: every single-bit flip is corrected without a change in timing, every double flip is found.
//!
//! The decoders themselves are tested exhaustively where they are written (`hdl/src/ecc`, `verif/src/secded.rs`); here
//! every flip of a codeword goes through the emitted Verilog's host port and matrix unit, in lock-step with the golden
//! machine, and random flips through matrix products.

mod pair;

use lpu::rtl::Request;
use lpu_compiler::attention::{self, Shape, Weights};
use lpu_compiler::matmul::{self, Matmul};
use lpu_isa::QueueKind::{MemRead, MemWrite, MxmAccumulate, MxmCompute, MxmWeights};
use lpu_isa::config::VxmConfig;
use lpu_isa::latency::{IW_TO_MM, MM_OPERAND_LATENCY, READ_LATENCY, mm_latency};
use lpu_isa::{AccMode, Config, Instruction, Operation, Queue, Repeat, Stream, memory_map as map};
use lpu_verif::machine::{EccCount, Fault};
use lpu_verif::{FaultCode, Machine, Status, Vector, kernels, numeric, provenance};
use pair::{Pair, Random, Schedule, all, drives, one_hot, preset, reads, writes};

/// Bits of a codeword.
const BITS: usize = 72;
const DATA: [u64; 3] = [0, u64::MAX, 0x0123_4567_89ab_cdef];

/// Every double flip.
fn pairs() -> impl Iterator<Item = [usize; 2]> {
    (0..BITS).flat_map(|first| (0..first).map(move |second| [first, second]))
}

fn codeword(data: u64) -> Vector {
    Vector::encode(&data.to_le_bytes())
}

#[test]
fn the_host_corrects_every_single_and_reports_every_double_flip() {
    let mut pair = Pair::new(&preset("nano"));
    let config = pair.config.clone();
    let place = |index: usize| (index / config.mem.depth, index % config.mem.depth);
    for data in DATA {
        pair.clear();
        let single = (0..BITS).map(|bit| codeword(data).with_flip(0, bit));
        let double = pairs().map(|[one, two]| codeword(data).with_flip(0, one).with_flip(0, two));
        let words: Vec<Vector> = single.chain(double).collect();
        assert_eq!(words.len(), 72 + 2556);
        let stored: Vec<_> = words
            .iter()
            .enumerate()
            .map(|(index, word)| (place(index).0, place(index).1, *word))
            .collect();
        pair.store(&stored);
        let read = |index| Request::Read(map::sram(&config, place(index).0, place(index).1, 0));
        let answers = pair
            .rtl
            .request(&(0..words.len()).map(read).collect::<Vec<_>>());
        for (index, (answer, word)) in answers.into_iter().zip(&words).enumerate() {
            let expected = if index < BITS {
                Ok(data)
            } else {
                Err(word.data[0])
            };
            assert_eq!(answer, expected, "flip {index} of {data:#x}");
        }
        let ecc = pair
            .rtl
            .request(&[Request::Read(map::ECC + map::ECC_HOST_UNIT)]);
        assert_eq!(ecc, [Ok(2556 << 32 | 72)]);
    }
}

/// Identity weights, and an MM of each of `count` vectors in slice 0: every sum is emitted, byte 0 on westward stream 0.
fn identity_products(pair: &mut Pair, vectors: &[Vector]) -> (lpu_isa::Program, u64) {
    let config = pair.config.clone();
    let lanes = config.lanes;
    assert_eq!(config.mxm.weight_streams, 4);
    let mut store: Vec<_> = vectors
        .iter()
        .enumerate()
        .map(|(at, vector)| (0, at, *vector))
        .collect();
    store.extend((0..lanes).map(|k| (1 + k / 4, k % 4, one_hot(&config, k))));
    pair.store(&store);
    let mut schedule = Schedule::default();
    let way = |slice: usize| READ_LATENCY + (config.mem.slices - 1 - slice) as u64;
    // Rows one after another on stream 0.
    let one = Instruction::Config {
        register: 0,
        value: 1,
    };
    schedule.at(0, MxmWeights, 0, one);
    let weights = 20;
    let read = |index| Operation::Read {
        stream: Stream::east(index),
    };
    for slice in 1..=lanes / 4 {
        let first = weights + 4 * (slice as u64 - 1);
        schedule.repeat(
            first - way(slice),
            MemRead,
            slice,
            read(0),
            0,
            Repeat::inner(4, 1, 1),
        );
    }
    let load = Operation::LoadWeights {
        stream: 0,
        column: false,
        install: true,
    };
    schedule.repeat(
        weights,
        MxmWeights,
        0,
        load,
        0,
        Repeat::inner(lanes as u32, 1, 1),
    );
    let first = weights + lanes as u64 - 1 + IW_TO_MM;
    let count = vectors.len() as u32;
    schedule.repeat(
        first - way(0),
        MemRead,
        0,
        read(7),
        0,
        Repeat::inner(count, 1, 1),
    );
    let multiply = Operation::MultiplyStream {
        stream: 7,
        scales: None,
    };
    schedule.repeat(
        first,
        MxmCompute,
        0,
        multiply,
        0,
        Repeat::inner(count, 1, 0),
    );
    let emit = Operation::Accumulate {
        stream: 0,
        init: AccMode::Always,
        emit: AccMode::Always,
    };
    let sums = first + mm_latency(&config);
    schedule.repeat(sums, MxmAccumulate, 0, emit, 0, Repeat::inner(count, 1, 0));
    (schedule.program(&config), first)
}

#[test]
fn the_matrix_unit_corrects_every_single_and_faults_at_every_double_flip() {
    let mut pair = Pair::new(&preset("nano"));
    let compute = Queue::new(MxmCompute, 0).id(&pair.config);
    let data = DATA[2];
    let clean = vec![codeword(data); BITS];
    let (program, _) = identity_products(&mut pair, &clean);
    let reference = pair.run(&program);
    let flips: Vec<_> = (0..BITS)
        .map(|bit| codeword(data).with_flip(0, bit))
        .collect();
    identity_products(&mut pair, &flips);
    let single = pair.run(&program);
    let results = |seen: &pair::Seen| drives(&seen.events, Stream::west(0));
    assert_eq!(results(&single), results(&reference));
    assert_eq!(results(&single).len(), BITS);
    assert!(
        results(&single)
            .iter()
            .all(|drive| drive.1 == codeword(data))
    );
    assert_eq!(single.report.cycles, reference.report.cycles);
    assert_eq!(single.report.faults, vec![None; pair.config.num_queues()]);
    let corrected = |corrected, uncorrectable| EccCount {
        corrected,
        uncorrectable,
    };
    assert_eq!(single.report.ecc[compute], corrected(72, 0));

    let double: Vec<_> = pairs()
        .map(|[one, two]| codeword(data).with_flip(0, one).with_flip(0, two))
        .collect();
    let mut found = 0;
    for part in double.chunks(1278) {
        pair.clear();
        let (program, first) = identity_products(&mut pair, part);
        let seen = pair.run(&program);
        assert_eq!(seen.report.ecc[compute], corrected(0, part.len() as u32));
        let cycle = (first + MM_OPERAND_LATENCY) as u32;
        let fault = Fault {
            code: FaultCode::EccUncorrectable,
            cycle,
        };
        assert_eq!(seen.report.faults[compute], Some(fault));
        found += part.len();
    }
    assert_eq!(found, 2556);
}

/// Each flip alone: the first fault of a launch is that of the one wrong vector, in its own cycle.
#[test]
fn a_double_flip_faults_in_the_cycle_of_its_vector() {
    let mut pair = Pair::new(&preset("nano"));
    let compute = Queue::new(MxmCompute, 0).id(&pair.config);
    let mut random = Random(3);
    for _ in 0..20 {
        let at = random.below(30);
        let flip = pairs().nth(random.below(2556)).expect("a pair");
        let mut vectors = vec![codeword(random.word()); 30];
        vectors[at] = vectors[at].with_flip(0, flip[0]).with_flip(0, flip[1]);
        pair.clear();
        let (program, first) = identity_products(&mut pair, &vectors);
        let seen = pair.run(&program);
        let cycle = (first + at as u64 + MM_OPERAND_LATENCY) as u32;
        let fault = Fault {
            code: FaultCode::EccUncorrectable,
            cycle,
        };
        assert_eq!(seen.report.faults[compute], Some(fault), "flip {flip:?}");
    }
}

/// A GATHER and a SCATTER with the same offset vector: every single flip of it is corrected, every double flip recorded
/// four cycles after issue. What they move is not decoded.
#[test]
fn offsets_of_gather_and_scatter_are_corrected() {
    let mut pair = Pair::new(&preset("nano"));
    let config = pair.config.clone();
    let units = [Queue::new(MemRead, 1), Queue::new(MemWrite, 1)].map(|queue| queue.id(&config));
    let moved = all(&config, 7).with_flip(0, 1).with_flip(0, 2);
    let mut schedule = Schedule::default();
    let (offset, data) = (Stream::east(0), Stream::west(1));
    // Slice 1 sees the offset and the data in cycle 4, and the GATHER reads in cycle 9 what nobody writes.
    let read = |stream| Operation::Read { stream };
    schedule.op(1, MemRead, 0, read(offset), 0);
    schedule.op(1, MemRead, 2, read(data), 0);
    let gather = Operation::Gather {
        stream: Stream::east(3),
        offset,
    };
    schedule.op(4, MemRead, 1, gather, 0x10);
    let scatter = Operation::Scatter {
        stream: data,
        offset,
    };
    schedule.op(4, MemWrite, 1, scatter, 0x20);
    let program = schedule.program(&config);
    pair.store(&[(2, 0, moved), (1, 0x15, moved)]);
    let flips = (0..BITS).map(|bit| vec![bit]);
    let some = pairs().step_by(17).map(|pair| pair.to_vec());
    for flip in flips.chain(some) {
        let wrong = flip
            .iter()
            .fold(codeword(5), |vector, &bit| vector.with_flip(0, bit));
        pair.store(&[(0, 0, wrong)]);
        pair.clear();
        let seen = pair.run(&program);
        let single = flip.len() == 1;
        let ecc = EccCount {
            corrected: single.into(),
            uncorrectable: (!single).into(),
        };
        let fault = Fault {
            code: FaultCode::EccUncorrectable,
            cycle: 8,
        };
        for unit in units {
            assert_eq!(seen.report.ecc[unit], ecc, "{flip:?}");
            if single {
                assert_eq!(seen.report.faults[unit], None, "{flip:?}");
            } else {
                // ADDRESS_RANGE may follow, a cycle later.
                assert_eq!(seen.report.faults[unit], Some(fault), "{flip:?}");
            }
        }
        if single {
            assert_eq!(drives(&seen.events, Stream::east(3)), [(11, moved)]);
            assert_eq!(writes(&seen.events), [(9, 1, 0x25, moved)]);
        }
    }
}

/// An operand of a product: the matrices, their image and the program.
struct Product {
    compiled: Matmul,
    exact: Vec<i32>,
    image: Vec<(usize, usize, Vector)>,
}

fn product(config: &Config, [m, k, n]: [usize; 3]) -> Product {
    let mut random = Random(7);
    let mut matrix = |count: usize| (0..count).map(|_| random.word() as i8).collect::<Vec<_>>();
    let (a, b) = (matrix(m * k), matrix(k * n));
    let exact = numeric::matmul(
        &numeric::Matrix::from_fn(m, k, |r, c| a[r * k + c]),
        &numeric::Matrix::from_fn(k, n, |r, c| b[r * n + c]),
    );
    let compiled = matmul::compile(config, m, k, n).expect("the product fits");
    let vectors = compiled.pack(&a, &b).expect("matrices of that shape");
    let image = vectors
        .iter()
        .map(|vector| (vector.slice, vector.address, Vector::encode(&vector.bytes)))
        .collect();
    let exact = (0..m * n).map(|i| exact.at(i / n, i % n)).collect();
    Product {
        compiled,
        exact,
        image,
    }
}

impl Product {
    /// The product in the SRAM of the tile.
    fn result(&self, pair: &mut Pair) -> Vec<i32> {
        let lanes = pair.config.lanes;
        let places: Vec<_> = self.compiled.layout.result_vectors().collect();
        let bytes = pair
            .rtl
            .read_sram(places.iter().copied())
            .expect("good words");
        let index = |place| places.iter().position(|p| *p == place).expect("a result");
        self.compiled.unpack(|slice, address| {
            let at = index((slice, address)) * lanes;
            &bytes[at..at + lanes]
        })
    }
}

#[test]
fn flips_in_the_operands_of_a_product() {
    let mut pair = Pair::new(&preset("nano"));
    let product = product(&pair.config, [9, 24, 40]);
    let mut random = Random(11);
    pair.store(&product.image);
    let clean = pair.run(&product.compiled.program);
    assert_eq!(product.result(&mut pair), product.exact);
    assert_eq!(
        clean.report.ecc,
        vec![EccCount::default(); pair.config.num_queues()]
    );
    // Every word that is read has one wrong bit, another in each round.
    for _ in 0..12 {
        pair.clear();
        let flipped: Vec<_> = product
            .image
            .iter()
            .map(|&(slice, address, vector)| {
                (slice, address, vector.with_flip(0, random.below(BITS)))
            })
            .collect();
        pair.store(&flipped);
        let seen = pair.run(&product.compiled.program);
        assert_eq!(product.result(&mut pair), product.exact);
        assert_eq!(seen.report.cycles, clean.report.cycles);
        assert_eq!(reads(&seen.events), reads(&clean.events));
        assert_eq!(
            writes(&seen.events),
            writes(&clean.events),
            "same values, same cycles"
        );
        assert_eq!(seen.report.faults, clean.report.faults);
        let corrected: u32 = seen.report.ecc.iter().map(|ecc| ecc.corrected).sum();
        assert!(
            corrected as usize >= product.image.len(),
            "{corrected} corrected"
        );
    }
    // Two wrong bits in one word: recorded, at the same time on RTL and golden machine, and never later than its use.
    for _ in 0..40 {
        pair.clear();
        let mut image = product.image.clone();
        let at = random.below(image.len());
        let [one, two] = pairs().nth(random.below(2556)).expect("a pair");
        image[at].2 = image[at].2.with_flip(0, one).with_flip(0, two);
        pair.store(&image);
        let seen = pair.run(&product.compiled.program);
        assert_eq!(seen.report.cycles, clean.report.cycles);
        let faults: Vec<_> = seen.report.faults.iter().flatten().collect();
        assert!(!faults.is_empty(), "flips {one}, {two} of vector {at}");
        assert!(
            faults
                .iter()
                .all(|fault| fault.code == FaultCode::EccUncorrectable)
        );
    }
}

/// An attention with its operands in SRAM.
struct Attention {
    compiled: attention::Attention,
    golden: Vec<u32>,
    image: Vec<(usize, usize, Vector)>,
}

fn attention(config: &Config) -> Attention {
    let mut random = Random(3);
    let mut tensor = |count: usize| (0..count).map(|_| random.word() as i8).collect::<Vec<_>>();
    let (q, k, v) = (tensor(2 * 9 * 8), tensor(13 * 8), tensor(13 * 8));
    let shape = Shape {
        queries: 9,
        keys: 13,
        heads: 2,
        kv_heads: 1,
        dim: 8,
        causal: true,
        scale: 0.0003,
        weights: Weights::Int16,
    };
    let golden = kernels::Attention {
        q: &q,
        k: &k,
        v: &v,
        queries: 9,
        keys: 13,
        heads: 2,
        kv_heads: 1,
        dim: 8,
        causal: true,
        scale: shape.scale.to_bits(),
        weights: kernels::Weights::Int16,
        sum: kernels::Sum::Rounded,
    };
    let compiled = attention::compile(config, shape).expect("it fits");
    let vectors = compiled.layout.pack(&q, &k, &v).expect("that shape");
    let image = vectors
        .iter()
        .map(|vector| (vector.slice, vector.address, Vector::encode(&vector.bytes)));
    Attention {
        image: image.collect(),
        golden: golden.compute(),
        compiled,
    }
}

impl Attention {
    fn result(&self, lanes: usize, read: impl Fn(usize, usize) -> Vec<u8>) -> Vec<u32> {
        let places = self.compiled.layout.result_vectors();
        let vectors: std::collections::HashMap<_, _> = places
            .map(|(slice, address)| ((slice, address), read(slice, address)))
            .collect();
        let unpacked = self
            .compiled
            .layout
            .unpack(|slice, address| &vectors[&(slice, address)]);
        assert!(vectors.values().all(|vector| vector.len() == lanes));
        unpacked
    }

    /// The result in the SRAM of the tile.
    fn of_tile(&self, pair: &mut Pair) -> Vec<u32> {
        let lanes = pair.config.lanes;
        let places: Vec<_> = self.compiled.layout.result_vectors().collect();
        let bytes = pair
            .rtl
            .read_sram(places.iter().copied())
            .expect("good words");
        self.result(lanes, |slice, address| {
            let at = places.iter().position(|place| *place == (slice, address));
            bytes[at.expect("a result") * lanes..][..lanes].to_vec()
        })
    }

    /// The golden machine, launched.
    fn machine(&self, config: &Config, image: &[(usize, usize, Vector)]) -> Machine {
        let mut machine = Machine::new(config);
        for (slice, address, vector) in image {
            machine.write_sram(*slice, *address, vector);
        }
        machine.load(&self.compiled.program).expect("it fits");
        machine.launch();
        machine
    }
}

#[test]
fn flips_during_attention() {
    let mut config = preset("nano");
    let alus = 1;
    config.vxm = Some(VxmConfig {
        alus,
        registers: 64,
    });
    let mut pair = Pair::new(&config);
    let attention = attention(&config);
    let mut random = Random(5);
    pair.store(&attention.image);
    let clean = pair.run(&attention.compiled.program);
    assert_eq!(attention.of_tile(&mut pair), attention.golden);
    assert!(clean.report.faults.iter().all(Option::is_none));
    // Every operand has one wrong bit, another in each round.
    for _ in 0..8 {
        pair.clear();
        let flip = |&(slice, address, vector): &(usize, usize, Vector)| {
            (slice, address, vector.with_flip(0, random.below(BITS)))
        };
        let flipped: Vec<_> = attention.image.iter().map(flip).collect();
        pair.store(&flipped);
        let seen = pair.run(&attention.compiled.program);
        assert_eq!(attention.of_tile(&mut pair), attention.golden);
        assert_eq!(seen.report.cycles, clean.report.cycles);
        assert_eq!(writes(&seen.events), writes(&clean.events));
        assert_eq!(seen.report.faults, clean.report.faults);
    }
    // Two wrong bits in one operand: recorded in the same cycle by RTL and golden machine, and traced back to the word.
    for _ in 0..40 {
        pair.clear();
        let mut image = attention.image.clone();
        let at = random.below(image.len());
        let [one, two] = pairs().nth(random.below(2556)).expect("a pair");
        image[at].2 = image[at].2.with_flip(0, one).with_flip(0, two);
        pair.store(&image);
        let seen = pair.run(&attention.compiled.program);
        assert_eq!(seen.report.cycles, clean.report.cycles);
        let faults = || seen.report.faults.iter().enumerate();
        let found: Vec<_> = faults()
            .filter_map(|(unit, fault)| Some((unit, (*fault)?)))
            .collect();
        assert!(!found.is_empty(), "flips {one}, {two} of vector {at}");
        let mut events = Vec::new();
        let mut machine = attention.machine(&config, &image);
        while machine.run(1 << 12, &mut events) == Status::Running {}
        for (unit, fault) in found {
            assert_eq!(fault.code, FaultCode::EccUncorrectable);
            let program = &attention.compiled.program;
            let words = provenance::faulty_words(&config, program, &events, unit, fault);
            assert_eq!(
                words,
                [(image[at].0, image[at].1)],
                "unit {unit}, {fault:?}"
            );
        }
    }
}

/// What the launch itself stores, scores and softmax weights, is out of the host's reach: the golden machine's SRAM is hit.
#[test]
fn flips_of_any_word_at_any_time() {
    let mut config = preset("nano");
    let alus = 1;
    config.vxm = Some(VxmConfig {
        alus,
        registers: 64,
    });
    let attention = attention(&config);
    let mut random = Random(17);
    let end = attention.compiled.prediction.busy_cycles;
    let used: Vec<(usize, usize)> = (0..config.mem.slices)
        .flat_map(|slice| (0..100).map(move |address| (slice, address)))
        .collect();
    let mut corrected = 0;
    for _ in 0..200 {
        let mut machine = attention.machine(&config, &attention.image);
        machine.run(random.below(end as usize) as u64, &mut Vec::new());
        let (slice, address) = used[random.below(used.len())];
        let vector = machine
            .sram(slice, address)
            .with_flip(0, random.below(BITS));
        machine.write_sram(slice, address, &vector);
        while machine.run(1 << 12, &mut Vec::new()) == Status::Running {}
        let report = machine.report();
        assert_eq!(report.cycles, end);
        assert!(report.faults.iter().all(Option::is_none));
        corrected += report.ecc.iter().map(|ecc| ecc.corrected).sum::<u32>();
        let result = attention.result(config.lanes, |slice, address| {
            let mut vector = machine.sram(slice, address);
            vector.correct(1);
            vector.lanes(config.lanes)
        });
        assert_eq!(result, attention.golden);
    }
    assert!(corrected > 20, "{corrected}");
}
