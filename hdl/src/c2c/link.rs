//! A link: its blocks joined.

use super::async_fifo::AsyncFifo;
use super::deframer::Deframer;
use super::deskew::Deskew;
use super::fec_decoder::FecDecoder;
use super::fec_encoder::FecEncoder;
use super::hac::Hac;
use super::lane_aligner::LaneAligner;
use super::link_control::LinkControl;
use super::prbs::{PrbsChecker, PrbsSource};
use super::program_clock::ProgramClock;
use super::scrambler::Scrambler;
use super::status::Status;
use super::sync::{ReportCrossing, TwoFlop};
use super::tx_framer::TxFramer;
use crate::info::Info;
use crate::prim::{Flop, Pipe};
use lpu_isa::c2c::{LANE_BITS, Shape};
use rust_hdl::prelude::*;

/// Flits in the elastic buffer.
pub const ELASTIC_DEPTH: usize = 64;

/// A link between two chips: SEND and RECEIVE on one side, the PHY on the other. The contract is `docs/c2c.md`.
///
/// Everything between `in_phy_data` and the elastic buffer runs with `in_phy_clock`, the rest with `clock`.
///
/// Parameters: the shape; V = 64 N bits, C = 8 N byte columns. Latency: `lpu_isa::c2c::Shape::hop`. Reset: the link is down; frames
/// are sent from the first cycle on.
#[derive(LogicBlock)]
pub struct C2cLink<const C: usize, const V: usize> {
    /// The clock of the chip.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The link is wanted.
    pub in_enable: Signal<In, Bit>,
    /// This side trims its HAC.
    pub in_child: Signal<In, Bit>,
    /// Test: PRBS-31 instead of frames.
    pub in_prbs: Signal<In, Bit>,
    /// Test: the PHY returns what is sent.
    pub in_loopback: Signal<In, Bit>,
    /// Clears faults and counters.
    pub in_clear: Signal<In, Bit>,
    /// SEND.
    pub in_send: Signal<In, Bit>,
    /// Its flit.
    pub in_send_data: Signal<In, Bits<V>>,
    /// RECEIVE.
    pub in_receive: Signal<In, Bit>,
    /// The flit of the RECEIVE one cycle ago.
    pub out_data: Signal<Out, Bits<V>>,
    /// There was one.
    pub out_valid: Signal<Out, Bit>,
    /// DESKEW.
    pub in_deskew: Signal<In, Bit>,
    /// RUNTIME_DESKEW.
    pub in_runtime_deskew: Signal<In, Bit>,
    /// Its cycles.
    pub in_wait: Signal<In, Bits<16>>,
    /// The program goes on.
    pub out_go: Signal<Out, Bit>,
    /// 0 down, 1 align, 2 train, 3 up.
    pub out_state: Signal<Out, Bits<2>>,
    /// FAULTS is not zero.
    pub out_fault: Signal<Out, Bit>,
    /// Hardware-aligned counter.
    pub out_hac: Signal<Out, Bits<12>>,
    /// Status register.
    pub in_address: Signal<In, Bits<4>>,
    /// Its value.
    pub out_status: Signal<Out, Bits<32>>,
    /// Asks the PHY to return what is sent.
    pub out_phy_loopback: Signal<Out, Bit>,
    /// A line word for the PHY.
    pub out_phy_data: Signal<Out, Bits<V>>,
    /// The PHY is up.
    pub in_phy_up: Signal<In, Bit>,
    /// Recovered clock.
    pub in_phy_clock: Signal<In, Clock>,
    /// A line word of the PHY.
    pub in_phy_data: Signal<In, Bits<V>>,
    framer: TxFramer<V>,
    scrambler: Scrambler<V>,
    encoder: FecEncoder<V>,
    source: PrbsSource<V>,
    prbs: Flop<Bit>,
    phy_up: TwoFlop,
    aligners: Vec<LaneAligner>,
    deskew: Deskew<V>,
    decoder: FecDecoder<C, V>,
    deframer: Deframer<V>,
    checker: PrbsChecker<V>,
    receiver_reset: TwoFlop,
    was_reset: TwoFlop,
    accept: TwoFlop,
    check: TwoFlop,
    aligned: TwoFlop,
    locked: Vec<TwoFlop>,
    overflow: TwoFlop,
    reports: ReportCrossing<33>,
    prbs_reports: ReportCrossing<16>,
    elastic: AsyncFifo<V>,
    data: Pipe<Bits<V>>,
    valid: Flop<Bit>,
    wants_reset: Flop<Bit>,
    wants_accept: Flop<Bit>,
    is_aligned: Flop<Bit>,
    hac: Hac,
    program: ProgramClock,
    control: LinkControl,
    status: Status,
    rx_reset: Signal<Local, Bit>,
    rx_down: Signal<Local, Bit>,
    state: Signal<Local, Bits<16>>,
    lane_bit: Vec<Constant<Bits<16>>>,
    info: Info,
    _lanes: usize,
}

