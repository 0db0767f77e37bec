//! Which elements of a row lie in which lane of which tile.

/// For each tile the element in each of its lanes; `None` is padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tiles(Vec<Vec<Option<usize>>>);

impl Tiles {
    /// `count` elements one after the other.
    pub fn dense(count: usize, lanes: usize) -> Self {
        let tile = |first: usize| {
            let lane = |lane| Some(first + lane).filter(|&element| element < count);
            (0..lanes).map(lane).collect()
        };
        Self((0..count).step_by(lanes).map(tile).collect())
    }

    /// Heads of `dim` elements, each half padded to whole tiles by itself.
    pub fn heads(heads: usize, dim: usize, lanes: usize) -> Self {
        let half = dim / 2;
        let mut tiles = Vec::new();
        for first in (0..2 * heads).map(|i| i * half) {
            for offset in (0..half).step_by(lanes) {
                let lane = |lane| {
                    let within = offset + lane;
                    (within < half).then_some(first + within)
                };
                tiles.push((0..lanes).map(lane).collect());
            }
        }
        Self(tiles)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The element of each lane of a tile.
    pub fn tile(&self, tile: usize) -> &[Option<usize>] {
        &self.0[tile]
    }
}

#[cfg(test)]
mod tests {
    use super::Tiles;

    #[test]
    fn halves_are_padded_by_themselves() {
        let tiles = Tiles::heads(2, 6, 2);
        let shown: Vec<_> = (0..tiles.len()).map(|t| tiles.tile(t).to_vec()).collect();
        let pair = |a, b| vec![Some(a), b];
        assert_eq!(
            shown,
            [
                pair(0, Some(1)),
                pair(2, None),
                pair(3, Some(4)),
                pair(5, None),
                pair(6, Some(7)),
                pair(8, None),
                pair(9, Some(10)),
                pair(11, None)
            ]
        );
        assert_eq!(Tiles::dense(3, 2).tile(1), [Some(2), None]);
    }
}
