//! The SRAM of a slice.

use crate::info::Info;
use crate::prim::{Concat, Flop, Pack, Pipe, PipeEnable, SramBank};
use lpu_isa::Config;
use lpu_isa::secded::LANES_PER_CODEWORD;
use rust_hdl::prelude::*;

/// The SRAM of a slice: a bank for every codeword, with an output register, and the way of the host to it.
///
/// ```text
/// clock             _/~\_/~\_/~\_/~\_
/// in_read           /~~~\____________
/// in_read_address   X a X
/// in_load           ____/~~~\________
/// out_data                  X d           <- holds
///
/// in_host_enable    /~~~\____________
/// out_host_data                 X h       <- holds until the next host read
/// ```
///
/// One vector is read and one written in a cycle; a read of the word that is being written gives the old one. The host reads
/// and writes single codewords, only while the slice stands still: `in_host_enable` takes both ports and changes the output
/// register. Check bits are stored as they come.
///
/// Parameters: L lanes, V = 8 L; depth a power of two, 16 to 65536. Latency: [`LATENCY`](Self::LATENCY) cycles from `in_read` to
/// `out_data`, [`HOST_LATENCY`](Self::HOST_LATENCY) from `in_host_enable` to `out_host_data`. Reset keeps the words.
#[derive(LogicBlock)]
pub struct Sram<const L: usize, const V: usize> {
    /// The clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// Reads a vector.
    pub in_read: Signal<In, Bit>,
    /// At this address.
    pub in_read_address: Signal<In, Bits<16>>,
    /// The output register takes the vector, one cycle after `in_read`.
    pub in_load: Signal<In, Bit>,
    /// Writes a vector.
    pub in_write: Signal<In, Bit>,
    /// At this address.
    pub in_write_address: Signal<In, Bits<16>>,
    /// The vector.
    pub in_write_data: Signal<In, Bits<V>>,
    /// Its check bits.
    pub in_write_check: Signal<In, Bits<L>>,
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
    /// The vector read.
    pub out_data: Signal<Out, Bits<V>>,
    /// Its check bits.
    pub out_check: Signal<Out, Bits<L>>,
    /// The codeword that the host read.
    pub out_host_data: Signal<Out, Bits<64>>,
    /// Its check bits.
    pub out_host_check: Signal<Out, Bits<8>>,
    bank: Vec<SramBank<72>>,
    word: Vec<Concat<8, 64, 72>>,
    data: PipeEnable<Bits<V>>,
    check: PipeEnable<Bits<L>>,
    data_word: Pack<64, V>,
    check_word: Pack<8, L>,
    host1: Flop<Bit>,
    host2: Flop<Bit>,
    host_select1: Pipe<Bits<8>>,
    host_select2: Pipe<Bits<8>>,
    host_data: PipeEnable<Bits<64>>,
    host_check: PipeEnable<Bits<8>>,
    host_select: Signal<Local, Bits<8>>,
    host_read: Signal<Local, Bit>,
    load: Signal<Local, Bit>,
    read_address: Signal<Local, Bits<16>>,
    write_address: Signal<Local, Bits<16>>,
    one: Constant<Bits<8>>,
    info: Info,
    _codewords: usize,
}

impl<const L: usize, const V: usize> Sram<L, V> {
    /// Cycles from the address to the output register.
    pub const LATENCY: u64 = lpu_isa::latency::SRAM_LATENCY;
    /// Cycles from a host read to its data.
    pub const HOST_LATENCY: u64 = Self::LATENCY + 1;

