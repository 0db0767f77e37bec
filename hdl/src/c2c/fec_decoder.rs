//! Repairs a frame in place.

use super::column_match::ColumnMatch;
use super::maps;
use super::pop_count::PopCount;
use super::xor_map::XorMap;
use crate::info::Info;
use crate::prim::{Flop, Pipe, SramBank};
use lpu_isa::c2c::{LANE_BITS, Shape, WHITENING};
use rust_hdl::prelude::*;

/// Repairs a frame in place: one wrong byte in each byte column, with the same delay whether there is one or not.
///
/// ```text
/// in_start    /~\____ ... ____/~\_________________ ...        the marker of frame k, then that of frame k + 1
/// in_word     M 1 2   ...  F-1 M  1  2 ...
///                              S0, S1 of frame k are complete here
/// out_trailer                     X trailer of frame k        repaired, not whitened
/// out_number                      X 0  1  2  ...   F-1
/// out_word                        X -  1' 2' ...   F-1'       repaired words of frame k, F + 1 cycles after they came
/// out_done                                             /~\    counts of frame k
/// ```
///
/// The words wait in a RAM of a frame; S0 and S1 of every column run along as they come. As they leave, S0 is multiplied by the
/// inverse of alpha for each word, and the column whose product equals S1 is repaired. The trailer's words have powers
/// of their own, so that the map is known before the first slot leaves.
///
/// Parameters: the shape; C = L columns. Latency: F + 1 cycles. Reset: what comes before the first marker after it is no frame.
#[derive(LogicBlock)]
pub struct FecDecoder<const C: usize, const V: usize> {
    /// The recovered clock.
    pub clock: Signal<In, Clock>,
    /// Synchronous reset.
    pub reset: Signal<In, Bit>,
    /// A line word.
    pub in_word: Signal<In, Bits<V>>,
    /// It is word 0.
    pub in_start: Signal<In, Bit>,
    /// A repaired word.
    pub out_word: Signal<Out, Bits<V>>,
    /// Its number.
    pub out_number: Signal<Out, Bits<8>>,
    /// It belongs to a whole frame.
    pub out_valid: Signal<Out, Bit>,
    /// The trailer of its frame.
    pub out_trailer: Signal<Out, Bits<256>>,
    /// The counts are those of the frame that has just left.
    pub out_done: Signal<Out, Bit>,
    /// Bytes repaired.
    pub out_corrected: Signal<Out, Bits<8>>,
    /// Columns that could not be repaired.
    pub out_uncorrectable: Signal<Out, Bits<8>>,
    number: Flop<Bits<8>>,
    seen: Flop<Bit>,
    sum: Flop<Bits<V>>,
    horner: Flop<Bits<V>>,
    raw: Flop<Bits<256>>,
    write: Flop<Bits<8>>,
    delay: SramBank<V>,
    product: Flop<Bits<V>>,
    want: Flop<Bits<V>>,
    error: Flop<Bits<V>>,
    found: Flop<Bits<C>>,
    scanned: Flop<Bit>,
    trailer: Flop<Bits<256>>,
    word: Pipe<Bits<V>>,
    word_number: Flop<Bits<8>>,
    done: Flop<Bit>,
    corrected: Flop<Bits<8>>,
    uncorrectable: Flop<Bits<8>>,
    step: XorMap<V, V, V>,
    first: XorMap<V, 1, V>,
    next: XorMap<V, 1, V>,
    shift: XorMap<V, 256, 256>,
    columns: ColumnMatch<C, V>,
    power: Vec<XorMap<V, 1, V>>,
    early: Vec<ColumnMatch<C, V>>,
    place: Vec<XorMap<V, 1, 256>>,
    found_count: PopCount<C, 8>,
    bad_count: PopCount<C, 8>,
    at: Signal<Local, Bits<8>>,
    is_trailer: Signal<Local, Bit>,
    patch: Signal<Local, Bits<256>>,
    read: Signal<Local, Bits<8>>,
    last_slot: Constant<Bits<8>>,
    last_trailer: Constant<Bits<8>>,
    back: Constant<Bits<8>>,
    whitening: Constant<Bits<256>>,
    info: Info,
    _trailers: usize,
}

impl<const C: usize, const V: usize> FecDecoder<C, V> {
    /// Cycles from a word to the same, repaired, of a link of this shape.
    pub const fn latency(shape: Shape) -> usize {
        shape.frame() + lpu_isa::c2c::FEC_EXTRA
    }

