//! A tile that computes by the golden decoder, and a step whose tensors lie in the simplest places:
//! x in slice 0 from address 0, the position in slice 0 at 100, logits in slice 1, keys and values of layer l in slice 2 + l.

use lpu::decode::{Inputs, Row, StepProgram};
use lpu::rtl::RtlError;
use lpu::run::RunError;
use lpu::tile::{Launch, Tile};
use lpu_compiler::matmul::{self, Matmul, Vector};
use lpu_compiler::{CompileError, Prediction};
use lpu_isa::{Config, Program};
use lpu_model::int8::{Entry, Int8Model};
use lpu_verif::Flit;
use lpu_verif::kernels::decoder::Decoder;
use std::collections::BTreeMap;

const LANES: usize = 16;
const POSITION: (usize, usize) = (0, 100);
pub const CYCLES: u64 = 1234;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// A bit of logit 5.
    Logit,
    /// A cycle more than predicted.
    Cycles,
    /// A unit records a fault.
    Fault,
    /// Busy does not fall.
    NoEnd,
    /// The host is refused.
    Refuse,
}

pub struct FakeStep {
    /// Some program with the prediction of the fake.
    matmul: Matmul,
    width: usize,
    vocabulary: usize,
    layers: usize,
    heads: usize,
    positions: usize,
}

impl FakeStep {
    pub fn new(int8: &Int8Model, positions: usize) -> Self {
        let config = Config::preset("edge").unwrap();
        let mut matmul = matmul::compile(&config, 1, 1, 1).unwrap();
        matmul.schedule.prediction.busy_cycles = CYCLES;
        Self {
            matmul,
            width: int8.width,
            vocabulary: int8.vocabulary,
            layers: int8.layers.len(),
            heads: int8.kv_heads * int8.head_dim,
            positions,
        }
    }
}

/// Words as vectors from an address on.
fn words(slice: usize, words: &[u32]) -> Vec<Vector> {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let chunks = bytes.chunks(LANES).enumerate();
    chunks
        .map(|(address, bytes)| vector((slice, address), bytes))
        .collect()
}

fn vector((slice, address): (usize, usize), bytes: &[u8]) -> Vector {
    let mut bytes = bytes.to_vec();
    bytes.resize(LANES, 0);
    Vector {
        slice,
        address,
        bytes,
    }
}

fn numbers(bytes: &[u8]) -> Vec<u32> {
    let words = bytes.chunks_exact(4);
    words
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
        .collect()
}

fn entry_bytes(entry: &Entry) -> Vec<u8> {
    let codes = entry.keys.iter().chain(&entry.values);
    codes.map(|&code| code as u8).collect()
}

fn entry(bytes: &[u8], heads: usize) -> Entry {
    let codes: Vec<i8> = bytes.iter().map(|&byte| byte as i8).collect();
    Entry {
        keys: codes[..heads].to_vec(),
        values: codes[heads..2 * heads].to_vec(),
    }
}

impl StepProgram for FakeStep {
    fn program(&self) -> &Program {
        &self.matmul.program
    }

    fn prediction(&self) -> &Prediction {
        &self.matmul.schedule.prediction
    }

    fn image(&self) -> Result<Vec<Vector>, CompileError> {
        Ok(Vec::new())
    }

    fn inputs(&self, stage: usize, token: Option<Row<'_>>) -> Result<Inputs, CompileError> {
        assert_eq!(stage, 0);
        let (row, position) = token.expect("a token in every launch");
        assert_eq!(row.len(), self.width);
        let mut vectors = words(0, row);
        vectors.push(vector(POSITION, &[position as u8]));
        // The tile checks that it gets the base.
        let bases = vec![(0, position as u16)];
        Ok(Inputs { vectors, bases })
    }

    fn logit_places(&self, _position: usize) -> Vec<(usize, usize)> {
        (0..(4 * self.vocabulary).div_ceil(LANES))
            .map(|address| (1, address))
            .collect()
    }

    fn logits(&self, bytes: &[u8]) -> Vec<u32> {
        numbers(&bytes[..4 * self.vocabulary])
    }

    fn cache_places(&self, _positions: usize) -> Vec<(usize, usize)> {
        let layers = 0..self.layers;
        layers
            .flat_map(|layer| (0..self.positions).map(move |position| (2 + layer, position)))
            .collect()
    }

