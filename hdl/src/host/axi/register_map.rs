//! What lies at a register address.

use super::REGISTER_BITS;
use crate::info::Info;
use lpu_isa::Config;
use lpu_isa::memory_map::ECC_HOST_UNIT;
use lpu_isa::registers::{
    Access, BASE_OFFSET, Count, ECC_HOST_PLACE, ECC_OFFSET, REGISTERS, Register, Source,
};
use rust_hdl::prelude::*;
use std::fmt::Write;

/// What lies at a register address, from the table `lpu_isa::registers::REGISTERS`.
///
/// Combinational, no reset. Addresses are in words of 32 bits. An address that holds nothing has `out_known` low and everything
/// else low too.
#[derive(Clone, Debug, LogicBlock)]
pub struct RegisterMap {
    /// Word address of the register.
    pub in_word: Signal<In, Bits<{ REGISTER_BITS - 2 }>>,
    /// There is a register.
    pub out_known: Signal<Out, Bit>,
    /// It can be written.
    pub out_writable: Signal<Out, Bit>,
    /// It can be read; others read as zero.
    pub out_readable: Signal<Out, Bit>,
    /// It is a register of the tile.
    pub out_host: Signal<Out, Bit>,
    /// Its word at the host port.
    pub out_host_word: Signal<Out, Bits<10>>,
    /// It has 64 bits.
    pub out_wide: Signal<Out, Bit>,
    /// Register of the AXI side, by `lpu_isa::registers::Local`; 0: none.
    pub out_local: Signal<Out, Bits<3>>,
    /// Its content, if the configuration decides it.
    pub out_constant: Signal<Out, Bits<32>>,
    info: Info,
    _config: Config,
}

/// What lies at an address.
#[derive(Clone, Copy, Default, PartialEq)]
struct Place {
    known: bool,
    writable: bool,
    readable: bool,
    host: bool,
    host_word: u32,
    wide: bool,
    local: u32,
    constant: u32,
}

impl RegisterMap {
    /// The registers of this machine.
    pub fn new(config: &Config) -> Self {
        Self {
            in_word: Signal::default(),
            out_known: Signal::default(),
            out_writable: Signal::default(),
            out_readable: Signal::default(),
            out_host: Signal::default(),
            out_host_word: Signal::default(),
            out_wide: Signal::default(),
            out_local: Signal::default(),
            out_constant: Signal::default(),
            info: Info::new("axi_register_map", file!())
                .summary("What lies at a register address")
                .param("CONFIGURATION", config.hash())
                .port("in_word", "32-bit words")
                .port("out_host_word", "64-bit word at the host port")
                .port("out_local", "register of the AXI side"),
            _config: config.clone(),
        }
    }

    fn place(&self, register: &Register) -> Place {
        let (host, local, constant) = match register.source {
            Source::Host(word) => (Some(word), 0, 0),
            Source::Local(local) => (None, local as u32, 0),
            Source::Constant(value) => (None, 0, value(&self._config)),
        };
        Place {
            known: true,
            writable: register.writable(),
            readable: register.access != Access::WriteOnly,
            host: host.is_some(),
            host_word: host.unwrap_or(0),
            wide: register.bits == 64,
            local,
            constant,
        }
    }

    fn find(&self, word: u32) -> Place {
        let offset = 4 * word;
        for register in REGISTERS {
            let step = register.bits / 8;
            let count = register.count.of(&self._config) as u32;
            let at = offset.wrapping_sub(register.offset) / step;
            if offset >= register.offset && at < count {
                let mut place = self.place(register);
                if place.host {
                    place.host_word += at;
                }
                return place;
            }
            if register.offset == ECC_OFFSET
                && offset >= ECC_OFFSET
                && (offset - ECC_OFFSET) / 8 == ECC_HOST_PLACE
            {
                let mut place = self.place(register);
                place.host_word += ECC_HOST_UNIT;
                return place;
            }
        }
        Place::default()
    }
}

