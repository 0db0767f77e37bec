//! Simulates a netlist of ECP5 cells, cycle by cycle: `ecp5_netlist NETLIST RECORD [LUT]`.
//!
//! NETLIST is what scripts/fpga_ecp5.py makes of the JSON of yosys: one cell a line, nets as numbers, net 0 is low and net 1
//! high. RECORD is what `lpu run matmul --record-host` writes. Prints the outputs after every rising clock edge, in
//! hexadecimal. With LUT, a number, the output of that LUT is inverted: the comparison with the RTL has to notice.
//!
//! One clock, two values, registers start at zero. The behaviour of cells is that of Lattice's primitives in the modes
//! that yosys uses; the script refuses other modes. Port B of a block RAM that reads the word which port A writes in the
//! same cycle reads it inverted, since the device does not define it.
//!
//! Standard library only: the script compiles it with `rustc -O`.

use std::collections::HashMap;
use std::io::Write;
use std::process::exit;

/// A cell between registers.
enum Gate {
    Lut { init: u16, inputs: [usize; 4], out: usize },
    Mux { select: usize, high: usize, low: usize, out: usize },
    Carry { init: [u16; 2], inject: [bool; 2], carry: usize, inputs: [[usize; 4]; 2], sums: [usize; 2], out: usize },
    Multiplier { signed: [usize; 2], operands: [Vec<usize>; 2], product: Vec<usize> },
    /// The read port of a small RAM.
    Read { ram: usize, address: [usize; 4], out: [usize; 4] },
}

struct FlipFlop {
    set: bool,
    data: usize,
    enable: usize,
    enable_inverted: bool,
    reset: usize,
    reset_inverted: bool,
    out: usize,
}

/// A block RAM: one port writes, one reads; words of 9, 18 or 36 bits.
struct Ram {
    width: usize,
    write_enable: [usize; 2],
    write_address: Vec<usize>,
    write_data: Vec<usize>,
    read_enable: usize,
    read_address: Vec<usize>,
    read_data: Vec<usize>,
    words: Vec<u64>,
}

/// A RAM of 16 words of 4 bits, read without a clock.
struct SmallRam {
    enable: usize,
    address: [usize; 4],
    data: [usize; 4],
    words: [u8; 16],
}

#[derive(Default)]
struct Netlist {
    nets: usize,
    gates: Vec<Gate>,
    flip_flops: Vec<FlipFlop>,
    rams: Vec<Ram>,
    small_rams: Vec<SmallRam>,
    inputs: HashMap<String, Vec<usize>>,
    outputs: Vec<(String, Vec<usize>)>,
}

fn fail(text: &str) -> ! {
    eprintln!("ecp5_netlist: {text}");
    exit(2)
}

/// Takes fields of a line in turn.
struct Fields<'a>(std::str::SplitWhitespace<'a>);

impl<'a> Fields<'a> {
    fn word(&mut self) -> &'a str {
        self.0.next().unwrap_or_else(|| fail("a line of the netlist is too short"))
    }

    fn number(&mut self) -> usize {
        let word = self.word();
        word.parse().unwrap_or_else(|_| fail(&format!("`{word}` is no number")))
    }

    fn numbers<const N: usize>(&mut self) -> [usize; N] {
        std::array::from_fn(|_| self.number())
    }

    fn list(&mut self, length: usize) -> Vec<usize> {
        (0..length).map(|_| self.number()).collect()
    }

    fn rest(&mut self) -> Vec<usize> {
        let mut list = Vec::new();
        while let Some(word) = self.0.next() {
            list.push(word.parse().unwrap_or_else(|_| fail(&format!("`{word}` is no number"))));
        }
        list
    }
}

