//! The order in which a row is reduced.

use crate::numeric::fp32;

/// How a row lies, which is how its sums are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// L if a row lies over lanes: lane i holds the elements i, L + i, ...; `None` if a lane holds the row.
    pub lanes: Option<usize>,
    /// Partial results of a lane: the one numbered p takes its elements p, partials + p, ..., in this order.
    pub partials: usize,
}

impl Order {
    /// Sum of `row`. `first` makes a partial result of its first element, `next` adds an element to it.
    pub fn sum(
        self,
        row: &[u32],
        first: impl Fn(u32) -> u32,
        next: impl Fn(u32, u32) -> u32,
    ) -> u32 {
        // What a row over lanes does not fill is zero.
        let lanes = self.lanes.unwrap_or(1);
        let vectors = row.len().div_ceil(lanes);
        let element =
            |vector: usize, lane: usize| row.get(vector * lanes + lane).copied().unwrap_or(0);
        let lane = |lane: usize| {
            let partial = |p: usize| {
                let elements = (p..vectors).step_by(self.partials);
                let mut elements = elements.map(|vector| element(vector, lane));
                let start = first(elements.next().expect("a partial result has an element"));
                elements.fold(start, &next)
            };
            tree((0..self.partials.min(vectors)).map(partial).collect())
        };
        tree((0..lanes).map(lane).collect())
    }
}

/// Adds the second half to the first until one is left; of an odd number the middle one waits.
pub fn tree(mut values: Vec<u32>) -> u32 {
    while values.len() > 1 {
        let half = values.len().div_ceil(2);
        let second = values.split_off(half);
        for (first, second) in values.iter_mut().zip(second) {
            *first = fp32::add(second, *first);
        }
    }
    values[0]
}

/// The maximum of a row, in any order.
pub fn maximum(row: impl Iterator<Item = u32>) -> u32 {
    row.reduce(fp32::max).map_or(fp32::NAN, |maximum| maximum)
}

#[cfg(test)]
mod tests {
    use super::Order;
    use crate::numeric::fp32;

    #[test]
    fn the_order_shows_in_a_sum_that_rounds() {
        let row: Vec<u32> = [1e8f32, 1.0, -1e8, 1.0].map(f32::to_bits).to_vec();
        let sum = |lanes, partials| {
            let order = Order { lanes, partials };
            f32::from_bits(order.sum(&row, |x| x, fp32::add))
        };
        assert_eq!(sum(None, 1), 1.0);
        assert_eq!(sum(None, 2), 2.0);
        assert_eq!(sum(Some(2), 1), 2.0);
        assert_eq!(sum(Some(8), 1), 2.0);
        assert_eq!(sum(Some(1), 4), 2.0);
    }
}
