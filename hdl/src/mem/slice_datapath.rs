//! A memory slice without its queues.

use super::{ReadPort, Sram, WritePort};
use crate::info::Info;
use crate::stream::StreamStage;
use lpu_isa::Config;
use rust_hdl::prelude::*;

/// A memory slice without its queues: SRAM, both ports, and the stream cells at its position.
///
/// ```text
/// clock             _/~\_/~\_/~\_/~\_/~\_
/// in_read_valid     /~~~\________________     READ s, a
/// out_read_start    /~~~\________________     the SRAM is read
/// out_drive_valid   ________/~~~\________     the word drives cell s
/// out_east_valid_s  ____________/~~~\____
///
/// in_write_valid    /~~~\________________     WRITE s, a
/// in_east_data_s    X d X
/// out_write_valid   ________/~~~\________     the SRAM is written
/// ```
///
/// Operations come in the form in which an instruction queue issues them. Bit c of `out_read_fault` and `out_write_fault`
/// says that fault c happens in this cycle; the numbers of corrected and uncorrectable codewords are those of this cycle.
///
/// Parameters: L lanes, V = 8 L; S streams; depth. Latencies: those of [`lpu_isa::latency`]. Reset and `in_launch` make the
/// cells invalid; reset drops what is under way; the SRAM keeps its words.
#[derive(LogicBlock)]
pub struct SliceDatapath<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// The next cycle is cycle 0.
    pub in_launch: Signal<In, Bit>,
    /// Data of the eastward cells of the western neighbour.
    pub in_east_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_east_check: Vec<Signal<In, Bits<L>>>,
    /// Whether they hold a vector.
    pub in_east_valid: Vec<Signal<In, Bit>>,
    /// Data of the westward cells of the eastern neighbour.
    pub in_west_data: Vec<Signal<In, Bits<V>>>,
    /// Their check bits.
    pub in_west_check: Vec<Signal<In, Bits<L>>>,
    /// Whether they hold a vector.
    pub in_west_valid: Vec<Signal<In, Bit>>,
    /// Data of the eastward cells.
    pub out_east_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_east_check: Vec<Signal<Out, Bits<L>>>,
    /// Whether they hold a vector.
    pub out_east_valid: Vec<Signal<Out, Bit>>,
    /// Data of the westward cells.
    pub out_west_data: Vec<Signal<Out, Bits<V>>>,
    /// Their check bits.
    pub out_west_check: Vec<Signal<Out, Bits<L>>>,
    /// Whether they hold a vector.
    pub out_west_valid: Vec<Signal<Out, Bit>>,
    /// Bit 0 READ, bit 1 GATHER.
    pub in_read_operation: Signal<In, Bits<2>>,
    /// The stream it drives.
    pub in_read_stream: Signal<In, Bits<6>>,
    /// The stream of its offset.
    pub in_read_select2: Signal<In, Bits<64>>,
    /// Its address.
    pub in_read_address: Signal<In, Bits<16>>,
    /// A WRITE or SCATTER issues.
    pub in_write_valid: Signal<In, Bit>,
    /// Bit 0 WRITE, bit 1 SCATTER.
    pub in_write_operation: Signal<In, Bits<2>>,
    /// The stream it stores.
    pub in_write_select: Signal<In, Bits<64>>,
    /// The stream of its offset.
    pub in_write_select2: Signal<In, Bits<64>>,
    /// Its address.
    pub in_write_address: Signal<In, Bits<16>>,
    /// The host reads or writes a codeword.
    pub in_host_enable: Signal<In, Bit>,
    /// The host writes.
    pub in_host_write: Signal<In, Bit>,
    /// Address of the vector.
    pub in_host_vector: Signal<In, Bits<16>>,
    /// Number of the codeword in the vector.
    pub in_host_codeword: Signal<In, Bits<3>>,
    /// Data to write.
    pub in_host_data: Signal<In, Bits<64>>,
    /// Check bits to write.
    pub in_host_check: Signal<In, Bits<8>>,
    /// The codeword that the host read.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// Its check bits.
    pub out_host_check: Signal<Out, Bits<8>>,
    /// A READ or GATHER uses its address.
    pub out_read_start: Signal<Out, Bit>,
    /// A word drives a stream.
    pub out_drive_valid: Signal<Out, Bit>,
    /// This one.
    pub out_drive_stream: Signal<Out, Bits<6>>,
    /// Its data.
    pub out_drive_data: Signal<Out, Bits<V>>,
    /// Its check bits.
    pub out_drive_check: Signal<Out, Bits<L>>,
    /// A WRITE or SCATTER writes the SRAM.
    pub out_write_valid: Signal<Out, Bit>,
    /// At this address.
    pub out_write_address: Signal<Out, Bits<16>>,
    /// This vector.
    pub out_write_data: Signal<Out, Bits<V>>,
    /// And its check bits.
    pub out_write_check: Signal<Out, Bits<L>>,
    /// Faults of the read unit in this cycle, by code.
    pub out_read_fault: Signal<Out, Bits<8>>,
    /// Codewords the read unit corrected in this cycle.
    pub out_read_corrected: Signal<Out, Bits<4>>,
    /// Codewords the read unit could not correct in this cycle.
    pub out_read_uncorrectable: Signal<Out, Bits<4>>,
    /// Faults of the write unit in this cycle, by code.
    pub out_write_fault: Signal<Out, Bits<8>>,
    /// Codewords the write unit corrected in this cycle.
    pub out_write_corrected: Signal<Out, Bits<4>>,
    /// Codewords the write unit could not correct in this cycle.
    pub out_write_uncorrectable: Signal<Out, Bits<4>>,
    read_port: ReadPort,
    write_port: WritePort<L, V>,
    sram: Sram<L, V>,
    east: StreamStage<L, V>,
    west: StreamStage<L, V>,
    info: Info,
    _streams: usize,
}

