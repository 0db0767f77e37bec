//! The tile: the top module `lpu_tile`.

use super::{LaunchControl, StreamUnit};
use crate::c2c::LinkPort;
use crate::host::HostPort;
use crate::info::Info;
use crate::mem::MemSlice;
use crate::mxm::MxmPlane;
use crate::mxm::formats::Formats;
use crate::stream::StreamStage;
use crate::{sxm, vxm};
use lpu_isa::{Config, QueueKind};
use rust_hdl::prelude::*;

/// The tile: MEM slices, VXM and SXM if there are any, MXM planes, host port and control. The top module `lpu_tile`.
///
/// ```text
///              E[0]          E[m-1]         E[m]           E[m+1]
///    mem_0  --------> ... ---------> unit_0 ------> unit_1 -------> mxm_0 .. mxm_P-1      eastward: weights, operands
///           <-------- ... <--------- vxm_0  <------ sxm_0  <-------  results              westward
///              W[1]          W[m]           W[m+1]         W[m+2]
/// ```
///
/// West of mem_0 are the ends of links to other chips, if there are any.
///
/// `docs/machine.md` is its specification. Parameters: a [`Config`]; L lanes, V = 8 L.
#[derive(LogicBlock)]
pub struct Tile<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; at least 32 cycles.
    pub reset: Signal<In, Bit>,
    /// Host: there is a request.
    pub in_host_valid: Signal<In, Bit>,
    /// Host: it writes.
    pub in_host_write: Signal<In, Bit>,
    /// Host: its address.
    pub in_host_address: Signal<In, Bits<32>>,
    /// Host: what it writes.
    pub in_host_data: Signal<In, Bits<64>>,
    /// Host: there is an answer.
    pub out_host_valid: Signal<Out, Bit>,
    /// Host: the request was refused.
    pub out_host_error: Signal<Out, Bit>,
    /// Host: what was read.
    pub out_host_data: Signal<Out, Bits<64>>,
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
    pub(super) mem: Vec<MemSlice<L, V>>,
    /// VXM, then SXM, as far as there are any: what both have.
    pub(super) unit: Vec<StreamUnit<L, V>>,
    pub(super) vxm: Vec<vxm::Datapath<L, V>>,
    pub(super) sxm: Vec<sxm::Datapath<L, V>>,
    pub(super) mxm: Vec<MxmPlane<L, V>>,
    pub(super) results: StreamStage<L, V>,
    pub(super) link: Vec<LinkPort<L, V>>,
    /// The cells west of mem_0, one stage if there are links.
    pub(super) arrivals: Vec<StreamStage<L, V>>,
    pub(super) host: HostPort,
    pub(super) control: LaunchControl,
    /// Cycle of the launch, for test benches.
    cycle: Signal<Local, Bits<32>>,
    /// A launch is going on, for test benches.
    running: Signal<Local, Bit>,
    info: Info,
    pub(super) _slices: usize,
    pub(super) _units: usize,
    pub(super) _vxms: usize,
    pub(super) _sxms: usize,
    pub(super) _planes: usize,
    pub(super) _streams: usize,
    pub(super) _links: usize,
    _arrivals: usize,
}

