//! Attention of few queries over many keys: keys and values are the weights of the MXM and read once, at the bandwidth of all slices.

use super::{Shape, Weights};
use crate::CompileError;
use crate::alu::{self, PLANES, fma, folds};
use crate::burst::{Burst, Calendar};
use crate::matmul::Vector;
use crate::nest::{Form, Level, Nest};
use crate::place::{Place, Room};
use lpu_isa::descriptor::{
    Alu, AluOperation, Format, Function, Operand, Output, ResultFormat, Source,
};
use lpu_isa::instruction::ROW_BITS;
use lpu_isa::latency::{
    IW_TO_MM, LX_TO_MM, READ_LATENCY, acc_latency, mm_latency, reduce_latency, vxm_chain,
    vxm_latency,
};
use lpu_isa::{
    AccMode, Config, Descriptor, Operation, Program, Queue, QueueKind, Reduction, Stream,
};

/// The most heads of keys under way at once: scores, softmax, values.
const BUFFERS: usize = 3;

/// Everything that does not depend on time.
#[derive(Clone, Debug)]
pub struct Plan {
    shape: Shape,
    lanes: usize,
    alus: usize,
    /// Weight streams: c.
    streams: usize,
    /// Rows of Q that share a head of keys.
    rows: usize,
    key_tiles: usize,
    dim_tiles: usize,
    /// Cycles of a tile of keys, and of one of values.
    score_period: usize,
    value_period: usize,
    /// First eastward stream of the softmax weights, first of the words for the switch unit.
    weight_stream: u8,
    word_stream: u8,
    /// Heads of keys under way at once.
    buffers: usize,
    /// First operand-buffer row of the softmax weights of each of one or two heads.
    weight_rows: Vec<usize>,
    descriptors: Descriptors,
}

/// Numbers of descriptors.
#[derive(Clone, Copy, Debug)]
struct Descriptors {
    exponent: usize,
    max_fold: usize,
    sum_fold: usize,
    quotient: usize,
    count: usize,
}

/// Passes that exist once.
#[derive(Clone, Copy)]
#[repr(usize)]
enum Pass {
    /// The amplitude becomes a register.
    Amplitude,
    /// A mask of bytes becomes zero and minus infinity.
    Mask,
    /// A score becomes a register.
    Store,
    /// A score plus the mask becomes a register.
    StoreMasked,
    /// A register goes to the switch unit.
    Show,
    /// The maximum of all lanes to exponents.
    Scale,
    /// One over the sum of all lanes.
    Inverse,
    /// A register becomes softmax weights.
    Weight,
    /// A copy of an unpaired register behind the tiles.
    Copy,
    /// A sum of products becomes a register.
    Sum,
    /// High plane times 256 plus low plane.
    Join,
}

const SINGLES: usize = Pass::Join as usize + 1;
/// Rows of the register file that hold constants.
const AMPLITUDE: usize = 0;
const MASK: usize = 1;
const FIRST_ROW: usize = 2;
const UNUSED: Stream = Stream::east(0);

/// Rows of the register file that a row of Q has, from its first.
#[derive(Clone, Copy)]
struct Rows {
    tiles: usize,
    dim_tiles: usize,
}

impl Rows {
    const fn fold(self) -> usize {
        self.tiles
    }

    const fn maximum(self) -> usize {
        self.fold() + self.tiles.div_ceil(2)
    }

    const fn inverse(self) -> usize {
        self.maximum() + 1
    }

    /// Pairs of low and high plane, for each tile of values.
    const fn sums(self) -> usize {
        self.inverse() + 1
    }

    const fn size(self) -> usize {
        self.sums() + 2 * self.dim_tiles
    }
}

