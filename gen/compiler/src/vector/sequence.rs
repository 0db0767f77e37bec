//! Cycles and addresses of one queue, written as loop nests.

use crate::nest::{Form, Level, Nest};

/// Longest inner and outer interval of an instruction.
const MAX_INTERVALS: [i64; 2] = [(1 << 12) - 1, (1 << 20) - 1];
/// Largest inner address step.
const MAX_STRIDE: i64 = 2047;
/// Most iterations of a level.
const MAX_COUNT: usize = 1 << 16;

/// A cycle and the address issued in it.
pub type Point = (i64, usize);

fn step(from: Point, to: Point) -> (i64, i64) {
    (to.0 - from.0, to.1 as i64 - from.1 as i64)
}

/// Points from the first on that follow each other by the same step.
fn run(points: &[Point]) -> usize {
    let Some(&[first, second]) = points.get(..2) else {
        return points.len();
    };
    let wanted = step(first, second);
    if wanted.0 > MAX_INTERVALS[0] || wanted.1.abs() > MAX_STRIDE {
        return 1;
    }
    let pairs = points.windows(2).take(MAX_COUNT - 1);
    1 + pairs
        .take_while(|pair| step(pair[0], pair[1]) == wanted)
        .count()
}

/// The points, which are in the order of their cycles, as nests of at most two levels that follow each other.
pub fn nests(points: &[Point]) -> Vec<Nest> {
    let mut nests = Vec::new();
    let mut rest = points;
    while !rest.is_empty() {
        let count = run(rest);
        let level = |count: usize, (interval, stride): (i64, i64)| Level {
            count: count as u64,
            interval: interval as u64,
            stride,
        };
        let inner = match count {
            1 => level(1, (1, 0)),
            _ => level(count, step(rest[0], rest[1])),
        };
        // The same run again, at equal distances.
        let mut times = 1;
        let mut outer = (1, 0);
        while times < MAX_COUNT
            && let Some(next) = rest.get(times * count..(times + 1) * count)
        {
            let distance = step(rest[(times - 1) * count], next[0]);
            let longer = rest.get((times + 1) * count);
            let continues = longer.is_some_and(|&point| {
                count > 1 && step(next[count - 1], point) == step(rest[0], rest[1])
            });
            let same = next
                .windows(2)
                .all(|pair| step(pair[0], pair[1]) == step(rest[0], rest[1]));
            let fits = distance.0 <= MAX_INTERVALS[1];
            if !same || !fits || continues || times > 1 && distance != outer {
                break;
            }
            outer = distance;
            times += 1;
        }
        let levels = [inner, level(times, outer)];
        nests.push(Nest {
            start: rest[0].0,
            address: rest[0].1 as u64,
            form: Form::Free,
            levels: levels.to_vec(),
        });
        rest = &rest[times * count..];
    }
    nests
}

#[cfg(test)]
mod tests {
    use super::{Point, nests};
    use proptest::prelude::*;

    fn points(nests: &[crate::nest::Nest]) -> Vec<Point> {
        let pieces = nests.iter().flat_map(|nest| nest.lower().expect("it fits"));
        let points = pieces.flat_map(|piece| {
            let repeat = piece.repeat;
            (0..repeat.count1).flat_map(move |j1| {
                (0..repeat.count0).map(move |j0| {
                    let cycle = i64::from(j1) * i64::from(repeat.interval1)
                        + i64::from(j0) * i64::from(repeat.interval0);
                    let moved = i64::from(j0) * i64::from(repeat.stride0)
                        + i64::from(j1) * i64::from(repeat.stride1);
                    let address = (i64::from(piece.address) + moved) as u16;
                    (piece.start + cycle, usize::from(address))
                })
            })
        });
        points.collect()
    }

    #[test]
    fn rows_of_columns_are_one_instruction() {
        let sweep: Vec<Point> = (0..60).map(|i| (i as i64, i % 5 * 100 + i / 5)).collect();
        assert_eq!(nests(&sweep).len(), 1);
        assert_eq!(points(&nests(&sweep)), sweep);
    }

    proptest! {
        #[test]
        fn nests_issue_the_points(
            steps in prop::collection::vec((1i64..5, 0usize..4), 1..80),
            times in 1usize..4,
        ) {
            let mut all = Vec::new();
            let mut cycle = 0;
            for turn in 0..times {
                for &(wait, address) in &steps {
                    cycle += wait;
                    all.push((cycle, 30 * turn + address));
                }
            }
            prop_assert_eq!(points(&nests(&all)), all);
        }
    }
}
