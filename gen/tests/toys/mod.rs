//! Small blocks, each with one thing an emitter can get wrong.
#![allow(dead_code, reason = "each test binary uses some of them")]

use lpu_hdl::info::Info;
use lpu_hdl::prim::{DelayLine, Fifo, Flop, Multiplier, Pack};
use rust_hdl::prelude::*;

/// A block that nothing needs to be told.
pub fn connected<B: Block>(mut block: B) -> B {
    block.connect_all();
    block
}

#[derive(LogicBlock)]
pub struct Lane {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_a: Signal<In, Bits<8>>,
    pub in_b: Signal<In, Bits<8>>,
    pub in_valid: Signal<In, Bit>,
    pub out_sum: Signal<Out, Bits<16>>,
    product: Multiplier<8, 8, 16>,
    sum: Flop<Bits<16>>,
    info: Info,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_a: Signal::default(),
            in_b: Signal::default(),
            in_valid: Signal::default(),
            out_sum: Signal::default(),
            product: Multiplier::default(),
            sum: Flop::default(),
            info: Info::new("lane", file!())
                .summary("Multiplies and accumulates")
                .param("BITS", 8)
                .port("in_a", "activation, int8"),
        }
    }
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        self.product.a.next = self.in_a.val();
        self.product.b.next = self.in_b.val();
        clock!(self, clock, sum);
        self.sum.reset.next = self.reset.val();
        self.sum.enable.next = self.in_valid.val();
        self.sum.d.next = self.sum.q.val() + self.product.product.val();
        self.out_sum.next = self.sum.q.val();
    }
}

/// Several lanes side by side.
#[derive(LogicBlock)]
pub struct Lanes<const L: usize, const V: usize> {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<V>>,
    pub in_weight: Vec<Signal<In, Bits<8>>>,
    pub in_valid: Signal<In, Bit>,
    pub out_data: Signal<Out, Bits<V>>,
    lane: Vec<Lane>,
    pack: Pack<8, V>,
    delay: DelayLine<Bits<V>>,
    info: Info,
    _lanes: usize,
}

impl<const L: usize, const V: usize> Default for Lanes<L, V> {
    fn default() -> Self {
        assert_eq!(V, 8 * L);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_data: Signal::default(),
            in_weight: (0..L).map(|_| Signal::default()).collect(),
            in_valid: Signal::default(),
            out_data: Signal::default(),
            lane: (0..L).map(|_| Lane::default()).collect(),
            pack: Pack::default(),
            delay: DelayLine::new(2),
            info: Info::new("lanes", file!())
                .summary("Lanes side by side")
                .param("LANES", L)
                .port("in_weight", "one weight a lane"),
            _lanes: L,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Lanes<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self._lanes {
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].reset.next = self.reset.val();
            self.lane[i].in_valid.next = self.in_valid.val();
            self.lane[i].in_a.next = self.in_data.val().get_bits::<8>(i * 8);
            self.lane[i].in_b.next = self.in_weight[i].val();
            self.pack.part[i].next = self.lane[i].out_sum.val().get_bits::<8>(0);
        }
        self.delay.clock.next = self.clock.val();
        self.delay.d.next = self.pack.word.val();
        self.out_data.next = self.delay.q.val();
    }
}

#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum State {
    Idle,
    Busy,
    Done,
}

/// A controller with an enumerated state.
#[derive(LogicBlock, Default)]
pub struct Controller {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub start: Signal<In, Bit>,
    pub limit: Signal<In, Bits<4>>,
    pub busy: Signal<Out, Bit>,
    pub done: Signal<Out, Bit>,
    pub count: Signal<Out, Bits<4>>,
    state: Flop<State>,
    counter: Flop<Bits<4>>,
    last: Signal<Local, Bit>,
    info: Info,
}

impl Logic for Controller {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, counter);
        self.state.reset.next = self.reset.val();
        self.state.enable.next = true;
        self.counter.reset.next = self.reset.val();
        self.counter.enable.next = true;
        self.last.next = self.counter.q.val() == self.limit.val();
        self.busy.next = false;
        self.done.next = false;
        match self.state.q.val() {
            State::Idle => {
                self.counter.d.next = 0.into();
                if self.start.val() {
                    self.state.d.next = State::Busy;
                }
            }
            State::Busy => {
                self.busy.next = true;
                self.counter.d.next = self.counter.q.val() + 1;
                if self.last.val() {
                    self.state.d.next = State::Done;
                }
            }
            State::Done => {
                self.done.next = true;
                self.state.d.next = State::Idle;
            }
        }
        self.count.next = self.counter.q.val();
    }
}

/// Pixel of a display: a struct as one signal.
#[derive(Copy, Clone, PartialEq, Debug, Default, LogicStruct)]
pub struct Pixel {
    pub red: Bits<5>,
    pub green: Bits<6>,
    pub flag: Bit,
}