impl Plan {
    /// `None` if the machine lacks something that this schedule needs.
    pub fn new(config: &Config, shape: Shape) -> Option<Self> {
        let (vxm, _) = (config.vxm.as_ref()?, config.sxm.as_ref()?);
        let causal = shape.causal && shape.queries > 1;
        if causal || shape.weights != Weights::Int16 || config.mem.slices < PLANES {
            return None;
        }
        let (lanes, width) = (config.lanes, config.streams);
        let fits = |c: &usize| {
            *c <= config.mxm.weight_streams
                && *c <= config.mem.slices
                && (c + 2).next_multiple_of(PLANES) + PLANES <= width
        };
        let streams = [32, 16, 8, 4, 2].into_iter().find(fits)?;
        if width < 3 * PLANES {
            return None;
        }
        let rows = shape.heads / shape.kv_heads * shape.queries;
        let (key_tiles, dim_tiles) = (shape.keys.div_ceil(lanes), shape.dim.div_ceil(lanes));
        let own = Rows {
            tiles: key_tiles,
            dim_tiles,
        };
        let levels = key_tiles.next_power_of_two().ilog2() as usize;
        let registers = |buffers: usize| FIRST_ROW + buffers * rows * own.size();
        let buffers = (1..=BUFFERS)
            .rev()
            .find(|&b| registers(b) <= vxm.registers)?;
        let exponent = SINGLES;
        let max_fold = exponent + buffers * rows;
        let sum_fold = max_fold + levels;
        let quotient = sum_fold + levels;
        let descriptors = Descriptors {
            exponent,
            max_fold,
            sum_fold,
            quotient,
            count: quotient + dim_tiles,
        };
        let of_queries = shape.kv_heads * rows * dim_tiles;
        let of_weights = 2 * rows * key_tiles;
        let burst = lanes / streams;
        let operands = |slots: usize| of_queries + slots * of_weights;
        let slots = (1..=2)
            .rev()
            .find(|&s| operands(s) <= config.mxm.operand_depth)?;
        let enough = descriptors.count <= lpu_isa::descriptor::DESCRIPTORS
            && 2 * rows * dim_tiles <= config.mxm.accumulator_depth;
        let weight_stream = streams as u8;
        enough.then_some(Self {
            shape,
            lanes,
            alus: vxm.alus,
            streams,
            rows,
            key_tiles,
            dim_tiles,
            // A gap for loads of the operand buffer behind the rows.
            score_period: burst.max(rows + 1),
            value_period: burst.max(2 * rows + 1),
            weight_stream,
            word_stream: (weight_stream + 2).next_multiple_of(PLANES as u8),
            buffers,
            weight_rows: (0..slots).map(operands).collect(),
            descriptors,
        })
    }

    const fn burst(&self) -> usize {
        self.lanes / self.streams
    }

    const fn own(&self) -> Rows {
        Rows {
            tiles: self.key_tiles,
            dim_tiles: self.dim_tiles,
        }
    }

    /// First register of row `row` of a buffer.
    const fn row(&self, buffer: usize, row: usize) -> usize {
        FIRST_ROW + (buffer * self.rows + row) * self.own().size()
    }
}

/// Where the tensors are.
#[derive(Clone, Debug)]
pub struct Layout {
    lanes: usize,
    plan: Plan,
    /// (kv head, element tile, row).
    queries: Place,
    mask: Place,
    /// By class: (kv head, key tile, element tile), L / c vectors each.
    keys: Vec<Place>,
    values: Vec<Place>,
    /// Byte planes: (kv head, row, element tile).
    outputs: [Place; PLANES],
}

impl Layout {
    pub fn new(config: &Config, plan: &Plan) -> Result<Self, CompileError> {
        let mut room = Room::new(config);
        let mut take = |slice, vectors| room.take(slice, vectors);
        let kv_heads = plan.shape.kv_heads;
        let tiles = kv_heads * plan.key_tiles * plan.dim_tiles;
        let vectors = kv_heads * plan.rows * plan.dim_tiles;
        let classes = 0..plan.streams;
        let layout = Self {
            lanes: plan.lanes,
            keys: classes
                .clone()
                .map(|slice| take(slice, tiles * plan.burst()))
                .collect(),
            values: classes
                .map(|slice| take(slice, tiles * plan.burst()))
                .collect(),
            queries: take(0, vectors),
            mask: take(0, 1),
            outputs: std::array::from_fn(|slice| take(slice, vectors)),
            plan: plan.clone(),
        };
        room.check()?;
        Ok(layout)
    }

    /// Rows of Q that head `head` of keys serves, in order: they are neighbours.
    fn query_rows(&self, head: usize) -> std::ops::Range<usize> {
        let rows = self.plan.rows;
        head * rows..(head + 1) * rows
    }

