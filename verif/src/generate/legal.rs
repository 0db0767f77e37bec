//! Programs without faults: copies, gathers, scatters, weight loads and products on a timetable.

use super::plan::{Draw, Plan, weight_streams};
use super::timetable::Timetable;
use super::{Image, Scenario, config};
use lpu_isa::config::MxmFormat;
use lpu_isa::instruction::encoding::register;
use lpu_isa::latency::READ_LATENCY;
use lpu_isa::{Config, Instruction, QueueKind};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

fn program(
    config: &Config,
    bases: &[u16],
    draws: &[Draw],
    compress: bool,
    notifier: Option<usize>,
    format: Option<MxmFormat>,
) -> lpu_isa::Program {
    // No READ of the first transaction issues before cycle 0, not even across all slices.
    let start = 2 + READ_LATENCY + config.mxm_position() as u64;
    let mut table = Timetable::default();
    for draw in draws {
        for delay in 0..20 {
            let mut plan = Plan {
                config,
                bases,
                entries: vec![],
                resources: vec![],
            };
            let planned = plan.transaction(start + draw.1 + delay, draw);
            if !planned || table.enter(config, &plan.entries, &plan.resources) {
                break;
            }
        }
    }
    let count = Instruction::Config {
        register: register::WEIGHT_STREAMS,
        value: weight_streams(config) as u16,
    };
    let preamble = |id, kind| {
        let mut instructions = match notifier {
            None => vec![],
            // Everybody goes on 3 cycles after the NOTIFY.
            Some(n) if n == id => vec![Instruction::Notify, Instruction::Nop { cycles: 2 }],
            Some(_) => vec![Instruction::Sync],
        };
        let first = if kind == QueueKind::MxmWeights {
            count
        } else {
            Instruction::Nop { cycles: 1 }
        };
        instructions.push(first);
        if !config.mxm.formats.is_empty() {
            instructions.push(match kind {
                QueueKind::MxmWeights => Instruction::Config {
                    register: register::FORMAT,
                    value: format.map_or(0, MxmFormat::code),
                },
                _ => Instruction::Nop { cycles: 1 },
            });
        }
        instructions
    };
    table.program(config, preamble, compress)
}

/// A scenario whose launch has no faults; single-bit errors in memory are all corrected.
pub fn legal() -> impl Strategy<Value = Scenario> {
    config().prop_flat_map(|config| legal_on(&config))
}

/// [`legal`] for one machine.
pub fn legal_on(config: &Config) -> BoxedStrategy<Scenario> {
    let config = config.clone();
    let queues = config.num_queues();
    let draw = (any::<u8>(), 0u64..60, any::<[u16; 6]>(), any::<[bool; 3]>());
    let bases = vec(prop_oneof![Just(0u16), any::<u16>()], queues);
    let image = (any::<u64>(), 0u8..40);
    let notifier = option::of(0..queues);
    let format = if config.mxm.formats.is_empty() {
        Just(None).boxed()
    } else {
        option::weighted(0.8, select(config.mxm.formats.clone())).boxed()
    };
    (
        vec(draw, 0..60),
        bases,
        image,
        any::<bool>(),
        notifier,
        format,
    )
        .prop_map(
            move |(draws, mut bases, (seed, single_flips), compress, notifier, format)| {
                bases[2 * config.mem.slices..].fill(0);
                Scenario {
                    program: program(&config, &bases, &draws, compress, notifier, format),
                    config: config.clone(),
                    bases,
                    image: Image {
                        seed,
                        single_flips,
                        double_flips: 0,
                    },
                }
            },
        )
        .boxed()
}