    /// The decoder of a link of this shape.
    pub fn new(shape: Shape) -> Self {
        assert!(
            V == shape.bits() && V == 8 * C,
            "bits and columns of a word"
        );
        let (frame, trailers) = (shape.frame(), shape.trailers());
        let times = |name: &str, what: &str, exponent: usize| {
            XorMap::new(name, what, maps::products(V, maps::power(exponent), 0))
        };
        let power = (0..trailers).map(|t| {
            let what = "The power of alpha of a trailer word times each byte";
            times(&format!("c2c_trailer_power_{t}"), what, trailers + 1 - t)
        });
        let place = (0..trailers).map(|t| {
            let what = "A trailer word at its place";
            XorMap::new(
                &format!("c2c_trailer_place_{t}"),
                what,
                maps::place_word(V, t),
            )
        });
        let whitening = (0..4).fold(Bits::<256>::default(), |mut word, lane| {
            word.set_bits::<64>(LANE_BITS * lane, Bits::from(WHITENING));
            word
        });
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            in_word: Signal::default(),
            in_start: Signal::default(),
            out_word: Signal::default(),
            out_number: Signal::default(),
            out_valid: Signal::default(),
            out_trailer: Signal::default(),
            out_done: Signal::default(),
            out_corrected: Signal::default(),
            out_uncorrectable: Signal::default(),
            number: Flop::default(),
            seen: Flop::default(),
            sum: Flop::default(),
            horner: Flop::default(),
            raw: Flop::default(),
            write: Flop::default(),
            delay: SramBank::new(256).without_collisions(),
            product: Flop::default(),
            want: Flop::default(),
            error: Flop::default(),
            found: Flop::default(),
            scanned: Flop::default(),
            trailer: Flop::default(),
            word: Pipe::default(),
            word_number: Flop::default(),
            done: Flop::default(),
            corrected: Flop::default(),
            uncorrectable: Flop::default(),
            step: XorMap::new(
                "c2c_horner",
                "alpha times the second input, plus the first, in each byte",
                maps::products(V, 1, 2),
            ),
            first: times(
                "c2c_first_power",
                "The power of alpha of word 1 times each byte",
                shape.codeword() - 1,
            ),
            next: times("c2c_next_power", "Each byte over alpha", 254),
            shift: XorMap::new(
                "c2c_shift_in",
                "A trailer word into the trailer",
                maps::shift_in(V),
            ),
            columns: ColumnMatch::default(),
            power: power.collect(),
            early: (0..trailers).map(|_| ColumnMatch::default()).collect(),
            place: place.collect(),
            found_count: PopCount::default(),
            bad_count: PopCount::default(),
            at: Signal::default(),
            is_trailer: Signal::default(),
            patch: Signal::default(),
            read: Signal::default(),
            last_slot: Constant::new(Bits::from(shape.slots() as u64)),
            last_trailer: Constant::new(Bits::from((shape.slots() + trailers) as u64)),
            back: Constant::new(Bits::from(frame as u64 - 1)),
            whitening: Constant::new(whitening),
            info: Info::new("c2c_fec_decoder", file!())
                .summary("Repairs a frame in place")
                .param("WORD_BITS", V)
                .param("FRAME", frame)
                .port(
                    "out_trailer",
                    "of the frame of out_word, repaired, not whitened",
                )
                .port("out_done", "counts of the frame that has left"),
            _trailers: trailers,
        }
    }
}

