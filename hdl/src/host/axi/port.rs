//! The AXI side as a whole.

use super::{
    ID_BITS, Interrupts, REGISTER_BITS, ReadWindow, RegisterPort, RequestPipe, WINDOW_BITS,
    WriteWindow,
};
use crate::info::Info;
use crate::prim::Flop;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The AXI side as a whole: AXI4-Lite registers and AXI4 window on one side, the host port of a tile on the other.
///
/// ```text
/// s_axil ----> RegisterPort ----+
/// s_axi AR --> ReadWindow ------+--> RequestPipe --> out_host_*, answers on in_host_* 8 cycles later
/// s_axi AW/W > WriteWindow -----+         |
///        R, B <-------------- answers ----+            out_interrupt <-- Interrupts
/// ```
///
/// The ports are those of the standard (ARM IHI 0022) without the optional AxLOCK, AxCACHE, AxPROT, AxQOS and AxREGION: exclusive
/// accesses are answered OKAY, as by every slave that does not know them. Ready is low in reset and one cycle after.
///
/// Throughput: one 64-bit beat a cycle, read or write, of bursts of any length; together they share one beat a cycle. `docs/host.md`
/// is its specification.
#[derive(LogicBlock)]
pub struct AxiPort {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Register write: byte address.
    pub s_axil_awaddr: Signal<In, Bits<REGISTER_BITS>>,
    /// Register write: there is an address.
    pub s_axil_awvalid: Signal<In, Bit>,
    /// Register write: it is taken.
    pub s_axil_awready: Signal<Out, Bit>,
    /// Register write: word.
    pub s_axil_wdata: Signal<In, Bits<32>>,
    /// Register write: bytes.
    pub s_axil_wstrb: Signal<In, Bits<4>>,
    /// Register write: there is a word.
    pub s_axil_wvalid: Signal<In, Bit>,
    /// Register write: it is taken.
    pub s_axil_wready: Signal<Out, Bit>,
    /// Register write: response.
    pub s_axil_bresp: Signal<Out, Bits<2>>,
    /// Register write: there is a response.
    pub s_axil_bvalid: Signal<Out, Bit>,
    /// Register write: it is taken.
    pub s_axil_bready: Signal<In, Bit>,
    /// Register read: byte address.
    pub s_axil_araddr: Signal<In, Bits<REGISTER_BITS>>,
    /// Register read: there is an address.
    pub s_axil_arvalid: Signal<In, Bit>,
    /// Register read: it is taken.
    pub s_axil_arready: Signal<Out, Bit>,
    /// Register read: word.
    pub s_axil_rdata: Signal<Out, Bits<32>>,
    /// Register read: response.
    pub s_axil_rresp: Signal<Out, Bits<2>>,
    /// Register read: there is a word.
    pub s_axil_rvalid: Signal<Out, Bit>,
    /// Register read: it is taken.
    pub s_axil_rready: Signal<In, Bit>,
    /// Write: identifier.
    pub s_axi_awid: Signal<In, Bits<ID_BITS>>,
    /// Write: byte address.
    pub s_axi_awaddr: Signal<In, Bits<WINDOW_BITS>>,
    /// Write: beats - 1.
    pub s_axi_awlen: Signal<In, Bits<8>>,
    /// Write: bytes of a beat, as a power of two.
    pub s_axi_awsize: Signal<In, Bits<3>>,
    /// Write: 0 FIXED, 1 INCR, 2 WRAP.
    pub s_axi_awburst: Signal<In, Bits<2>>,
    /// Write: there is an address.
    pub s_axi_awvalid: Signal<In, Bit>,
    /// Write: it is taken.
    pub s_axi_awready: Signal<Out, Bit>,
    /// Write: data.
    pub s_axi_wdata: Signal<In, Bits<64>>,
    /// Write: bytes.
    pub s_axi_wstrb: Signal<In, Bits<8>>,
    /// Write: last beat.
    pub s_axi_wlast: Signal<In, Bit>,
    /// Write: there is a beat.
    pub s_axi_wvalid: Signal<In, Bit>,
    /// Write: it is taken.
    pub s_axi_wready: Signal<Out, Bit>,
    /// Write: identifier of the response.
    pub s_axi_bid: Signal<Out, Bits<ID_BITS>>,
    /// Write: response.
    pub s_axi_bresp: Signal<Out, Bits<2>>,
    /// Write: there is a response.
    pub s_axi_bvalid: Signal<Out, Bit>,
    /// Write: it is taken.
    pub s_axi_bready: Signal<In, Bit>,
    /// Read: identifier.
    pub s_axi_arid: Signal<In, Bits<ID_BITS>>,
    /// Read: byte address.
    pub s_axi_araddr: Signal<In, Bits<WINDOW_BITS>>,
    /// Read: beats - 1.
    pub s_axi_arlen: Signal<In, Bits<8>>,
    /// Read: bytes of a beat, as a power of two.
    pub s_axi_arsize: Signal<In, Bits<3>>,
    /// Read: 0 FIXED, 1 INCR, 2 WRAP.
    pub s_axi_arburst: Signal<In, Bits<2>>,
    /// Read: there is an address.
    pub s_axi_arvalid: Signal<In, Bit>,
    /// Read: it is taken.
    pub s_axi_arready: Signal<Out, Bit>,
    /// Read: identifier.
    pub s_axi_rid: Signal<Out, Bits<ID_BITS>>,
    /// Read: data.
    pub s_axi_rdata: Signal<Out, Bits<64>>,
    /// Read: response.
    pub s_axi_rresp: Signal<Out, Bits<2>>,
    /// Read: last beat.
    pub s_axi_rlast: Signal<Out, Bit>,
    /// Read: there is a beat.
    pub s_axi_rvalid: Signal<Out, Bit>,
    /// Read: it is taken.
    pub s_axi_rready: Signal<In, Bit>,
    /// Host port: there is a request.
    pub out_host_valid: Signal<Out, Bit>,
    /// Host port: it writes.
    pub out_host_write: Signal<Out, Bit>,
    /// Host port: its address.
    pub out_host_address: Signal<Out, Bits<32>>,
    /// Host port: what it writes.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// Host port: the answer is an error.
    pub in_host_error: Signal<In, Bit>,
    /// Host port: what was read.
    pub in_host_data: Signal<In, Bits<64>>,
    /// A launch is going on.
    pub in_busy: Signal<In, Bit>,
    /// Some unit has a fault.
    pub in_fault: Signal<In, Bit>,
    /// The interrupt line.
    pub out_interrupt: Signal<Out, Bit>,
    registers: RegisterPort,
    reads: ReadWindow,
    writes: WriteWindow,
    pipe: RequestPipe,
    interrupts: Interrupts,
    /// Channels take what comes.
    open: Flop<Bit>,
    info: Info,
}