impl<const C: usize, const V: usize> C2cLink<C, V> {
    /// A link of this shape.
    pub fn new(shape: Shape) -> Self {
        assert!(
            V == shape.bits() && C == V / 8,
            "bits and columns of a link"
        );
        let lanes = V / LANE_BITS;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_enable: Signal::default(),
            in_child: Signal::default(),
            in_prbs: Signal::default(),
            in_loopback: Signal::default(),
            in_clear: Signal::default(),
            in_send: Signal::default(),
            in_send_data: Signal::default(),
            in_receive: Signal::default(),
            out_data: Signal::default(),
            out_valid: Signal::default(),
            in_deskew: Signal::default(),
            in_runtime_deskew: Signal::default(),
            in_wait: Signal::default(),
            out_go: Signal::default(),
            out_state: Signal::default(),
            out_fault: Signal::default(),
            out_hac: Signal::default(),
            in_address: Signal::default(),
            out_status: Signal::default(),
            out_phy_loopback: Signal::default(),
            out_phy_data: Signal::default(),
            in_phy_up: Signal::default(),
            in_phy_clock: Signal::default(),
            in_phy_data: Signal::default(),
            framer: TxFramer::new(shape),
            scrambler: Scrambler::default(),
            encoder: FecEncoder::new(shape),
            source: PrbsSource::default(),
            prbs: Flop::default(),
            phy_up: TwoFlop::default(),
            aligners: (0..lanes)
                .map(|lane| LaneAligner::new(shape, lane))
                .collect(),
            deskew: Deskew::new(shape),
            decoder: FecDecoder::new(shape),
            deframer: Deframer::new(shape),
            checker: PrbsChecker::default(),
            receiver_reset: TwoFlop::default(),
            was_reset: TwoFlop::default(),
            accept: TwoFlop::default(),
            check: TwoFlop::default(),
            aligned: TwoFlop::default(),
            locked: (0..lanes).map(|_| TwoFlop::default()).collect(),
            overflow: TwoFlop::default(),
            reports: ReportCrossing::default(),
            prbs_reports: ReportCrossing::default(),
            elastic: AsyncFifo::new(ELASTIC_DEPTH),
            data: Pipe::default(),
            valid: Flop::default(),
            wants_reset: Flop::new(true),
            wants_accept: Flop::default(),
            is_aligned: Flop::default(),
            hac: Hac::new(shape.frame()),
            program: ProgramClock::default(),
            control: LinkControl::new(shape),
            status: Status::new(shape),
            rx_reset: Signal::default(),
            rx_down: Signal::default(),
            state: Signal::default(),
            lane_bit: (0..lanes)
                .map(|lane| Constant::new(Bits::from(0x100 << lane)))
                .collect(),
            info: Info::new("c2c_link", file!())
                .summary("Link between two chips")
                .param("LANES", lanes)
                .param("SLOTS", shape.slots())
                .port("in_send", "SEND: in_send_data goes into the next free slot")
                .port(
                    "in_receive",
                    "RECEIVE: out_data and out_valid in the next cycle",
                )
                .port("in_wait", "cycles, of RUNTIME_DESKEW")
                .port("out_go", "DESKEW or RUNTIME_DESKEW is over")
                .port("out_state", "0 down, 1 align, 2 train, 3 up")
                .port("in_address", "status register")
                .port("in_phy_up", "asynchronous")
                .port("in_phy_clock", "recovered clock, of in_phy_data")
                .port("in_phy_data", "64 bits of each lane, bit 0 first")
                .port("out_phy_data", "64 bits of each lane, bit 0 first"),
            _lanes: lanes,
        }
    }
}

