//! The ends of links: between host port, end and cells.
//!
//! Numbers of their queues begin after those of the units; see `units`.

use super::Tile;
use crate::wiring::{assign, signal};
use rust_hdl::core::ast::{VerilogExpression, VerilogOp, VerilogStatement};
use rust_hdl::prelude::*;

/// Drivers of an end: planes of a vector of words.
const WORD: usize = 4;

/// The two queues of an end, in the order of their ids.
const SIDES: [&str; 2] = ["send", "receive"];

/// What the host reads of a queue: port of the host port, port of the end after the name of the queue.
const READS: [(&str, &str); 5] = [
    ("in_fault_valid_other", "fault_valid"),
    ("in_fault_code_other", "fault_code"),
    ("in_fault_cycle_other", "fault_cycle"),
    ("in_ecc_corrected_other", "ecc_corrected"),
    ("in_ecc_uncorrectable_other", "ecc_uncorrectable"),
];

impl<const L: usize, const V: usize> Tile<L, V> {
    /// Number of the first queue of links, from the first MXM queue on, and from the first unit on.
    fn first_link_queue(&self) -> (usize, usize) {
        (3 * self._planes + self._units, self._units)
    }

    /// Values.
    pub(super) fn wire_links(&mut self) {
        let (first, unit) = self.first_link_queue();
        for (k, link) in self.link.iter_mut().enumerate() {
            let (send, receive) = (first + 2 * k, first + 2 * k + 1);
            link.in_program_enable_send.next = self.host.out_program_enable_other[send].val();
            link.in_program_enable_receive.next = self.host.out_program_enable_other[receive].val();
            self.host.in_program_data_other[send].next = link.out_program_data_send.val();
            self.host.in_program_data_other[receive].next = link.out_program_data_receive.val();
            self.host.in_fault_valid_other[send].next = link.out_send_fault_valid.val();
            self.host.in_fault_valid_other[receive].next = link.out_receive_fault_valid.val();
            self.host.in_fault_code_other[send].next = link.out_send_fault_code.val();
            self.host.in_fault_code_other[receive].next = link.out_receive_fault_code.val();
            self.host.in_fault_cycle_other[send].next = link.out_send_fault_cycle.val();
            self.host.in_fault_cycle_other[receive].next = link.out_receive_fault_cycle.val();
            self.host.in_ecc_corrected_other[send].next = link.out_send_ecc_corrected.val();
            self.host.in_ecc_corrected_other[receive].next = link.out_receive_ecc_corrected.val();
            self.host.in_ecc_uncorrectable_other[send].next = link.out_send_ecc_uncorrectable.val();
            self.host.in_ecc_uncorrectable_other[receive].next =
                link.out_receive_ecc_uncorrectable.val();
            let (send, receive) = (unit + 2 * k, unit + 2 * k + 1);
            let control = &mut self.control;
            control.in_fault_unit[send].next = link.out_send_fault_valid.val();
            control.in_fault_unit[receive].next = link.out_receive_fault_valid.val();
            control.in_ended_unit[send].next = link.out_send_ended.val();
            control.in_ended_unit[receive].next = link.out_receive_ended.val();
            control.in_notify_unit[send].next = link.out_notify.val();
            control.in_notify_unit[receive].next = false;
            for arrivals in &mut self.arrivals {
                let mut collision = false;
                for d in 0..WORD {
                    arrivals.in_drive[WORD * k + d].next = link.out_drive.val();
                    arrivals.in_drive_data[WORD * k + d].next = link.out_drive_data[d].val();
                    arrivals.in_drive_check[WORD * k + d].next = link.out_drive_check[d].val();
                    collision |= arrivals.out_collision[WORD * k + d].val();
                }
                link.in_collision.next = collision;
            }
        }
    }

    /// Connections.
    pub(super) fn connect_links(&mut self) {
        let (first, unit) = self.first_link_queue();
        for (k, link) in self.link.iter_mut().enumerate() {
            link.in_program_enable_send.connect();
            link.in_program_enable_receive.connect();
            link.in_collision.connect();
            for side in 0..SIDES.len() {
                let q = first + 2 * k + side;
                self.host.in_program_data_other[q].connect();
                self.host.in_fault_valid_other[q].connect();
                self.host.in_fault_code_other[q].connect();
                self.host.in_fault_cycle_other[q].connect();
                self.host.in_ecc_corrected_other[q].connect();
                self.host.in_ecc_uncorrectable_other[q].connect();
                let u = unit + 2 * k + side;
                self.control.in_fault_unit[u].connect();
                self.control.in_ended_unit[u].connect();
                self.control.in_notify_unit[u].connect();
            }
            for arrivals in &mut self.arrivals {
                for driver in WORD * k..WORD * (k + 1) {
                    arrivals.in_drive[driver].connect();
                    arrivals.in_drive_data[driver].connect();
                    arrivals.in_drive_check[driver].connect();
                }
            }
        }
    }

    /// Text.
    pub(super) fn link_statements(&self) -> Vec<VerilogStatement> {
        let (first, unit) = self.first_link_queue();
        let mut text = vec![];
        for k in 0..self._links {
            let mut copy = |to: String, from: String| text.push(assign(to, signal(from)));
            for (side, name) in SIDES.into_iter().enumerate() {
                let q = first + 2 * k + side;
                copy(
                    format!("link${k}$in_program_enable_{name}"),
                    format!("host$out_program_enable_other${q}"),
                );
                copy(
                    format!("host$in_program_data_other${q}"),
                    format!("link${k}$out_program_data_{name}"),
                );
                for (to, from) in READS {
                    copy(
                        format!("host${to}${q}"),
                        format!("link${k}$out_{name}_{from}"),
                    );
                }
                let u = unit + 2 * k + side;
                copy(
                    format!("control$in_fault_unit${u}"),
                    format!("link${k}$out_{name}_fault_valid"),
                );
                copy(
                    format!("control$in_ended_unit${u}"),
                    format!("link${k}$out_{name}_ended"),
                );
            }
            for d in 0..WORD {
                let driver = WORD * k + d;
                copy(
                    format!("arrivals$0$in_drive${driver}"),
                    format!("link${k}$out_drive"),
                );
                for port in ["drive_data", "drive_check"] {
                    copy(
                        format!("arrivals$0$in_{port}${driver}"),
                        format!("link${k}$out_{port}${d}"),
                    );
                }
            }
            copy(
                format!("control$in_notify_unit${}", unit + 2 * k),
                format!("link${k}$out_notify"),
            );
            text.push(crate::wiring::assign_low(format!(
                "control$in_notify_unit${}",
                unit + 2 * k + 1
            )));
        }
        for k in 0..self._links {
            let collisions = (WORD * k..WORD * (k + 1))
                .map(|driver| signal(format!("arrivals$0$out_collision${driver}")));
            let any = collisions
                .reduce(|a, b| {
                    VerilogExpression::Binary(Box::new(a), VerilogOp::BitOr, Box::new(b))
                })
                .expect("four drivers");
            text.push(assign(format!("link${k}$in_collision"), any));
        }
        text
    }
}
