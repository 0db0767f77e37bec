//! Several tiles joined by links, launched together.
//!
//! Seen from outside it is one [`Tile`] with the slices and queues of all, as [`Numbering`] counts them. Cycle 0 of a launch is the
//! same cycle for all chips.

use crate::run::RunError;
use crate::tile::{Launch, Tile};
use lpu_compiler::matmul::Vector;
use lpu_isa::Config;
use lpu_isa::rack::{Numbering, Rack};
use lpu_verif::Flit;
use lpu_verif::rack::{Chip, exchange};
use std::thread;

/// Tiles and the links between them.
pub struct RackTile<T> {
    rack: Rack,
    numbering: Numbering,
    chips: Vec<Linked<T>>,
    threads: usize,
    /// Flits whose link leads nowhere, in this launch.
    lost: usize,
}

/// A tile of a rack.
struct Linked<T> {
    tile: T,
    running: bool,
}

impl<T: Tile> Chip for Linked<T> {
    fn arrive(&mut self, flit: Flit) {
        self.tile.arrive(flit);
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        self.tile.take_sent()
    }
}

impl<T: Tile + Send> RackTile<T> {
    /// Joins tiles of one configuration, each with its program. They run on so many threads; the results do not depend on it.
    ///
    /// # Panics
    /// If there are not as many tiles as the rack has chips, or no thread.
    pub fn new(rack: Rack, config: &Config, tiles: Vec<T>, threads: usize) -> Self {
        assert_eq!(tiles.len(), rack.chips(), "a tile for each chip");
        assert!(threads > 0, "at least one thread");
        let linked = |tile| Linked {
            tile,
            running: false,
        };
        Self {
            rack,
            numbering: Numbering::of(config),
            chips: tiles.into_iter().map(linked).collect(),
            threads,
            lost: 0,
        }
    }

    /// The tiles.
    pub fn tiles(&mut self) -> impl Iterator<Item = &mut T> {
        self.chips.iter_mut().map(|chip| &mut chip.tile)
    }

    /// What each chip did in the launch; see [`Tile::finish`].
    pub fn finish_each(&mut self) -> Result<Vec<Launch>, RunError> {
        self.chips
            .iter_mut()
            .map(|chip| chip.tile.finish())
            .collect()
    }

    /// Runs a window that nobody outside of it can influence.
    fn window(&mut self, cycles: u64) {
        let advance = |chips: &mut [Linked<T>]| {
            for chip in chips.iter_mut().filter(|chip| chip.running) {
                chip.running = chip.tile.advance(cycles);
            }
        };
        let share = self.chips.len().div_ceil(self.threads);
        if share == self.chips.len() {
            advance(&mut self.chips);
        } else {
            thread::scope(|scope| {
                for chips in self.chips.chunks_mut(share) {
                    scope.spawn(move || advance(chips));
                }
            });
        }
        self.lost += exchange(&self.rack, &mut self.chips);
    }
}

impl<T: Tile + Send> Tile for RackTile<T> {
    fn write(&mut self, vectors: &[Vector]) -> Result<(), RunError> {
        let mut parts = vec![Vec::new(); self.chips.len()];
        for vector in vectors {
            let (chip, slice) = self.numbering.chip_of_slice(vector.slice);
            parts[chip].push(Vector {
                slice,
                ..vector.clone()
            });
        }
        for (chip, part) in self.chips.iter_mut().zip(parts) {
            chip.tile.write(&part)?;
        }
        Ok(())
    }

    fn set_base(&mut self, queue: usize, base: u16) -> Result<(), RunError> {
        let (chip, queue) = self.numbering.chip_of_queue(queue);
        self.chips[chip].tile.set_base(queue, base)
    }

    fn begin(&mut self) {
        self.lost = 0;
        for chip in &mut self.chips {
            chip.tile.begin();
            chip.running = true;
        }
    }

    fn advance(&mut self, cycles: u64) -> bool {
        let mut left = cycles;
        while left > 0 && self.chips.iter().any(|chip| chip.running) {
            let window = left.min(self.rack.hop());
            self.window(window);
            left -= window;
        }
        self.chips.iter().any(|chip| chip.running)
    }

    /// The whole launch: its cycles are those of the chip that takes longest.
    fn finish(&mut self) -> Result<Launch, RunError> {
        let launches = self.finish_each()?;
        Ok(Launch {
            ended: launches.iter().all(|launch| launch.ended),
            cycles: launches
                .iter()
                .map(|launch| launch.cycles)
                .max()
                .unwrap_or(0),
            first_read: launches.iter().filter_map(|one| one.first_read).min(),
            last_write: launches.iter().filter_map(|one| one.last_write).max(),
            unsound_units: launches.iter().map(|launch| launch.unsound_units).sum(),
            waiting_flits: self.lost + launches.iter().map(|l| l.waiting_flits).sum::<usize>(),
            events_compared: launches.iter().map(|launch| launch.events_compared).sum(),
            divergence: launches.into_iter().find_map(|launch| launch.divergence),
        })
    }

    fn arrive(&mut self, _: Flit) {
        unreachable!("no link leads out of a rack");
    }

    fn take_sent(&mut self) -> Vec<Flit> {
        Vec::new()
    }

    fn read(&mut self, places: &[(usize, usize)]) -> Result<Vec<u8>, RunError> {
        let mut bytes = Vec::new();
        let mut rest = places;
        while let Some(&(slice, _)) = rest.first() {
            let (chip, _) = self.numbering.chip_of_slice(slice);
            let same = rest
                .iter()
                .take_while(|place| self.numbering.chip_of_slice(place.0).0 == chip)
                .count();
            let (here, behind) = rest.split_at(same);
            let local: Vec<_> = here
                .iter()
                .map(|&(slice, address)| (self.numbering.chip_of_slice(slice).1, address))
                .collect();
            bytes.extend(self.chips[chip].tile.read(&local)?);
            rest = behind;
        }
        Ok(bytes)
    }
}
