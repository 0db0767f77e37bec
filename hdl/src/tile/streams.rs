//! The streams between slices and planes.
//!
//! `#[hdl_gen]` has no arrays in arrays, so this wiring is written by hand, once for each of rust-hdl's three views: values,
//! connections, text.

use super::Tile;
use crate::wiring::{assign, signal};
use rust_hdl::core::ast::{VerilogExpression, VerilogStatement};
use rust_hdl::prelude::*;

/// The three parts of a stream cell.
const PARTS: [&str; 3] = ["data", "check", "valid"];

/// Copies the cells `$from` to the inputs `$to`, part by part.
macro_rules! copy_cells {
    ($streams:expr, $to:expr, [$to_data:ident, $to_check:ident, $to_valid:ident],
     $from:expr, [$from_data:ident, $from_check:ident, $from_valid:ident]) => {
        for s in 0..$streams {
            $to.$to_data[s].next = $from.$from_data[s].val();
            $to.$to_check[s].next = $from.$from_check[s].val();
            $to.$to_valid[s].next = $from.$from_valid[s].val();
        }
    };
}

/// Nothing flows in at an end.
macro_rules! no_cells {
    ($to:expr, [$to_data:ident, $to_check:ident, $to_valid:ident]) => {
        $to.$to_data
            .iter_mut()
            .for_each(|data| data.next = Bits::default());
        $to.$to_check
            .iter_mut()
            .for_each(|check| check.next = Bits::default());
        $to.$to_valid
            .iter_mut()
            .for_each(|valid| valid.next = false);
    };
}

/// Copies the cells between two neighbours, both ways.
macro_rules! join_cells {
    ($streams:expr, $left:expr, $right:expr) => {
        copy_cells!(
            $streams,
            $right,
            [in_east_data, in_east_check, in_east_valid],
            $left,
            [out_east_data, out_east_check, out_east_valid]
        );
        copy_cells!(
            $streams,
            $left,
            [in_west_data, in_west_check, in_west_valid],
            $right,
            [out_west_data, out_west_check, out_west_valid]
        );
    };
}

/// What leaves the last position before the MXM, and what comes back to it.
macro_rules! join_mxm {
    ($tile:expr, $last:expr) => {
        copy_cells!(
            $tile._streams,
            $last,
            [in_west_data, in_west_check, in_west_valid],
            $tile.results,
            [out_data, out_check, out_valid]
        );
        for plane in &mut $tile.mxm {
            copy_cells!(
                $tile._streams,
                plane,
                [in_east_data, in_east_check, in_east_valid],
                $last,
                [out_east_data, out_east_check, out_east_valid]
            );
        }
    };
}

/// The datapath of a unit sees what the unit sees.
macro_rules! see_cells {
    ($streams:expr, $datapaths:expr, $unit:expr) => {
        for datapath in $datapaths {
            copy_cells!(
                $streams,
                datapath,
                [in_east_data, in_east_check, in_east_valid],
                $unit,
                [in_east_data, in_east_check, in_east_valid]
            );
            copy_cells!(
                $streams,
                datapath,
                [in_west_data, in_west_check, in_west_valid],
                $unit,
                [in_west_data, in_west_check, in_west_valid]
            );
        }
    };
}

/// Connects the cells a block sees.
macro_rules! connect_cells {
    ($blocks:expr) => {
        for block in $blocks {
            block.in_east_data.iter_mut().for_each(Logic::connect);
            block.in_east_check.iter_mut().for_each(Logic::connect);
            block.in_east_valid.iter_mut().for_each(Logic::connect);
            block.in_west_data.iter_mut().for_each(Logic::connect);
            block.in_west_check.iter_mut().for_each(Logic::connect);
            block.in_west_valid.iter_mut().for_each(Logic::connect);
        }
    };
}

impl<const L: usize, const V: usize> Tile<L, V> {
    /// Values.
    pub(super) fn wire_streams(&mut self) {
        let (last, streams) = (self._slices - 1, self._streams);
        match self.arrivals.first() {
            Some(arrivals) => {
                copy_cells!(
                    streams,
                    self.mem[0],
                    [in_east_data, in_east_check, in_east_valid],
                    arrivals,
                    [out_data, out_check, out_valid]
                );
            }
            None => {
                no_cells!(self.mem[0], [in_east_data, in_east_check, in_east_valid]);
            }
        }
        for link in &mut self.link {
            copy_cells!(
                streams,
                link,
                [in_west_data, in_west_check, in_west_valid],
                self.mem[0],
                [out_west_data, out_west_check, out_west_valid]
            );
        }
        for arrivals in &mut self.arrivals {
            no_cells!(arrivals, [in_data, in_check, in_valid]);
        }
        for i in 0..last {
            let (left, right) = self.mem.split_at_mut(i + 1);
            join_cells!(streams, left[i], right[0]);
        }
        if let Some(unit) = self.unit.first_mut() {
            join_cells!(streams, self.mem[last], unit);
        }
        if let [left, right] = &mut self.unit[..] {
            join_cells!(streams, left, right);
        }
        match self.unit.last_mut() {
            Some(unit) => {
                join_mxm!(self, unit);
            }
            None => {
                join_mxm!(self, self.mem[last]);
            }
        }
        if let Some(unit) = self.unit.first() {
            see_cells!(streams, &mut self.vxm, unit);
        }
        if let Some(unit) = self.unit.last() {
            see_cells!(streams, &mut self.sxm, unit);
        }
        no_cells!(self.results, [in_data, in_check, in_valid]);
        for (p, plane) in self.mxm.iter_mut().enumerate() {
            for b in 0..4 {
                self.results.in_drive[4 * p + b].next = plane.out_result_drive.val();
                self.results.in_drive_data[4 * p + b].next = plane.out_result_data[b].val();
                self.results.in_drive_check[4 * p + b].next = plane.out_result_check[b].val();
            }
        }
    }