impl<const L: usize, const V: usize> Tile<L, V> {
    /// The tile of this machine.
    pub fn new(config: &Config) -> Self {
        assert!(L == config.lanes && V == 8 * L, "{L} lanes of {V} bits");
        let (slices, planes) = (config.mem.slices, config.mxm.planes);
        let vxm = config.vxm.iter().map(|_| QueueKind::Vxm);
        let units = vxm.chain(config.sxm.iter().map(|_| QueueKind::Sxm));
        let unit: Vec<_> = units.map(|kind| StreamUnit::new(config, kind)).collect();
        let vxm: Vec<_> = config
            .vxm
            .iter()
            .map(|_| vxm::Datapath::new(config))
            .collect();
        let sxm: Vec<_> = config
            .sxm
            .iter()
            .map(|_| sxm::Datapath::new(config))
            .collect();
        let mut info = Info::new("tile", file!());
        if let Some(vxm) = &config.vxm {
            info = info
                .param("ALUS", vxm.alus)
                .param("REGISTERS", vxm.registers);
        }
        if let Some(sxm) = &config.sxm {
            info = info.param("MAPS", sxm.maps);
        }
        let links = config.links();
        if links > 0 {
            info = info.param("LINKS", links);
        }
        info = Formats::of(config).param(info);
        let arrivals = usize::from(links > 0);
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_host_valid: Signal::default(),
            in_host_write: Signal::default(),
            in_host_address: Signal::default(),
            in_host_data: Signal::default(),
            out_host_valid: Signal::default(),
            out_host_error: Signal::default(),
            out_host_data: Signal::default(),
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
            mem: (0..slices).map(|_| MemSlice::new(config)).collect(),
            mxm: (0..planes).map(|_| MxmPlane::new(config)).collect(),
            results: StreamStage::grouped(config.streams, 4 * planes, 4),
            link: (0..links).map(|_| LinkPort::new(config)).collect(),
            arrivals: (0..arrivals)
                .map(|_| StreamStage::grouped(config.streams, 4 * links, 4))
                .collect(),
            host: HostPort::new(config),
            control: LaunchControl::new(config),
            cycle: Signal::default(),
            running: Signal::default(),
            info: info
                .summary(&format!(
                    "Language Processing Unit, configuration {}",
                    config.name
                ))
                .param("LANES", L)
                .param("STREAMS", config.streams)
                .param("SLICES", slices)
                .param("DEPTH", config.mem.depth)
                .param("PLANES", planes)
                .param("WEIGHT_STREAMS", config.mxm.weight_streams)
                .param("ACCUMULATOR_DEPTH", config.mxm.accumulator_depth)
                .param("OPERAND_DEPTH", config.mxm.operand_depth)
                .param("QUEUE_DEPTH", config.icu.queue_depth)
                .port("reset", "synchronous, at least 32 cycles")
                .port("in_host_valid", "a request, one every cycle")
                .port("in_host_address", "64-bit words")
                .port("out_host_valid", "the answer, 8 cycles later")
                .port("out_host_error", "refused, or an uncorrectable word")
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
            _slices: slices,
            _units: unit.len(),
            _vxms: vxm.len(),
            _sxms: sxm.len(),
            unit,
            vxm,
            sxm,
            _planes: planes,
            _streams: config.streams,
            _links: links,
            _arrivals: arrivals,
        }
    }
}

