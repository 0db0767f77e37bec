//! What is said about designs that are not hardware. rust-hdl's own checks agree wherever they have an opinion.

mod toys;

use lpu_gen::{EmitOptions, emit};
use rust_hdl::prelude::*;
use toys::connected;

/// The message about a design.
fn message<B: Block>(block: B) -> String {
    emit(&connected(block), &EmitOptions::new("lpu_bad"))
        .expect_err("the design is bad")
        .to_string()
}

/// Leaves an output and a child's input open.
#[derive(LogicBlock, Default)]
struct Open {
    sense: Signal<In, Bit>,
    out_a: Signal<Out, Bit>,
    inner: Inner,
}

impl Logic for Open {
    #[hdl_gen]
    fn update(&mut self) {
        self.inner.sense.next = self.inner.out.val();
    }
}
/// Needs both of its inputs.
#[derive(LogicBlock, Default)]
struct Inner {
    sense: Signal<In, Bit>,
    other: Signal<In, Bit>,
    out: Signal<Out, Bit>,
}

impl Logic for Inner {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = self.sense.val() & self.other.val();
    }
}
/// Assigns its own input.
#[derive(LogicBlock, Default)]
struct Written {
    sense: Signal<In, Bit>,
    out: Signal<Out, Bit>,
}

impl Logic for Written {
    #[hdl_gen]
    fn update(&mut self) {
        self.sense.next = false;
        self.out.next = true;
    }
}
/// Reads before it assigns.
#[derive(LogicBlock, Default)]
struct Looped {
    sense: Signal<In, Bit>,
    out: Signal<Out, Bit>,
    a: Signal<Local, Bit>,
}

impl Logic for Looped {
    #[hdl_gen]
    fn update(&mut self) {
        self.a.next = self.out.val();
        self.out.next = self.a.val() & self.sense.val();
    }
}
/// Keeps its output when the input is low.
#[derive(LogicBlock, Default)]
struct Latched {
    sense: Signal<In, Bit>,
    out: Signal<Out, Bit>,
}

impl Logic for Latched {
    #[hdl_gen]
    fn update(&mut self) {
        if self.sense.val() {
            self.out.next = true;
        }
    }
}
/// Asks for a bit beyond the word.
#[derive(LogicBlock, Default)]
struct Beyond {
    sense: Signal<In, Bits<8>>,
    out: Signal<Out, Bit>,
}

impl Logic for Beyond {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = self.sense.val().get_bit(8);
    }
}
/// Asks for bits of a sum.
#[derive(LogicBlock, Default)]
struct Sliced {
    sense: Signal<In, Bits<8>>,
    out: Signal<Out, Bits<4>>,
}

impl Logic for Sliced {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = (self.sense.val() + 1).get_bits::<4>(4);
    }
}
/// A number too large for its signal.
#[derive(LogicBlock, Default)]
struct Large {
    out: Signal<Out, Bits<4>>,
}

impl Logic for Large {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = 16.into();
    }
}
/// Names something that is no signal.
#[derive(LogicBlock, Default)]
struct Unknown {
    sense: Signal<In, Bits<8>>,
    out: Signal<Out, Bits<8>>,
    _offset: u64,
}

impl Logic for Unknown {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = self.sense.val() + self._offset;
    }
}
/// An inout port.
#[derive(LogicBlock, Default)]
struct Both {
    pin: Signal<InOut, Bit>,
    out: Signal<Out, Bit>,
}

impl Logic for Both {
    #[hdl_gen]
    fn update(&mut self) {
        self.out.next = self.pin.val();
    }
}

#[test]
fn open_signals_are_named() {
    insta::assert_snapshot!(message(Open::default()));
    assert!(check_all(&connected(Open::default())).is_err());
}

#[test]
fn an_assigned_input_is_named() {
    insta::assert_snapshot!(message(Written::default()));
    assert!(check_all(&connected(Written::default())).is_err());
}

#[test]
fn a_loop_is_named() {
    insta::assert_snapshot!(message(Looped::default()));
    assert!(check_all(&connected(Looped::default())).is_err());
}

#[test]
fn a_latch_is_named() {
    insta::assert_snapshot!(message(Latched::default()));
    assert!(
        check_all(&connected(Latched::default())).is_ok(),
        "rust-hdl has no such check"
    );
}

#[test]
fn wrong_widths_are_explained() {
    insta::assert_snapshot!("beyond", message(Beyond::default()));
    insta::assert_snapshot!("sliced", message(Sliced::default()));
    insta::assert_snapshot!("large", message(Large::default()));
}

#[test]
fn unknown_names_are_explained() {
    insta::assert_snapshot!("unknown", message(Unknown::default()));
}

#[test]
fn what_is_not_supported_is_said() {
    insta::assert_snapshot!("both", message(Both::default()));
}