    /// The SRAM of a slice of `config`.
    pub fn new(config: &Config) -> Self {
        let codewords = L / LANES_PER_CODEWORD;
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_read: Signal::default(),
            in_read_address: Signal::default(),
            in_load: Signal::default(),
            in_write: Signal::default(),
            in_write_address: Signal::default(),
            in_write_data: Signal::default(),
            in_write_check: Signal::default(),
            in_host_enable: Signal::default(),
            in_host_write: Signal::default(),
            in_host_vector: Signal::default(),
            in_host_codeword: Signal::default(),
            in_host_data: Signal::default(),
            in_host_check: Signal::default(),
            out_data: Signal::default(),
            out_check: Signal::default(),
            out_host_data: Signal::default(),
            out_host_check: Signal::default(),
            bank: (0..codewords)
                .map(|_| SramBank::new(config.mem.depth))
                .collect(),
            word: (0..codewords).map(|_| Concat::default()).collect(),
            data: PipeEnable::default(),
            check: PipeEnable::default(),
            data_word: Pack::default(),
            check_word: Pack::default(),
            host1: Flop::default(),
            host2: Flop::default(),
            host_select1: Pipe::default(),
            host_select2: Pipe::default(),
            host_data: PipeEnable::default(),
            host_check: PipeEnable::default(),
            host_select: Signal::default(),
            host_read: Signal::default(),
            load: Signal::default(),
            read_address: Signal::default(),
            write_address: Signal::default(),
            one: Constant::new(Bits::from(1)),
            info: Info::new("sram", file!())
                .summary("The SRAM of a slice")
                .param("LANES", L)
                .param("DEPTH", config.mem.depth)
                .port("in_load", "one cycle after in_read")
                .port("in_host_enable", "only while the slice stands still")
                .port("in_host_codeword", "of the vector")
                .port("out_data", "two cycles after in_read")
                .port("out_host_data", "three cycles after in_host_enable"),
            _codewords: codewords,
        }
    }
}

impl<const L: usize, const V: usize> Logic for Sram<L, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            data,
            check,
            host1,
            host2,
            host_select1,
            host_select2,
            host_data,
            host_check
        );
        self.host1.reset.next = self.reset.val();
        self.host2.reset.next = self.reset.val();

        self.host_read.next = self.in_host_enable.val() & !self.in_host_write.val();
        self.host_select.next = self.one.val() << self.in_host_codeword.val();
        self.read_address.next = self.in_read_address.val();
        self.write_address.next = self.in_write_address.val();
        if self.in_host_enable.val() {
            self.read_address.next = self.in_host_vector.val();
            self.write_address.next = self.in_host_vector.val();
        }
        for i in 0..self._codewords {
            self.bank[i].clock.next = self.clock.val();
            self.bank[i].read_enable.next = self.in_read.val() | self.host_read.val();
            self.bank[i].read_address.next = self.read_address.val();
            self.bank[i].write_enable.next = self.in_write.val()
                | (self.in_host_enable.val()
                    & self.in_host_write.val()
                    & self.host_select.val().get_bit(i));
            self.bank[i].write_address.next = self.write_address.val();
            self.word[i].low.next = self.in_write_data.val().get_bits::<64>(i * 64);
            self.word[i].high.next = self.in_write_check.val().get_bits::<8>(i * 8);
            if self.in_host_enable.val() {
                self.word[i].low.next = self.in_host_data.val();
                self.word[i].high.next = self.in_host_check.val();
            }
            self.bank[i].write_data.next = self.word[i].word.val();
            self.data_word.part[i].next = self.bank[i].read_data.val().get_bits::<64>(0);
            self.check_word.part[i].next = self.bank[i].read_data.val().get_bits::<8>(64);
        }

        self.host1.enable.next = true;
        self.host1.d.next = self.host_read.val();
        self.host_select1.d.next = self.host_select.val();
        self.load.next = self.in_load.val() | self.host1.q.val();
        self.data.enable.next = self.load.val();
        self.data.d.next = self.data_word.word.val();
        self.check.enable.next = self.load.val();
        self.check.d.next = self.check_word.word.val();
        self.out_data.next = self.data.q.val();
        self.out_check.next = self.check.q.val();

        self.host2.enable.next = true;
        self.host2.d.next = self.host1.q.val();
        self.host_select2.d.next = self.host_select1.q.val();
        self.host_data.enable.next = self.host2.q.val();
        self.host_check.enable.next = self.host2.q.val();
        self.host_data.d.next = 0.into();
        self.host_check.d.next = 0.into();
        for i in 0..self._codewords {
            if self.host_select2.q.val().get_bit(i) {
                self.host_data.d.next = self.data.q.val().get_bits::<64>(i * 64);
                self.host_check.d.next = self.check.q.val().get_bits::<8>(i * 8);
            }
        }
        self.out_host_data.next = self.host_data.q.val();
        self.out_host_check.next = self.host_check.q.val();
    }
}