impl Netlist {
    fn read(path: &str, mutant: Option<usize>) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| fail(&format!("{path}: {error}")));
        let mut netlist = Netlist::default();
        let mut luts = 0;
        for line in text.lines() {
            let mut fields = Fields(line.split_whitespace());
            match fields.word() {
                "nets" => netlist.nets = fields.number(),
                "lut" => {
                    let init = fields.number() as u16;
                    netlist.gates.push(Gate::Lut {
                        init: if mutant == Some(luts) { !init } else { init },
                        inputs: fields.numbers(),
                        out: fields.number(),
                    });
                    luts += 1;
                }
                "mux" => {
                    let [select, high, low, out] = fields.numbers();
                    netlist.gates.push(Gate::Mux { select, high, low, out });
                }
                "carry" => netlist.gates.push(Gate::Carry {
                    init: fields.numbers::<2>().map(|init| init as u16),
                    inject: fields.numbers::<2>().map(|inject| inject == 1),
                    carry: fields.number(),
                    inputs: [fields.numbers(), fields.numbers()],
                    sums: fields.numbers(),
                    out: fields.number(),
                }),
                "multiplier" => netlist.gates.push(Gate::Multiplier {
                    signed: fields.numbers(),
                    operands: [fields.list(18), fields.list(18)],
                    product: fields.list(36),
                }),
                "flip_flop" => {
                    let [set, data, enable, enable_inverted, reset, reset_inverted, out] = fields.numbers();
                    let (set, enable_inverted, reset_inverted) = (set == 1, enable_inverted == 1, reset_inverted == 1);
                    netlist.flip_flops.push(FlipFlop { set, data, enable, enable_inverted, reset, reset_inverted, out });
                }
                "ram" => {
                    let width = fields.number();
                    netlist.rams.push(Ram {
                        width,
                        write_enable: fields.numbers(),
                        write_address: fields.list(14),
                        write_data: fields.list(width),
                        read_enable: fields.number(),
                        read_address: fields.list(14),
                        read_data: fields.list(width),
                        words: match fields.rest() {
                            words if words.is_empty() => vec![0; 18432 / width],
                            words => words.into_iter().map(|word| word as u64).collect(),
                        },
                    });
                }
                "small_ram" => {
                    let (enable, ram) = (fields.number(), netlist.small_rams.len());
                    let [address, data, read, out] = [0; 4].map(|_| fields.numbers());
                    netlist.small_rams.push(SmallRam { enable, address, data, words: [0; 16] });
                    netlist.gates.push(Gate::Read { ram, address: read, out });
                }
                "input" => {
                    let name = fields.word().to_string();
                    let bits = fields.rest();
                    netlist.inputs.insert(name, bits);
                }
                "output" => {
                    let name = fields.word().to_string();
                    let bits = fields.rest();
                    netlist.outputs.push((name, bits));
                }
                other => fail(&format!("`{other}` is no kind of line")),
            }
        }
        if mutant.is_some_and(|number| number >= luts) {
            fail(&format!("the netlist has {luts} LUTs"));
        }
        netlist.sort();
        netlist
    }

    /// Puts gates behind those they depend on.
    fn sort(&mut self) {
        let mut driver = vec![usize::MAX; self.nets];
        for (g, gate) in self.gates.iter().enumerate() {
            gate.outputs(|net| driver[net] = g);
        }
        let mut missing = vec![0; self.gates.len()];
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.gates.len()];
        for (g, gate) in self.gates.iter().enumerate() {
            gate.inputs(|net| {
                if driver[net] != usize::MAX {
                    missing[g] += 1;
                    users[driver[net]].push(g);
                }
            });
        }
        let mut order: Vec<usize> = (0..missing.len()).filter(|&g| missing[g] == 0).collect();
        let mut next = 0;
        while next < order.len() {
            for &user in &users[order[next]] {
                missing[user] -= 1;
                if missing[user] == 0 {
                    order.push(user);
                }
            }
            next += 1;
        }
        if order.len() < self.gates.len() {
            fail("there is a combinational loop");
        }
        let mut gates: Vec<Option<Gate>> = self.gates.drain(..).map(Some).collect();
        self.gates = order.iter().map(|&g| gates[g].take().expect("each gate once")).collect();
    }
}

impl Gate {
    fn inputs(&self, mut each: impl FnMut(usize)) {
        match self {
            Gate::Lut { inputs, .. } => inputs.iter().copied().for_each(each),
            Gate::Mux { select, high, low, .. } => [*select, *high, *low].into_iter().for_each(each),
            Gate::Carry { carry, inputs, .. } => {
                each(*carry);
                inputs.iter().flatten().copied().for_each(each);
            }
            Gate::Multiplier { signed, operands, .. } => {
                signed.iter().chain(operands.iter().flatten()).copied().for_each(each);
            }
            Gate::Read { address, .. } => address.iter().copied().for_each(each),
        }
    }

    fn outputs(&self, mut each: impl FnMut(usize)) {
        let mut drive = |net: usize| {
            if net > 1 {
                each(net);
            }
        };
        match self {
            Gate::Lut { out, .. } | Gate::Mux { out, .. } => drive(*out),
            Gate::Carry { sums, out, .. } => {
                sums.iter().copied().for_each(&mut drive);
                drive(*out);
            }
            Gate::Multiplier { product, .. } => product.iter().copied().for_each(drive),
            Gate::Read { out, .. } => out.iter().copied().for_each(drive),
        }
    }

    fn evaluate(&self, nets: &mut [bool], small_rams: &[SmallRam]) {
        match self {
            Gate::Lut { init, inputs, out } => nets[*out] = lut(*init, inputs, nets),
            Gate::Mux { select, high, low, out } => nets[*out] = if nets[*select] { nets[*high] } else { nets[*low] },
            Gate::Carry { init, inject, carry, inputs, sums, out } => {
                let mut chain = nets[*carry];
                for half in 0..2 {
                    let full = lut(init[half], &inputs[half], nets);
                    // The low four entries of the table see A and B only.
                    let [a, b, ..] = inputs[half];
                    let pair = lut(init[half], &[a, b, 0, 0], nets);
                    set(nets, sums[half], full ^ (chain & !inject[half]));
                    chain = if full { chain } else { pair & !inject[half] };
                }
                set(nets, *out, chain);
            }
            Gate::Multiplier { signed, operands, product } => {
                let [a, b] = [0, 1].map(|side| {
                    let value = word(&operands[side], nets) as i64;
                    if nets[signed[side]] && value >> 17 == 1 { value - (1 << 18) } else { value }
                });
                for (bit, &net) in product.iter().enumerate() {
                    set(nets, net, (a * b) >> bit & 1 == 1);
                }
            }
            Gate::Read { ram, address, out } => {
                let value = small_rams[*ram].words[word(address, nets) as usize];
                out.iter().enumerate().for_each(|(bit, &net)| set(nets, net, value >> bit & 1 == 1));
            }
        }
    }
}

