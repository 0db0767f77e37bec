//! The tile behind AXI: the top module `lpu_axi`.

use super::Tile;
use crate::host::axi::{AxiPort, ID_BITS, REGISTER_BITS, ResetHold, WINDOW_BITS};
use crate::info::Info;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// The tile behind AXI: the top module `lpu_axi`.
///
/// ```text
/// s_axil, s_axi ---- AxiPort ---- host port ---- Tile
/// reset ------------ ResetHold ---- reset of both, 32 cycles longer
/// ```
///
/// For those who integrate the tile; `docs/host.md` is its specification. Parameters: those of [`Tile`].
#[derive(LogicBlock)]
pub struct AxiTile<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; a cycle is enough.
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
    /// The interrupt line, high while an interrupt that is enabled is raw.
    pub out_interrupt: Signal<Out, Bit>,
    /// A launch is going on.
    pub out_busy: Signal<Out, Bit>,
    /// Some unit has a fault.
    pub out_fault: Signal<Out, Bit>,
    /// Each link: the flit of the RECEIVE one cycle ago is there.
    pub in_c2c_valid: Vec<Signal<In, Bit>>,
    /// The flit.
    pub in_c2c_data: Vec<Signal<In, Bits<V>>>,
    /// Each link: takes a flit.
    pub out_c2c_receive: Vec<Signal<Out, Bit>>,
    /// Each link: a flit for it.
    pub out_c2c_send: Vec<Signal<Out, Bit>>,
    /// The flit.
    pub out_c2c_data: Vec<Signal<Out, Bits<V>>>,
    /// Each link: lets the program go on.
    pub in_c2c_go: Vec<Signal<In, Bit>>,
    /// Each link: a DESKEW issues.
    pub out_c2c_deskew: Vec<Signal<Out, Bit>>,
    /// Each link: a RUNTIME_DESKEW issues.
    pub out_c2c_runtime_deskew: Vec<Signal<Out, Bit>>,
    /// Its wait.
    pub out_c2c_wait: Vec<Signal<Out, Bits<16>>>,
    hold: ResetHold,
    port: AxiPort,
    tile: Tile<L, V>,
    /// Answers come after a fixed time.
    unused_valid: Signal<Local, Bit>,
    info: Info,
    _links: usize,
}

