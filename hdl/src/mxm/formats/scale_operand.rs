//! The second operand of LX and MM: the scales of an activation.

use crate::ecc::SecdedDecoder;
use crate::info::Info;
use crate::prim::{Flop, MuxRegister, Pipe, PipeEnable, SramBank};
use crate::stream::OperandSelect;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The second operand of LX and MM, codeword 0 of a stream or of the operand buffer: the scales of an activation.
///
/// ```text
/// cycle          t         t+1       t+2        t+3       t+4
/// from a stream  in_issue            decode               out_valid, out_data
/// from a buffer  in_buffer operand   decode               the same
/// LX             in_issue            in_write
/// fault                              out_missing          out_uncorrectable
/// ```
///
/// Beside [`Compute`](crate::mxm::Compute), which says what issues and what its own operand allows. `out_present` is high in t+2 unless the operation
/// asked for scales that were not there.
///
/// Parameters: S streams, X rows. Latency: `SELECT_LATENCY` + `SECDED_LATENCY`. Reset clears what is under way.
#[derive(LogicBlock)]
pub struct ScaleOperand {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// An operation with scales from a stream issues.
    pub in_issue: Signal<In, Bit>,
    /// Its stream, one-hot.
    pub in_select: Signal<In, Bits<64>>,
    /// An MM from the buffer, with scales, issues.
    pub in_buffer: Signal<In, Bit>,
    /// Its row.
    pub in_row: Signal<In, Bits<16>>,
    /// The LX that writes in this cycle writes that row.
    pub in_hit: Signal<In, Bit>,
    /// t+2: an LX writes the buffer, if it has scales those too.
    pub in_write: Signal<In, Bit>,
    /// Its row.
    pub in_write_row: Signal<In, Bits<16>>,
    /// t+2: an MM from a stream has its first operand.
    pub in_multiply: Signal<In, Bit>,
    /// Codeword 0 of the eastward streams.
    pub in_east_data: Vec<Signal<In, Bits<64>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<8>>>,
    /// Their valid bits.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// t+2: scales were asked for and not there.
    pub out_missing: Signal<Out, Bit>,
    /// t+2: scales were there, or not asked for.
    pub out_present: Signal<Out, Bit>,
    /// t+4: the activation has scales.
    pub out_valid: Signal<Out, Bit>,
    /// t+4: the scales.
    pub out_data: Signal<Out, Bits<64>>,
    /// t+4: codewords corrected.
    pub out_corrected: Signal<Out, Bits<8>>,
    /// t+4: uncorrectable codewords.
    pub out_uncorrectable: Signal<Out, Bits<8>>,
    select: OperandSelect<8, 64>,
    buffer_data: SramBank<64>,
    buffer_check: SramBank<8>,
    written_data: PipeEnable<Bits<64>>,
    written_check: PipeEnable<Bits<8>>,
    buffered_data: MuxRegister<Bits<64>>,
    buffered_check: MuxRegister<Bits<8>>,
    decoder: SecdedDecoder<8, 64>,
    issue_1: Flop<Bit>,
    issue_2: Flop<Bit>,
    buffer_1: Flop<Bit>,
    buffer_2: Flop<Bit>,
    forward: Pipe<Bits<6>>,
    write: Signal<Local, Bit>,
    hit: Signal<Local, Bit>,
    info: Info,
    _streams: usize,
}

