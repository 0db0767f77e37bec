//! `lpu run matmul --trace`: both formats hold the cycles asked for, and the events of the golden model are in them.

mod common;

use common::{Changes, lpu, names, run, small, value_at, waves};
use std::path::Path;

/// Clock period in waves, in nanoseconds.
const PERIOD: u64 = 10;

/// A run with waves: what they show, and the cycles that the launch took.
fn traced(folder: &Path, more: &[&str]) -> (Changes, usize) {
    let file = more[1];
    let ended = run(&mut lpu(folder, &small(&[more, &["--json"]].concat())));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = ended.json();
    assert_eq!(report["mismatches"], 0);
    let cycles = report["launch_cycles"].as_u64().unwrap();
    (waves(&folder.join(file)), cycles as usize)
}

/// Rising edges of the clock.
fn edges(changes: &Changes) -> Vec<u64> {
    let clock = &changes["lpu_tile.clock"];
    clock
        .iter()
        .filter(|(_, bit)| bit == "1")
        .map(|(time, _)| *time)
        .collect()
}

#[test]
fn both_formats_show_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let window = ["--trace-from", "5", "--trace-to", "20"];
    let (all, cycles) = traced(folder.path(), &["--trace", "all.vcd"]);
    let (vcd, _) = traced(
        folder.path(),
        &[&["--trace", "some.vcd"], &window[..]].concat(),
    );
    let (mut fst, _) = traced(
        folder.path(),
        &[&["--trace", "some.fst"], &window[..]].concat(),
    );
    assert_eq!(
        names(folder.path()),
        ["all.vcd", "some.fst", "some.vcd"],
        "nothing else is left"
    );

    // An FST file says of every signal that it is unknown before the window; a VCD file says nothing.
    for changes in fst.values_mut() {
        assert!(changes.remove(0).1.chars().all(|bit| bit == 'x'));
    }
    assert!(vcd.len() > 500, "only {} signals", vcd.len());
    assert_eq!(vcd, fst);

    // The waves of the whole launch begin with its cycle 0.
    let (all_edges, some_edges) = (edges(&all), edges(&vcd));
    assert_eq!(some_edges, all_edges[5..=20]);
    let launch = all_edges[0];
    assert!(
        all_edges
            .iter()
            .zip(0..)
            .all(|(time, cycle)| *time == launch + PERIOD * cycle)
    );
    // And end with its last: busy falls after it.
    assert_eq!(all_edges.len(), cycles);
    let end = launch + PERIOD * (cycles as u64 - 1);
    assert_eq!(value_at(&all, "lpu_tile.out_busy", end), "1");

    // What is in the window is what is in the whole.
    let path = "lpu_tile.mem_0.datapath.out_read_start";
    let within = |changes: &Changes| -> Vec<_> {
        let range = launch + PERIOD * 6..launch + PERIOD * 21;
        changes[path]
            .iter()
            .filter(|(time, _)| range.contains(time))
            .cloned()
            .collect()
    };
    assert_eq!(within(&all), within(&vcd));
    let reads = all
        .iter()
        .filter(|(path, _)| path.ends_with("datapath.out_read_start"));
    assert!(
        reads
            .flat_map(|(_, changes)| changes)
            .any(|(_, bit)| bit == "1"),
        "a slice reads"
    );
}
