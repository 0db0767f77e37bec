//! Several chips and the links between them.

mod numbering;

use crate::c2c::Shape;
pub use numbering::Numbering;
use std::fmt;

/// How the links of chips are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topology {
    /// Link 0 to the next chip, link 1 to the one before.
    Ring,
    /// Link k to the chip k + 1 further, modulo their number.
    AllToAll,
    /// Link 0 to the parent (chip 0 has none), links 1 and 2 to the children 2i + 1 and 2i + 2.
    Tree,
}

impl Topology {
    /// All of them with their names.
    pub const ALL: [(&'static str, Self); 3] = [
        ("ring", Self::Ring),
        ("all-to-all", Self::AllToAll),
        ("tree", Self::Tree),
    ];
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Self::ALL.iter().find(|(_, topology)| topology == self);
        f.write_str(named.expect("all are named").0)
    }
}

/// The most chips of a rack: with a link to every other one, a chip has no more.
pub const MAX_CHIPS: usize = 8;

/// Chips of one configuration, joined by links of one length and shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rack {
    chips: usize,
    topology: Topology,
    hop: u64,
    shape: Option<Shape>,
}

/// Why there is no such rack.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RackError {
    /// Too few or too many chips.
    #[error("{0} LPUs: a rack has 1 to {MAX_CHIPS}; choose 1, 2, 4 or 8")]
    Chips(usize),
    /// A hop too short for any link.
    #[error(
        "a hop of {0} cycles: a flit takes at least 1 (33 over wires and 240 over a serial line are usual)"
    )]
    Hop(u64),
    /// A hop that no line is short enough for.
    #[error(
        "a hop of {hop} cycles: a link of {slots} slots takes at least {least}; choose a hop of {least} or more, or fewer slots"
    )]
    Short {
        /// Cycles asked for.
        hop: u64,
        /// Slots of the link.
        slots: usize,
        /// The fewest cycles of such a link.
        least: u64,
    },
}

impl Rack {
    /// A chip by itself.
    pub const ALONE: Self = Self {
        chips: 1,
        topology: Topology::AllToAll,
        hop: 1,
        shape: None,
    };

    /// So many chips; a flit that a link takes in cycle t is there for a RECEIVE on the other chip in t + `hop`.
    ///
    /// The links take a flit in every cycle, which no link with frames does: [`Rack::with_shape`] gives them frames.
    pub const fn new(chips: usize, topology: Topology, hop: u64) -> Result<Self, RackError> {
        if chips == 0 || chips > MAX_CHIPS {
            return Err(RackError::Chips(chips));
        }
        if hop == 0 {
            return Err(RackError::Hop(hop));
        }
        Ok(Self {
            chips,
            topology,
            hop,
            shape: None,
        })
    }

    /// The same chips, with links that have frames of this shape: in any S + 1 SENDs of a link the last is F cycles or more behind the
    /// first.
    ///
    /// ```
    /// use lpu_isa::c2c::Shape;
    /// use lpu_isa::rack::{Rack, Topology};
    /// let shape = Shape::new(4, 32).unwrap();
    /// let rack = |hop| Rack::new(4, Topology::AllToAll, hop).and_then(|rack| rack.with_shape(shape));
    /// assert_eq!(rack(57).unwrap().shape(), Some(shape));
    /// assert!(rack(56).is_err());
    /// ```
    pub const fn with_shape(self, shape: Shape) -> Result<Self, RackError> {
        let least = shape.least_hop();
        if self.hop < least {
            return Err(RackError::Short {
                hop: self.hop,
                slots: shape.slots(),
                least,
            });
        }
        Ok(Self {
            shape: Some(shape),
            ..self
        })
    }

    /// Chips.
    pub const fn chips(&self) -> usize {
        self.chips
    }

    /// How they are joined.
    pub const fn topology(&self) -> Topology {
        self.topology
    }

    /// Cycles from the cycle in which a link takes a flit to the first RECEIVE that finds it.
    pub const fn hop(&self) -> u64 {
        self.hop
    }

    /// Shape of the links; `None` if they take a flit in every cycle.
    pub const fn shape(&self) -> Option<Shape> {
        self.shape
    }

    /// Links that each chip has to have.
    pub const fn links(&self) -> usize {
        match self.topology {
            _ if self.chips == 1 => 0,
            Topology::Ring => 2,
            Topology::AllToAll => self.chips - 1,
            Topology::Tree => 3,
        }
    }

    /// Chip and link at the other end, if the link leads anywhere.
    ///
    /// ```
    /// use lpu_isa::rack::{Rack, Topology};
    /// let rack = Rack::new(4, Topology::AllToAll, 240).unwrap();
    /// assert_eq!(rack.peer(3, 1), Some((1, 1))); // two further, and two further again
    /// assert_eq!(rack.peer(0, 0), Some((1, 2)));
    /// ```
    pub fn peer(&self, chip: usize, link: usize) -> Option<(usize, usize)> {
        let n = self.chips;
        if chip >= n || link >= self.links() {
            return None;
        }
        match self.topology {
            Topology::Ring => Some(((chip + if link == 0 { 1 } else { n - 1 }) % n, 1 - link)),
            Topology::AllToAll => Some(((chip + link + 1) % n, n - 2 - link)),
            Topology::Tree if link == 0 => {
                let parent = chip.checked_sub(1)? / 2;
                Some((parent, chip - 2 * parent))
            }
            Topology::Tree => Some((2 * chip + link, 0)).filter(|&(child, _)| child < n),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_link_has_two_ends() {
        for (_, topology) in Topology::ALL {
            for chips in 1..=MAX_CHIPS {
                let rack = Rack::new(chips, topology, 10).unwrap();
                let ends: Vec<_> = (0..chips)
                    .flat_map(|chip| (0..rack.links()).map(move |link| (chip, link)))
                    .filter_map(|end| Some((end, rack.peer(end.0, end.1)?)))
                    .collect();
                for &((chip, link), (other, back)) in &ends {
                    assert_eq!(rack.peer(other, back), Some((chip, link)), "{rack:?}");
                    assert_ne!(chip, other);
                }
                let expected = match topology {
                    _ if chips == 1 => 0,
                    Topology::Ring => 2 * chips,
                    Topology::AllToAll => chips * (chips - 1),
                    Topology::Tree => 2 * (chips - 1),
                };
                assert_eq!(ends.len(), expected, "{rack:?}");
            }
        }
    }

    #[test]
    fn a_bad_rack_is_explained() {
        let text = |rack: Result<Rack, RackError>| rack.unwrap_err().to_string();
        assert_eq!(
            text(Rack::new(9, Topology::Ring, 1)),
            "9 LPUs: a rack has 1 to 8; choose 1, 2, 4 or 8"
        );
        assert!(text(Rack::new(2, Topology::Ring, 0)).starts_with("a hop of 0 cycles"));
        let short = Rack::new(2, Topology::Ring, 38).unwrap();
        assert_eq!(
            text(short.with_shape(Shape::new(1, 8).unwrap())),
            "a hop of 38 cycles: a link of 8 slots takes at least 39; choose a hop of 39 or more, or fewer slots"
        );
    }
}
