//! A signed combinational multiplier.

use crate::info::{Info, Primitive};
use rust_hdl::prelude::*;

/// A signed combinational multiplier: `product = a * b`, all three in two's complement.
///
/// The product is sign-extended or wraps to `P` bits; `P = A + B` holds every product. `A` and `B` are 1 to 32,
/// `P` 1 to 64. Latency: none; put [`Pipe`](crate::prim::Pipe)s around it, which synthesis moves into the DSP cell.
#[derive(Clone, Debug, LogicBlock)]
pub struct Multiplier<const A: usize, const B: usize, const P: usize> {
    /// First factor, two's complement.
    pub a: Signal<In, Bits<A>>,
    /// Second factor, two's complement.
    pub b: Signal<In, Bits<B>>,
    /// The product, two's complement.
    pub product: Signal<Out, Bits<P>>,
    info: Info,
}

impl<const A: usize, const B: usize, const P: usize> Default for Multiplier<A, B, P> {
    fn default() -> Self {
        assert!(
            (1..=32).contains(&A) && (1..=32).contains(&B) && (1..=64).contains(&P),
            "{A} x {B} -> {P} bits"
        );
        Self {
            a: Signal::default(),
            b: Signal::default(),
            product: Signal::default(),
            info: Info::new("multiplier", file!())
                .summary("Signed combinational multiplier")
                .param("A_BITS", A)
                .param("B_BITS", B)
                .param("PRODUCT_BITS", P)
                .primitive(Primitive::Multiply),
        }
    }
}

/// The low `N` bits as a signed number.
fn signed<const N: usize>(value: Bits<N>) -> i64 {
    let shift = 64 - N;
    ((value.to_u64() << shift) as i64) >> shift
}

impl<const A: usize, const B: usize, const P: usize> Logic for Multiplier<A, B, P> {
    fn update(&mut self) {
        let product = signed(self.a.val()) * signed(self.b.val());
        self.product.next = Bits::from(product as u64 & (u64::MAX >> (64 - P)));
    }

    fn connect(&mut self) {
        self.product.connect();
    }

    fn hdl(&self) -> Verilog {
        Verilog::Custom("always @(*) product = $signed(a) * $signed(b);".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rust_hdl::core::simulate::simulate;

    proptest! {
        #[test]
        fn equals_native_multiplication(a: i8, b: i8) {
            let mut narrow = Multiplier::<8, 8, 16>::default();
            let mut wide = Multiplier::<8, 8, 32>::default();
            for bits in [0u8, a as u8] {
                narrow.a.next = Bits::from(u64::from(bits));
                wide.a.next = Bits::from(u64::from(bits));
            }
            narrow.b.next = Bits::from(u64::from(b as u8));
            wide.b.next = Bits::from(u64::from(b as u8));
            simulate(&mut narrow, 10);
            simulate(&mut wide, 10);
            let expected = i32::from(a) * i32::from(b);
            prop_assert_eq!(narrow.product.val().to_u64(), u64::from(expected as u16));
            prop_assert_eq!(wide.product.val().to_u64(), u64::from(expected as u32));
        }
    }
}