fn signals<D: Direction, T: Synth>(count: usize) -> Vec<Signal<D, T>> {
    (0..count).map(|_| Signal::default()).collect()
}

impl<const L: usize, const V: usize> SliceDatapath<L, V> {
    /// A slice of `config`.
    pub fn new(config: &Config) -> Self {
        let streams = config.streams;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_launch: Signal::default(),
            in_east_data: signals(streams),
            in_east_check: signals(streams),
            in_east_valid: signals(streams),
            in_west_data: signals(streams),
            in_west_check: signals(streams),
            in_west_valid: signals(streams),
            out_east_data: signals(streams),
            out_east_check: signals(streams),
            out_east_valid: signals(streams),
            out_west_data: signals(streams),
            out_west_check: signals(streams),
            out_west_valid: signals(streams),
            in_read_operation: Signal::default(),
            in_read_stream: Signal::default(),
            in_read_select2: Signal::default(),
            in_read_address: Signal::default(),
            in_write_valid: Signal::default(),
            in_write_operation: Signal::default(),
            in_write_select: Signal::default(),
            in_write_select2: Signal::default(),
            in_write_address: Signal::default(),
            in_host_enable: Signal::default(),
            in_host_write: Signal::default(),
            in_host_vector: Signal::default(),
            in_host_codeword: Signal::default(),
            in_host_data: Signal::default(),
            in_host_check: Signal::default(),
            out_host_data: Signal::default(),
            out_host_check: Signal::default(),
            out_read_start: Signal::default(),
            out_drive_valid: Signal::default(),
            out_drive_stream: Signal::default(),
            out_drive_data: Signal::default(),
            out_drive_check: Signal::default(),
            out_write_valid: Signal::default(),
            out_write_address: Signal::default(),
            out_write_data: Signal::default(),
            out_write_check: Signal::default(),
            out_read_fault: Signal::default(),
            out_read_corrected: Signal::default(),
            out_read_uncorrectable: Signal::default(),
            out_write_fault: Signal::default(),
            out_write_corrected: Signal::default(),
            out_write_uncorrectable: Signal::default(),
            read_port: ReadPort::new(config),
            write_port: WritePort::new(config),
            sram: Sram::new(config),
            east: StreamStage::new(streams, 1),
            west: StreamStage::new(streams, 1),
            info: Info::new("slice_datapath", file!())
                .summary("A memory slice without its queues")
                .param("LANES", L)
                .param("STREAMS", streams)
                .param("DEPTH", config.mem.depth)
                .port("in_east_data", "cells of the western neighbour")
                .port("in_west_data", "cells of the eastern neighbour")
                .port("in_read_stream", "bit 5 westward")
                .port("in_write_select", "one-hot by code")
                .port("in_read_operation", "bit 0 READ, bit 1 GATHER")
                .port("in_write_operation", "bit 0 WRITE, bit 1 SCATTER")
                .port("in_host_enable", "only while the slice stands still")
                .port("out_host_data", "three cycles after in_host_enable")
                .port("out_read_fault", "bit c: fault c in this cycle")
                .port("out_write_fault", "bit c: fault c in this cycle"),
            _streams: streams,
        }
    }
}