/// Net 0 also stands for outputs that go nowhere.
fn set(nets: &mut [bool], net: usize, value: bool) {
    if net > 1 {
        nets[net] = value;
    }
}

fn lut(init: u16, inputs: &[usize; 4], nets: &[bool]) -> bool {
    init >> word(inputs, nets) & 1 == 1
}

fn word(bits: &[usize], nets: &[bool]) -> u64 {
    bits.iter().rev().fold(0, |value, &net| value << 1 | u64::from(nets[net]))
}

impl Ram {
    /// What the read port shows after the edge, if it reads; then writes.
    fn clock(&mut self, nets: &[bool]) -> Option<u64> {
        let (shift, mask) = match self.width {
            9 => (3, 2047),
            18 => (4, 1023),
            _ => (5, 511),
        };
        let read = (word(&self.read_address, nets) >> shift & mask) as usize;
        let write = (word(&self.write_address, nets) >> shift & mask) as usize;
        let writes = self.write_enable.iter().all(|&net| nets[net]);
        // Where a word has several bytes of nine bits, the low address bits enable them.
        let bytes = match self.width {
            9 => 1,
            width => word(&self.write_address, nets) & ((1 << (width / 9)) - 1),
        };
        let written = writes && bytes != 0;
        let shown = match written && read == write {
            true => !self.words[read],
            false => self.words[read],
        };
        if written {
            let data = word(&self.write_data, nets);
            let lanes = (0..4).filter(|lane| bytes >> lane & 1 == 1).fold(0, |lanes, lane| lanes | 0x1ff << (9 * lane));
            self.words[write] = self.words[write] & !lanes | data & lanes;
        }
        nets[self.read_enable].then_some(shown)
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [netlist, record, mutant @ ..] = &arguments[..] else { fail("arguments: NETLIST RECORD [LUT]") };
    let mutant = mutant.first().map(|number| number.parse().unwrap_or_else(|_| fail("LUT is a number")));
    let mut netlist = Netlist::read(netlist, mutant);
    let mut nets = vec![false; netlist.nets];
    nets[1] = true;
    for flip_flop in &netlist.flip_flops {
        nets[flip_flop.out] = flip_flop.set;
    }
    let text = std::fs::read_to_string(record).unwrap_or_else(|error| fail(&format!("{record}: {error}")));
    let names = ["reset", "in_host_valid", "in_host_write", "in_host_address", "in_host_data"];
    let inputs = names.map(|name| netlist.inputs.get(name).cloned().unwrap_or_else(|| fail(&format!("no input {name}"))));
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let mut after = vec![false; netlist.flip_flops.len()];
    for line in text.lines() {
        let mut fields = Fields(line.split_whitespace());
        let cycles = fields.number();
        for bits in &inputs {
            let value = u64::from_str_radix(fields.word(), 16).unwrap_or_else(|_| fail("the record has a bad number"));
            bits.iter().enumerate().for_each(|(bit, &net)| nets[net] = value >> bit & 1 == 1);
        }
        netlist.gates.iter().for_each(|gate| gate.evaluate(&mut nets, &netlist.small_rams));
        for _ in 0..cycles {
            for (flip_flop, after) in netlist.flip_flops.iter().zip(&mut after) {
                *after = if nets[flip_flop.reset] != flip_flop.reset_inverted {
                    flip_flop.set
                } else if nets[flip_flop.enable] != flip_flop.enable_inverted {
                    nets[flip_flop.data]
                } else {
                    nets[flip_flop.out]
                };
            }
            let read: Vec<Option<u64>> = netlist.rams.iter_mut().map(|ram| ram.clock(&nets)).collect();
            for ram in netlist.small_rams.iter_mut().filter(|ram| nets[ram.enable]) {
                ram.words[word(&ram.address, &nets) as usize] = word(&ram.data, &nets) as u8;
            }
            for (flip_flop, after) in netlist.flip_flops.iter().zip(&after) {
                nets[flip_flop.out] = *after;
            }
            for (ram, read) in netlist.rams.iter().zip(read) {
                if let Some(value) = read {
                    ram.read_data.iter().enumerate().for_each(|(bit, &net)| set(&mut nets, net, value >> bit & 1 == 1));
                }
            }
            netlist.gates.iter().for_each(|gate| gate.evaluate(&mut nets, &netlist.small_rams));
            for (_, bits) in &netlist.outputs {
                write!(out, "{:x} ", word(bits, &nets)).unwrap_or_else(|error| fail(&error.to_string()));
            }
            writeln!(out).unwrap_or_else(|error| fail(&error.to_string()));
        }
    }
}
