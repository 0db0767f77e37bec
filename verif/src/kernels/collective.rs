//! Collectives of `docs/collectives.md`: FP32 vectors of several chips, added in the stated order.

use crate::numeric::fp32;
use lpu_isa::rack::Topology;
use std::ops::Range;

/// Elements of the share of a chip: whole vectors of `lanes` elements, as many for each chip, the last shares shorter or empty.
pub fn share(chip: usize, chips: usize, elements: usize, lanes: usize) -> Range<usize> {
    let vectors = elements.div_ceil(lanes).div_ceil(chips);
    let cut = |chip: usize| (chip * vectors * lanes).min(elements);
    cut(chip)..cut(chip + 1)
}

/// The sum of the vectors of all chips, which have `slices` MEM slices.
///
/// # Panics
/// Without a chip, or for vectors that are not as long as the first.
pub fn sum(topology: Topology, inputs: &[Vec<u32>], lanes: usize, slices: usize) -> Vec<u32> {
    let (chips, elements) = (inputs.len(), inputs[0].len());
    let vectors = elements.div_ceil(lanes).div_ceil(chips);
    let element = |element: usize| {
        let owner = element / lanes / vectors;
        let from = |distance: usize| inputs[(owner + distance) % chips][element];
        match topology {
            Topology::Ring => {
                // The first half of the vectors of a share goes forward, the others go back.
                let both = slices >= 8 && vectors > 1;
                let forward = !both || element / lanes % vectors < vectors.div_ceil(2);
                in_order((1..=chips).map(|step| match forward {
                    true => from(step),
                    false => from(chips - step),
                }))
            }
            Topology::Tree => below(0, chips, &|chip| inputs[chip][element]),
            Topology::AllToAll => in_pairs(&(1..=chips).map(from).collect::<Vec<_>>()),
        }
    };
    (0..elements).map(element).collect()
}

/// One term after the other.
fn in_order(terms: impl Iterator<Item = u32>) -> u32 {
    terms.reduce(fp32::add).expect("there are chips")
}

/// The first two terms, then the sum of each further pair, the last by itself if their number is odd.
fn in_pairs(terms: &[u32]) -> u32 {
    let pairs = terms.chunks(2).map(|pair| in_order(pair.iter().copied()));
    in_order(pairs)
}

/// The term of a chip, then the sum below its second child, then that below its first.
fn below(chip: usize, chips: usize, term: &dyn Fn(usize) -> u32) -> u32 {
    let children = [2 * chip + 2, 2 * chip + 1];
    let children = children.into_iter().filter(|&child| child < chips);
    in_order(
        [term(chip)]
            .into_iter()
            .chain(children.map(|child| below(child, chips, term))),
    )
}

#[cfg(test)]
mod tests {
    use super::{share, sum};
    use lpu_isa::rack::Topology::{AllToAll, Ring, Tree};

    #[test]
    fn shares_are_whole_vectors() {
        let shares = |chips, elements| {
            (0..chips)
                .map(|chip| share(chip, chips, elements, 8))
                .collect::<Vec<_>>()
        };
        assert_eq!(shares(2, 40), [0..24, 24..40]);
        assert_eq!(shares(3, 9), [0..8, 8..9, 9..9]);
    }

    /// 1e8 swallows 1 and is taken away again: what is left tells who met whom.
    #[test]
    fn the_order_is_the_stated_one() {
        // A vector of eight for each owner.
        let sums = |topology, values: &[f32]| -> Vec<f32> {
            let elements = 8 * values.len();
            let input = |x: &f32| vec![x.to_bits(); elements];
            let inputs: Vec<Vec<u32>> = values.iter().map(input).collect();
            let sums = sum(topology, &inputs, 8, 8);
            sums.into_iter().step_by(8).map(f32::from_bits).collect()
        };
        // Owners 0 to 3: (x1 + x2) + (x3 + x0) and so on.
        assert_eq!(sums(AllToAll, &[1.0, 1e8, -1e8, 1.0]), [2.0, 0.0, 2.0, 0.0]);
        // Three: (x1 + x2) + x0.
        assert_eq!(sums(AllToAll, &[1.0, 1e8, -1e8]), [1.0, 0.0, 0.0]);
        // ((x1 + x2) + x3) + x0 and so on; a share of one vector goes forward.
        assert_eq!(sums(Ring, &[1.0, 1e8, -1e8, 1.0]), [2.0, 0.0, 0.0, 1.0]);
        // (x0 + x2) + (x1 + x3) on all chips; (x0 + x2) + x1 of three.
        assert_eq!(sums(Tree, &[1e8, 1.0, -1e8, 1.0]), [2.0; 4]);
        assert_eq!(sums(Tree, &[1.0, 1e8, -1e8, 1.0]), [0.0; 4]);
        assert_eq!(sums(Tree, &[1e8, 1.0, -1e8]), [1.0; 3]);
        // Eight: (x0 + ((x2 + x6) + x5)) + ((x1 + x4) + (x3 + x7)); -1e8 meets 1e8 before the last addition in one of three.
        assert_eq!(
            sums(Tree, &[1.0, 1e8, 1.0, 1.0, -1e8, 1.0, 0.0, 1.0]),
            [5.0; 8]
        );
        assert_eq!(
            sums(Tree, &[1.0, 1e8, 1.0, -1e8, 1.0, 1.0, 0.0, 1.0]),
            [3.0; 8]
        );
        assert_eq!(
            sums(Tree, &[1.0, 0.0, 1e8, 1.0, 1.0, -1e8, 1.0, 1.0]),
            [4.0; 8]
        );
        // Two vectors of each owner: forward x1 + x2 + x0, x2 + x0 + x1, x0 + x1 + x2; back x2 + x1 + x0, x0 + x2 + x1, x1 + x0 + x2.
        let inputs: Vec<Vec<u32>> = [1.0f32, 1e8, -1e8].map(|x| vec![x.to_bits(); 48]).to_vec();
        let found: Vec<f32> = sum(Ring, &inputs, 8, 8)
            .into_iter()
            .step_by(8)
            .map(f32::from_bits)
            .collect();
        assert_eq!(found, [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    }
}
