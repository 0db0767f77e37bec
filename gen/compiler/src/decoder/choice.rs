//! What a program may choose, and which choice is taken.

use crate::CompileError;

/// When values meet the softmax weights of a head of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Behind all values, as far as there are buffers: these have the time of the last softmax.
    ValuesLast,
    /// Before the queries of the next head, which have the time of its softmax.
    HeadByHead,
}

/// What a plan may choose.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    pub order: Order,
    /// Heads that are between their product and the operand buffer at once. Each needs descriptors of its own.
    pub turns: usize,
}

/// All choices.
pub const CHOICES: [Choice; 4] = [
    Choice {
        order: Order::ValuesLast,
        turns: 2,
    },
    Choice {
        order: Order::HeadByHead,
        turns: 2,
    },
    Choice {
        order: Order::ValuesLast,
        turns: 1,
    },
    Choice {
        order: Order::HeadByHead,
        turns: 1,
    },
];

/// Of what can be made the one with the fewest cycles, the first of equals; if nothing can be made, why the last cannot.
pub fn fewest<T>(
    made: impl Iterator<Item = Result<T, CompileError>>,
    cycles: impl Fn(&T) -> u64,
) -> Result<T, CompileError> {
    let mut best: Option<Result<T, CompileError>> = None;
    for one in made {
        let better = match (&best, &one) {
            (Some(Ok(best)), Ok(one)) => cycles(one) < cycles(best),
            (Some(Ok(_)), Err(_)) => false,
            _ => true,
        };
        if better {
            best = Some(one);
        }
    }
    best.expect("there are choices")
}

#[cfg(test)]
mod tests {
    use super::fewest;
    use crate::CompileError;

    #[test]
    fn the_first_of_the_fewest_is_taken() {
        let refused = |why: &str| Err(CompileError::Decoder(why.into()));
        let made = [
            refused("a"),
            Ok((5, 0)),
            Ok((3, 1)),
            Ok((3, 2)),
            refused("b"),
        ];
        assert_eq!(fewest(made.into_iter(), |one| one.0).unwrap(), (3, 1));
        let none = fewest([refused("a"), refused("b")].into_iter(), |one| one.0);
        assert!(none.unwrap_err().to_string().ends_with('b'));
    }
}