impl<const L: usize, const V: usize> AxiTile<L, V> {
    /// The tile of this machine behind AXI.
    pub fn new(config: &Config) -> Self {
        let links = config.links();
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
            out_interrupt: Signal::default(),
            out_busy: Signal::default(),
            out_fault: Signal::default(),
            in_c2c_valid: (0..links).map(|_| Signal::default()).collect(),
            in_c2c_data: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_receive: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_send: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_data: (0..links).map(|_| Signal::default()).collect(),
            in_c2c_go: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_deskew: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_runtime_deskew: (0..links).map(|_| Signal::default()).collect(),
            out_c2c_wait: (0..links).map(|_| Signal::default()).collect(),
            hold: ResetHold::new(),
            port: AxiPort::new(config),
            tile: Tile::new(config),
            unused_valid: Signal::default(),
            info: Info::new("axi", file!())
                .summary(&format!(
                    "Language Processing Unit behind AXI, configuration {}",
                    config.name
                ))
                .port("reset", "synchronous, active high; one cycle is enough")
                .port("s_axil_awaddr", "register write: byte address")
                .port("s_axil_awvalid", "register write: there is an address")
                .port("s_axil_awready", "register write: it is taken")
                .port("s_axil_wdata", "register write: word")
                .port("s_axil_wstrb", "register write: bytes")
                .port("s_axil_wvalid", "register write: there is a word")
                .port("s_axil_wready", "register write: it is taken")
                .port("s_axil_bresp", "register write: response")
                .port("s_axil_bvalid", "register write: there is a response")
                .port("s_axil_bready", "register write: it is taken")
                .port("s_axil_araddr", "register read: byte address")
                .port("s_axil_arvalid", "register read: there is an address")
                .port("s_axil_arready", "register read: it is taken")
                .port("s_axil_rdata", "register read: word")
                .port("s_axil_rresp", "register read: response")
                .port("s_axil_rvalid", "register read: there is a word")
                .port("s_axil_rready", "register read: it is taken")
                .port("s_axi_awid", "write: identifier")
                .port("s_axi_awaddr", "write: byte address")
                .port("s_axi_awlen", "write: beats - 1")
                .port("s_axi_awsize", "write: bytes of a beat, as a power of two")
                .port("s_axi_awburst", "write: 0 FIXED, 1 INCR, 2 WRAP")
                .port("s_axi_awvalid", "write: there is an address")
                .port("s_axi_awready", "write: it is taken")
                .port("s_axi_wdata", "write: data")
                .port("s_axi_wstrb", "write: bytes")
                .port("s_axi_wlast", "write: last beat")
                .port("s_axi_wvalid", "write: there is a beat")
                .port("s_axi_wready", "write: it is taken")
                .port("s_axi_bid", "write: identifier of the response")
                .port("s_axi_bresp", "write: response")
                .port("s_axi_bvalid", "write: there is a response")
                .port("s_axi_bready", "write: it is taken")
                .port("s_axi_arid", "read: identifier")
                .port("s_axi_araddr", "read: byte address")
                .port("s_axi_arlen", "read: beats - 1")
                .port("s_axi_arsize", "read: bytes of a beat, as a power of two")
                .port("s_axi_arburst", "read: 0 FIXED, 1 INCR, 2 WRAP")
                .port("s_axi_arvalid", "read: there is an address")
                .port("s_axi_arready", "read: it is taken")
                .port("s_axi_rid", "read: identifier")
                .port("s_axi_rdata", "read: data")
                .port("s_axi_rresp", "read: response")
                .port("s_axi_rlast", "read: last beat")
                .port("s_axi_rvalid", "read: there is a beat")
                .port("s_axi_rready", "read: it is taken")
                .port(
                    "out_interrupt",
                    "high while an interrupt that is enabled is raw",
                )
                .port("out_busy", "a launch is going on")
                .port("out_fault", "some unit has a fault")
                .port(
                    "in_c2c_valid",
                    "there is one, a cycle after out_c2c_receive",
                )
                .port("out_c2c_receive", "takes a flit of the link")
                .port("out_c2c_send", "a flit for the link")
                .port("in_c2c_go", "lets the program go on")
                .port("out_c2c_wait", "of out_c2c_runtime_deskew"),
            _links: links,
        }
    }
}