    pub fn pack(&self, q: &[i8], k: &[i8], v: &[i8]) -> Vec<Vector> {
        let plan = &self.plan;
        let (dim, keys, lanes) = (plan.shape.dim, plan.shape.keys, self.lanes);
        let part = |tensor: &[i8], row: usize, tile: usize| {
            let row = &tensor[row * dim..][..dim];
            let mut bytes: Vec<u8> = row
                .iter()
                .skip(tile * lanes)
                .take(lanes)
                .map(|&b| b as u8)
                .collect();
            bytes.resize(lanes, 0);
            bytes
        };
        let mut vectors = Vec::new();
        let masked = |lane| u8::from((plan.key_tiles - 1) * lanes + lane < keys);
        vectors.push(self.mask.vector(0, (0..lanes).map(masked).collect()));
        let mut index = 0;
        for head in 0..plan.shape.kv_heads {
            for tile in 0..plan.dim_tiles {
                for row in self.query_rows(head) {
                    vectors.push(self.queries.vector(index, part(q, row, tile)));
                    index += 1;
                }
            }
        }
        let mut first = 0;
        for head in 0..plan.shape.kv_heads {
            for (key_tile, tile) in
                (0..plan.key_tiles).flat_map(|kt| (0..plan.dim_tiles).map(move |n| (kt, n)))
            {
                for row in 0..lanes {
                    let key = key_tile * lanes + row;
                    for (tensor, places) in [(k, &self.keys), (v, &self.values)] {
                        let bytes = match key < keys {
                            true => part(tensor, head * keys + key, tile),
                            false => vec![0; lanes],
                        };
                        let place = places[row % plan.streams];
                        vectors.push(place.vector(first + row / plan.streams, bytes));
                    }
                }
                first += plan.burst();
            }
        }
        vectors
    }

    fn vectors(&self) -> usize {
        self.plan.shape.kv_heads * self.plan.rows * self.plan.dim_tiles
    }

    pub fn result_vectors(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let vectors = self.vectors();
        let places = self.outputs.into_iter();
        places.flat_map(move |place| (0..vectors).map(move |i| (place.slice, place.address + i)))
    }

    pub fn unpack<'a>(&self, read: impl Fn(usize, usize) -> &'a [u8]) -> Vec<u32> {
        let (dim, tiles) = (self.plan.shape.dim, self.plan.dim_tiles);
        let mut result = vec![0; self.vectors() / tiles * dim];
        for (byte, place) in self.outputs.iter().enumerate() {
            for vector in 0..self.vectors() {
                let (row, tile) = (vector / tiles, vector % tiles);
                let elements = tile * self.lanes..dim.min((tile + 1) * self.lanes);
                let lanes = read(place.slice, place.address + vector);
                for (d, &value) in elements.zip(lanes) {
                    result[row * dim + d] |= u32::from(value) << (8 * byte);
                }
            }
        }
        result
    }
}

