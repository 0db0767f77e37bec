//! Watches, and playing tables of inputs.

mod common;

use common::{counter, memory, model};
use lpu_sim::{Event, Watch};

#[test]
fn an_event_carries_the_cycle_and_the_payload() {
    let mut model = model(&counter());
    let enable = model.port("enable").unwrap();
    let (carry, count) = (
        model.signal("counter.carry").unwrap(),
        model.signal("counter.count").unwrap(),
    );
    model.add_watch(&Watch {
        id: 7,
        group: 0,
        valid: carry,
        payload: vec![count],
    });
    model.set(enable, 1);
    model.step(50);
    let batch = model.drain_events();
    let seen: Vec<_> = batch
        .iter()
        .map(|event| (event.cycle, event.id, event.words.to_vec()))
        .collect();
    assert_eq!(
        seen,
        [(16, 7, vec![16]), (32, 7, vec![32]), (48, 7, vec![48])]
    );
    assert!(model.drain_events().is_empty());
}

#[test]
fn play_drives_one_row_per_cycle_and_records_each() {
    let mut model = model(&counter());
    let [reset, enable, count, carry] =
        ["reset", "enable", "count", "carry"].map(|name| model.port(name).unwrap());
    let mut record = vec![99];
    //           reset, enable
    let rows = [
        1, 0, /**/ 0, 1, /**/ 0, 1, /**/ 0, 0, /**/ 0, 1,
    ];
    model.play(&[reset, enable], &rows, &[count, carry], &mut record);
    assert_eq!(record, [99, 0, 0, 1, 0, 2, 0, 2, 0, 3, 0]);
    assert_eq!(model.cycle(), 5);
}

#[test]
fn wide_payloads_masks_and_groups() {
    let mut model = model(&memory());
    let inputs =
        ["write_valid", "write_address", "write_data"].map(|name| model.port(name).unwrap());
    let signal = |name: &str| format!("memory.low.{name}");
    let [written, recent, data, valid, address] = [
        "written",
        "recent",
        "write_data",
        "write_valid",
        "write_address",
    ]
    .map(|name| model.signal(&signal(name)).unwrap());
    model.add_watch(&Watch {
        id: 1,
        group: 0,
        valid,
        payload: vec![address, data],
    });
    model.add_watch(&Watch {
        id: 2,
        group: 5,
        valid: recent,
        payload: vec![written],
    });
    model.add_watch(&Watch {
        id: 3,
        group: 6,
        valid: data,
        payload: vec![],
    });
    model.enable_groups(1 | 1 << 5);
    // One row: valid, address, two words of data.
    let rows = [
        1,
        3,
        0xabc,
        0xf_0000_0001,
        /**/ 1,
        9,
        1,
        0,
        /**/ 0,
        0,
        0,
        0,
        /**/ 0,
        0,
        0,
        1,
    ];
    let outputs = [model.port("read_data").unwrap()];
    let mut record = Vec::new();
    model.play(&inputs, &rows, &outputs, &mut record);
    assert_eq!(record, [0; 8]);
    let batch = model.drain_events();
    let events: Vec<_> = batch.iter().collect();
    let event = |cycle, id, words| Event { cycle, id, words };
    assert_eq!(
        events,
        [
            event(1, 1, &[3, 0xabc, 0xf_0000_0001]), // the write, in the cycle it is driven
            event(1, 2, &[0b01, 1]),                 // the mask is the first word
            event(2, 2, &[0b10, 0]),
        ]
    );

    // A wide `valid` counts wherever its bit is; the groups of the other two are off.
    model.enable_groups(1 << 6);
    model.set_wide(inputs[2], &[0, 1 << 35]);
    model.step(2);
    model.set_wide(inputs[2], &[0, 0]);
    model.step(2);
    let batch = model.drain_events();
    assert_eq!(
        batch.iter().collect::<Vec<_>>(),
        [event(5, 3, &[0, 1 << 35]), event(6, 3, &[0, 1 << 35])]
    );

    // And what was written is read back.
    let read = model.port("read_address").unwrap();
    model.set(read, 3);
    model.step(1);
    assert_eq!(model.get_wide(outputs[0]), [0xabc, 0xf_0000_0001]);
}
