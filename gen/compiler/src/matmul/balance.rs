//! Even division of a range.

use std::ops::Range;

/// Cuts 0..`total` into `parts` ranges whose lengths differ by at most one, the longer ones first.
pub fn balance(total: usize, parts: usize) -> Vec<Range<usize>> {
    let (length, longer) = (total / parts, total % parts);
    let mut start = 0;
    (0..parts)
        .map(|part| {
            let end = start + length + usize::from(part < longer);
            std::mem::replace(&mut start, end)..end
        })
        .collect()
}

/// The part of `a` that is in `b`, if any.
pub fn overlap(a: &Range<usize>, b: &Range<usize>) -> Option<Range<usize>> {
    let both = a.start.max(b.start)..a.end.min(b.end);
    (!both.is_empty()).then_some(both)
}

#[cfg(test)]
mod tests {
    use super::{balance, overlap};

    #[test]
    fn parts_are_even_and_cover_everything() {
        assert_eq!(balance(8, 3), [0..3, 3..6, 6..8]);
        assert_eq!(balance(2, 2), [0..1, 1..2]);
        assert_eq!(overlap(&(0..4), &(2..9)), Some(2..4));
        assert_eq!(overlap(&(0..2), &(2..9)), None);
    }
}
