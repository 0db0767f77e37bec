//! Compiled collectives on golden machines: the sums of the golden collective on every chip, in the predicted cycles.

use lpu_compiler::collective::{Compiled, Kind, compile};
use lpu_isa::Config;
use lpu_isa::c2c::Shape;
use lpu_isa::config::C2cConfig;
use lpu_isa::rack::{Rack, Topology};
use lpu_verif::kernels::collective as golden;
use lpu_verif::rack::exchange;
use lpu_verif::{EventCount, Machine, Status, Vector};
use proptest::prelude::*;

/// A machine of eight lanes with links.
fn machine(slices: usize, alus: usize, links: usize) -> Config {
    let mut config = Config::preset("edge").unwrap();
    config.lanes = 8;
    config.mem.slices = slices;
    config.mem.depth = 1024;
    config.mxm.weight_streams = 4;
    config.vxm.as_mut().unwrap().alus = alus;
    config.vxm.as_mut().unwrap().registers = 32;
    config.c2c = Some(C2cConfig { links });
    config.icu.queue_depth = 2048;
    config
}

/// Numbers of many magnitudes, so that the order of their sums shows.
fn inputs(chips: usize, elements: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut random = lpu_verif::c2c::Random::new(seed);
    let mut number = || {
        let word = random.word();
        let exponent = 120 + (word >> 32) % 12;
        (word as u32 & 0x807f_ffff) | (exponent as u32) << 23
    };
    (0..chips)
        .map(|_| (0..elements).map(|_| number()).collect())
        .collect()
}

/// Runs a collective on golden machines and compares every chip.
fn run(config: &Config, rack: &Rack, kind: Kind, elements: usize, seed: u64) -> Compiled {
    let what = format!(
        "{kind:?} of {elements}, {rack:?}, {} slices",
        config.mem.slices
    );
    let compiled =
        compile(config, rack, kind, elements).unwrap_or_else(|error| panic!("{what}: {error}"));
    let inputs = inputs(rack.chips(), elements, seed);
    let mut machines = vec![Machine::new(config); rack.chips()];
    for (machine, program) in machines.iter_mut().zip(&compiled.programs) {
        machine.load(program).unwrap();
    }
    let slices = config.mem.slices;
    for vector in compiled.pack(&inputs).unwrap() {
        let machine = &mut machines[vector.slice / slices];
        machine.write_sram(
            vector.slice % slices,
            vector.address,
            &Vector::encode(&vector.bytes),
        );
    }
    machines.iter_mut().for_each(Machine::launch);
    let mut running = true;
    while running {
        running = false;
        for machine in &mut machines {
            running |= machine.run(rack.hop(), &mut EventCount::default()) == Status::Running;
        }
        assert_eq!(exchange(rack, &mut machines), 0);
    }
    for (chip, machine) in machines.iter().enumerate() {
        let report = machine.report();
        assert!(
            report.faults.iter().all(Option::is_none),
            "{what}, chip {chip}: {:?}",
            report.faults
        );
        assert_eq!(
            report.cycles, compiled.predictions[chip].busy_cycles,
            "{what}, chip {chip}"
        );
        assert_eq!(machine.waiting_flits(), 0, "{what}, chip {chip}");
    }
    let memory: std::collections::HashMap<(usize, usize), Vec<u8>> =
        (compiled.result_places().into_iter())
            .map(|(slice, address)| {
                let vector = machines[slice / slices].sram(slice % slices, address);
                ((slice, address), vector.lanes(config.lanes).to_vec())
            })
            .collect();
    let found = compiled.unpack(&|slice, address| &memory[&(slice, address)]);
    let whole = match kind {
        Kind::AllGather => {
            let share = |chip| golden::share(chip, rack.chips(), elements, config.lanes);
            (0..rack.chips())
                .flat_map(|chip| inputs[chip][share(chip)].to_vec())
                .collect()
        }
        _ => golden::sum(rack.topology(), &inputs, config.lanes, slices),
    };
    for (chip, found) in found.iter().enumerate() {
        let expected = &whole[compiled.result(chip)];
        assert_eq!(found, expected, "{what}, chip {chip}");
        if kind == Kind::ReduceScatter {
            assert_eq!(
                compiled.result(chip),
                golden::share(chip, rack.chips(), elements, config.lanes)
            );
        }
    }
    compiled
}