impl<const L: usize, const V: usize> Logic for AxiTile<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, hold, port, tile);
        self.hold.reset.next = self.reset.val();
        self.port.reset.next = self.hold.out_reset.val();
        self.tile.reset.next = self.hold.out_reset.val();

        // The tile.
        self.tile.in_host_valid.next = self.port.out_host_valid.val();
        self.tile.in_host_write.next = self.port.out_host_write.val();
        self.tile.in_host_address.next = self.port.out_host_address.val();
        self.tile.in_host_data.next = self.port.out_host_data.val();
        self.unused_valid.next = self.tile.out_host_valid.val();
        self.port.in_host_error.next = self.tile.out_host_error.val();
        self.port.in_host_data.next = self.tile.out_host_data.val();
        self.port.in_busy.next = self.tile.out_busy.val();
        self.port.in_fault.next = self.tile.out_fault.val();
        self.out_interrupt.next = self.port.out_interrupt.val();
        self.out_busy.next = self.tile.out_busy.val();
        self.out_fault.next = self.tile.out_fault.val();

        for k in 0..self._links {
            self.tile.in_c2c_valid[k].next = self.in_c2c_valid[k].val();
            self.tile.in_c2c_data[k].next = self.in_c2c_data[k].val();
            self.out_c2c_receive[k].next = self.tile.out_c2c_receive[k].val();
            self.out_c2c_send[k].next = self.tile.out_c2c_send[k].val();
            self.out_c2c_data[k].next = self.tile.out_c2c_data[k].val();
            self.tile.in_c2c_go[k].next = self.in_c2c_go[k].val();
            self.out_c2c_deskew[k].next = self.tile.out_c2c_deskew[k].val();
            self.out_c2c_runtime_deskew[k].next = self.tile.out_c2c_runtime_deskew[k].val();
            self.out_c2c_wait[k].next = self.tile.out_c2c_wait[k].val();
        }

        // AXI.
        self.port.s_axil_awaddr.next = self.s_axil_awaddr.val();
        self.port.s_axil_awvalid.next = self.s_axil_awvalid.val();
        self.s_axil_awready.next = self.port.s_axil_awready.val();
        self.port.s_axil_wdata.next = self.s_axil_wdata.val();
        self.port.s_axil_wstrb.next = self.s_axil_wstrb.val();
        self.port.s_axil_wvalid.next = self.s_axil_wvalid.val();
        self.s_axil_wready.next = self.port.s_axil_wready.val();
        self.s_axil_bresp.next = self.port.s_axil_bresp.val();
        self.s_axil_bvalid.next = self.port.s_axil_bvalid.val();
        self.port.s_axil_bready.next = self.s_axil_bready.val();
        self.port.s_axil_araddr.next = self.s_axil_araddr.val();
        self.port.s_axil_arvalid.next = self.s_axil_arvalid.val();
        self.s_axil_arready.next = self.port.s_axil_arready.val();
        self.s_axil_rdata.next = self.port.s_axil_rdata.val();
        self.s_axil_rresp.next = self.port.s_axil_rresp.val();
        self.s_axil_rvalid.next = self.port.s_axil_rvalid.val();
        self.port.s_axil_rready.next = self.s_axil_rready.val();
        self.port.s_axi_awid.next = self.s_axi_awid.val();
        self.port.s_axi_awaddr.next = self.s_axi_awaddr.val();
        self.port.s_axi_awlen.next = self.s_axi_awlen.val();
        self.port.s_axi_awsize.next = self.s_axi_awsize.val();
        self.port.s_axi_awburst.next = self.s_axi_awburst.val();
        self.port.s_axi_awvalid.next = self.s_axi_awvalid.val();
        self.s_axi_awready.next = self.port.s_axi_awready.val();
        self.port.s_axi_wdata.next = self.s_axi_wdata.val();
        self.port.s_axi_wstrb.next = self.s_axi_wstrb.val();
        self.port.s_axi_wlast.next = self.s_axi_wlast.val();
        self.port.s_axi_wvalid.next = self.s_axi_wvalid.val();
        self.s_axi_wready.next = self.port.s_axi_wready.val();
        self.s_axi_bid.next = self.port.s_axi_bid.val();
        self.s_axi_bresp.next = self.port.s_axi_bresp.val();
        self.s_axi_bvalid.next = self.port.s_axi_bvalid.val();
        self.port.s_axi_bready.next = self.s_axi_bready.val();
        self.port.s_axi_arid.next = self.s_axi_arid.val();
        self.port.s_axi_araddr.next = self.s_axi_araddr.val();
        self.port.s_axi_arlen.next = self.s_axi_arlen.val();
        self.port.s_axi_arsize.next = self.s_axi_arsize.val();
        self.port.s_axi_arburst.next = self.s_axi_arburst.val();
        self.port.s_axi_arvalid.next = self.s_axi_arvalid.val();
        self.s_axi_arready.next = self.port.s_axi_arready.val();
        self.s_axi_rid.next = self.port.s_axi_rid.val();
        self.s_axi_rdata.next = self.port.s_axi_rdata.val();
        self.s_axi_rresp.next = self.port.s_axi_rresp.val();
        self.s_axi_rlast.next = self.port.s_axi_rlast.val();
        self.s_axi_rvalid.next = self.port.s_axi_rvalid.val();
        self.port.s_axi_rready.next = self.s_axi_rready.val();
    }
}
