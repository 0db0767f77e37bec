//! A synchronous RAM with one read and one write port.

use crate::info::Info;
use rust_hdl::prelude::*;

/// Words an [`SramBank`] can have at most: all that its 16-bit addresses reach.
pub const MAX_DEPTH: usize = 1 << 16;

/// A synchronous RAM with one read and one write port: `D` bits wide, any number of words up to [`MAX_DEPTH`].
///
/// ```text
/// clock          _/~\_/~\_/~\_/~\_
/// read_enable    ~~~~~~~~~\_______
/// read_address   X 3 X 5 X
/// read_data              X m3X m5      <- holds while read_enable is low
/// ```
///
/// Latency: one cycle from `read_address` to `read_data`; a word written in a cycle is read from the next one on.
/// A read of the word that is being written gives the old word, unless [`SramBank::without_collisions`]. No reset: words and `read_data` are undefined until
/// written and read. An address at or beyond the depth reads an undefined word and writes nothing that can be relied on;
/// bits of an address above those the depth needs are ignored.
///
/// Written so that synthesis makes block RAM of it.
#[derive(Clone, Debug, LogicBlock)]
pub struct SramBank<const D: usize> {
    /// The clock of both ports.
    pub clock: Signal<In, Clock>,
    /// Reads a word when high; `read_data` holds when low.
    pub read_enable: Signal<In, Bit>,
    /// Word to read.
    pub read_address: Signal<In, Bits<16>>,
    /// The word read.
    pub read_data: Signal<Out, Bits<D>>,
    /// Writes a word when high.
    pub write_enable: Signal<In, Bit>,
    /// Word to write.
    pub write_address: Signal<In, Bits<16>>,
    /// Its new value.
    pub write_data: Signal<In, Bits<D>>,
    info: Info,
    _words: Vec<Bits<D>>,
    _collisions: bool,
}

impl<const D: usize> SramBank<D> {
    /// Cycles from `read_address` to `read_data`.
    pub const LATENCY: usize = 1;

    /// A RAM of `depth` words, 2 to [`MAX_DEPTH`].
    pub fn new(depth: usize) -> Self {
        assert!(
            (2..=MAX_DEPTH).contains(&depth),
            "a depth of {depth} words; 2 to {MAX_DEPTH} are possible"
        );
        Self {
            clock: Signal::default(),
            read_enable: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            info: Info::new("sram_bank", file!())
                .summary("Synchronous RAM, one read and one write port")
                .param("DEPTH", depth)
                .param("DATA_BITS", D)
                .port("read_enable", "read_data holds while low")
                .port(
                    "read_address",
                    "in words; upper bits beyond the depth are ignored",
                )
                .port(
                    "read_data",
                    "one cycle later; the old word if it is being written",
                )
                .port("write_address", "in words"),
            _words: vec![Bits::default(); depth],
            _collisions: true,
        }
    }

    /// Promises that no word is read in the cycle in which it is written; what such a read gives is then undefined.
    ///
    /// RAM that cannot give the old word, such as that of ECP5, needs no logic around it then: 269 flip-flops and 147
    /// LUTs for 2048 words of 128 bits.
    #[must_use]
    pub fn without_collisions(mut self) -> Self {
        self._collisions = false;
        self.info = self.info.param("COLLISIONS", "never");
        self
    }

    /// Number of words.
    pub fn depth(&self) -> usize {
        self._words.len()
    }

    /// The word an address means, `None` beyond the depth.
    fn word(&self, address: Bits<16>) -> Option<usize> {
        let word = address.index() & (self.depth().next_power_of_two() - 1);
        (word < self.depth()).then_some(word)
    }
}

impl<const D: usize> Logic for SramBank<D> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            if self.read_enable.val() {
                let word = self.word(self.read_address.val());
                self.read_data.next = word.map_or(Bits::default(), |word| self._words[word]);
            }
            if self.write_enable.val()
                && let Some(word) = self.word(self.write_address.val())
            {
                self._words[word] = self.write_data.val();
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let bits = self.depth().next_power_of_two().trailing_zeros();
        let index = |port: &str| match bits {
            1 => format!("{port}[0]"),
            _ => format!("{port}[{}:0]", bits - 1),
        };
        Verilog::Custom(format!(
            "\
(* ram_style = \"block\"{} *)
reg [{}:0] memory [0:{}];

always @(posedge clock) begin
  if (write_enable) memory[{}] <= write_data;
  if (read_enable) read_data <= memory[{}];
end",
            if self._collisions {
                ""
            } else {
                ", no_rw_check"
            },
            D - 1,
            self.depth() - 1,
            index("write_address"),
            index("read_address"),
        ))
    }

    fn timing(&self) -> Vec<TimingInfo> {
        let inputs = [
            "read_enable",
            "read_address",
            "write_enable",
            "write_address",
            "write_data",
        ];
        vec![TimingInfo {
            name: "sram_bank".into(),
            clock: "clock".into(),
            inputs: inputs.map(String::from).to_vec(),
            outputs: vec!["read_data".into()],
        }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::testing::cycle;
    use proptest::prelude::*;

    /// What one cycle does: read enable and address, write enable and address, data.
    type Access = (bool, u64, bool, u64, u64);

    proptest! {
        #[test]
        fn reads_what_was_written_last(
            depth in 2usize..20,
            accesses in prop::collection::vec(any::<Access>(), 1..60),
        ) {
            let mut bank = SramBank::<12>::new(depth);
            bank.connect_all();
            let mut words = vec![0; depth];
            let mut expected = 0;
            for (read, from, write, to, data) in accesses {
                let (from, to, data) = (from % depth as u64, to % depth as u64, data & 0xfff);
                bank.read_enable.next = read;
                bank.read_address.next = Bits::from(from);
                bank.write_enable.next = write;
                bank.write_address.next = Bits::from(to);
                bank.write_data.next = Bits::from(data);
                cycle(&mut bank, |bank, level| bank.clock.next = Clock::from(level));
                if read {
                    expected = words[from as usize];
                }
                if write {
                    words[to as usize] = data;
                }
                prop_assert_eq!(bank.read_data.val().to_u64(), expected);
            }
        }
    }

    #[test]
    fn upper_address_bits_are_ignored() {
        let bank = SramBank::<8>::new(5);
        assert_eq!(bank.word(Bits::from(0x1_04 & 0xffff)), Some(4));
        assert_eq!(bank.word(Bits::from(5)), None);
        assert_eq!(bank.word(Bits::from(8)), Some(0));
    }

    #[test]
    #[should_panic(expected = "a depth of 65537 words; 2 to 65536 are possible")]
    fn too_deep() {
        let _ = SramBank::<8>::new(MAX_DEPTH + 1);
    }
}
