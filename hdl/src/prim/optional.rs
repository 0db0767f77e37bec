//! A block that some configurations do not have.

use rust_hdl::prelude::*;
use std::ops::{Deref, DerefMut};

/// A block that some configurations do not have: an instance under the name of its field, or nothing at all.
///
/// Where a `Vec` would number its only element, this leaves no trace in the names of the design. Logic that touches the
/// block stands in a loop that runs once or not at all: `for _i in 0..self._has_block { self.block.in_a.next = ... }`.
///
/// # Panics
/// A use of a block that is not there.
#[derive(Clone, Debug)]
pub struct Optional<B>(Option<B>);

impl<B> Optional<B> {
    /// The block, if it is `present`.
    pub fn new(present: bool, block: impl FnOnce() -> B) -> Self {
        Self(present.then(block))
    }
}

impl<B> Deref for Optional<B> {
    type Target = B;

    fn deref(&self) -> &B {
        self.0.as_ref().expect("this machine has the block")
    }
}

impl<B> DerefMut for Optional<B> {
    fn deref_mut(&mut self) -> &mut B {
        self.0.as_mut().expect("this machine has the block")
    }
}

impl<B: Logic> Logic for Optional<B> {
    fn update(&mut self) {}
}

impl<B: Block> Block for Optional<B> {
    fn connect_all(&mut self) {
        self.0.iter_mut().for_each(Block::connect_all);
    }

    fn update_all(&mut self) {
        self.0.iter_mut().for_each(Block::update_all);
    }

    fn has_changed(&self) -> bool {
        self.0.as_ref().is_some_and(Block::has_changed)
    }

    fn accept(&self, name: &str, probe: &mut dyn Probe) {
        if let Some(block) = &self.0 {
            block.accept(name, probe);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prim::Concat;
    use rust_hdl::core::simulate::simulate;

    type Half = Concat<4, 4, 8>;

    #[test]
    fn a_present_block_works_and_an_absent_one_does_nothing() {
        let mut present = Optional::new(true, Half::default);
        present.connect_all();
        present.high.next = Bits::from(0x5);
        present.low.next = Bits::from(0xa);
        assert!(simulate(&mut present, 10));
        assert_eq!(present.word.val().to_u64(), 0x5a);
        let mut absent = Optional::new(false, Half::default);
        absent.connect_all();
        absent.update_all();
        assert!(!absent.has_changed());
    }

    #[test]
    #[should_panic(expected = "this machine has the block")]
    fn an_absent_block_has_no_ports() {
        let absent = Optional::new(false, Half::default);
        let _ = absent.word.val();
    }
}
