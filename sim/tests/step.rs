//! Ports, stepping and reading inside.

mod common;

use common::{counter, model, wide};
use lpu_sim::Direction;

#[test]
fn a_counter_counts_enabled_cycles() {
    let mut model = model(&counter());
    let [reset, enable, count, carry] =
        ["reset", "enable", "count", "carry"].map(|name| model.port(name).unwrap());
    model.set(reset, 1);
    model.step(2);
    model.set(reset, 0);
    model.set(enable, 1);
    model.step(1);
    assert_eq!(model.get(count), 1);
    assert_eq!(model.run_until(carry, 1, 100), Some(15));
    assert_eq!((model.get(count), model.cycle()), (16, 18));
    assert_eq!(model.run_until(carry, 1, 100), Some(0));
    model.set(enable, 0);
    assert_eq!(model.get(carry), 1, "nothing moves without a step");
    model.settle();
    assert_eq!(
        model.get(carry),
        0,
        "carry depends on enable without a flop"
    );
    model.step(1000);
    assert_eq!((model.get(count), model.cycle()), (16, 1018));
    assert_eq!(model.run_until(carry, 1, 5), None);
}

#[test]
fn ports_tell_width_and_direction() {
    let model = model(&counter());
    let seen: Vec<_> = model
        .ports()
        .iter()
        .map(|p| (p.name.as_str(), p.width, p.direction))
        .collect();
    let mut expected = [
        ("clock", 1, Direction::Input),
        ("reset", 1, Direction::Input),
        ("enable", 1, Direction::Input),
        ("count", 16, Direction::Output),
        ("carry", 1, Direction::Output),
    ];
    for port in &expected {
        assert!(seen.contains(port), "{port:?}");
    }
    expected.sort_by_key(|port| port.0);
    assert_eq!(seen.len(), expected.len());
}

#[test]
fn ports_and_signals_of_every_width_keep_all_bits() {
    let mut model = model(&wide());
    for (name, width) in [("12", 12), ("33", 33), ("64", 64), ("200", 200)] {
        let (input, output) = (
            model.port(&format!("in_{name}")).unwrap(),
            model.port(&format!("out_{name}")).unwrap(),
        );
        let mut words =
            vec![0xfedc_ba98_7654_3210_u64.rotate_left(width); width.div_ceil(64) as usize];
        *words.last_mut().unwrap() >>= (64 - width % 64) % 64;
        model.set_wide(input, &words);
        model.step(1);
        assert_eq!(model.get_wide(output), words, "{name}");
        assert_eq!(model.width(output), width);
    }
    let straight = model.get_wide(model.port("out_200").unwrap());
    let inverted = model.get_wide(model.port("out_inverted").unwrap());
    assert!(
        straight
            .iter()
            .zip(&inverted)
            .take(3)
            .all(|(a, b)| *a == !b)
    );
    assert_eq!((straight[3] ^ inverted[3]), 0xff);

    // `unread` drives nothing, and is there because it is observed; so is the other instance's.
    model.step(1);
    let unread = model.signal("wide.straight.unread").unwrap();
    let expected = [
        straight[0],
        straight[1] & 0xf_ffff_ffff | straight[0] << 36,
        straight[0] >> 28 | straight[1] << 36,
    ];
    assert_eq!(model.get_wide(unread)[..2], expected[..2]);
    let other = model.signal("wide.inverted.unread").unwrap();
    assert_eq!(model.get_wide(other)[0], inverted[0]);
    let any = model.signal("wide.straight.any").unwrap();
    assert_eq!((model.get(any), model.width(any)), (1, 1));
}

#[test]
fn instances_are_independent_and_may_move_to_threads() {
    let compiled = common::builder().build(&counter()).unwrap();
    let handles: Vec<_> = (1..5)
        .map(|steps| {
            let mut model = compiled.instantiate().unwrap();
            std::thread::spawn(move || {
                let (enable, count) = (model.port("enable").unwrap(), model.port("count").unwrap());
                model.set(enable, 1);
                model.step(steps);
                model.get(count)
            })
        })
        .collect();
    let counts: Vec<_> = handles
        .into_iter()
        .map(|handle| handle.join().unwrap())
        .collect();
    assert_eq!(counts, [1, 2, 3, 4]);
}

#[test]
#[should_panic(expected = "value 0x2 does not fit port `enable` of 1 bits")]
fn a_value_too_large_for_its_port_panics() {
    let mut model = model(&counter());
    let enable = model.port("enable").unwrap();
    model.set(enable, 2);
}
