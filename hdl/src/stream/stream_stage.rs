//! The cells of one direction at one position.

use crate::info::Info;
use rust_hdl::prelude::*;
use std::fmt::Write;

/// Streams that a stream number can name.
const NUMBERS: usize = 32;

/// The cells of one direction at one position: what flows in moves on, unless a unit drives the cell.
///
/// ```text
/// clock           _/~\_/~\_/~\_/~\_
/// in_valid_s      /~~~\____________
/// in_data_s       X a X
/// in_drive_d[s]   ____/~~~\________
/// in_drive_data_d     X b X
/// out_valid_s     ____/~~~~~~~\____
/// out_data_s          X a X b           <- holds until the next valid vector
/// ```
///
/// `out_collision_d` is high in the drive cycle if a valid vector flows into the cell that driver d drives, which the driven
/// one replaces, or if another driver drives the same cell; the driver with the lowest number wins.
///
/// `in_drive_d` has a bit for every stream, so that no decoder stands before the cells. With drivers in groups of G, driver
/// d drives only streams with the number d modulo G; its other bits are ignored, as are those of streams that do not exist.
///
/// Parameters: 1 to 32 streams; drivers; G a power of two. Latency: [`LATENCY`](Self::LATENCY). Reset makes all cells
/// invalid.
#[derive(LogicBlock)]
pub struct StreamStage<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset; makes all cells invalid.
    pub reset: Signal<In, Bit>,
    /// Data of the neighbour's cells.
    pub in_data: Vec<Signal<In, Bits<V>>>,
    /// Check bits of the neighbour's cells.
    pub in_check: Vec<Signal<In, Bits<L>>>,
    /// Whether the neighbour's cells hold a vector.
    pub in_valid: Vec<Signal<In, Bit>>,
    /// Each driver: bit s drives stream s in this cycle.
    pub in_drive: Vec<Signal<In, Bits<32>>>,
    /// Each driver: data.
    pub in_drive_data: Vec<Signal<In, Bits<V>>>,
    /// Each driver: check bits.
    pub in_drive_check: Vec<Signal<In, Bits<L>>>,
    /// Data of the cells.
    pub out_data: Vec<Signal<Out, Bits<V>>>,
    /// Check bits of the cells.
    pub out_check: Vec<Signal<Out, Bits<L>>>,
    /// Whether the cells hold a vector.
    pub out_valid: Vec<Signal<Out, Bit>>,
    /// Each driver: collides in this cycle.
    pub out_collision: Vec<Signal<Out, Bit>>,
    info: Info,
    _streams: usize,
    _drivers: usize,
    _group: usize,
}

fn signals<D: Direction, T: Synth>(count: usize) -> Vec<Signal<D, T>> {
    (0..count).map(|_| Signal::default()).collect()
}

impl<const L: usize, const V: usize> StreamStage<L, V> {
    /// Cycles from the neighbour's cell, or a driver, to the cell.
    pub const LATENCY: u64 = lpu_isa::latency::HOP_LATENCY;

    /// A stage with `drivers` drivers that each drive any stream.
    pub fn new(streams: usize, drivers: usize) -> Self {
        Self::grouped(streams, drivers, 1)
    }

    /// A stage with `drivers` drivers in groups of `group`: driver d drives the streams with the number d modulo `group`.
    pub fn grouped(streams: usize, drivers: usize, group: usize) -> Self {
        assert!(
            (1..=NUMBERS).contains(&streams),
            "{streams} streams; 1 to {NUMBERS} are possible"
        );
        assert!(
            group.is_power_of_two() && group <= NUMBERS,
            "drivers in groups of {group}; a power of two up to {NUMBERS}"
        );
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_data: signals(streams),
            in_check: signals(streams),
            in_valid: signals(streams),
            in_drive: signals(drivers),
            in_drive_data: signals(drivers),
            in_drive_check: signals(drivers),
            out_data: signals(streams),
            out_check: signals(streams),
            out_valid: signals(streams),
            out_collision: signals(drivers),
            info: Info::new("stream_stage", file!())
                .summary("The cells of one direction at one position")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("DRIVERS", drivers)
                .param("GROUP", group)
                .port("in_valid", "the neighbour's cell holds a vector")
                .port("in_drive", "bit s: this driver drives stream s")
                .port("out_data", "holds while not valid")
                .port("out_collision", "in the drive cycle")
                .unused("in_drive"),
            _streams: streams,
            _drivers: drivers,
            _group: group,
        }
    }

    /// The streams that a driver can drive.
    fn targets(&self, driver: usize) -> impl Iterator<Item = usize> + use<L, V> {
        (driver % self._group..self._streams).step_by(self._group)
    }

    /// The drivers that drive stream `s` now, the lowest first.
    fn drivers(&self, s: usize) -> Vec<usize> {
        (s % self._group..self._drivers)
            .step_by(self._group)
            .filter(|&d| self.in_drive[d].val().get_bit(s))
            .collect()
    }

    /// Verilog: the next value of the cell of stream `s`.
    ///
    /// One chain of conditions for each cell, so that synthesis makes of it an enable for all bits and, for each bit and
    /// driver, a multiplexer of two.
    fn cell(&self, s: usize) -> String {
        let mut text = String::from("  ");
        for d in (s % self._group..self._drivers).step_by(self._group) {
            let _ = write!(
                text,
                "if (in_drive${d}[{s}]) begin\n\
                 \x20   out_valid${s} <= 1'd1;\n\
                 \x20   out_data${s} <= in_drive_data${d};\n\
                 \x20   out_check${s} <= in_drive_check${d};\n\
                 \x20 end else "
            );
        }
        let _ = write!(
            text,
            "begin\n\
             \x20   out_valid${s} <= in_valid${s};\n\
             \x20   if (in_valid${s}) begin\n\
             \x20     out_data${s} <= in_data${s};\n\
             \x20     out_check${s} <= in_check${s};\n\
             \x20   end\n\
             \x20 end\n"
        );
        text
    }

    /// Verilog: the condition that driver `d` collides.
    fn collision(&self, d: usize) -> String {
        let own = self.targets(d).fold(0u64, |mask, s| mask | 1 << s);
        let others = (d % self._group..self._drivers).step_by(self._group);
        let others: String = others
            .filter(|&other| other != d)
            .map(|other| format!(" | in_drive${other}"))
            .collect();
        format!("  out_collision${d} = |(in_drive${d} & 32'h{own:08x} & (arriving{others}));\n")
    }
}

