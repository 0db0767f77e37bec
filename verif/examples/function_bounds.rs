//! Errors of exp2, reciprocal and reciprocal square root over all 2^32 arguments: the largest distance from the true value,
//! special values, and monotonicity. Exits with 1 if a function is beyond the bound that `docs/numbers.md` states.
//!
//! `cargo run --release -p lpu-verif --example function_bounds [exp2|rcp|rsqrt]`
//!
//! True values come from f64, whose own error is below 2^-28 of a unit in the last place of FP32. Such a unit belongs to the
//! binade of the true value, and never is less than 2^-149. *Normal* results have a true value of 2^-126 or more.

use lpu_verif::numeric::{fp32, functions};
use std::process::ExitCode;
use std::thread;

/// A function and what is claimed of it.
struct Claim {
    name: &'static str,
    golden: fn(u32) -> u32,
    truth: fn(f64) -> f64,
    /// Largest error in units in the last place, of normal and of subnormal results.
    bounds: [f64; 2],
    /// Whether it grows with its argument.
    rising: bool,
}

const CLAIMS: [Claim; 3] = [
    Claim {
        name: "exp2",
        golden: functions::exp2,
        truth: f64::exp2,
        bounds: [0.75, 0.75],
        rising: true,
    },
    Claim {
        name: "rcp",
        golden: functions::rcp,
        truth: |x| 1.0 / x,
        bounds: [0.75, 0.75],
        rising: false,
    },
    Claim {
        name: "rsqrt",
        golden: functions::rsqrt,
        truth: |x| 1.0 / x.sqrt(),
        bounds: [0.75, 0.75],
        rising: false,
    },
];

/// What a stretch of arguments showed.
#[derive(Clone, Copy, Default)]
struct Found {
    /// Largest error of normal and of subnormal results, with the least pattern that has it.
    errors: [(f64, u32); 2],
    /// Results that are the nearest FP32 number, of all that are finite.
    nearest: u64,
    finite: u64,
    /// Neighbours in the wrong order, and the first of them.
    steps_back: (u64, u32),
    /// Special values that are wrong, and the first of them.
    wrong: (u64, u32),
}

impl Found {
    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.errors.iter_mut().zip(other.errors) {
            if theirs.0 > mine.0 {
                *mine = theirs;
            }
        }
        self.nearest += other.nearest;
        self.finite += other.finite;
        for (mine, theirs) in [
            (&mut self.steps_back, other.steps_back),
            (&mut self.wrong, other.wrong),
        ] {
            let first = if mine.0 == 0 { theirs.1 } else { mine.1 };
            *mine = (mine.0 + theirs.0, first);
        }
    }
}

impl Claim {
    /// Looks at the arguments with the given upper 16 bits.
    fn look(&self, high: u32) -> Found {
        let mut found = Found::default();
        let mut before = (high & 0x7fff > 0).then(|| (self.golden)((high << 16) - 1));
        for x in high << 16..=high << 16 | 0xffff {
            let result = (self.golden)(x);
            let truth = (self.truth)(f64::from(f32::from_bits(x)));
            self.judge(x, result, truth, &mut found);
            let (first, second) = if self.rising != fp32::is_negative(x) {
                (before, Some(result))
            } else {
                (Some(result), before)
            };
            if let (Some(first), Some(second)) = (first, second)
                && fp32::lt(second, first)
            {
                note(&mut found.steps_back, x);
            }
            before = Some(result);
        }
        found
    }

    /// Compares one result.
    fn judge(&self, x: u32, result: u32, truth: f64, found: &mut Found) {
        // The first number that rounds to infinity, and zero arguments: the rest of the work is for finite results.
        let beyond = 2f64.powi(128) - 2f64.powi(103);
        if truth.is_nan() {
            if result != fp32::NAN {
                note(&mut found.wrong, x);
            }
        } else if truth.abs() >= beyond || truth == 0.0 {
            if result != (truth as f32).to_bits() {
                note(&mut found.wrong, x);
            }
        } else {
            let exponent = (truth.to_bits() >> 52 & 0x7ff) as i32 - 1023;
            let ulp = f64::from_bits(((exponent.max(-126) - 23 + 1023) as u64) << 52);
            let error = (f64::from(f32::from_bits(result)) - truth).abs() / ulp;
            let worst = &mut found.errors[usize::from(exponent < -126)];
            // A NaN here would be an error beyond all bounds.
            if error.is_nan() || error > worst.0 {
                *worst = (if error.is_nan() { f64::INFINITY } else { error }, x);
            }
            found.finite += 1;
            found.nearest += u64::from(result == (truth as f32).to_bits());
            let power_of_two = truth.to_bits() << 12 == 0 && exponent >= -149;
            if fp32::is_negative(result) != truth.is_sign_negative()
                || (power_of_two && error != 0.0 && self.exact(x))
            {
                note(&mut found.wrong, x);
            }
        }
    }

    /// Whether a true value that f64 shows as a power of two is one: of exp2 only for integers.
    fn exact(&self, x: u32) -> bool {
        let x = f32::from_bits(x);
        self.name != "exp2" || x.round_ties_even() == x
    }

    /// Looks at all arguments, prints the findings, and tells whether the claim holds.
    fn check(&self) -> bool {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let mut all = vec![Found::default(); 1 << 16];
        let stretch = all.len().div_ceil(workers);
        thread::scope(|scope| {
            for (worker, part) in all.chunks_mut(stretch).enumerate() {
                scope.spawn(move || {
                    for (i, found) in part.iter_mut().enumerate() {
                        *found = self.look((worker * stretch + i) as u32);
                    }
                });
            }
        });
        let mut found = Found::default();
        all.iter().for_each(|part| found.add(part));

        let name = self.name;
        for (kind, ((error, x), bound)) in ["normal", "subnormal"]
            .into_iter()
            .zip(found.errors.into_iter().zip(self.bounds))
        {
            println!(
                "{name:6} {kind:9} results: at most {error:.6} ulp (bound {bound}), at {x:#010x} = {:e}",
                f32::from_bits(x)
            );
        }
        let share = found.nearest as f64 / found.finite as f64;
        println!(
            "{name:6} nearest FP32 number in {:.2} % of {} finite results",
            100.0 * share,
            found.finite
        );
        println!(
            "{name:6} steps back: {} (first {:#010x})",
            found.steps_back.0, found.steps_back.1
        );
        println!(
            "{name:6} wrong special values, signs, powers of two: {} (first {:#010x})",
            found.wrong.0, found.wrong.1
        );
        let within = found
            .errors
            .iter()
            .zip(self.bounds)
            .all(|(found, bound)| found.0 <= bound);
        within && found.steps_back.0 == 0 && found.wrong.0 == 0
    }
}

/// Counts a finding.
fn note(findings: &mut (u64, u32), x: u32) {
    if findings.0 == 0 {
        findings.1 = x;
    }
    findings.0 += 1;
}

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let Some(unknown) = wanted
        .iter()
        .find(|name| CLAIMS.iter().all(|claim| claim.name != **name))
    {
        eprintln!("function_bounds: no function {unknown}; there are exp2, rcp, rsqrt");
        return ExitCode::from(2);
    }
    let chosen = CLAIMS
        .iter()
        .filter(|claim| wanted.is_empty() || wanted.iter().any(|name| name == claim.name));
    let failed: Vec<&str> = chosen
        .filter(|claim| !claim.check())
        .map(|claim| claim.name)
        .collect();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "function_bounds: beyond what docs/numbers.md states: {}",
        failed.join(", ")
    );
    ExitCode::FAILURE
}
