//! Loop nests of any depth, lowered to instructions with two repeat levels.

use lpu_isa::Repeat;

/// Most iterations of one repeat level.
const MAX_COUNT: u64 = 1 << 16;
/// Longest inner interval.
const MAX_INTERVAL0: u64 = (1 << 12) - 1;
/// Longest outer interval.
const MAX_INTERVAL1: u64 = (1 << 20) - 1;
/// Largest inner address step.
const MAX_STRIDE0: i64 = 2047;
/// Smallest inner address step.
const MIN_STRIDE0: i64 = -2048;
/// More instructions than the largest program memory holds.
const MAX_PIECES: u64 = 1 << 13;

/// One loop: iterations, cycles and address step between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    pub count: u64,
    pub interval: u64,
    pub stride: i64,
}

/// Which loops an instruction has to take as they are.
///
/// The install flag of LW and the modes of ACC refer to the repeat levels, so their loops may not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Loops may be merged and cut at will.
    Free,
    /// The innermost loop is the inner repeat; the next may be cut.
    Inner,
    /// The two innermost loops are the two repeats.
    Both,
}

/// A loop nest, innermost loop first, with its first cycle and address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nest {
    pub start: i64,
    pub address: u64,
    pub form: Form,
    pub levels: Vec<Level>,
}

/// One instruction's share of a nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    pub start: i64,
    pub address: u16,
    pub repeat: Repeat,
}

impl Level {
    pub const fn new(count: usize, interval: usize, stride: usize) -> Self {
        Self {
            count: count as u64,
            interval: interval as u64,
            stride: stride as i64,
        }
    }

    const ONE: Self = Self::new(1, 1, 0);

    fn fits_inner(&self) -> bool {
        self.count == 1
            || self.count <= MAX_COUNT
                && self.interval <= MAX_INTERVAL0
                && (MIN_STRIDE0..=MAX_STRIDE0).contains(&self.stride)
    }

    fn fits_outer(&self) -> bool {
        self.count == 1 || self.interval <= MAX_INTERVAL1
    }
}

impl Nest {
    pub fn free(start: i64, address: usize, levels: &[Level]) -> Self {
        Self::new(start, address, Form::Free, levels)
    }

    pub fn new(start: i64, address: usize, form: Form, levels: &[Level]) -> Self {
        Self {
            start,
            address: address as u64,
            form,
            levels: levels.to_vec(),
        }
    }

    /// Cycle of the last iteration.
    pub fn last(&self) -> i64 {
        let span = |level: &Level| (level.count - 1) * level.interval;
        self.start + self.levels.iter().map(span).sum::<u64>() as i64
    }

    /// Instructions in the order of their cycles, or `None` if the fields cannot express the nest.
    pub fn lower(&self) -> Option<Vec<Piece>> {
        let (inner, outer, rest) = self.split()?;
        let pieces = rest
            .iter()
            .try_fold(outer.count.div_ceil(MAX_COUNT), |product, level| {
                product.checked_mul(level.count)
            })?;
        if pieces > MAX_PIECES || (self.form == Form::Both && outer.count > MAX_COUNT) {
            return None;
        }
        let mut starts = vec![(self.start, self.address as i64)];
        for level in rest.iter().rev() {
            starts = starts
                .iter()
                .flat_map(|&start| iterate(start, *level))
                .collect();
        }
        let cut = |(start, address): (i64, i64)| {
            (0..outer.count.div_ceil(MAX_COUNT)).map(move |part| {
                let done = part * MAX_COUNT;
                Piece {
                    start: start + (done * outer.interval) as i64,
                    address: (address + done as i64 * outer.stride) as u16,
                    repeat: repeat(
                        inner,
                        Level {
                            count: (outer.count - done).min(MAX_COUNT),
                            ..outer
                        },
                    ),
                }
            })
        };
        Some(starts.into_iter().flat_map(cut).collect())
    }

    /// Inner repeat, outer repeat, and the loops that become separate instructions.
    fn split(&self) -> Option<(Level, Level, Vec<Level>)> {
        let levels = match self.form {
            Form::Free => merge(&self.levels),
            _ => self.levels.clone(),
        };
        let level = |i: usize| levels.get(i).copied().unwrap_or(Level::ONE);
        let rest = |from: usize| levels.get(from..).unwrap_or_default().to_vec();
        let pinned = self.form != Form::Free;
        if level(0).fits_inner() && level(1).fits_outer() {
            Some((level(0), level(1), rest(2)))
        } else if pinned {
            None
        } else if level(0).fits_inner() {
            Some((level(0), Level::ONE, rest(1)))
        } else if level(0).fits_outer() {
            Some((Level::ONE, level(0), rest(1)))
        } else {
            Some((Level::ONE, Level::ONE, rest(0)))
        }
    }
}

