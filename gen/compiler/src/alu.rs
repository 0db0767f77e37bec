//! What the ALUs of a pass do, and how far apart passes have to be.

use lpu_isa::Descriptor;
use lpu_isa::descriptor::{Alu, AluOperation, Operand};
use lpu_isa::latency::{ALU_LATENCY, REGISTER_READ, SFU_LATENCY, vxm_result};

/// Byte planes of a word.
pub const PLANES: usize = 4;

/// P * y + z.
pub fn fma(y: Operand, z: Operand) -> Alu {
    Alu {
        operation: AluOperation::Fma,
        y,
        z,
        ..Alu::default()
    }
}

/// P * y.
pub fn multiply(y: Operand) -> Alu {
    fma(y, Operand::NegativeZero)
}

/// P + z.
pub fn add(z: Operand) -> Alu {
    fma(Operand::One, z)
}

/// The larger of P and a register.
pub fn maximum() -> Alu {
    Alu {
        operation: AluOperation::Max,
        y: Operand::Register,
        ..Alu::default()
    }
}

/// K, whatever comes in (of a register that holds anything, too).
pub fn constant(constant: u32) -> Alu {
    Alu {
        operation: AluOperation::Select,
        constant,
        ..Alu::default()
    }
}

/// Whether an ALU's result depends on that operand.
pub fn takes(alu: &Alu, operand: Operand) -> bool {
    let (y, z) = (alu.y == operand, alu.z == operand);
    match alu.operation {
        AluOperation::Pass => false,
        AluOperation::Fma | AluOperation::Select => y || z,
        _ => y,
    }
}

/// A pass whose ALU 0 is that.
pub fn first_alu(alu: Alu) -> Descriptor {
    let mut pass = Descriptor::default();
    pass.alus[0] = alu;
    pass
}

/// The same ALU with its register elsewhere.
pub fn at(offset: u16, alu: Alu) -> Alu {
    Alu { offset, ..alu }
}

/// The same ALU with register `register`, whatever the row.
pub const fn fixed(register: usize, alu: Alu) -> Alu {
    Alu {
        offset: register as u16,
        fixed: true,
        ..alu
    }
}

/// The same ALU with its constant.
pub fn with_constant(constant: u32, alu: Alu) -> Alu {
    Alu { constant, ..alu }
}

/// Distance of two passes of which the second takes in the last ALU what the first wrote.
pub fn feedback(alus: usize) -> usize {
    let behind = if alus > 1 { SFU_LATENCY } else { 0 };
    let read = REGISTER_READ + behind + (alus as u64 - 1) * ALU_LATENCY;
    (vxm_result(alus) + 1 - read) as usize
}

/// Levels of a tree over `count` rows, in which the second half meets the first (the larger, if they differ): the distance
/// of the rows that meet, and how many pairs there are.
pub fn folds(count: usize) -> Vec<(usize, usize)> {
    let mut levels = Vec::new();
    let mut left = count;
    while left > 1 {
        let distance = left.div_ceil(2);
        levels.push((distance, left - distance));
        left = distance;
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::{feedback, folds};

    #[test]
    fn a_tree_meets_every_row_once() {
        assert_eq!(folds(1), []);
        assert_eq!(folds(11), [(6, 5), (3, 3), (2, 1), (1, 1)]);
    }

    #[test]
    fn the_last_of_several_alus_is_near_its_register() {
        assert_eq!([1, 2, 3, 4].map(feedback), [19, 11, 11, 11]);
    }
}