impl<const L: usize, const V: usize> Logic for SliceDatapath<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(self, clock, read_port, write_port, sram, east, west);
        self.read_port.reset.next = self.reset.val();
        self.write_port.reset.next = self.reset.val();
        self.sram.reset.next = self.reset.val();
        self.east.reset.next = self.reset.val() | self.in_launch.val();
        self.west.reset.next = self.reset.val() | self.in_launch.val();

        for i in 0..self._streams {
            self.read_port.in_east_data[i].next = self.in_east_data[i].val().get_bits::<64>(0);
            self.read_port.in_east_check[i].next = self.in_east_check[i].val().get_bits::<8>(0);
            self.read_port.in_east_valid[i].next = self.in_east_valid[i].val();
            self.read_port.in_west_data[i].next = self.in_west_data[i].val().get_bits::<64>(0);
            self.read_port.in_west_check[i].next = self.in_west_check[i].val().get_bits::<8>(0);
            self.read_port.in_west_valid[i].next = self.in_west_valid[i].val();
            self.write_port.in_east_data[i].next = self.in_east_data[i].val();
            self.write_port.in_east_check[i].next = self.in_east_check[i].val();
            self.write_port.in_east_valid[i].next = self.in_east_valid[i].val();
            self.write_port.in_west_data[i].next = self.in_west_data[i].val();
            self.write_port.in_west_check[i].next = self.in_west_check[i].val();
            self.write_port.in_west_valid[i].next = self.in_west_valid[i].val();
            self.east.in_data[i].next = self.in_east_data[i].val();
            self.east.in_check[i].next = self.in_east_check[i].val();
            self.east.in_valid[i].next = self.in_east_valid[i].val();
            self.west.in_data[i].next = self.in_west_data[i].val();
            self.west.in_check[i].next = self.in_west_check[i].val();
            self.west.in_valid[i].next = self.in_west_valid[i].val();
            self.out_east_data[i].next = self.east.out_data[i].val();
            self.out_east_check[i].next = self.east.out_check[i].val();
            self.out_east_valid[i].next = self.east.out_valid[i].val();
            self.out_west_data[i].next = self.west.out_data[i].val();
            self.out_west_check[i].next = self.west.out_check[i].val();
            self.out_west_valid[i].next = self.west.out_valid[i].val();
        }

        self.read_port.in_operation.next = self.in_read_operation.val();
        self.read_port.in_stream.next = self.in_read_stream.val();
        self.read_port.in_select2.next = self.in_read_select2.val();
        self.read_port.in_address.next = self.in_read_address.val();
        self.read_port.in_collision.next =
            self.east.out_collision[0].val() | self.west.out_collision[0].val();
        self.write_port.in_valid.next = self.in_write_valid.val();
        self.write_port.in_operation.next = self.in_write_operation.val();
        self.write_port.in_select.next = self.in_write_select.val();
        self.write_port.in_select2.next = self.in_write_select2.val();
        self.write_port.in_address.next = self.in_write_address.val();

        self.sram.in_read.next = self.read_port.out_read.val();
        self.sram.in_read_address.next = self.read_port.out_address.val();
        self.sram.in_load.next = self.read_port.out_load.val();
        self.sram.in_write.next = self.write_port.out_write.val();
        self.sram.in_write_address.next = self.write_port.out_address.val();
        self.sram.in_write_data.next = self.write_port.out_data.val();
        self.sram.in_write_check.next = self.write_port.out_check.val();
        self.sram.in_host_enable.next = self.in_host_enable.val();
        self.sram.in_host_write.next = self.in_host_write.val();
        self.sram.in_host_vector.next = self.in_host_vector.val();
        self.sram.in_host_codeword.next = self.in_host_codeword.val();
        self.sram.in_host_data.next = self.in_host_data.val();
        self.sram.in_host_check.next = self.in_host_check.val();
        self.out_host_data.next = self.sram.out_host_data.val();
        self.out_host_check.next = self.sram.out_host_check.val();

        // The word read drives a cell of one direction.
        self.east.in_drive[0].next = self.read_port.out_drive_east.val();
        self.east.in_drive_data[0].next = self.sram.out_data.val();
        self.east.in_drive_check[0].next = self.sram.out_check.val();
        self.west.in_drive[0].next = self.read_port.out_drive_west.val();
        self.west.in_drive_data[0].next = self.sram.out_data.val();
        self.west.in_drive_check[0].next = self.sram.out_check.val();

        self.out_read_start.next = self.read_port.out_read.val();
        self.out_drive_valid.next = self.read_port.out_drive_valid.val();
        self.out_drive_stream.next = self.read_port.out_drive_stream.val();
        self.out_drive_data.next = self.sram.out_data.val();
        self.out_drive_check.next = self.sram.out_check.val();
        self.out_write_valid.next = self.write_port.out_write.val();
        self.out_write_address.next = self.write_port.out_address.val();
        self.out_write_data.next = self.write_port.out_data.val();
        self.out_write_check.next = self.write_port.out_check.val();
        self.out_read_fault.next = self.read_port.out_fault.val();
        self.out_read_corrected.next = self.read_port.out_corrected.val();
        self.out_read_uncorrectable.next = self.read_port.out_uncorrectable.val();
        self.out_write_fault.next = self.write_port.out_fault.val();
        self.out_write_corrected.next = self.write_port.out_corrected.val();
        self.out_write_uncorrectable.next = self.write_port.out_uncorrectable.val();
    }
}

#[cfg(test)]
mod tests;
