//! Numbers of slices and queues in a rack.

use crate::Config;

/// How a rack counts: slice s of chip c is slice `c * slices + s` of the rack, queue q is queue `c * queues + q`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbering {
    slices: usize,
    queues: usize,
}

impl Numbering {
    /// That of chips of a configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            slices: config.mem.slices,
            queues: config.num_queues(),
        }
    }

    /// A slice of a chip.
    pub const fn slice(self, chip: usize, slice: usize) -> usize {
        chip * self.slices + slice
    }

    /// A queue of a chip.
    pub const fn queue(self, chip: usize, queue: usize) -> usize {
        chip * self.queues + queue
    }

    /// The chip of a slice of the rack, and its number there.
    pub const fn chip_of_slice(self, slice: usize) -> (usize, usize) {
        (slice / self.slices, slice % self.slices)
    }

    /// The chip of a queue of the rack, and its number there.
    pub const fn chip_of_queue(self, queue: usize) -> (usize, usize) {
        (queue / self.queues, queue % self.queues)
    }

    /// Places (slice, address) of a chip under their numbers in the rack.
    pub fn places(
        self,
        chip: usize,
        places: Vec<(usize, usize)>,
    ) -> impl Iterator<Item = (usize, usize)> {
        let numbered = move |(slice, address)| (self.slice(chip, slice), address);
        places.into_iter().map(numbered)
    }
}

#[cfg(test)]
mod tests {
    use super::Numbering;
    use crate::Config;

    #[test]
    fn numbers_go_there_and_back() {
        let config = Config::preset("nano").unwrap();
        let numbering = Numbering::of(&config);
        for chip in 0..3 {
            for slice in 0..config.mem.slices {
                let number = numbering.slice(chip, slice);
                assert_eq!(numbering.chip_of_slice(number), (chip, slice));
            }
            let queue = numbering.queue(chip, 5);
            assert_eq!(numbering.chip_of_queue(queue), (chip, 5));
        }
        let places = numbering.places(2, vec![(0, 7), (1, 8)]);
        let first = 2 * config.mem.slices;
        assert_eq!(places.collect::<Vec<_>>(), [(first, 7), (first + 1, 8)]);
    }
}
