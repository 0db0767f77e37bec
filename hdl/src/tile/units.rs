//! VXM and SXM: between host port, unit and datapath.
//!
//! Numbers of units begin after those of the MXM, which `#[hdl_gen]` cannot count; this wiring is written by hand, once for each of
//! rust-hdl's three views: values, connections, text.

use super::Tile;
use crate::wiring::{assign, signal};
use rust_hdl::core::ast::VerilogStatement;
use rust_hdl::prelude::*;

/// From a datapath to its unit: port of the unit, port of the datapath.
const RESULTS: [(&str, &str); 5] = [
    ("in_drive_east", "out_drive_east"),
    ("in_drive_west", "out_drive_west"),
    ("in_corrected", "out_corrected"),
    ("in_uncorrectable", "out_uncorrectable"),
    ("in_fault", "out_fault"),
];

/// From a unit to its datapath: port of the datapath, port of the unit.
const ISSUES: [(&str, &str); 6] = [
    ("in_valid", "out_valid"),
    ("in_stream", "out_stream"),
    ("in_select", "out_select"),
    ("in_stream2", "out_stream2"),
    ("in_address", "out_address"),
    ("in_collision", "out_collision"),
];

/// What the host reads of a unit: port of the host port, port of the unit.
const READS: [(&str, &str); 6] = [
    ("in_program_data_other", "out_program_data"),
    ("in_fault_valid_other", "out_fault_valid"),
    ("in_fault_code_other", "out_fault_code"),
    ("in_fault_cycle_other", "out_fault_cycle"),
    ("in_ecc_corrected_other", "out_ecc_corrected"),
    ("in_ecc_uncorrectable_other", "out_ecc_uncorrectable"),
];

/// Values between a unit and its datapath.
macro_rules! join {
    ($unit:expr, $datapath:expr) => {
        $unit.in_drive_east.next = $datapath.out_drive_east.val();
        $unit.in_drive_west.next = $datapath.out_drive_west.val();
        $unit.in_corrected.next = $datapath.out_corrected.val();
        $unit.in_uncorrectable.next = $datapath.out_uncorrectable.val();
        $unit.in_fault.next = $datapath.out_fault.val();
        for d in 0..4 {
            $unit.in_drive_data[d].next = $datapath.out_data[d].val();
            $unit.in_drive_check[d].next = $datapath.out_check[d].val();
        }
        $datapath.in_valid.next = $unit.out_valid.val();
        $datapath.in_stream.next = $unit.out_stream.val();
        $datapath.in_select.next = $unit.out_select.val();
        $datapath.in_stream2.next = $unit.out_stream2.val();
        $datapath.in_address.next = $unit.out_address.val();
        $datapath.in_collision.next = $unit.out_collision.val();
    };
}

/// Connections between a unit and its datapath, at the datapath.
macro_rules! connect {
    ($datapath:expr) => {
        $datapath.in_valid.connect();
        $datapath.in_stream.connect();
        $datapath.in_select.connect();
        $datapath.in_stream2.connect();
        $datapath.in_address.connect();
        $datapath.in_collision.connect();
    };
}

impl<const L: usize, const V: usize> Tile<L, V> {
    /// The datapaths with the numbers of their units.
    pub(super) fn datapaths(&self) -> impl Iterator<Item = (String, usize)> {
        let vxm = (0..self._vxms).map(|x| (format!("vxm${x}"), x));
        let (first, sxms) = (self._vxms, self._sxms);
        vxm.chain((0..sxms).map(move |x| (format!("sxm${x}"), first + x)))
    }

    /// Values.
    pub(super) fn wire_units(&mut self) {
        let first = 3 * self._planes;
        for (u, unit) in self.unit.iter_mut().enumerate() {
            let q = first + u;
            unit.in_program_enable.next = self.host.out_program_enable_other[q].val();
            self.host.in_program_data_other[q].next = unit.out_program_data.val();
            self.host.in_fault_valid_other[q].next = unit.out_fault_valid.val();
            self.host.in_fault_code_other[q].next = unit.out_fault_code.val();
            self.host.in_fault_cycle_other[q].next = unit.out_fault_cycle.val();
            self.host.in_ecc_corrected_other[q].next = unit.out_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_other[q].next = unit.out_ecc_uncorrectable.val();
        }
        for datapath in &mut self.vxm {
            join!(self.unit[0], datapath);
            datapath.in_select2.next = self.unit[0].out_select2.val();
        }
        for datapath in &mut self.sxm {
            let unit = &mut self.unit[self._vxms];
            join!(unit, datapath);
            datapath.in_flags.next = unit.out_flags.val();
        }
    }

    /// Connections.
    pub(super) fn connect_units(&mut self) {
        let first = 3 * self._planes;
        for (u, unit) in self.unit.iter_mut().enumerate() {
            let q = first + u;
            self.host.in_program_data_other[q].connect();
            self.host.in_fault_valid_other[q].connect();
            self.host.in_fault_code_other[q].connect();
            self.host.in_fault_cycle_other[q].connect();
            self.host.in_ecc_corrected_other[q].connect();
            self.host.in_ecc_uncorrectable_other[q].connect();
            unit.in_program_enable.connect();
            unit.in_drive_east.connect();
            unit.in_drive_west.connect();
            unit.in_corrected.connect();
            unit.in_uncorrectable.connect();
            unit.in_fault.connect();
            unit.in_drive_data.iter_mut().for_each(Logic::connect);
            unit.in_drive_check.iter_mut().for_each(Logic::connect);
        }
        for datapath in &mut self.vxm {
            connect!(datapath);
            datapath.in_select2.connect();
        }
        for datapath in &mut self.sxm {
            connect!(datapath);
            datapath.in_flags.connect();
        }
    }

    /// Text.
    pub(super) fn unit_statements(&self) -> Vec<VerilogStatement> {
        let mut text = vec![];
        let mut copy = |to: String, from: String| text.push(assign(to, signal(from)));
        for u in 0..self._units {
            let q = 3 * self._planes + u;
            copy(
                format!("unit${u}$in_program_enable"),
                format!("host$out_program_enable_other${q}"),
            );
            for (to, from) in READS {
                copy(format!("host${to}${q}"), format!("unit${u}${from}"));
            }
        }
        for (datapath, u) in self.datapaths() {
            for (to, from) in RESULTS {
                copy(format!("unit${u}${to}"), format!("{datapath}${from}"));
            }
            for d in 0..4 {
                for part in ["data", "check"] {
                    copy(
                        format!("unit${u}$in_drive_{part}${d}"),
                        format!("{datapath}$out_{part}${d}"),
                    );
                }
            }
            for (to, from) in ISSUES {
                copy(format!("{datapath}${to}"), format!("unit${u}${from}"));
            }
            let own = if u == self._vxms { "flags" } else { "select2" };
            copy(
                format!("{datapath}$in_{own}"),
                format!("unit${u}$out_{own}"),
            );
        }
        text
    }
}