impl ScaleOperand {
    /// For the planes of this machine.
    pub fn new(config: &Config) -> Self {
        let (streams, rows) = (config.streams, config.mxm.operand_depth);
        fn many<T: Default>(count: usize) -> Vec<T> {
            (0..count).map(|_| T::default()).collect()
        }
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_issue: Signal::default(),
            in_select: Signal::default(),
            in_buffer: Signal::default(),
            in_row: Signal::default(),
            in_hit: Signal::default(),
            in_write: Signal::default(),
            in_write_row: Signal::default(),
            in_multiply: Signal::default(),
            in_east_data: many(streams),
            in_east_check: many(streams),
            in_east_valid: many(streams),
            out_missing: Signal::default(),
            out_present: Signal::default(),
            out_valid: Signal::default(),
            out_data: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            select: OperandSelect::new(streams),
            buffer_data: SramBank::new(rows).without_collisions(),
            buffer_check: SramBank::new(rows).without_collisions(),
            written_data: PipeEnable::default(),
            written_check: PipeEnable::default(),
            buffered_data: MuxRegister::new(2),
            buffered_check: MuxRegister::new(2),
            decoder: SecdedDecoder::default(),
            issue_1: Flop::default(),
            issue_2: Flop::default(),
            buffer_1: Flop::default(),
            buffer_2: Flop::default(),
            forward: Pipe::default(),
            write: Signal::default(),
            hit: Signal::default(),
            info: Info::new("mxm_scale_operand", file!())
                .summary("Second operand of LX and MM: scales of an activation")
                .param("STREAMS", streams)
                .param("ROWS", rows)
                .port("in_issue", "t: from a stream")
                .port("in_select", "one-hot by code")
                .unused("in_select")
                .port("in_buffer", "t: from the buffer")
                .port("in_hit", "t: the row is being written")
                .port("in_write", "t+2: LX writes the buffer")
                .port("in_multiply", "t+2: MM has its first operand")
                .port("in_east_data", "codeword 0")
                .port("out_missing", "t+2: asked for, but not there")
                .port("out_present", "t+2: there, or not asked for")
                .port("out_valid", "t+4: the activation has scales"),
            _streams: streams,
        }
    }
}