/// Gives the program every descriptor.
fn describe(program: &mut Program, plan: &Plan) {
    let own = plan.own();
    let scale = plan.shape.scale.to_bits();
    let amplitude = (-plan.shape.weights.amplitude()).to_bits();
    let from = |source| Descriptor {
        source,
        write: Some(0),
        ..Descriptor::default()
    };
    let words = |stream| {
        Some(Output {
            format: ResultFormat::Fp32,
            stream,
        })
    };
    let fixed = |row: usize, alu: Alu| Alu {
        offset: row as u16,
        fixed: true,
        ..alu
    };
    let mut set = |index: usize, descriptor: Descriptor, alu: Option<Alu>| {
        let mut descriptor = descriptor;
        descriptor.alus[0] = alu.unwrap_or_default();
        program.describe(index, descriptor);
    };
    let select = Alu {
        operation: AluOperation::Select,
        ..Alu::default()
    };
    let constant = Alu {
        constant: amplitude,
        ..select
    };
    set(
        Pass::Amplitude as usize,
        from(Source::Register(0)),
        Some(constant),
    );
    let mask = Alu {
        y: Operand::NegativeZero,
        constant: 0xff80_0000,
        ..select
    };
    set(
        Pass::Mask as usize,
        from(Source::Stream(Format::Int8)),
        Some(mask),
    );
    let scores = from(Source::Stream(Format::Int32));
    set(Pass::Store as usize, scores, None);
    let masked = fixed(MASK, fma(Operand::One, Operand::Register));
    set(Pass::StoreMasked as usize, scores, Some(masked));
    let show = Descriptor {
        output: words(Stream::east(plan.word_stream)),
        ..Descriptor::default()
    };
    set(Pass::Show as usize, show, None);
    let reduced = from(Source::Stream(Format::Fp32));
    let scaled = Alu {
        constant: scale,
        ..fixed(AMPLITUDE, fma(Operand::Constant, Operand::Register))
    };
    set(Pass::Scale as usize, reduced, Some(scaled));
    let inverse = Descriptor {
        function: Function::Rcp,
        ..reduced
    };
    set(Pass::Inverse as usize, inverse, None);
    let weight = Descriptor {
        output: Some(Output {
            format: ResultFormat::Int16,
            stream: Stream::east(plan.weight_stream),
        }),
        ..Descriptor::default()
    };
    set(Pass::Weight as usize, weight, None);
    let behind = |descriptor| Descriptor {
        write: Some(own.fold() as u16),
        ..descriptor
    };
    set(Pass::Copy as usize, behind(Descriptor::default()), None);
    set(Pass::Sum as usize, scores, None);
    let join = Alu {
        constant: 0x4380_0000,
        ..fma(Operand::Constant, Operand::Register)
    };
    set(Pass::Join as usize, from(Source::Register(1)), Some(join));
    for buffer in 0..plan.buffers {
        for row in 0..plan.rows {
            let exponent = Descriptor {
                function: Function::Exp2,
                ..from(Source::Register(0))
            };
            let alu = Alu {
                constant: scale,
                negate_z: true,
                ..fma(Operand::Constant, Operand::Register)
            };
            let maximum = plan.row(buffer, row) + own.maximum();
            let index = plan.descriptors.exponent + buffer * plan.rows + row;
            set(index, exponent, Some(fixed(maximum, alu)));
        }
    }
    let maximum = alu::maximum();
    let add = alu::add(Operand::Register);
    for (level, (distance, _)) in folds(plan.key_tiles).into_iter().enumerate() {
        let pass = from(Source::Register(distance as u16));
        let pass = if level == 0 { behind(pass) } else { pass };
        set(plan.descriptors.max_fold + level, pass, Some(maximum));
        set(plan.descriptors.sum_fold + level, pass, Some(add));
    }
    for tile in 0..plan.dim_tiles {
        // In the row of the inverse.
        let pass = Descriptor {
            source: Source::Register(1 + 2 * tile as u16),
            output: words(Stream::west(2 * PLANES as u8)),
            ..Descriptor::default()
        };
        let alu = fma(Operand::Register, Operand::NegativeZero);
        set(plan.descriptors.quotient + tile, pass, Some(alu));
    }
}

/// The program of all heads.
pub fn program(config: &Config, plan: &Plan, layout: &Layout) -> Result<Program, CompileError> {
    let mut scheduler = Scheduler {
        config,
        plan,
        layout,
        calendar: Calendar::new(config),
        queries: 0,
        constants: 0,
        free: [0; BUFFERS],
        divided: [0; BUFFERS],
        weights_free: [0; 2],
        stored: [0; BUFFERS],
        weighted: [0; BUFFERS],
        inverted: [0; BUFFERS],
    };
    scheduler.prologue()?;
    let heads = plan.shape.kv_heads;
    // Softmax has the time of two heads' scores and of two others' values; it takes the cycles that those leave.
    let ahead = plan.buffers - 1;
    for index in 0..heads + ahead {
        if index < heads {
            scheduler.scores(index)?;
        }
        if let Some(head) = index.checked_sub(ahead) {
            scheduler.softmax(head)?;
            scheduler.values(head)?;
        }
    }
    let mut program = scheduler.finish().lower(config)?;
    describe(&mut program, plan);
    Ok(program)
}

