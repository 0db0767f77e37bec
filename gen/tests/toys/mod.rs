//! Small blocks, each with one thing an emitter can get wrong.
#![allow(dead_code, reason = "each test binary uses some of them")]

use lpu_hdl::info::Info;
use lpu_hdl::prim::{DelayLine, Flop, Multiplier, Pack};
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