impl AxiPort {
    /// The AXI side of this machine.
    pub fn new(config: &Config) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            s_axil_awaddr: Signal::default(),
            s_axil_awvalid: Signal::default(),
            s_axil_awready: Signal::default(),
            s_axil_wdata: Signal::default(),
            s_axil_wstrb: Signal::default(),
            s_axil_wvalid: Signal::default(),
            s_axil_wready: Signal::default(),
            s_axil_bresp: Signal::default(),
            s_axil_bvalid: Signal::default(),
            s_axil_bready: Signal::default(),
            s_axil_araddr: Signal::default(),
            s_axil_arvalid: Signal::default(),
            s_axil_arready: Signal::default(),
            s_axil_rdata: Signal::default(),
            s_axil_rresp: Signal::default(),
            s_axil_rvalid: Signal::default(),
            s_axil_rready: Signal::default(),
            s_axi_awid: Signal::default(),
            s_axi_awaddr: Signal::default(),
            s_axi_awlen: Signal::default(),
            s_axi_awsize: Signal::default(),
            s_axi_awburst: Signal::default(),
            s_axi_awvalid: Signal::default(),
            s_axi_awready: Signal::default(),
            s_axi_wdata: Signal::default(),
            s_axi_wstrb: Signal::default(),
            s_axi_wlast: Signal::default(),
            s_axi_wvalid: Signal::default(),
            s_axi_wready: Signal::default(),
            s_axi_bid: Signal::default(),
            s_axi_bresp: Signal::default(),
            s_axi_bvalid: Signal::default(),
            s_axi_bready: Signal::default(),
            s_axi_arid: Signal::default(),
            s_axi_araddr: Signal::default(),
            s_axi_arlen: Signal::default(),
            s_axi_arsize: Signal::default(),
            s_axi_arburst: Signal::default(),
            s_axi_arvalid: Signal::default(),
            s_axi_arready: Signal::default(),
            s_axi_rid: Signal::default(),
            s_axi_rdata: Signal::default(),
            s_axi_rresp: Signal::default(),
            s_axi_rlast: Signal::default(),
            s_axi_rvalid: Signal::default(),
            s_axi_rready: Signal::default(),
            out_host_valid: Signal::default(),
            out_host_write: Signal::default(),
            out_host_address: Signal::default(),
            out_host_data: Signal::default(),
            in_host_error: Signal::default(),
            in_host_data: Signal::default(),
            in_busy: Signal::default(),
            in_fault: Signal::default(),
            out_interrupt: Signal::default(),
            registers: RegisterPort::new(config),
            reads: ReadWindow::new(config),
            writes: WriteWindow::new(config),
            pipe: RequestPipe::new(),
            interrupts: Interrupts::new(),
            open: Flop::default(),
            info: Info::new("axi_port", file!())
                .summary("AXI4-Lite registers and AXI4 window in front of the host port"),
        }
    }
}