impl Logic for RegisterMap {
    fn update(&mut self) {
        let place = self.find(self.in_word.val().to_u64() as u32);
        self.out_known.next = place.known;
        self.out_writable.next = place.writable;
        self.out_readable.next = place.readable;
        self.out_host.next = place.host;
        self.out_host_word.next = Bits::from(u64::from(place.host_word));
        self.out_wide.next = place.wide;
        self.out_local.next = Bits::from(u64::from(place.local));
        self.out_constant.next = Bits::from(u64::from(place.constant));
    }

    fn connect(&mut self) {
        self.out_known.connect();
        self.out_writable.connect();
        self.out_readable.connect();
        self.out_host.connect();
        self.out_host_word.connect();
        self.out_wide.connect();
        self.out_local.connect();
        self.out_constant.connect();
    }

    fn hdl(&self) -> Verilog {
        let bit = |value: bool| format!("1'b{}", u8::from(value));
        let assign = |place: Place, index: &str, indent: &str| {
            format!(
                "{indent}out_known = {known};\n{indent}out_writable = {writable};\n\
                 {indent}out_readable = {readable};\n{indent}out_host = {host};\n\
                 {indent}out_host_word = 10'd{host_word}{index};\n{indent}out_wide = {wide};\n\
                 {indent}out_local = 3'd{local};\n{indent}out_constant = 32'h{constant:08x};\n",
                known = bit(place.known),
                writable = bit(place.writable),
                readable = bit(place.readable),
                host = bit(place.host),
                host_word = place.host_word,
                wide = bit(place.wide),
                local = place.local,
                constant = place.constant,
            )
        };
        let mut text = String::from("always @(*) begin\n");
        text += &assign(Place::default(), "", "  ");
        text += "  case (in_word)\n";
        for word in 0..BASE_OFFSET / 4 {
            let place = self.find(word);
            if place.known {
                let _ = write!(
                    text,
                    "    10'd{word}: begin\n{}    end\n",
                    assign(place, "", "      ")
                );
            }
        }
        text += "    default: begin end\n  endcase\n";
        // Arrays fill a page of 256 words each; element and half come from the address.
        for register in REGISTERS.iter().filter(|r| r.count != Count::One) {
            let page = register.offset / 0x400;
            let count = register.count.of(&self._config) as u32;
            let (element, index) = match register.bits {
                32 => ("in_word[7:0]", "8'd"),
                _ => ("in_word[7:1]", "7'd"),
            };
            let padding = if register.bits == 32 { 2 } else { 3 };
            let _ = write!(
                text,
                "  if (in_word[9:8] == 2'd{page} && {element} < {index}{count}) begin\n{}  end\n",
                assign(
                    self.place(register),
                    &format!(" + {{{padding}'d0, {element}}}"),
                    "    "
                ),
            );
        }
        let host = self.find((ECC_OFFSET + 8 * ECC_HOST_PLACE) / 4);
        let _ = write!(
            text,
            "  if (in_word[9:8] == 2'd3 && in_word[7:1] == 7'd{ECC_HOST_PLACE}) begin\n{}  end\n",
            assign(host, "", "    ")
        );
        Verilog::Custom(text + "end")
    }

    fn timing(&self) -> Vec<TimingInfo> {
        vec![]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lpu_isa::registers::register;

    #[test]
    fn every_register_is_where_the_table_says() {
        let config = Config::preset("edge").unwrap();
        let map = RegisterMap::new(&config);
        let at = |offset: u32| map.find(offset / 4);
        assert_eq!(at(register("LANES").offset).constant, 16);
        assert_eq!(at(register("STATUS").offset).host_word, 1);
        assert!(at(register("CONFIG_HASH").offset + 4).wide);
        assert!(!at(register("STATUS").offset).writable);
        let queues = config.num_queues() as u32;
        assert_eq!(at(register("BASE").offset + 4 * 15).host_word, 0x10f);
        assert!(!at(register("BASE").offset + 4 * 16).known);
        assert_eq!(
            at(register("FAULT").offset + 8 * (queues - 1) + 4).host_word,
            0x200 + queues - 1
        );
        assert!(!at(register("FAULT").offset + 8 * queues).known);
        assert_eq!(at(register("ECC").offset + 8 * 127).host_word, 0x3ff);
        assert!(!at(0x014).known, "a gap");
    }
}
