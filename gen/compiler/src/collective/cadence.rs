//! When the word vectors of a link begin: as fast as its frames carry them.

use crate::alu::PLANES;
use lpu_isa::c2c::Shape;

/// Groups of word vectors, four cycles each, a group in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cadence {
    pub words: usize,
    pub period: usize,
}

impl Cadence {
    /// The fastest that a link of a rack keeps up with.
    pub fn fastest(shape: Option<Shape>) -> Self {
        Self::grouped(shape, shape.map_or(1, |shape| shape.slots() / PLANES), 0)
    }

    /// Groups of `words` with `pause` idle cycles at least between them, as fast as a link keeps up with: in any S + 1 flits the last is F
    /// cycles behind the first.
    pub fn grouped(shape: Option<Shape>, words: usize, pause: usize) -> Self {
        let flits = words * PLANES;
        let least = shape.map_or(0, |shape| {
            let (groups, rest) = (shape.slots() / flits, shape.slots() % flits);
            (shape.frame() - rest).div_ceil(groups)
        });
        Self {
            words,
            period: least.max(flits + pause),
        }
    }

    /// The same with a period that is a multiple of four.
    pub fn rounded(self) -> Self {
        Self {
            period: self.period.next_multiple_of(PLANES),
            ..self
        }
    }

    /// The first cycle of a word vector.
    pub fn start(self, word: usize) -> i64 {
        (word / self.words * self.period + word % self.words * PLANES) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::Cadence;
    use crate::alu::PLANES;
    use lpu_isa::c2c::Shape;

    #[test]
    fn links_keep_up() {
        for (lanes, slots) in [(1, 8), (1, 9), (2, 11), (2, 12), (4, 17), (4, 32), (4, 208)] {
            let shape = Shape::new(lanes, slots).unwrap();
            let fastest = Cadence::fastest(Some(shape));
            let paused = [1, 2].map(|words| Cadence::grouped(Some(shape), words, 1));
            for cadence in [fastest, fastest.rounded(), paused[0], paused[1]] {
                let flits = (0..120).flat_map(|word| {
                    (0..PLANES as i64).map(move |plane| cadence.start(word) + plane)
                });
                let flits: Vec<i64> = flits.collect();
                let mut runs = flits.windows(slots + 1);
                let frame = shape.frame() as i64;
                assert!(
                    runs.all(|run| run[slots] - run[0] >= frame),
                    "{shape:?}, {cadence:?}"
                );
            }
        }
        let of = |slots| Cadence::fastest(Some(Shape::new(4, slots).unwrap()));
        assert_eq!((of(32).words, of(32).period), (8, 36));
        assert_eq!((of(208).words, of(208).period), (52, 212));
    }
}