fn iterate((start, address): (i64, i64), level: Level) -> impl Iterator<Item = (i64, i64)> {
    (0..level.count as i64).map(move |j| {
        (
            start + j * level.interval as i64,
            address + j * level.stride,
        )
    })
}

fn repeat(inner: Level, outer: Level) -> Repeat {
    Repeat {
        count0: inner.count as u32,
        interval0: inner.interval as u16,
        stride0: inner.stride as i16,
        count1: outer.count as u32,
        interval1: outer.interval as u32,
        stride1: outer.stride as u16,
    }
    .canonical()
}

/// Drops loops that iterate once and joins neighbours that continue each other.
fn merge(levels: &[Level]) -> Vec<Level> {
    let mut merged: Vec<Level> = Vec::new();
    for level in levels.iter().filter(|level| level.count > 1) {
        if let Some(last) = merged.last_mut()
            && last.count * last.interval == level.interval
            && last.count as i64 * last.stride == level.stride
            && last.count * level.count <= MAX_COUNT
        {
            last.count *= level.count;
        } else {
            merged.push(*level);
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Form, Level, Nest};
    use proptest::prelude::*;

    fn issues(nest: &Nest) -> Vec<(i64, u16)> {
        let mut issues = vec![(nest.start, nest.address as i64)];
        for level in nest.levels.iter().rev() {
            issues = issues
                .iter()
                .flat_map(|&start| super::iterate(start, *level))
                .collect();
        }
        issues
            .into_iter()
            .map(|(cycle, address)| (cycle, address as u16))
            .collect()
    }

    fn lowered(nest: &Nest) -> Vec<(i64, u16)> {
        let mut issues = Vec::new();
        for piece in nest.lower().unwrap() {
            let r = piece.repeat;
            for j1 in 0..r.count1 {
                for j0 in 0..r.count0 {
                    let cycle = u64::from(j1) * u64::from(r.interval1)
                        + u64::from(j0) * u64::from(r.interval0);
                    let step =
                        i64::from(j0) * i64::from(r.stride0) + i64::from(j1) * i64::from(r.stride1);
                    issues.push((
                        piece.start + cycle as i64,
                        (i64::from(piece.address) + step) as u16,
                    ));
                }
            }
        }
        issues
    }

    #[test]
    fn contiguous_loops_become_one_instruction() {
        let nest = Nest::free(
            5,
            7,
            &[
                Level::new(4, 1, 1),
                Level::new(3, 4, 4),
                Level::new(2, 12, 0),
            ],
        );
        assert_eq!(nest.lower().unwrap().len(), 1);
        assert_eq!(lowered(&nest), issues(&nest));
    }

    #[test]
    fn a_long_interval_moves_to_the_outer_repeat_and_long_counts_are_cut() {
        let nest = Nest::free(0, 0, &[Level::new(3, 5000, 1)]);
        assert_eq!(nest.lower().unwrap()[0].repeat.count1, 3);
        let nest = Nest::new(
            0,
            0,
            Form::Inner,
            &[Level::new(2, 1, 1), Level::new(70_000, 2, 0)],
        );
        assert_eq!(nest.lower().unwrap().len(), 2);
        assert_eq!(lowered(&nest), issues(&nest));
        assert!(
            Nest {
                form: Form::Both,
                ..nest
            }
            .lower()
            .is_none()
        );
    }

    proptest! {
        #[test]
        fn lowering_keeps_every_issue(
            counts in prop::array::uniform4(1usize..6),
            gaps in prop::array::uniform4(1usize..4),
            strides in prop::array::uniform4(0usize..3000),
        ) {
            let mut interval = 1;
            let levels: Vec<_> = (0..4).map(|i| {
                interval *= gaps[i];
                let level = Level::new(counts[i], interval, strides[i]);
                interval *= counts[i];
                level
            }).collect();
            for form in [Form::Free, Form::Inner, Form::Both] {
                let mut levels = levels.clone();
                levels[0].stride %= 2000;
                let nest = Nest::new(-9, 100, form, &levels);
                prop_assert_eq!(lowered(&nest), issues(&nest));
            }
        }
    }
}