/// Every operator, with the widths and precedences that Verilog and Rust see differently.
#[derive(LogicBlock)]
pub struct Words {
    pub in_a: Signal<In, Bits<8>>,
    pub in_b: Signal<In, Bits<8>>,
    pub in_sel: Signal<In, Bits<3>>,
    pub out_carry: Signal<Out, Bits<9>>,
    pub out_wrap: Signal<Out, Bits<9>>,
    pub out_low: Signal<Out, Bits<4>>,
    pub out_shift: Signal<Out, Bits<8>>,
    pub out_masked: Signal<Out, Bit>,
    pub out_ordered: Signal<Out, Bits<4>>,
    pub out_wide: Signal<Out, Signed<16>>,
    pub out_select: Signal<Out, Bit>,
    pub out_nibble: Signal<Out, Bits<4>>,
    pub out_replaced: Signal<Out, Bits<8>>,
    pub out_moved: Signal<Out, Bits<8>>,
    pub out_reduced: Signal<Out, Bits<4>>,
    pub out_pixel: Signal<Out, Pixel>,
    pub out_red: Signal<Out, Bits<5>>,
    pub out_steps: Signal<Out, Bits<8>>,
    pub out_part: Signal<Out, Bits<2>>,
    pub out_extended: Signal<Out, Signed<16>>,
    pub out_chosen: Signal<Out, Bits<4>>,
    pub out_fixed: Signal<Out, Bits<4>>,
    pub out_fixed_pixel: Signal<Out, Pixel>,
    a: Signal<Local, Signed<8>>,
    b: Signal<Local, Signed<8>>,
    pixel: Signal<Local, Pixel>,
    scratch: Signal<Local, Bits<8>>,
    order: Signal<Local, Bits<4>>,
    pair: Signal<Local, Bits<2>>,
    offset: Constant<Bits<8>>,
    _steps: usize,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            in_a: Signal::default(),
            in_b: Signal::default(),
            in_sel: Signal::default(),
            out_carry: Signal::default(),
            out_wrap: Signal::default(),
            out_low: Signal::default(),
            out_shift: Signal::default(),
            out_masked: Signal::default(),
            out_ordered: Signal::default(),
            out_wide: Signal::default(),
            out_select: Signal::default(),
            out_nibble: Signal::default(),
            out_replaced: Signal::default(),
            out_moved: Signal::default(),
            out_reduced: Signal::default(),
            out_pixel: Signal::default(),
            out_red: Signal::default(),
            out_steps: Signal::default(),
            out_part: Signal::default(),
            out_extended: Signal::default(),
            out_chosen: Signal::default(),
            out_fixed: Signal::default(),
            out_fixed_pixel: Signal::default(),
            a: Signal::default(),
            b: Signal::default(),
            pixel: Signal::default(),
            scratch: Signal::default(),
            order: Signal::default(),
            pair: Signal::default(),
            offset: Constant::new(Bits::from(0x2a)),
            _steps: 3,
        }
    }
}

impl Logic for Words {
    #[hdl_gen]
    fn update(&mut self) {
        self.a.next = signed_cast(self.in_a.val());
        self.b.next = signed_cast(self.in_b.val());
        self.out_carry.next = bit_cast::<9, 8>(self.in_a.val()) + bit_cast::<9, 8>(self.in_b.val());
        self.out_wrap.next = bit_cast::<9, 8>(self.in_a.val() + self.in_b.val());
        self.out_low.next = bit_cast::<4, 8>(self.in_a.val() - self.in_b.val());
        self.out_shift.next = (self.in_a.val() >> self.in_sel.val()) ^ (self.in_b.val() << 2);
        self.out_masked.next = self.in_a.val() & self.in_b.val() == self.offset.val() & 0x0a;
        self.order.next = 0.into();
        if self.a.val() < self.b.val() {
            self.order.next = self.order.val() | 1;
        }
        if self.in_a.val() < self.in_b.val() {
            self.order.next = self.order.val() | 2;
        }
        if self.in_a.val() >= 0x80 && !self.in_b.val().any() || self.in_sel.val().all() {
            self.order.next = self.order.val() | 4;
        }
        self.out_ordered.next = self.order.val();
        self.out_wide.next =
            signed_bit_cast::<16, 8>(self.a.val()) - signed_bit_cast::<16, 8>(self.b.val());
        self.out_select.next = self.in_a.val().get_bit(self.in_sel.val().index());
        self.out_nibble.next = self.in_b.val().get_bits::<4>(2);
        self.out_replaced.next = self.in_a.val().replace_bit(3, self.in_b.val().any());
        self.out_moved.next = self
            .in_a
            .val()
            .replace_bit(self.in_sel.val().index(), self.in_b.val().xor());
        self.out_reduced.next =
            bit_cast::<4, 8>(self.in_a.val() ^ self.offset.val()) + self.in_b.val().all();
        self.pixel.next.red = self.in_a.val().get_bits::<5>(0);
        self.pixel.next.green = self.in_b.val().get_bits::<6>(2);
        self.pixel.next.flag = self.in_sel.val().any();
        self.out_pixel.next = self.pixel.val();
        self.out_red.next = self.pixel.val().red;
        self.scratch.next = self.in_a.val();
        for i in 0..self._steps {
            if i == 1 {
                self.scratch.next = self.scratch.val() + self.offset.val();
            } else {
                self.scratch.next = (self.scratch.val() << 1) ^ self.in_b.val();
            }
        }
        self.out_steps.next = self.scratch.val();
        self.pair.next = self.in_sel.val().get_bits::<2>(1);
        self.out_part.next = self.in_a.val().get_bits::<2>(self.pair.val().index() * 2);
        self.out_extended.next =
            signed_bit_cast::<16, 4>(signed_cast(self.in_b.val().get_bits::<4>(3)));
        self.out_chosen.next = 0.into();
        self.out_fixed.next = 1.into();
        self.out_fixed_pixel.next.red = 3.into();
        self.out_fixed_pixel.next.green = 33.into();
        self.out_fixed_pixel.next.flag = true;
        for i in 0..self._steps {
            if i == 2 {
                self.out_fixed.next = 5.into();
            }
            if i != 1 && self.in_sel.val().get_bit(i) {
                self.out_chosen.next = self.out_chosen.val() + 3;
            }
        }
    }
}