impl<const C: usize, const V: usize> Logic for C2cLink<C, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            framer,
            scrambler,
            encoder,
            source,
            prbs,
            phy_up,
            was_reset,
            aligned,
            overflow,
            reports,
            prbs_reports,
            elastic,
            data,
            valid,
            wants_reset,
            wants_accept,
            hac,
            program,
            control,
            status
        );
        self.deskew.clock.next = self.in_phy_clock.val();
        self.decoder.clock.next = self.in_phy_clock.val();
        self.deframer.clock.next = self.in_phy_clock.val();
        self.checker.clock.next = self.in_phy_clock.val();
        self.receiver_reset.clock.next = self.in_phy_clock.val();
        self.accept.clock.next = self.in_phy_clock.val();
        self.check.clock.next = self.in_phy_clock.val();
        self.is_aligned.clock.next = self.in_phy_clock.val();
        self.reports.in_clock.next = self.in_phy_clock.val();
        self.prbs_reports.in_clock.next = self.in_phy_clock.val();
        self.elastic.in_clock.next = self.in_phy_clock.val();

        // Send.
        self.framer.reset.next = self.reset.val();
        self.framer.in_up.next = self.control.out_up.val();
        self.framer.in_valid.next = self.in_send.val();
        self.framer.in_data.next = self.in_send_data.val();
        self.framer.in_control.next = bit_cast::<16, 12>(self.hac.out_value.val())
            | (bit_cast::<16, 2>(self.control.out_sent.val()) << 12);
        if self.hac.out_kind.val() {
            self.framer.in_control.next = bit_cast::<16, 12>(self.hac.out_value.val())
                | (bit_cast::<16, 2>(self.control.out_sent.val()) << 12)
                | 0x4000;
        }
        if self.hac.out_meant.val() {
            self.framer.in_control.next = self.framer.in_control.val() | 0x8000;
        }
        self.scrambler.reset.next = self.reset.val();
        self.scrambler.in_word.next = self.framer.out_word.val();
        self.scrambler.in_start.next = self.framer.out_start.val();
        self.scrambler.in_flit.next = self.framer.out_flit.val();
        self.encoder.reset.next = self.reset.val();
        self.encoder.in_word.next = self.scrambler.out_word.val();
        self.encoder.in_start.next = self.scrambler.out_start.val();
        self.prbs.reset.next = self.reset.val();
        self.prbs.enable.next = true;
        self.prbs.d.next = self.in_prbs.val();
        self.source.reset.next = self.reset.val() | !self.prbs.q.val();
        self.out_phy_data.next = self.encoder.out_word.val();
        if self.prbs.q.val() {
            self.out_phy_data.next = self.source.out_word.val();
        }
        self.out_phy_loopback.next = self.in_loopback.val();

        // Receive, with the recovered clock.
        self.wants_reset.reset.next = self.reset.val();
        self.wants_reset.enable.next = true;
        self.wants_reset.d.next = self.control.out_receiver_reset.val();
        self.receiver_reset.in_level.next = self.wants_reset.q.val();
        self.rx_reset.next = self.receiver_reset.out_level.val();
        self.rx_down.next = self.rx_reset.val() | !self.deskew.out_aligned.val();
        for i in 0..self._lanes {
            self.aligners[i].clock.next = self.in_phy_clock.val();
            self.aligners[i].reset.next = self.rx_reset.val();
            self.aligners[i].in_word.next = self.in_phy_data.val().get_bits::<64>(64 * i);
            self.deskew.in_word[i].next = self.aligners[i].out_word.val();
            self.deskew.in_start[i].next = self.aligners[i].out_start.val();
            self.deskew.in_locked[i].next = self.aligners[i].out_locked.val();
            self.locked[i].clock.next = self.clock.val();
            self.locked[i].in_level.next = self.aligners[i].out_locked.val();
        }
        self.deskew.reset.next = self.rx_reset.val();
        self.decoder.reset.next = self.rx_down.val();
        self.decoder.in_word.next = self.deskew.out_word.val();
        self.decoder.in_start.next = self.deskew.out_start.val();
        self.wants_accept.reset.next = self.reset.val();
        self.wants_accept.enable.next = true;
        self.wants_accept.d.next = self.control.out_accept.val();
        self.accept.in_level.next = self.wants_accept.q.val();
        self.deframer.reset.next = self.rx_down.val();
        self.deframer.in_accept.next = self.accept.out_level.val();
        self.deframer.in_word.next = self.decoder.out_word.val();
        self.deframer.in_number.next = self.decoder.out_number.val();
        self.deframer.in_valid.next = self.decoder.out_valid.val();
        self.deframer.in_trailer.next = self.decoder.out_trailer.val();
        self.deframer.in_done.next = self.decoder.out_done.val();
        self.deframer.in_corrected.next = self.decoder.out_corrected.val();
        self.deframer.in_uncorrectable.next = self.decoder.out_uncorrectable.val();
        self.elastic.in_reset.next = self.rx_reset.val();
        self.elastic.in_valid.next = self.deframer.out_valid.val();
        self.elastic.in_data.next = self.deframer.out_data.val();
        self.reports.in_reset.next = self.rx_reset.val();
        self.reports.in_valid.next = self.deframer.out_report.val();
        self.reports.in_data.next = self.deframer.out_content.val();
        self.check.in_level.next = self.prbs.q.val();
        self.checker.reset.next = !self.check.out_level.val();
        self.checker.in_word.next = self.in_phy_data.val();
        self.prbs_reports.in_reset.next = !self.check.out_level.val();
        self.prbs_reports.in_valid.next = self.checker.out_report.val();
        self.prbs_reports.in_data.next = self.checker.out_count.val();
        self.is_aligned.reset.next = self.rx_reset.val();
        self.is_aligned.enable.next = true;
        self.is_aligned.d.next = self.deskew.out_aligned.val();

        // What comes over.
        self.was_reset.in_level.next = self.receiver_reset.out_level.val();
        self.aligned.in_level.next = self.is_aligned.q.val();
        self.overflow.in_level.next = self.elastic.out_overflow.val();
        self.phy_up.in_level.next = self.in_phy_up.val();
        self.reports.reset.next = self.reset.val() | self.control.out_receiver_reset.val();
        self.prbs_reports.reset.next = self.reset.val();
        self.elastic.reset.next = self.reset.val() | self.control.out_receiver_reset.val();
        self.elastic.in_take.next = self.in_receive.val();
        self.data.d.next = self.elastic.out_data.val();
        self.valid.reset.next = self.reset.val();
        self.valid.enable.next = true;
        self.valid.d.next = self.in_receive.val() & self.elastic.out_valid.val();
        self.out_data.next = self.data.q.val();
        self.out_valid.next = self.valid.q.val();

        // Control.
        self.control.reset.next = self.reset.val();
        self.control.in_enable.next = self.in_enable.val() & !self.prbs.q.val();
        self.control.in_phy_up.next = self.phy_up.out_level.val();
        self.control.in_receiver_reset.next = self.was_reset.out_level.val();
        self.control.in_aligned.next = self.aligned.out_level.val();
        self.control.in_report.next = self.reports.out_valid.val();
        self.control.in_good.next = self.status.out_good.val();
        self.control.in_peer.next = self.reports.out_data.val().get_bits::<2>(12);
        self.out_state.next = self.control.out_state.val();

        self.hac.reset.next = self.reset.val();
        self.hac.in_down.next = self.control.out_receiver_reset.val();
        self.hac.in_child.next = self.in_child.val();
        self.hac.in_report.next = self.status.out_good.val();
        self.hac.in_control.next = self.reports.out_data.val().get_bits::<16>(0);
        self.hac.in_sampled.next = self.framer.out_sampled.val();
        self.out_hac.next = self.hac.out_hac.val();

        self.program.reset.next = self.reset.val();
        self.program.in_hac.next = self.hac.out_hac.val();
        self.program.in_deskew.next = self.in_deskew.val();
        self.program.in_runtime_deskew.next = self.in_runtime_deskew.val();
        self.program.in_wait.next = self.in_wait.val();
        self.out_go.next = self.program.out_go.val();

        self.state.next = bit_cast::<16, 2>(self.control.out_state.val());
        if self.aligned.out_level.val() {
            self.state.next = self.state.val() | 4;
        }
        if self.phy_up.out_level.val() {
            self.state.next = self.state.val() | 8;
        }
        for i in 0..self._lanes {
            if self.locked[i].out_level.val() {
                self.state.next = self.state.val() | self.lane_bit[i].val();
            }
        }
        self.status.reset.next = self.reset.val();
        self.status.in_clear.next = self.in_clear.val();
        self.status.in_report.next = self.reports.out_valid.val();
        self.status.in_content.next = self.reports.out_data.val();
        self.status.in_overflow.next =
            self.overflow.out_level.val() & !self.control.out_receiver_reset.val();
        self.status.in_empty.next = self.in_receive.val() & !self.elastic.out_valid.val();
        self.status.in_refused.next = self.framer.out_refused.val();
        self.status.in_drop.next = self.control.out_drop.val();
        self.status.in_reason.next = self.control.out_reason.val();
        self.status.in_late.next = self.program.out_late.val();
        self.status.in_prbs.next = 0.into();
        if self.prbs_reports.out_valid.val() {
            self.status.in_prbs.next = self.prbs_reports.out_data.val();
        }
        self.status.in_state.next = self.state.val();
        self.status.in_hac.next = self.hac.out_hac.val();
        self.status.in_offset.next = self.hac.out_offset.val();
        self.status.in_latency.next = self.hac.out_latency.val();
        self.status.in_address.next = self.in_address.val();
        self.out_status.next = self.status.out_data.val();
        self.out_fault.next = self.status.out_fault.val();
    }
}