struct Scheduler<'a> {
    config: &'a Config,
    plan: &'a Plan,
    layout: &'a Layout,
    calendar: Calendar<'a>,
    /// From when on products find the queries, and passes the constants.
    queries: i64,
    constants: i64,
    /// From when on the scores of a buffer may be written, and its sums and inverses.
    free: [i64; BUFFERS],
    divided: [i64; BUFFERS],
    /// From when on the operand-buffer rows of softmax weights may be written.
    weights_free: [i64; 2],
    /// Last pass that stored a score; last LX of a softmax weight; pass that wrote the last inverse.
    stored: [i64; BUFFERS],
    weighted: [i64; BUFFERS],
    inverted: [i64; BUFFERS],
}

/// Passes that follow each other without a gap, so that those of the scores find their cycles between them.
const PIECE: usize = 4;

const fn address(descriptor: usize, row: usize) -> usize {
    row | descriptor << ROW_BITS
}

impl Scheduler<'_> {
    fn queue(kind: QueueKind) -> Queue {
        Queue::new(kind, 0)
    }

    fn chain(&self) -> i64 {
        vxm_chain(self.plan.alus) as i64
    }

    /// Hops from the vector unit's eastward cells to the MXM, and back from the MXM to what the vector unit sees.
    fn across(&self) -> i64 {
        (self.config.mxm_position() - 1 - self.config.vxm_position()) as i64
    }

    fn read(&self, burst: &mut Burst, place: Place, stream: u8, position: usize, mut nest: Nest) {
        nest.start -= READ_LATENCY as i64 + (position - 1 - place.slice) as i64;
        nest.address += place.address as u64;
        let stream = Stream::east(stream);
        let queue = Queue::new(QueueKind::MemRead, place.slice);
        burst.push(queue, Operation::Read { stream }, nest);
    }

    fn pass(&self, burst: &mut Burst, a: Stream, start: i64, address: usize, levels: &[Level]) {
        let operation = Operation::Vector { a, b: UNUSED };
        let nest = Nest::free(start, address, levels);
        burst.push(Self::queue(QueueKind::Vxm), operation, nest);
    }

    /// Passes that take registers only, in pieces; returns the last.
    fn passes(&mut self, address: usize, count: usize, from: i64) -> Result<i64, CompileError> {
        let mut last = from;
        for first in (0..count).step_by(PIECE) {
            let count = PIECE.min(count - first);
            let mut burst = Burst::default();
            self.pass(
                &mut burst,
                UNUSED,
                0,
                address + first,
                &[Level::new(count, 1, 1)],
            );
            last = last.max(self.calendar.place(burst, from)? + count as i64 - 1);
        }
        Ok(last)
    }

    /// Constants and queries.
    fn prologue(&mut self) -> Result<(), CompileError> {
        let plan = self.plan;
        self.passes(address(Pass::Amplitude as usize, AMPLITUDE), 1, 0)?;
        let mut burst = Burst::default();
        let stream = plan.weight_stream + 1;
        let vxm = self.config.vxm_position();
        self.read(
            &mut burst,
            self.layout.mask,
            stream,
            vxm,
            Nest::free(0, 0, &[]),
        );
        let mask = address(Pass::Mask as usize, MASK);
        self.pass(&mut burst, Stream::east(stream), 0, mask, &[]);
        self.constants = self.calendar.place(burst, 0)? + self.chain();
        let mut burst = Burst::default();
        let stream = plan.weight_stream;
        let levels = [Level::new(plan.weight_rows[0], 1, 1)];
        let mxm = self.config.mxm_position();
        self.read(
            &mut burst,
            self.layout.queries,
            stream,
            mxm,
            Nest::free(0, 0, &levels),
        );
        let load = Operation::LoadOperand {
            stream,
            scales: None,
        };
        burst.push(
            Self::queue(QueueKind::MxmCompute),
            load,
            Nest::free(0, 0, &levels),
        );
        let last = self.calendar.place(burst, 0)? + plan.weight_rows[0] as i64 - 1;
        self.queries = last + LX_TO_MM as i64;
        Ok(())
    }

    /// Tiles of keys or values of a head, the first of which is multiplied in cycle 0 of the burst.
    fn load(&self, burst: &mut Burst, column: bool, places: &[Place], head: usize, period: usize) {
        let plan = self.plan;
        let tiles = plan.key_tiles * plan.dim_tiles;
        let first = 1 - (IW_TO_MM as i64 + plan.burst() as i64);
        let load = Operation::LoadWeights {
            stream: 0,
            column,
            install: true,
        };
        let levels = [
            Level::new(plan.burst(), 1, plan.streams),
            Level::new(tiles, period, 0),
        ];
        let nest = Nest::new(first, 0, Form::Inner, &levels);
        burst.push(Self::queue(QueueKind::MxmWeights), load, nest);
        for (class, &place) in places.iter().enumerate() {
            let levels = [
                Level::new(plan.burst(), 1, 1),
                Level::new(tiles, period, plan.burst()),
            ];
            let nest = Nest::free(first, head * tiles * plan.burst(), &levels);
            self.read(burst, place, class as u8, self.config.mxm_position(), nest);
        }
    }

    /// Products of `rows` rows of the operand buffer with the tiles along a head, in cycle `start`.
    fn multiply(&self, burst: &mut Burst, start: i64, row: usize, levels: &[Level]) {
        let nest = Nest::free(start, row, levels);
        burst.push(
            Self::queue(QueueKind::MxmCompute),
            Operation::MultiplyBuffer { scaled: false },
            nest,
        );
    }

    fn accumulate(
        &self,
        burst: &mut Burst,
        start: i64,
        modes: [AccMode; 2],
        form: Form,
        levels: &[Level],
    ) {
        let operation = Operation::Accumulate {
            stream: 0,
            init: modes[0],
            emit: modes[1],
        };
        let start = start + mm_latency(self.config) as i64;
        let nest = Nest::new(start, 0, form, levels);
        burst.push(Self::queue(QueueKind::MxmAccumulate), operation, nest);
    }

    /// A product of cycle `start` to the pass that takes its sum from the stream.
    fn passing(&self, start: i64) -> i64 {
        start + (mm_latency(self.config) + acc_latency(self.config)) as i64 + self.across()
    }

    /// Scores of a head, a tile of keys after the other, into registers.
    fn scores(&mut self, head: usize) -> Result<(), CompileError> {
        let plan = self.plan;
        let (rows, period, tiles) = (plan.rows, plan.score_period, plan.dim_tiles);
        let buffer = head % self.plan.buffers;
        let turn = (tiles * period) as i64;
        let mut burst = Burst::default();
        self.load(&mut burst, true, &self.layout.keys, head, period);
        for key_tile in 0..plan.key_tiles {
            let start = key_tile as i64 * turn;
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, rows)];
            self.multiply(&mut burst, start, head * tiles * rows, &levels);
            let (mode, form, levels) = match (tiles, rows) {
                (1, _) => (AccMode::Always, Form::Free, vec![Level::new(rows, 1, 1)]),
                (_, 1) => (
                    AccMode::Inner,
                    Form::Inner,
                    vec![Level::new(tiles, period, 0)],
                ),
                _ => (
                    AccMode::Outer,
                    Form::Both,
                    vec![Level::new(rows, 1, 1), Level::new(tiles, period, 0)],
                ),
            };
            self.accumulate(&mut burst, start, [mode; 2], form, &levels);
            let pass = match key_tile + 1 == plan.key_tiles {
                true => Pass::StoreMasked,
                false => Pass::Store,
            };
            let at = address(pass as usize, plan.row(buffer, 0) + key_tile);
            let start = self.passing(start + turn - period as i64);
            let levels = [Level::new(rows, 1, plan.own().size())];
            self.pass(&mut burst, Stream::west(0), start, at, &levels);
        }
        let first = self.passing(turn - period as i64);
        let last = self.passing(plan.key_tiles as i64 * turn - period as i64) + rows as i64 - 1;
        let from = self
            .queries
            .max(self.constants.max(self.free[buffer]) - first);
        self.stored[buffer] = self.calendar.place(burst, from)? + last;
        Ok(())
    }

    /// A tree over the tiles of each row; returns the cycle from which on its root may be read.
    fn fold(&mut self, head: usize, descriptor: usize, from: i64) -> Result<i64, CompileError> {
        let plan = self.plan;
        let own = plan.own();
        let mut ready = from;
        for (level, (distance, pairs)) in folds(plan.key_tiles).into_iter().enumerate() {
            let mut last = ready;
            for row in 0..plan.rows {
                let first = plan.row(head % self.plan.buffers, row)
                    + if level == 0 { 0 } else { own.fold() };
                last = last.max(self.passes(address(descriptor + level, first), pairs, ready)?);
                if level == 0 && pairs < distance {
                    let copy = address(Pass::Copy as usize, first + pairs);
                    last = last.max(self.passes(copy, 1, ready)?);
                }
            }
            ready = last + self.chain();
        }
        Ok(ready)
    }

    /// The reduction of a register over all lanes, taken by `pass` in row `to`, for each row; returns when the last may be read.
    fn reduce(
        &mut self,
        head: usize,
        reduction: Reduction,
        pass: Pass,
        to: usize,
        from: i64,
    ) -> Result<i64, CompileError> {
        let plan = self.plan;
        let own = plan.own();
        let root = if plan.key_tiles == 1 { 0 } else { own.fold() };
        let mut ready = from;
        for row in 0..plan.rows {
            let first = plan.row(head % self.plan.buffers, row);
            let mut burst = Burst::default();
            self.pass(
                &mut burst,
                UNUSED,
                0,
                address(Pass::Show as usize, first + root),
                &[],
            );
            let shown = vxm_latency(plan.alus) as i64;
            let operation = Operation::Reduce {
                from: Stream::east(plan.word_stream),
                to: Stream::west(PLANES as u8),
            };
            let nest = Nest::free(shown, reduction as usize, &[]);
            burst.push(Self::queue(QueueKind::Sxm), operation, nest);
            let reduced = shown + reduce_latency(plan.lanes) as i64;
            let result = address(pass as usize, first + to);
            self.pass(&mut burst, Stream::west(PLANES as u8), reduced, result, &[]);
            ready = ready.max(self.calendar.place(burst, from)? + reduced + self.chain());
        }
        Ok(ready)
    }

    fn softmax(&mut self, head: usize) -> Result<(), CompileError> {
        let plan = self.plan;
        let own = plan.own();
        let buffer = head % self.plan.buffers;
        let ready = self.stored[buffer] + self.chain();
        let ready = self.fold(head, plan.descriptors.max_fold, ready)?;
        let ready = self.reduce(head, Reduction::Max, Pass::Scale, own.maximum(), ready)?;
        let mut last = ready;
        for row in 0..plan.rows {
            let descriptor = plan.descriptors.exponent + buffer * plan.rows + row;
            let first = address(descriptor, plan.row(buffer, row));
            last = last.max(self.passes(first, plan.key_tiles, ready)?);
        }
        let ready = last + self.chain();
        let shown = self.weights(head, ready)?;
        let folded = self.fold(head, plan.descriptors.sum_fold, ready)?;
        let summed = folded.max(self.divided[buffer]);
        self.inverted[buffer] =
            self.reduce(head, Reduction::Sum, Pass::Inverse, own.inverse(), summed)?;
        self.free[buffer] = shown.max(folded);
        Ok(())
    }

    /// Softmax weights into the operand buffer, in the gaps that the products leave; returns the last pass.
    fn weights(&mut self, head: usize, from: i64) -> Result<i64, CompileError> {
        let plan = self.plan;
        let gap = (plan.score_period - plan.rows).min(plan.value_period - 2 * plan.rows);
        let slot = head % self.plan.weight_rows.len();
        let latency = vxm_latency(plan.alus) as i64 + self.across();
        let from = from.max(self.weights_free[slot] - latency);
        let (mut shown, mut last) = (from, from);
        for first in (0..plan.key_tiles).step_by(gap) {
            let count = gap.min(plan.key_tiles - first);
            for (row, plane) in (0..plan.rows).flat_map(|row| [(row, 0), (row, 1)]) {
                let mut burst = Burst::default();
                let registers = plan.row(head % self.plan.buffers, row) + first;
                let levels = [Level::new(count, 1, 1)];
                self.pass(
                    &mut burst,
                    UNUSED,
                    0,
                    address(Pass::Weight as usize, registers),
                    &levels,
                );
                let load = Operation::LoadOperand {
                    stream: plan.weight_stream + plane as u8,
                    scales: None,
                };
                let at = plan.weight_rows[slot] + (first * plan.rows + row) * 2 + plane;
                let nest = Nest::free(latency, at, &[Level::new(count, 1, 2 * plan.rows)]);
                burst.push(Self::queue(QueueKind::MxmCompute), load, nest);
                let issued = self.calendar.place(burst, from)? + count as i64 - 1;
                (shown, last) = (shown.max(issued), last.max(issued + latency));
            }
        }
        self.weighted[head % self.plan.buffers] = last;
        Ok(shown)
    }

    /// The product of the softmax weights with the values, divided by their sum.
    fn values(&mut self, head: usize) -> Result<(), CompileError> {
        let plan = self.plan;
        let own = plan.own();
        let (buffer, slot) = (head % self.plan.buffers, head % self.plan.weight_rows.len());
        let (rows, period, tiles, turns) = (
            2 * plan.rows,
            plan.value_period,
            plan.dim_tiles,
            plan.key_tiles,
        );
        let turn = tiles * period;
        let mut burst = Burst::default();
        self.load(&mut burst, false, &self.layout.values, head, period);
        for key_tile in 0..turns {
            let row = plan.weight_rows[slot] + key_tile * rows;
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, 0)];
            self.multiply(&mut burst, (key_tile * turn) as i64, row, &levels);
            let mode = |on: bool| if on { AccMode::Always } else { AccMode::Never };
            let modes = [mode(key_tile == 0), mode(key_tile + 1 == turns)];
            let levels = [Level::new(rows, 1, 1), Level::new(tiles, period, rows)];
            self.accumulate(
                &mut burst,
                (key_tile * turn) as i64,
                modes,
                Form::Free,
                &levels,
            );
        }
        let mut last = 0;
        for tile in 0..tiles {
            let start = self.passing(((turns - 1) * turn + tile * period) as i64);
            let at = address(
                Pass::Sum as usize,
                plan.row(buffer, 0) + own.sums() + 2 * tile,
            );
            let levels = [Level::new(2, 1, 1), Level::new(plan.rows, 2, own.size())];
            self.pass(&mut burst, Stream::west(0), start, at, &levels);
            last = start + rows as i64 - 1;
        }
        let finished = ((turns - 1) * turn + (tiles - 1) * period + rows) as i64;
        let from = self.weighted[buffer] + LX_TO_MM as i64;
        let from = from.max(self.divided[buffer] - self.passing(0));
        let at = self.calendar.place(burst, from)?;
        self.weights_free[slot] = at + finished;

        let mut joined = at + last + self.chain();
        let ready = joined;
        for (row, tile) in (0..plan.rows).flat_map(|row| (0..tiles).map(move |tile| (row, tile))) {
            let sums = plan.row(buffer, row) + own.sums() + 2 * tile;
            joined = joined.max(self.passes(address(Pass::Join as usize, sums), 1, ready)?);
        }
        let ready = (joined + self.chain()).max(self.inverted[buffer]);
        let mut divided = ready;
        for tile in 0..tiles {
            let mut burst = Burst::default();
            let first = plan.row(buffer, 0) + own.inverse();
            let levels = [Level::new(plan.rows, 1, own.size())];
            let at = address(plan.descriptors.quotient + tile, first);
            self.pass(&mut burst, UNUSED, 0, at, &levels);
            for (plane, &place) in self.layout.outputs.iter().enumerate() {
                let hops = (self.config.vxm_position() - 1 - place.slice) as i64;
                let start = vxm_latency(plan.alus) as i64 + hops;
                let vector = place.address + head * plan.rows * tiles + tile;
                let nest = Nest::free(start, vector, &[Level::new(plan.rows, 1, tiles)]);
                let stream = Stream::west((2 * PLANES + plane) as u8);
                let queue = Queue::new(QueueKind::MemWrite, place.slice);
                burst.push(queue, Operation::Write { stream }, nest);
            }
            divided = divided.max(self.calendar.place(burst, ready)? + plan.rows as i64);
        }
        self.divided[buffer] = divided;
        Ok(())
    }

    /// CONFIG of the weight streams, and all that was placed.
    fn finish(mut self) -> crate::timeline::Timeline {
        let queue = Self::queue(QueueKind::MxmWeights);
        if self.plan.streams != self.config.mxm.weight_streams
            && let Some(first) = self.calendar.first(queue)
        {
            self.calendar
                .configure(queue, first - 1, 0, self.plan.streams as u16);
        }
        self.calendar.finish()
    }
}