fn rack(chips: usize, topology: Topology, lanes: usize, slots: usize) -> Rack {
    let shape = Shape::new(lanes / 8, slots).unwrap();
    let rack = Rack::new(chips, topology, shape.least_hop()).unwrap();
    rack.with_shape(shape).unwrap()
}

/// Over a tree there is an all-reduce only.
fn has_schedule(topology: Topology, kind: Kind) -> bool {
    topology != Topology::Tree || kind == Kind::AllReduce
}

const KINDS: [Kind; 3] = [Kind::AllReduce, Kind::ReduceScatter, Kind::AllGather];

#[test]
fn all_reduce_on_two_to_eight_chips() {
    for chips in 2..=8 {
        for kind in KINDS {
            for (_, topology) in Topology::ALL {
                for slices in [4, 8] {
                    let rack = rack(chips, topology, 8, 32);
                    if rack.links() > slices || !has_schedule(topology, kind) {
                        continue;
                    }
                    let config = machine(slices, 2, rack.links());
                    run(&config, &rack, kind, 100 * chips, 1);
                    run(&config, &rack, kind, 1, 2);
                }
            }
        }
    }
}

/// Sums of two terms take one ALU.
#[test]
fn one_alu_is_enough_for_two() {
    for (_, topology) in Topology::ALL {
        let rack = rack(2, topology, 8, 32);
        run(&machine(8, 1, rack.links()), &rack, Kind::AllReduce, 200, 3);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_shape(
        chips in 2usize..=8,
        elements in 1usize..1500,
        topology in prop::sample::select(Topology::ALL.map(|(_, topology)| topology).to_vec()),
        kind in prop::sample::select(KINDS.to_vec()),
        slots in 8usize..60,
        slices in prop::sample::select(vec![4, 8, 10]),
        late in 0u64..40,
        seed: u64,
    ) {
        let kind = if has_schedule(topology, kind) { kind } else { Kind::AllReduce };
        let shape = Shape::new(1, slots).unwrap();
        let rack = Rack::new(chips, topology, shape.least_hop() + late).unwrap().with_shape(shape).unwrap();
        prop_assume!(rack.links() <= slices);
        run(&machine(slices, 2, rack.links()), &rack, kind, elements, seed);
    }
}

/// The machine of `examples/rack.toml` and links of so many slots.
fn example(chips: usize, topology: Topology, slots: usize, hop: u64) -> (Config, Rack) {
    let text = include_str!("../../../examples/rack.toml");
    let config = Config::from_toml("rack.toml", text).unwrap();
    let rack = Rack::new(chips, topology, hop).unwrap();
    let shape = Shape::new(config.lanes / 8, slots).unwrap();
    (config, rack.with_shape(shape).unwrap())
}

/// `-- --nocapture` prints the tables of `docs/collectives.md`.
#[test]
fn links_are_busy() {
    use Topology::{AllToAll, Ring, Tree};
    let show = |topology, kind, chips, elements, (slots, hop)| {
        let (config, rack) = example(chips, topology, slots, hop);
        let compiled = compile(&config, &rack, kind, elements).expect("it fits");
        let (bound, cycles) = (compiled.bound, compiled.prediction.cycles());
        let share = bound as f64 / cycles as f64;
        println!(
            "{kind:?}, S = {slots}, {topology}, {chips} LPUs, {elements} elements: {cycles} cycles, bound {bound}, {share:.3}"
        );
        assert!(share <= 1.0);
        share
    };
    let links = [(32, 57), (208, 240)];
    for link in links {
        for (topology, chips) in [AllToAll, Ring, Tree]
            .into_iter()
            .flat_map(|t| [2, 4, 8].map(|n| (t, n)))
        {
            for elements in [4096, 65536, 131_072, 524_288] {
                // What does not fit into SRAM or queues.
                let most = match (topology, chips) {
                    (AllToAll, 8) => 524_288,
                    (AllToAll, _) | (Ring | Tree, 2) => 131_072,
                    _ => 65536,
                };
                if elements <= most {
                    let share = show(topology, Kind::AllReduce, chips, elements, link);
                    // Of a tree the way up and down is a large part of what takes so many LPUs so little.
                    let least = if topology == Tree { 0.8 } else { 0.9 };
                    assert!(share >= least || elements < most);
                }
            }
        }
    }
    for topology in [AllToAll, Ring] {
        for kind in [Kind::ReduceScatter, Kind::AllGather] {
            assert!(show(topology, kind, 8, 65536, links[0]) > 0.85);
        }
    }
}

/// The schedule that `docs/collectives.md` draws.
#[test]
fn the_drawn_schedule() {
    let (config, rack) = example(2, Topology::AllToAll, 32, 57);
    let compiled = compile(&config, &rack, Kind::AllReduce, 128).unwrap();
    assert_eq!(compiled.prediction.first_read, Some(0));
    assert_eq!(compiled.prediction.cycles(), 208);
    assert_eq!(compiled.programs[0], compiled.programs[1]);
    let (config, rack) = example(4, Topology::Tree, 32, 57);
    let compiled = compile(&config, &rack, Kind::AllReduce, 64).unwrap();
    assert_eq!(compiled.prediction.first_read, Some(0));
    assert_eq!(compiled.prediction.cycles(), 409);
}

/// Up and down at once: a longer vector over a tree takes longer by what its links carry more, however many levels there are.
#[test]
fn a_tree_carries_both_ways_at_once() {
    for chips in 2..=8 {
        let (config, rack) = example(chips, Topology::Tree, 32, 57);
        let cycles = |elements| {
            let compiled = compile(&config, &rack, Kind::AllReduce, elements).unwrap();
            (compiled.prediction.cycles(), compiled.bound)
        };
        let (short, long) = (cycles(16384), cycles(65536));
        assert_eq!(long.0 - short.0, long.1 - short.1, "{chips} LPUs");
    }
}

#[test]
fn what_cannot_be_is_explained() {
    let error = |config: &Config, rack: &Rack, kind, elements| {
        compile(config, rack, kind, elements)
            .unwrap_err()
            .to_string()
    };
    let (config, eight) = example(8, Topology::AllToAll, 32, 57);
    let alone = Rack::ALONE;
    let tree = Rack::new(4, Topology::Tree, 57).unwrap();
    let sum = Kind::AllReduce;
    assert_eq!(
        error(&config, &alone, sum, 9),
        "a collective of 1 LPU has nobody to talk to: choose 2 to 8 LPUs"
    );
    assert_eq!(
        error(&config, &eight, sum, 0),
        "a vector of 0 elements: it must have at least 1"
    );
    for kind in [Kind::ReduceScatter, Kind::AllGather] {
        assert_eq!(
            error(&config, &tree, kind, 9),
            "over the topology tree there is an all-reduce only: choose all-to-all or ring"
        );
    }
    let mut small = config.clone();
    small.c2c = Some(C2cConfig { links: 3 });
    assert_eq!(
        error(&small, &eight, sum, 9),
        "8 LPUs need 7 links each and c2c.links is 3: raise it to 7"
    );
    small = config.clone();
    small.streams = 8;
    assert_eq!(
        error(&small, &eight, sum, 9),
        "7 links and the operands of sums take 15 streams each way and the machine has 8: raise streams to 16"
    );
    small = config.clone();
    small.mem.slices = 4;
    small.mxm.weight_streams = 4;
    assert_eq!(
        error(&small, &eight, sum, 9),
        "7 links send at once, each from a slice of its own, and the machine has 4 slices: raise mem.slices to 8, or choose fewer LPUs"
    );
    small = config.clone();
    small.vxm.as_mut().unwrap().alus = 1;
    assert_eq!(
        error(&small, &eight, sum, 9),
        "sums of 8 LPUs take two ALUs and vxm.alus is 1: raise it to 2, or choose the topology ring"
    );
    assert_eq!(
        error(&small, &tree, sum, 9),
        "sums of 4 LPUs take two ALUs and vxm.alus is 1: raise it to 2, or choose the topology ring"
    );
    let text = error(&config, &eight, sum, 10_000_000);
    assert!(
        text.contains("raise it to") && text.contains("split the operation"),
        "{text}"
    );
}