impl Logic for AxiPort {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self, clock, registers, reads, writes, pipe, interrupts, open
        );
        self.registers.reset.next = self.reset.val();
        self.reads.reset.next = self.reset.val();
        self.writes.reset.next = self.reset.val();
        self.pipe.reset.next = self.reset.val();
        self.interrupts.reset.next = self.reset.val();
        self.open.reset.next = self.reset.val();
        self.open.enable.next = true;
        self.open.d.next = true;

        // AXI.
        self.registers.in_aw_address.next = self.s_axil_awaddr.val();
        self.registers.in_aw_valid.next = self.s_axil_awvalid.val() & self.open.q.val();
        self.s_axil_awready.next = self.registers.out_aw_ready.val() & self.open.q.val();
        self.registers.in_w_data.next = self.s_axil_wdata.val();
        self.registers.in_w_strobes.next = self.s_axil_wstrb.val();
        self.registers.in_w_valid.next = self.s_axil_wvalid.val() & self.open.q.val();
        self.s_axil_wready.next = self.registers.out_w_ready.val() & self.open.q.val();
        self.s_axil_bresp.next = self.registers.out_b_response.val();
        self.s_axil_bvalid.next = self.registers.out_b_valid.val();
        self.registers.in_b_ready.next = self.s_axil_bready.val();
        self.registers.in_ar_address.next = self.s_axil_araddr.val();
        self.registers.in_ar_valid.next = self.s_axil_arvalid.val() & self.open.q.val();
        self.s_axil_arready.next = self.registers.out_ar_ready.val() & self.open.q.val();
        self.s_axil_rdata.next = self.registers.out_r_data.val();
        self.s_axil_rresp.next = self.registers.out_r_response.val();
        self.s_axil_rvalid.next = self.registers.out_r_valid.val();
        self.registers.in_r_ready.next = self.s_axil_rready.val();
        self.writes.in_aw_id.next = self.s_axi_awid.val();
        self.writes.in_aw_address.next = self.s_axi_awaddr.val();
        self.writes.in_aw_length.next = self.s_axi_awlen.val();
        self.writes.in_aw_size.next = self.s_axi_awsize.val();
        self.writes.in_aw_burst.next = self.s_axi_awburst.val();
        self.writes.in_aw_valid.next = self.s_axi_awvalid.val() & self.open.q.val();
        self.s_axi_awready.next = self.writes.out_aw_ready.val() & self.open.q.val();
        self.writes.in_w_data.next = self.s_axi_wdata.val();
        self.writes.in_w_strobes.next = self.s_axi_wstrb.val();
        self.writes.in_w_last.next = self.s_axi_wlast.val();
        self.writes.in_w_valid.next = self.s_axi_wvalid.val() & self.open.q.val();
        self.s_axi_wready.next = self.writes.out_w_ready.val() & self.open.q.val();
        self.s_axi_bid.next = self.writes.out_b_id.val();
        self.s_axi_bresp.next = self.writes.out_b_response.val();
        self.s_axi_bvalid.next = self.writes.out_b_valid.val();
        self.writes.in_b_ready.next = self.s_axi_bready.val();
        self.reads.in_ar_id.next = self.s_axi_arid.val();
        self.reads.in_ar_address.next = self.s_axi_araddr.val();
        self.reads.in_ar_length.next = self.s_axi_arlen.val();
        self.reads.in_ar_size.next = self.s_axi_arsize.val();
        self.reads.in_ar_burst.next = self.s_axi_arburst.val();
        self.reads.in_ar_valid.next = self.s_axi_arvalid.val() & self.open.q.val();
        self.s_axi_arready.next = self.reads.out_ar_ready.val() & self.open.q.val();
        self.s_axi_rid.next = self.reads.out_r_id.val();
        self.s_axi_rdata.next = self.reads.out_r_data.val();
        self.s_axi_rresp.next = self.reads.out_r_response.val();
        self.s_axi_rlast.next = self.reads.out_r_last.val();
        self.s_axi_rvalid.next = self.reads.out_r_valid.val();
        self.reads.in_r_ready.next = self.s_axi_rready.val();

        // Requests.
        self.pipe.in_register.next = self.registers.out_request.val();
        self.pipe.in_register_write.next = self.registers.out_write.val();
        self.pipe.in_register_address.next = self.registers.out_address.val();
        self.pipe.in_register_data.next = self.registers.out_data.val();
        self.registers.in_grant.next = self.pipe.out_register_grant.val();
        self.pipe.in_read.next = self.reads.out_request.val();
        self.pipe.in_read_access.next = self.reads.out_access.val();
        self.pipe.in_read_address.next = self.reads.out_address.val();
        self.pipe.in_read_response.next = self.reads.out_response.val();
        self.pipe.in_read_byte.next = self.reads.out_byte.val();
        self.pipe.in_read_id.next = self.reads.out_id.val();
        self.pipe.in_read_last.next = self.reads.out_last.val();
        self.reads.in_grant.next = self.pipe.out_read_grant.val();
        self.pipe.in_write.next = self.writes.out_request.val();
        self.pipe.in_write_kind.next = self.writes.out_kind.val();
        self.pipe.in_write_access.next = self.writes.out_access.val();
        self.pipe.in_write_address.next = self.writes.out_address.val();
        self.pipe.in_write_data.next = self.writes.out_data.val();
        self.pipe.in_write_response.next = self.writes.out_response.val();
        self.pipe.in_write_byte.next = self.writes.out_byte.val();
        self.pipe.in_write_id.next = self.writes.out_id.val();
        self.pipe.in_write_last.next = self.writes.out_last.val();
        self.writes.in_grant.next = self.pipe.out_write_grant.val();
        self.out_host_valid.next = self.pipe.out_host_valid.val();
        self.out_host_write.next = self.pipe.out_host_write.val();
        self.out_host_address.next = self.pipe.out_host_address.val();
        self.out_host_data.next = self.pipe.out_host_data.val();

        // Answers.
        self.pipe.in_host_error.next = self.in_host_error.val();
        self.pipe.in_host_data.next = self.in_host_data.val();
        self.registers.in_answer.next = self.pipe.out_register.val();
        self.registers.in_answer_data.next = self.pipe.out_data.val();
        self.registers.in_answer_response.next = self.pipe.out_response.val();
        self.reads.in_answer.next = self.pipe.out_read.val();
        self.reads.in_answer_data.next = self.pipe.out_data.val();
        self.reads.in_answer_response.next = self.pipe.out_response.val();
        self.reads.in_answer_id.next = self.pipe.out_id.val();
        self.reads.in_answer_last.next = self.pipe.out_last.val();
        self.writes.in_answer.next = self.pipe.out_write.val();
        self.writes.in_answer_merge.next = self.pipe.out_merge.val();
        self.writes.in_answer_data.next = self.pipe.out_data.val();
        self.writes.in_answer_response.next = self.pipe.out_response.val();
        self.writes.in_answer_id.next = self.pipe.out_id.val();
        self.writes.in_answer_last.next = self.pipe.out_last.val();

        // Interrupts.
        self.interrupts.in_busy.next = self.in_busy.val();
        self.interrupts.in_fault.next = self.in_fault.val();
        self.interrupts.in_window.next = (self.pipe.out_read.val() | self.pipe.out_write.val())
            & self.pipe.out_response.val().any();
        self.interrupts.in_window_write.next = self.pipe.out_write.val();
        self.interrupts.in_window_decode.next = self.pipe.out_response.val() == 3;
        self.interrupts.in_window_byte.next = self.pipe.out_byte.val();
        self.interrupts.in_register.next = self.registers.out_refused.val();
        self.interrupts.in_register_write.next = self.registers.out_refused_write.val();
        self.interrupts.in_register_decode.next = self.registers.out_refused_decode.val();
        self.interrupts.in_register_byte.next = self.registers.out_refused_byte.val();
        self.interrupts.in_local.next = self.registers.out_local.val();
        self.interrupts.in_local_write.next = self.registers.out_local_write.val();
        self.interrupts.in_local_data.next = self.registers.out_local_data.val();
        self.registers.in_local_data.next = self.interrupts.out_local_data.val();
        self.out_interrupt.next = self.interrupts.out_interrupt.val();
    }
}
