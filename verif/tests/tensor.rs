//! One tile on the machine against exact tensor arithmetic, for random operands.

mod bench;

use bench::*;
use lpu_isa::QueueKind::*;
use lpu_isa::{AccMode, Operation, Repeat};
use lpu_verif::Vector;
use lpu_verif::numeric::{Matrix, matmul};
use proptest::prelude::*;

const ROWS: usize = 6;

/// Loads an 8 x 8 tile, then multiplies the rows of `x` in `order` and sums them all in row 0.
fn sum(weights: &Matrix<i8>, column: bool, x: &Matrix<i8>, order: &[usize]) -> Bench {
    let mut b = Bench::new(nano());
    for slice in 0..4 {
        for half in 0..2 {
            let row = Vector::encode_i8(weights.row(4 * half + slice));
            b.machine.write_sram(slice, 10 + half, &row);
        }
        let issue = 4 + slice as u64;
        b.repeat(
            issue,
            MemRead,
            slice,
            read(e(slice as u8)),
            10,
            Repeat::inner(2, 1, 1),
        );
    }
    let load = Operation::LoadWeights {
        stream: 0,
        column,
        install: true,
    };
    b.repeat(10, MxmWeights, 0, load, 0, Repeat::inner(2, 1, 4));
    let many = |stride| Repeat::inner(ROWS as u32, 1, stride);
    for row in 0..ROWS {
        b.machine
            .write_sram(0, 20 + row, &Vector::encode_i8(x.row(row)));
    }
    b.repeat(6, MemRead, 0, read(e(7)), 20, many(1));
    b.repeat(
        12,
        MxmCompute,
        0,
        Operation::LoadOperand {
            stream: 7,
            scales: None,
        },
        0,
        many(1),
    );
    for (i, &row) in order.iter().enumerate() {
        b.op(
            30 + i as u64,
            MxmCompute,
            0,
            Operation::MultiplyBuffer { scaled: false },
            row as u16,
        );
    }
    let accumulate = Operation::Accumulate {
        stream: 0,
        init: AccMode::Inner,
        emit: AccMode::Never,
    };
    b.repeat(38, MxmAccumulate, 0, accumulate, 0, many(0));
    let report = b.run();
    b.expect_faults(&report, &[]);
    b
}

fn matrix(rows: usize) -> impl Strategy<Value = Matrix<i8>> {
    prop::collection::vec(any::<i8>(), rows * 8)
        .prop_map(move |bytes| Matrix::from_fn(rows, 8, |r, c| bytes[8 * r + c]))
}

proptest! {
    #[test]
    fn accumulation_equals_the_tensor_product_in_any_order(
        weights in matrix(8),
        x in matrix(ROWS),
        order in Just((0..ROWS).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let product = matmul(&x, &weights);
        let expected: Vec<i32> = (0..8).map(|n| (0..ROWS).map(|r| product.at(r, n)).sum()).collect();
        let b = sum(&weights, false, &x, &order);
        prop_assert_eq!(b.machine.accumulators(0, 0), expected);
    }

    #[test]
    fn column_form_equals_row_form_of_the_transpose(weights in matrix(8), x in matrix(ROWS)) {
        let order: Vec<usize> = (0..ROWS).collect();
        let column = sum(&weights, true, &x, &order);
        let row = sum(&weights.transpose(), false, &x, &order);
        prop_assert_eq!(column.machine.accumulators(0, 0), row.machine.accumulators(0, 0));
        for i in 0..64 {
            let (k, n) = (i / 8, i % 8);
            prop_assert_eq!(column.machine.active_weight(0, k, n), weights.at(n, k));
            prop_assert_eq!(row.machine.active_weight(0, k, n), weights.at(n, k));
        }
    }
}