impl<const C: usize, const V: usize> Logic for FecDecoder<C, V> {
    #[hdl_gen]
    fn update(&mut self) {
        clock!(
            self,
            clock,
            number,
            seen,
            sum,
            horner,
            raw,
            write,
            delay,
            product,
            want,
            error,
            found,
            scanned,
            trailer,
            word,
            word_number,
            done,
            corrected,
            uncorrectable
        );
        self.number.reset.next = self.reset.val();
        self.seen.reset.next = self.reset.val();
        self.sum.reset.next = self.reset.val();
        self.horner.reset.next = self.reset.val();
        self.raw.reset.next = self.reset.val();
        self.write.reset.next = self.reset.val();
        self.product.reset.next = self.reset.val();
        self.want.reset.next = self.reset.val();
        self.error.reset.next = self.reset.val();
        self.found.reset.next = self.reset.val();
        self.scanned.reset.next = self.reset.val();
        self.trailer.reset.next = self.reset.val();
        self.word_number.reset.next = self.reset.val();
        self.done.reset.next = self.reset.val();
        self.corrected.reset.next = self.reset.val();
        self.uncorrectable.reset.next = self.reset.val();

        // As the words come: where we are, the sums, the trailer.
        self.at.next = self.number.q.val();
        if self.in_start.val() {
            self.at.next = 0.into();
        }
        self.number.enable.next = true;
        self.number.d.next = self.at.val() + 1;
        self.seen.enable.next = self.in_start.val();
        self.seen.d.next = true;
        self.step.in_a.next = self.in_word.val();
        self.step.in_b.next = self.horner.q.val();
        self.sum.enable.next = true;
        self.horner.enable.next = true;
        self.sum.d.next = self.sum.q.val() ^ self.in_word.val();
        self.horner.d.next = self.step.out.val();
        if self.in_start.val() {
            self.sum.d.next = 0.into();
            self.horner.d.next = 0.into();
        }
        self.is_trailer.next =
            (self.at.val() > self.last_slot.val()) & (self.at.val() <= self.last_trailer.val());
        self.shift.in_a.next = self.in_word.val();
        self.shift.in_b.next = self.raw.q.val();
        self.raw.enable.next = self.is_trailer.val();
        self.raw.d.next = self.shift.out.val();

        // They wait for a frame.
        self.write.enable.next = true;
        self.write.d.next = self.write.q.val() + 1;
        self.read.next = self.write.q.val() - self.back.val();
        self.delay.write_enable.next = true;
        self.delay.write_address.next = bit_cast::<16, 8>(self.write.q.val());
        self.delay.write_data.next = self.in_word.val();
        self.delay.read_enable.next = true;
        self.delay.read_address.next = bit_cast::<16, 8>(self.read.val());

        // With the next marker the sums are complete, and the search begins.
        self.first.in_a.next = self.sum.q.val();
        self.first.in_b.next = 0.into();
        self.next.in_a.next = self.product.q.val();
        self.next.in_b.next = 0.into();
        self.product.enable.next = true;
        self.product.d.next = self.next.out.val();
        self.want.enable.next = self.in_start.val();
        self.want.d.next = self.horner.q.val();
        self.error.enable.next = self.in_start.val();
        self.error.d.next = self.sum.q.val();
        self.columns.in_x.next = self.product.q.val();
        self.columns.in_y.next = self.want.q.val();
        self.columns.in_e.next = self.error.q.val();
        self.found.enable.next = true;
        self.found.d.next = self.found.q.val() | self.columns.out_hit.val();
        self.word.d.next = self.delay.read_data.val() ^ self.columns.out_flip.val();
        if self.in_start.val() {
            self.product.d.next = self.first.out.val();
            self.found.d.next = 0.into();
        }
        self.scanned.enable.next = self.in_start.val();
        self.scanned.d.next = self.seen.q.val();

        // The trailer at once.
        self.patch.next = self.raw.q.val() ^ self.whitening.val();
        for i in 0..self._trailers {
            self.power[i].in_a.next = self.sum.q.val();
            self.power[i].in_b.next = 0.into();
            self.early[i].in_x.next = self.power[i].out.val();
            self.early[i].in_y.next = self.horner.q.val();
            self.early[i].in_e.next = self.sum.q.val();
            self.place[i].in_a.next = self.early[i].out_flip.val();
            self.place[i].in_b.next = 0.into();
            self.patch.next = self.patch.val() ^ self.place[i].out.val();
        }
        self.trailer.enable.next = self.in_start.val();
        self.trailer.d.next = self.patch.val();

        // At the end of the search: the counts.
        self.found_count.in_word.next = self.found.q.val();
        self.bad_count.in_word.next = self.columns.out_bad.val() & !self.found.q.val();
        self.done.enable.next = true;
        self.done.d.next = self.in_start.val() & self.scanned.q.val();
        self.corrected.enable.next = self.in_start.val();
        self.corrected.d.next = self.found_count.out.val();
        self.uncorrectable.enable.next = self.in_start.val();
        self.uncorrectable.d.next = self.bad_count.out.val();

        self.word_number.enable.next = true;
        self.word_number.d.next = self.at.val();
        self.out_word.next = self.word.q.val();
        self.out_number.next = self.word_number.q.val();
        self.out_valid.next = self.scanned.q.val();
        self.out_trailer.next = self.trailer.q.val();
        self.out_done.next = self.done.q.val();
        self.out_corrected.next = self.corrected.q.val();
        self.out_uncorrectable.next = self.uncorrectable.q.val();
    }
}

#[cfg(test)]
mod tests;