impl<const L: usize, const V: usize> crate::wiring::Wiring for Tile<L, V> {
    #[hdl_gen]
    fn wire(&mut self) {
        clock!(self, clock, host, control, results);
        self.host.reset.next = self.reset.val();
        self.control.reset.next = self.reset.val();
        self.results.reset.next = self.reset.val() | self.host.out_launch.val();
        self.cycle.next = self.control.out_cycle.val();
        self.running.next = self.control.out_busy.val();

        // Outside.
        self.host.in_host_valid.next = self.in_host_valid.val();
        self.host.in_host_write.next = self.in_host_write.val();
        self.host.in_host_address.next = self.in_host_address.val();
        self.host.in_host_data.next = self.in_host_data.val();
        self.out_host_valid.next = self.host.out_host_valid.val();
        self.out_host_error.next = self.host.out_host_error.val();
        self.out_host_data.next = self.host.out_host_data.val();
        self.out_busy.next = self.control.out_busy.val();
        self.out_fault.next = self.control.out_fault.val();
        self.host.in_busy.next = self.control.out_busy.val();
        self.host.in_fault.next = self.control.out_fault.val();
        self.host.in_cycle.next = self.control.out_cycle.val();
        self.control.in_launch.next = self.host.out_launch.val();

        for i in 0..self._slices {
            self.mem[i].clock.next = self.clock.val();
            self.mem[i].reset.next = self.reset.val();
            self.mem[i].in_launch.next = self.host.out_launch.val();
            self.mem[i].in_notify.next = self.control.out_notify.val();
            self.mem[i].in_clear.next = self.host.out_clear.val();
            self.mem[i].in_cycle.next = self.control.out_cycle.val();
            self.mem[i].in_base_read.next = self.host.out_base[i * 2].val();
            self.mem[i].in_base_write.next = self.host.out_base[i * 2 + 1].val();
            self.mem[i].in_program_enable_read.next = self.host.out_program_enable_mem[i * 2].val();
            self.mem[i].in_program_enable_write.next =
                self.host.out_program_enable_mem[i * 2 + 1].val();
            self.mem[i].in_program_write.next = self.host.out_program_write.val();
            self.mem[i].in_program_half.next = self.host.out_program_half.val();
            self.mem[i].in_program_index.next = self.host.out_program_index.val();
            self.mem[i].in_program_data.next = self.host.out_program_data.val();
            self.host.in_program_data_mem[i * 2].next = self.mem[i].out_program_data_read.val();
            self.host.in_program_data_mem[i * 2 + 1].next =
                self.mem[i].out_program_data_write.val();
            self.mem[i].in_host_enable.next = self.host.out_sram_enable[i].val();
            self.mem[i].in_host_write.next = self.host.out_sram_write.val();
            self.mem[i].in_host_vector.next = self.host.out_sram_vector.val();
            self.mem[i].in_host_codeword.next = self.host.out_sram_codeword.val();
            self.mem[i].in_host_data.next = self.host.out_sram_data.val();
            self.mem[i].in_host_check.next = self.host.out_sram_check.val();
            self.host.in_sram_data[i].next = self.mem[i].out_host_data.val();
            self.host.in_sram_check[i].next = self.mem[i].out_host_check.val();
            self.host.in_fault_valid_mem[i * 2].next = self.mem[i].out_read_fault_valid.val();
            self.host.in_fault_code_mem[i * 2].next = self.mem[i].out_read_fault_code.val();
            self.host.in_fault_cycle_mem[i * 2].next = self.mem[i].out_read_fault_cycle.val();
            self.host.in_ecc_corrected_mem[i * 2].next = self.mem[i].out_read_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_mem[i * 2].next =
                self.mem[i].out_read_ecc_uncorrectable.val();
            self.control.in_fault_mem[i * 2].next = self.mem[i].out_read_fault_valid.val();
            self.control.in_ended_mem[i * 2].next = self.mem[i].out_read_ended.val();
            self.host.in_fault_valid_mem[i * 2 + 1].next = self.mem[i].out_write_fault_valid.val();
            self.host.in_fault_code_mem[i * 2 + 1].next = self.mem[i].out_write_fault_code.val();
            self.host.in_fault_cycle_mem[i * 2 + 1].next = self.mem[i].out_write_fault_cycle.val();
            self.host.in_ecc_corrected_mem[i * 2 + 1].next =
                self.mem[i].out_write_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_mem[i * 2 + 1].next =
                self.mem[i].out_write_ecc_uncorrectable.val();
            self.control.in_fault_mem[i * 2 + 1].next = self.mem[i].out_write_fault_valid.val();
            self.control.in_ended_mem[i * 2 + 1].next = self.mem[i].out_write_ended.val();
            self.control.in_notify_mem[i].next = self.mem[i].out_notify.val();
        }
        for u in 0..self._units {
            self.unit[u].clock.next = self.clock.val();
            self.unit[u].reset.next = self.reset.val();
            self.unit[u].in_launch.next = self.host.out_launch.val();
            self.unit[u].in_notify.next = self.control.out_notify.val();
            self.unit[u].in_clear.next = self.host.out_clear.val();
            self.unit[u].in_cycle.next = self.control.out_cycle.val();
            self.unit[u].in_program_write.next = self.host.out_program_write.val();
            self.unit[u].in_program_half.next = self.host.out_program_half.val();
            self.unit[u].in_program_index.next = self.host.out_program_index.val();
            self.unit[u].in_program_data.next = self.host.out_program_data.val();
            self.control.in_fault_unit[u].next = self.unit[u].out_fault_valid.val();
            self.control.in_ended_unit[u].next = self.unit[u].out_ended.val();
            self.control.in_notify_unit[u].next = self.unit[u].out_notify.val();
        }
        for a in 0..self._arrivals {
            self.arrivals[a].clock.next = self.clock.val();
            self.arrivals[a].reset.next = self.reset.val() | self.host.out_launch.val();
        }
        for k in 0..self._links {
            self.link[k].clock.next = self.clock.val();
            self.link[k].reset.next = self.reset.val();
            self.link[k].in_launch.next = self.host.out_launch.val();
            self.link[k].in_notify.next = self.control.out_notify.val();
            self.link[k].in_clear.next = self.host.out_clear.val();
            self.link[k].in_cycle.next = self.control.out_cycle.val();
            self.link[k].in_program_write.next = self.host.out_program_write.val();
            self.link[k].in_program_half.next = self.host.out_program_half.val();
            self.link[k].in_program_index.next = self.host.out_program_index.val();
            self.link[k].in_program_data.next = self.host.out_program_data.val();
            self.link[k].in_flit_valid.next = self.in_c2c_valid[k].val();
            self.link[k].in_flit_data.next = self.in_c2c_data[k].val();
            self.out_c2c_receive[k].next = self.link[k].out_receive.val();
            self.out_c2c_send[k].next = self.link[k].out_send.val();
            self.out_c2c_data[k].next = self.link[k].out_send_data.val();
            self.link[k].in_go.next = self.in_c2c_go[k].val();
            self.out_c2c_deskew[k].next = self.link[k].out_deskew.val();
            self.out_c2c_runtime_deskew[k].next = self.link[k].out_runtime_deskew.val();
            self.out_c2c_wait[k].next = self.link[k].out_wait.val();
        }
        for x in 0..self._vxms {
            self.vxm[x].clock.next = self.clock.val();
            self.vxm[x].reset.next = self.reset.val();
            self.vxm[x].in_host_write.next = self.host.out_descriptor_write.val();
            self.vxm[x].in_host_entry.next = self.host.out_entry.val();
            self.vxm[x].in_host_data.next = self.host.out_program_data.val();
        }
        for x in 0..self._sxms {
            self.sxm[x].clock.next = self.clock.val();
            self.sxm[x].reset.next = self.reset.val();
            self.sxm[x].in_host_write.next = self.host.out_map_write.val();
            self.sxm[x].in_host_entry.next = self.host.out_entry.val();
            self.sxm[x].in_host_data.next = self.host.out_program_data.val();
        }
        for p in 0..self._planes {
            self.mxm[p].clock.next = self.clock.val();
            self.mxm[p].reset.next = self.reset.val();
            self.mxm[p].in_launch.next = self.host.out_launch.val();
            self.mxm[p].in_notify.next = self.control.out_notify.val();
            self.mxm[p].in_clear.next = self.host.out_clear.val();
            self.mxm[p].in_cycle.next = self.control.out_cycle.val();
            self.mxm[p].in_program_write.next = self.host.out_program_write.val();
            self.mxm[p].in_program_half.next = self.host.out_program_half.val();
            self.mxm[p].in_program_index.next = self.host.out_program_index.val();
            self.mxm[p].in_program_data.next = self.host.out_program_data.val();
            self.mxm[p].in_program_enable_weights.next =
                self.host.out_program_enable_other[p * 3].val();
            self.host.in_program_data_other[p * 3].next =
                self.mxm[p].out_program_data_weights.val();
            self.host.in_fault_valid_other[p * 3].next = self.mxm[p].out_weights_fault_valid.val();
            self.host.in_fault_code_other[p * 3].next = self.mxm[p].out_weights_fault_code.val();
            self.host.in_fault_cycle_other[p * 3].next = self.mxm[p].out_weights_fault_cycle.val();
            self.host.in_ecc_corrected_other[p * 3].next =
                self.mxm[p].out_weights_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_other[p * 3].next =
                self.mxm[p].out_weights_ecc_uncorrectable.val();
            self.control.in_fault_mxm[p * 3].next = self.mxm[p].out_weights_fault_valid.val();
            self.control.in_ended_mxm[p * 3].next = self.mxm[p].out_weights_ended.val();
            self.mxm[p].in_program_enable_compute.next =
                self.host.out_program_enable_other[p * 3 + 1].val();
            self.host.in_program_data_other[p * 3 + 1].next =
                self.mxm[p].out_program_data_compute.val();
            self.host.in_fault_valid_other[p * 3 + 1].next =
                self.mxm[p].out_compute_fault_valid.val();
            self.host.in_fault_code_other[p * 3 + 1].next =
                self.mxm[p].out_compute_fault_code.val();
            self.host.in_fault_cycle_other[p * 3 + 1].next =
                self.mxm[p].out_compute_fault_cycle.val();
            self.host.in_ecc_corrected_other[p * 3 + 1].next =
                self.mxm[p].out_compute_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_other[p * 3 + 1].next =
                self.mxm[p].out_compute_ecc_uncorrectable.val();
            self.control.in_fault_mxm[p * 3 + 1].next = self.mxm[p].out_compute_fault_valid.val();
            self.control.in_ended_mxm[p * 3 + 1].next = self.mxm[p].out_compute_ended.val();
            self.mxm[p].in_program_enable_accumulate.next =
                self.host.out_program_enable_other[p * 3 + 2].val();
            self.host.in_program_data_other[p * 3 + 2].next =
                self.mxm[p].out_program_data_accumulate.val();
            self.host.in_fault_valid_other[p * 3 + 2].next =
                self.mxm[p].out_accumulate_fault_valid.val();
            self.host.in_fault_code_other[p * 3 + 2].next =
                self.mxm[p].out_accumulate_fault_code.val();
            self.host.in_fault_cycle_other[p * 3 + 2].next =
                self.mxm[p].out_accumulate_fault_cycle.val();
            self.host.in_ecc_corrected_other[p * 3 + 2].next =
                self.mxm[p].out_accumulate_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_other[p * 3 + 2].next =
                self.mxm[p].out_accumulate_ecc_uncorrectable.val();
            self.control.in_fault_mxm[p * 3 + 2].next =
                self.mxm[p].out_accumulate_fault_valid.val();
            self.control.in_ended_mxm[p * 3 + 2].next = self.mxm[p].out_accumulate_ended.val();
            self.control.in_notify_mxm[p].next = self.mxm[p].out_notify.val();
            self.mxm[p].in_collision.next = self.results.out_collision[p * 4].val()
                | self.results.out_collision[p * 4 + 1].val()
                | self.results.out_collision[p * 4 + 2].val()
                | self.results.out_collision[p * 4 + 3].val();
        }
    }
}

impl<const L: usize, const V: usize> Logic for Tile<L, V> {
    fn update(&mut self) {
        <Self as crate::wiring::Wiring>::wire(self);
        self.wire_streams();
        self.wire_units();
        self.wire_links();
    }

    fn connect(&mut self) {
        <Self as crate::wiring::Wiring>::connect(self);
        self.connect_streams();
        self.connect_units();
        self.connect_links();
    }

    fn hdl(&self) -> Verilog {
        let Verilog::Combinatorial(mut text) = <Self as crate::wiring::Wiring>::hdl(self) else {
            unreachable!("hdl_gen makes combinatorial logic");
        };
        text.extend(self.stream_statements());
        text.extend(self.unit_statements());
        text.extend(self.link_statements());
        Verilog::Combinatorial(text)
    }
}