    fn cache(&self, bytes: &[u8], positions: usize) -> Vec<Vec<Entry>> {
        let layers = bytes.chunks(LANES * self.positions);
        let entries = |layer: &[u8]| -> Vec<Entry> {
            let vectors = layer.chunks(LANES).take(positions);
            vectors.map(|bytes| entry(bytes, self.heads)).collect()
        };
        layers.map(entries).collect()
    }

    fn cache_image(&self, entries: &[Vec<Entry>]) -> Result<Vec<Vector>, CompileError> {
        let layers = entries.iter().enumerate();
        Ok(layers
            .flat_map(|(layer, entries)| {
                let places = entries.iter().enumerate();
                places.map(move |(p, entry)| vector((2 + layer, p), &entry_bytes(entry)))
            })
            .collect())
    }

    fn read_bytes(&self) -> u64 {
        1
    }
}

pub struct FakeTile {
    sram: BTreeMap<(usize, usize), Vec<u8>>,
    base: u16,
    decoder: Decoder,
    spoil: Option<(usize, Spoil)>,
    /// The tile has gone wrong in this way.
    spoilt: Option<Spoil>,
}

impl FakeTile {
    pub fn new(decoder: Decoder, spoil: Option<(usize, Spoil)>) -> Self {
        Self {
            sram: BTreeMap::new(),
            base: 0,
            decoder,
            spoil,
            spoilt: None,
        }
    }
}

impl Tile for FakeTile {
    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError> {
        for vector in vectors {
            let place = (vector.slice, vector.address);
            self.sram.insert(place, vector.bytes.clone());
        }
        Ok(())
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        assert_eq!(queue, 0);
        self.base = base;
        Ok(())
    }

    fn begin(&mut self) {}

    fn advance(&mut self, _cycles: u64) -> bool {
        false
    }

    fn arrive(&mut self, _flit: Flit) {}

    fn take_sent(&mut self) -> Vec<Flit> {
        Vec::new()
    }

    fn finish(&mut self) -> Result<Launch, RunError> {
        let shape = self.decoder.parameters().shape;
        let layers = self.decoder.parameters().layers.len();
        let position = usize::from(self.sram[&POSITION][0]);
        assert_eq!(usize::from(self.base), position);
        let heads = shape.kv_heads * shape.head_dim;
        for (&(slice, at), bytes) in self.sram.range((2, 0)..) {
            let Entry { keys, values } = entry(bytes, heads);
            self.decoder.cache_mut(0).set(slice - 2, at, &keys, &values);
        }
        let row = self.sram.range((0, 0)..(0, 4 * shape.width / LANES));
        let row: Vec<u8> = row.flat_map(|(_, bytes)| bytes.clone()).collect();
        let output = self.decoder.step(&[numbers(&row)], position).swap_remove(0);
        let mut logits = output.logits.unwrap();
        self.spoilt = self
            .spoil
            .filter(|&(at, _)| at == position)
            .map(|(_, spoil)| spoil);
        if self.spoilt == Some(Spoil::Logit) {
            logits[5] ^= 1;
        }
        self.write(&words(1, &logits))?;
        for layer in 0..layers {
            let cache = self.decoder.cache(0);
            let at = position * shape.head_dim..(position + 1) * shape.head_dim;
            let entry = Entry {
                keys: cache.keys(layer, 0)[at.clone()].to_vec(),
                values: cache.values(layer, 0)[at].to_vec(),
            };
            let written = vector((2 + layer, position), &entry_bytes(&entry));
            self.write(&[written])?;
        }
        Ok(Launch {
            ended: self.spoilt != Some(Spoil::NoEnd),
            cycles: CYCLES + u64::from(self.spoilt == Some(Spoil::Cycles)),
            first_read: None,
            last_write: None,
            unsound_units: usize::from(self.spoilt == Some(Spoil::Fault)),
            waiting_flits: 0,
            events_compared: 0,
            divergence: None,
        })
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        if self.spoilt == Some(Spoil::Refuse) {
            return Err(RunError::Rtl(RtlError::Refused {
                what: "read",
                address: 0,
            }));
        }
        let zeros = vec![0; LANES];
        let bytes = places
            .iter()
            .map(|place| self.sram.get(place).unwrap_or(&zeros));
        Ok(bytes.flatten().copied().collect())
    }
}