impl<const L: usize, const V: usize> Logic for StreamStage<L, V> {
    fn update(&mut self) {
        for d in 0..self._drivers {
            let collides = self.targets(d).any(|s| {
                let drivers = self.drivers(s);
                drivers.contains(&d) && (drivers.len() > 1 || self.in_valid[s].val())
            });
            self.out_collision[d].next = collides;
        }
        if !self.clock.pos_edge() {
            return;
        }
        for s in 0..self._streams {
            let driver = self.drivers(s).first().copied();
            let arrives = self.in_valid[s].val();
            self.out_valid[s].next = (driver.is_some() || arrives) && !self.reset.val();
            if let Some(d) = driver {
                self.out_data[s].next = self.in_drive_data[d].val();
                self.out_check[s].next = self.in_drive_check[d].val();
            } else if arrives {
                self.out_data[s].next = self.in_data[s].val();
                self.out_check[s].next = self.in_check[s].val();
            }
        }
    }

    fn connect(&mut self) {
        self.out_data.iter_mut().for_each(Signal::connect);
        self.out_check.iter_mut().for_each(Signal::connect);
        self.out_valid.iter_mut().for_each(Signal::connect);
        self.out_collision.iter_mut().for_each(Signal::connect);
    }

    fn hdl(&self) -> Verilog {
        let mut text = String::new();
        if self._drivers > 0 {
            text += "wire [31:0] arriving;\n";
        }
        text += "\nalways @(posedge clock) begin\n";
        (0..self._streams).for_each(|s| text += &self.cell(s));
        text += "  if (reset) begin\n";
        for s in 0..self._streams {
            let _ = writeln!(text, "    out_valid${s} <= 1'd0;");
        }
        text += "  end\nend";
        if self._drivers > 0 {
            let mut arriving: Vec<String> = (0..self._streams)
                .rev()
                .map(|s| format!("in_valid${s}"))
                .collect();
            if self._streams < NUMBERS {
                arriving.insert(0, format!("{}'d0", NUMBERS - self._streams));
            }
            let _ = write!(
                text,
                "\n\nassign arriving = {{\n  {}\n}};\n\nalways @(*) begin\n",
                arriving
                    .chunks(8)
                    .map(|part| part.join(", "))
                    .collect::<Vec<_>>()
                    .join(",\n  ")
            );
            (0..self._drivers).for_each(|d| text += &self.collision(d));
            text += "end";
        }
        Verilog::Custom(text)
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let array = |name: &str, count: usize| {
            (0..count)
                .map(|n| format!("{name}${n}"))
                .collect::<Vec<_>>()
        };
        let mut inputs = vec!["reset".to_owned()];
        let mut outputs = vec![];
        for name in ["data", "check", "valid"] {
            inputs.extend(array(&format!("in_{name}"), self._streams));
            outputs.extend(array(&format!("out_{name}"), self._streams));
        }
        for name in ["in_drive", "in_drive_data", "in_drive_check"] {
            inputs.extend(array(name, self._drivers));
        }
        vec![TimingInfo {
            name: "stream_stage".into(),
            clock: "clock".into(),
            inputs,
            outputs,
        }]
    }
}

#[cfg(test)]
mod tests;
