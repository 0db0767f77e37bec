use super::*;
use crate::prim::testing::cycle;
use proptest::prelude::*;

type Stage = StreamStage<8, 64>;

fn connected(mut stage: Stage) -> Stage {
    stage.connect_all();
    stage
}

fn step(stage: &mut Stage) {
    cycle(stage, |stage, level| {
        stage.clock.next = Clock::from(level);
    });
}

/// Lets the logic settle within the cycle.
fn settle(stage: &mut Stage) {
    stage.clock.next = Clock::from(false);
    assert!(rust_hdl::core::simulate::simulate(stage, 20));
}

fn flow(stage: &mut Stage, s: usize, data: Option<u64>) {
    stage.in_valid[s].next = data.is_some();
    stage.in_data[s].next = Bits::from(data.unwrap_or(0xdead));
    stage.in_check[s].next = Bits::from(data.unwrap_or(0xff) & 0xff);
}

fn drive(stage: &mut Stage, d: usize, driven: Option<(usize, u64)>) {
    let (_, data) = driven.unwrap_or_default();
    // As a plane does: the whole group of streams, of which a driver takes its own.
    let group = stage._group;
    let mask = driven.map_or(0, |(stream, _)| {
        ((1u64 << group) - 1) << (stream / group * group)
    });
    stage.in_drive[d].next = Bits::from(mask);
    stage.in_drive_data[d].next = Bits::from(data);
    stage.in_drive_check[d].next = Bits::from(data & 0xff);
}

fn cell(stage: &Stage, s: usize) -> Option<u64> {
    let data = stage.out_data[s].val().to_u64();
    let valid = stage.out_valid[s].val();
    assert!(!valid || stage.out_check[s].val().to_u64() == data & 0xff);
    valid.then_some(data)
}

#[test]
fn a_vector_moves_one_cell_per_cycle() {
    let mut stage = connected(Stage::new(4, 1));
    // (flows into stream 2, drives stream 2) in a cycle -> (collision in it, cell in the next)
    let rows = [
        (Some(1), None, false, Some(1)),
        (Some(2), None, false, Some(2)),
        (None, None, false, None),
        (None, Some(3), false, Some(3)),
        (Some(4), Some(5), true, Some(5)),
        (Some(6), None, false, Some(6)),
    ];
    for (now, (flows, driven, collision, next)) in rows.into_iter().enumerate() {
        flow(&mut stage, 2, flows);
        flow(&mut stage, 1, Some(now as u64));
        drive(&mut stage, 0, driven.map(|data| (2, data)));
        settle(&mut stage);
        assert_eq!(stage.out_collision[0].val(), collision, "cycle {now}");
        step(&mut stage);
        assert_eq!(cell(&stage, 2), next, "cycle {now}");
        assert_eq!(cell(&stage, 1), Some(now as u64));
        assert_eq!(cell(&stage, 0), None);
    }
    assert_eq!(Stage::LATENCY, 1);
    stage.reset.next = true;
    drive(&mut stage, 0, Some((0, 1)));
    step(&mut stage);
    assert!((0..4).all(|s| cell(&stage, s).is_none()));
}

#[test]
fn a_stream_that_does_not_exist_is_not_driven() {
    let mut stage = connected(Stage::new(4, 2));
    drive(&mut stage, 0, Some((4, 1)));
    drive(&mut stage, 1, Some((4, 2)));
    settle(&mut stage);
    assert!(!stage.out_collision[0].val() && !stage.out_collision[1].val());
    step(&mut stage);
    assert!((0..4).all(|s| cell(&stage, s).is_none()));
}

#[test]
fn the_lowest_driver_wins_and_both_collide() {
    let mut stage = connected(Stage::grouped(8, 8, 4));
    // Drivers 1 and 5 both drive stream 4 + 1; the other bits of the group do not count.
    drive(&mut stage, 1, Some((4, 11)));
    drive(&mut stage, 5, Some((7, 55)));
    drive(&mut stage, 6, Some((0, 66)));
    settle(&mut stage);
    let collisions: Vec<bool> = (0..8).map(|d| stage.out_collision[d].val()).collect();
    assert_eq!(
        collisions,
        [false, true, false, false, false, true, false, false]
    );
    step(&mut stage);
    let cells: Vec<_> = (0..8).map(|s| cell(&stage, s)).collect();
    assert_eq!(
        cells,
        [None, None, Some(66), None, None, Some(11), None, None]
    );
}

proptest! {
    #[test]
    fn behaves_like_the_contract(
        streams in 1usize..=32,
        group in (0u32..=2).prop_map(|log| 1usize << log),
        sets in 1usize..=2,
        flows in any::<u32>(),
        drives in prop::collection::vec(prop::option::of(0usize..32), 8),
    ) {
        let drivers = sets * group;
        let mut stage = connected(Stage::grouped(streams, drivers, group));
        for s in 0..streams {
            flow(&mut stage, s, (flows >> s & 1 == 1).then_some(s as u64));
        }
        for (d, number) in drives.iter().take(drivers).enumerate() {
            drive(&mut stage, d, number.map(|number| (number, 100 + d as u64)));
        }
        settle(&mut stage);
        let collisions: Vec<bool> = (0..drivers).map(|d| stage.out_collision[d].val()).collect();
        step(&mut stage);
        for s in 0..streams {
            let arrives = flows >> s & 1 == 1;
            let here = |&d: &usize| {
                drives[d].is_some_and(|number| number - number % group + d % group == s)
            };
            let driving: Vec<usize> = (0..drivers).filter(here).collect();
            let expected = match driving.first() {
                Some(d) => Some(100 + *d as u64),
                None => arrives.then_some(s as u64),
            };
            prop_assert_eq!(cell(&stage, s), expected);
            for &d in &driving {
                prop_assert_eq!(collisions[d], arrives || driving.len() > 1);
            }
        }
    }
}

#[test]
#[should_panic(expected = "33 streams; 1 to 32 are possible")]
fn too_many_streams() {
    let _ = Stage::new(33, 1);
}