    /// Connections.
    pub(super) fn connect_streams(&mut self) {
        connect_cells!(&mut self.mem);
        connect_cells!(&mut self.unit);
        connect_cells!(&mut self.vxm);
        connect_cells!(&mut self.sxm);
        for plane in &mut self.mxm {
            plane.in_east_data.iter_mut().for_each(Logic::connect);
            plane.in_east_check.iter_mut().for_each(Logic::connect);
            plane.in_east_valid.iter_mut().for_each(Logic::connect);
        }
        for link in &mut self.link {
            link.in_west_data.iter_mut().for_each(Logic::connect);
            link.in_west_check.iter_mut().for_each(Logic::connect);
            link.in_west_valid.iter_mut().for_each(Logic::connect);
        }
        for arrivals in &mut self.arrivals {
            arrivals.in_data.iter_mut().for_each(Logic::connect);
            arrivals.in_check.iter_mut().for_each(Logic::connect);
            arrivals.in_valid.iter_mut().for_each(Logic::connect);
        }
        let results = &mut self.results;
        results.in_data.iter_mut().for_each(Logic::connect);
        results.in_check.iter_mut().for_each(Logic::connect);
        results.in_valid.iter_mut().for_each(Logic::connect);
        results.in_drive.iter_mut().for_each(Logic::connect);
        results.in_drive_data.iter_mut().for_each(Logic::connect);
        results.in_drive_check.iter_mut().for_each(Logic::connect);
    }

    /// Text.
    pub(super) fn stream_statements(&self) -> Vec<VerilogStatement> {
        let nothing = |part: &str| {
            VerilogExpression::Literal(match part {
                "data" => Bits::<V>::default().into(),
                "check" => Bits::<L>::default().into(),
                _ => false.into(),
            })
        };
        let mut text = vec![];
        let mut copy = |to: &str, from: Option<&str>| {
            for s in 0..self._streams {
                for part in PARTS {
                    let to = format!("{to}{part}${s}");
                    text.push(match from {
                        Some(from) => assign(to, signal(format!("{from}{part}${s}"))),
                        None => assign(to, nothing(part)),
                    });
                }
            }
        };
        let mem = (0..self._slices).map(|i| format!("mem${i}"));
        let units = (0..self._units).map(|u| format!("unit${u}"));
        let positions: Vec<String> = mem.chain(units).collect();
        if self.arrivals.is_empty() {
            copy("mem$0$in_east_", None);
        } else {
            copy("mem$0$in_east_", Some("arrivals$0$out_"));
            copy("arrivals$0$in_", None);
        }
        for k in 0..self._links {
            copy(&format!("link${k}$in_west_"), Some("mem$0$out_west_"));
        }
        for pair in positions.windows(2) {
            let [left, right] = pair else {
                unreachable!("windows of two");
            };
            copy(
                &format!("{right}$in_east_"),
                Some(&format!("{left}$out_east_")),
            );
            copy(
                &format!("{left}$in_west_"),
                Some(&format!("{right}$out_west_")),
            );
        }
        let last = positions.last().expect("at least one slice");
        copy(&format!("{last}$in_west_"), Some("results$out_"));
        copy("results$in_", None);
        for p in 0..self._planes {
            copy(
                &format!("mxm${p}$in_east_"),
                Some(&format!("{last}$out_east_")),
            );
        }
        for (datapath, unit) in self.datapaths() {
            let before = self._slices + unit - 1;
            let after = positions.get(self._slices + unit + 1);
            let east = format!("{}$out_east_", positions[before]);
            let west = after.map_or_else(
                || "results$out_".into(),
                |right| format!("{right}$out_west_"),
            );
            copy(&format!("{datapath}$in_east_"), Some(&east));
            copy(&format!("{datapath}$in_west_"), Some(&west));
        }
        for p in 0..self._planes {
            for b in 0..4 {
                let driver = 4 * p + b;
                let plane = |port: &str| signal(format!("mxm${p}$out_result_{port}"));
                text.push(assign(format!("results$in_drive${driver}"), plane("drive")));
                text.push(assign(
                    format!("results$in_drive_data${driver}"),
                    plane(&format!("data${b}")),
                ));
                text.push(assign(
                    format!("results$in_drive_check${driver}"),
                    plane(&format!("check${b}")),
                ));
            }
        }
        text
    }
}