/// A bus of data and readiness, driven by its source.
#[derive(LogicInterface, Default)]
#[join = "BusSink"]
pub struct BusSource {
    pub data: Signal<Out, Bits<8>>,
    pub valid: Signal<Out, Bit>,
    pub ready: Signal<In, Bit>,
}

/// The other end of a [`BusSource`].
#[derive(LogicInterface, Default)]
#[join = "BusSource"]
pub struct BusSink {
    pub data: Signal<In, Bits<8>>,
    pub valid: Signal<In, Bit>,
    pub ready: Signal<Out, Bit>,
}

/// One register on a bus.
#[derive(LogicBlock, Default)]
pub struct BusStage {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub sink: BusSink,
    pub source: BusSource,
    data: Flop<Bits<8>>,
    valid: Flop<Bit>,
}

impl Logic for BusStage {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, data, valid);
        self.data.reset.next = self.reset.val();
        self.valid.reset.next = self.reset.val();
        self.sink.ready.next = self.source.ready.val() | !self.valid.q.val();
        self.data.enable.next = self.source.ready.val() | !self.valid.q.val();
        self.valid.enable.next = self.source.ready.val() | !self.valid.q.val();
        self.data.d.next = self.sink.data.val();
        self.valid.d.next = self.sink.valid.val();
        self.source.data.next = self.data.q.val();
        self.source.valid.next = self.valid.q.val();
    }
}

/// Two stages: a join between them, links to the outside, and rust-hdl's own flip-flop.
#[derive(LogicBlock, Default)]
pub struct BusPipe {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub sink: BusSink,
    pub source: BusSource,
    pub seen: Signal<Out, Bit>,
    first: BusStage,
    second: BusStage,
    watch: DFF<Bit>,
}

impl Logic for BusPipe {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, first, second);
        dff_setup!(self, clock, watch);
        self.first.reset.next = self.reset.val();
        self.second.reset.next = self.reset.val();
        BusSink::link(&mut self.sink, &mut self.first.sink);
        BusSource::join(&mut self.first.source, &mut self.second.sink);
        BusSource::link(&mut self.source, &mut self.second.source);
        if self.reset.val() {
            self.watch.d.next = false;
        }
        if self.first.source.valid.val() {
            self.watch.d.next = true;
        }
        self.seen.next = self.watch.q.val();
    }
}

/// A delay that is none, which leaves the clock without a use, like ports that are only there in other variants.
#[derive(LogicBlock)]
pub struct Optional {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<8>>,
    pub in_spare: Vec<Signal<In, Bit>>,
    pub out_data: Signal<Out, Bits<8>>,
    delay: DelayLine<Bits<8>>,
    info: Info,
}

impl Default for Optional {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_data: Signal::default(),
            in_spare: vec![Signal::default(), Signal::default()],
            out_data: Signal::default(),
            delay: DelayLine::new(0),
            info: Info::new("optional", file!())
                .unused("clock")
                .unused("reset")
                .unused("in_spare"),
        }
    }
}

impl Logic for Optional {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, delay);
        self.delay.d.next = self.in_data.val();
        self.out_data.next = self.delay.q.val();
    }
}

/// A queue of which only the level is looked at.
#[derive(LogicBlock)]
pub struct Watched {
    pub clock: Signal<In, Clock>,
    pub reset: Signal<In, Bit>,
    pub in_data: Signal<In, Bits<8>>,
    pub out_level: Signal<Out, Bits<16>>,
    queue: Fifo<8>,
}

impl Default for Watched {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_data: Signal::default(),
            out_level: Signal::default(),
            queue: Fifo::new(4),
        }
    }
}

impl Logic for Watched {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, queue);
        self.queue.reset.next = self.reset.val();
        self.queue.in_data.next = self.in_data.val();
        self.queue.write.next = true;
        self.queue.read.next = self.in_data.val().any() && !self.reset.val();
        self.out_level.next = self.queue.level.val();
    }
}
