//! Waves: VCD and FST hold the same, and only the window asked for.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{builder, counter, memory, model};
use lpu_sim::{Design, SimError};

/// Of every signal by its full name, the changes (time, bits).
type Changes = BTreeMap<String, Vec<(u64, String)>>;

fn read(path: &Path) -> Changes {
    let mut wave = wellen::simple::read(path).unwrap();
    let hierarchy = wave.hierarchy();
    let name = |var: wellen::VarRef| {
        (
            hierarchy[var].full_name(hierarchy),
            hierarchy[var].signal_ref(),
        )
    };
    let vars: Vec<_> = hierarchy.all_vars().map(name).collect();
    wave.load_signals(&vars.iter().map(|(_, signal)| *signal).collect::<Vec<_>>());
    let times = wave.time_table().to_vec();
    let changes = |signal| {
        let signal = wave.get_signal(signal).unwrap();
        signal
            .iter_changes()
            .map(|(at, value)| (times[at as usize], value.to_string()))
            .collect()
    };
    vars.iter()
        .map(|(name, signal)| (name.clone(), changes(*signal)))
        .collect()
}

/// Runs `design` for 40 cycles with every input toggling, and returns the waves of cycles 10 to 19 in `extension`.
fn waves(design: &Design, extension: &str) -> Changes {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(format!("waves.{extension}"));
    let mut model = builder()
        .trace(true)
        .build(design)
        .unwrap()
        .instantiate()
        .unwrap();
    let ports: Vec<_> = model
        .ports()
        .iter()
        .filter(|p| p.direction == lpu_sim::Direction::Input)
        .cloned()
        .collect();
    model.open_trace(&path, 10..20).unwrap();
    for cycle in 0..40u64 {
        for port in ports
            .iter()
            .filter(|port| port.name != "clock" && port.name != "reset")
        {
            let id = model.port(&port.name).unwrap();
            let words: Vec<u64> = match port.width {
                width @ ..=64 => vec![cycle.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - width)],
                _ => vec![cycle, cycle],
            };
            model.set_wide(id, &words);
        }
        model.step(1);
    }
    model.close_trace().unwrap();
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "no file is left behind"
    );
    read(&path)
}

#[test]
fn vcd_and_fst_agree_on_every_signal() {
    for design in [counter(), memory()] {
        let (vcd, mut fst) = (waves(&design, "vcd"), waves(&design, "fst"));
        // An FST file says of every signal that it is unknown before the window; a VCD file says nothing.
        for changes in fst.values_mut() {
            let (time, bits) = changes.remove(0);
            assert!(
                time == 0 && bits.chars().all(|bit| bit == 'x'),
                "{time} {bits}"
            );
        }
        assert!(vcd.len() > 5, "{:?}", vcd.keys());
        assert_eq!(vcd, fst);
    }
}

#[test]
fn waves_show_the_window_and_the_clock() {
    let seen = waves(&counter(), "vcd");
    let clock = &seen["counter.clock"];
    let expected: Vec<_> = (10..20)
        .flat_map(|k| [(k * 10, "1".to_string()), (k * 10 + 5, "0".to_string())])
        .collect();
    assert_eq!(clock, &expected);
    assert!(
        seen.contains_key("counter.wrapped"),
        "signals inside are there: {:?}",
        seen.keys()
    );
}

#[test]
fn a_model_without_waves_says_so() {
    match model(&counter()).open_trace("x.vcd", 0..10) {
        Err(SimError::NoTrace { top }) => assert_eq!(top, "counter"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn other_files_than_vcd_and_fst_are_refused() {
    let mut model = builder()
        .trace(true)
        .build(&counter())
        .unwrap()
        .instantiate()
        .unwrap();
    assert!(matches!(
        model.open_trace("waves.txt", 0..1),
        Err(SimError::Wave { .. })
    ));
    assert!(matches!(
        model.open_trace("/nowhere/waves.vcd", 0..1),
        Err(SimError::Wave { .. })
    ));
}