impl Logic for ScaleOperand {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            select,
            buffer_data,
            buffer_check,
            written_data,
            written_check,
            buffered_data,
            buffered_check,
            decoder,
            issue_1,
            issue_2,
            buffer_1,
            buffer_2,
            forward
        );
        self.select.reset.next = self.reset.val();
        self.decoder.reset.next = self.reset.val();
        self.issue_1.reset.next = self.reset.val();
        self.issue_2.reset.next = self.reset.val();
        self.buffer_1.reset.next = self.reset.val();
        self.buffer_2.reset.next = self.reset.val();
        self.issue_1.enable.next = true;
        self.issue_2.enable.next = true;
        self.buffer_1.enable.next = true;
        self.buffer_2.enable.next = true;

        // t, t+1
        for s in 0..self._streams {
            self.select.in_data[s].next = self.in_east_data[s].val();
            self.select.in_check[s].next = self.in_east_check[s].val();
            self.select.in_valid[s].next = self.in_east_valid[s].val();
        }
        self.select.in_select.next = self.in_select.val();
        self.select.in_enable.next = self.in_issue.val();
        self.issue_1.d.next = self.in_issue.val();
        self.issue_2.d.next = self.issue_1.q.val();
        self.buffer_1.d.next = self.in_buffer.val();
        self.buffer_2.d.next = self.buffer_1.q.val();

        // LX, t+2: write the buffer.
        self.write.next = self.in_write.val() & self.select.out_valid.val();
        self.buffer_data.write_enable.next = self.write.val();
        self.buffer_data.write_address.next = self.in_write_row.val();
        self.buffer_data.write_data.next = self.select.out_data.val();
        self.buffer_check.write_enable.next = self.write.val();
        self.buffer_check.write_address.next = self.in_write_row.val();
        self.buffer_check.write_data.next = self.select.out_check.val();

        // MM, t: read the buffer, or what is being written to that row; t+1: either into the operand.
        self.buffer_data.read_enable.next = self.in_buffer.val();
        self.buffer_data.read_address.next = self.in_row.val();
        self.buffer_check.read_enable.next = self.in_buffer.val();
        self.buffer_check.read_address.next = self.in_row.val();
        self.hit.next = self.in_hit.val() & self.write.val();
        self.written_data.enable.next = self.in_buffer.val() & self.hit.val();
        self.written_data.d.next = self.select.out_data.val();
        self.written_check.enable.next = self.in_buffer.val() & self.hit.val();
        self.written_check.d.next = self.select.out_check.val();
        self.forward.d.next = 0.into();
        if self.hit.val() {
            self.forward.d.next = 1.into();
        }
        self.buffered_data.enable.next = self.buffer_1.q.val();
        self.buffered_data.select.next = self.forward.q.val();
        self.buffered_data.d[0].next = self.buffer_data.read_data.val();
        self.buffered_data.d[1].next = self.written_data.q.val();
        self.buffered_check.enable.next = self.buffer_1.q.val();
        self.buffered_check.select.next = self.forward.q.val();
        self.buffered_check.d[0].next = self.buffer_check.read_data.val();
        self.buffered_check.d[1].next = self.written_check.q.val();

        // t+2: decode.
        self.out_missing.next = self.select.out_missing.val();
        self.out_present.next = self.select.out_valid.val() | !self.issue_2.q.val();
        self.decoder.in_valid.next =
            self.buffer_2.q.val() | (self.in_multiply.val() & self.select.out_valid.val());
        self.decoder.in_data.next = self.select.out_data.val();
        self.decoder.in_check.next = self.select.out_check.val();
        if self.buffer_2.q.val() {
            self.decoder.in_data.next = self.buffered_data.q.val();
            self.decoder.in_check.next = self.buffered_check.q.val();
        }

        // t+4
        self.out_valid.next = self.decoder.out_valid.val();
        self.out_data.next = self.decoder.out_data.val();
        self.out_corrected.next = bit_cast::<8, 4>(self.decoder.out_corrected.val());
        self.out_uncorrectable.next = bit_cast::<8, 4>(self.decoder.out_uncorrectable.val());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecc::matrix;
    use crate::prim::testing::cycle;

    const SCALES: u64 = 0x0038_4858;

    fn step(operand: &mut ScaleOperand) {
        cycle(operand, |operand, level| {
            operand.clock.next = Clock::from(level)
        });
        operand.in_issue.next = false;
        operand.in_buffer.next = false;
        operand.in_write.next = false;
        operand.in_multiply.next = false;
    }

    fn operand() -> ScaleOperand {
        let mut operand = ScaleOperand::new(&Config::preset("nano").unwrap());
        operand.connect_all();
        operand.in_east_valid[3].next = true;
        operand.in_east_data[3].next = Bits::from(SCALES ^ 1);
        operand.in_east_check[3].next = Bits::from(u64::from(matrix::checks(SCALES)));
        operand
    }

    fn issue(operand: &mut ScaleOperand, stream: u32) {
        operand.in_issue.next = true;
        operand.in_select.next = Bits::from(1u64 << stream);
        step(operand);
        step(operand);
    }

    #[test]
    fn scales_of_a_stream_are_visible_four_cycles_later() {
        let mut operand = operand();
        issue(&mut operand, 3);
        assert!(operand.out_present.val() && !operand.out_missing.val());
        operand.in_multiply.next = true;
        step(&mut operand);
        step(&mut operand);
        assert!(operand.out_valid.val());
        assert_eq!(operand.out_data.val().to_u64(), SCALES);
        assert_eq!(operand.out_corrected.val().to_u64(), 1);
        step(&mut operand);
        assert!(!operand.out_valid.val());
    }

    #[test]
    fn scales_that_are_not_there_are_missing() {
        let mut operand = operand();
        issue(&mut operand, 4);
        assert!(!operand.out_present.val() && operand.out_missing.val());
    }

    #[test]
    fn an_lx_whose_scales_are_missing_leaves_the_row_alone() {
        let mut operand = operand();
        for stream in [3, 4] {
            issue(&mut operand, stream);
            operand.in_write.next = true;
            operand.in_write_row.next = Bits::from(5);
            step(&mut operand);
        }
        operand.in_row.next = Bits::from(5);
        operand.in_buffer.next = true;
        for _ in 0..4 {
            step(&mut operand);
        }
        assert!(operand.out_valid.val());
        assert_eq!(operand.out_data.val().to_u64(), SCALES);
    }

    #[test]
    fn a_row_keeps_its_scales_and_gives_those_being_written() {
        let mut operand = operand();
        for hit in [true, false] {
            issue(&mut operand, 3);
            // t+2 of the LX; an MM reads the row in the same cycle, then in a later one.
            operand.in_write.next = true;
            operand.in_write_row.next = Bits::from(5);
            operand.in_row.next = Bits::from(5);
            operand.in_hit.next = hit;
            operand.in_buffer.next = hit;
            step(&mut operand);
            if !hit {
                operand.in_buffer.next = true;
                step(&mut operand);
            }
            for _ in 0..3 {
                step(&mut operand);
            }
            assert!(operand.out_valid.val(), "hit {hit}");
            assert_eq!(operand.out_data.val().to_u64(), SCALES);
        }
    }
}
