//! The emitted design as a whole: names, files, repeatability and speed.

mod toys;

use lpu_gen::{EmitError, EmitOptions, FILE_LIST, LINT_WAIVERS, emit};
use lpu_hdl::prim::{Fifo, SramBank};
use rust_hdl::prelude::*;
use std::time::{Duration, Instant};
use toys::*;

/// Two queues alike and one that is not.
#[derive(LogicBlock)]
struct Queues {
    clock: Signal<In, Clock>,
    reset: Signal<In, Bit>,
    data: Signal<In, Bits<8>>,
    valid: Signal<In, Bit>,
    taken: Signal<Out, Bits<8>>,
    queue: Vec<Fifo<8>>,
}

impl Default for Queues {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            data: Signal::default(),
            valid: Signal::default(),
            taken: Signal::default(),
            queue: vec![Fifo::new(4), Fifo::new(4), Fifo::new(8)],
        }
    }
}

impl Logic for Queues {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..3 {
            self.queue[i].clock.next = self.clock.val();
            self.queue[i].reset.next = self.reset.val();
            self.queue[i].in_data.next = self.data.val();
            self.queue[i].write.next = self.valid.val();
            self.queue[i].read.next = true;
        }
        self.taken.next = self.queue[0].out_data.val()
            ^ self.queue[1].out_data.val()
            ^ self.queue[2].out_data.val();
    }
}

#[test]
fn equal_structures_share_a_module_and_names_tell_the_others_apart() {
    let emitted = emit(
        &connected(Queues::default()),
        &EmitOptions::new("lpu_queues"),
    )
    .unwrap();
    let names: Vec<_> = emitted
        .modules
        .iter()
        .map(|module| module.name.as_str())
        .collect();
    assert_eq!(names, ["lpu_fifo_depth4", "lpu_fifo_depth8", "lpu_queues"]);
    let hierarchy: Vec<_> = emitted
        .hierarchy
        .iter()
        .map(|(path, module)| format!("{path} {module}"))
        .collect();
    let expected = [
        "lpu_queues lpu_queues",
        "lpu_queues.queue[0] lpu_fifo_depth4",
        "lpu_queues.queue[1] lpu_fifo_depth4",
        "lpu_queues.queue[2] lpu_fifo_depth8",
    ];
    assert_eq!(hierarchy, expected);
    assert_eq!(
        (emitted.statistics.modules, emitted.statistics.instances),
        (3, 4)
    );
}

#[test]
fn a_name_that_is_unique_has_no_suffix() {
    let emitted = emit(
        &connected(TopWrap::new(SramBank::<8>::new(4))),
        &EmitOptions::new("lpu_top"),
    );
    assert!(
        matches!(emitted, Err(EmitError::Unconnected(_))),
        "a wrapper drives nothing"
    );
    let emitted = emit(
        &connected(Lanes::<2, 16>::default()),
        &EmitOptions::new("lpu_top"),
    )
    .unwrap();
    assert_eq!(emitted.modules[0].name, "lpu_lane");
}

#[test]
fn the_same_design_gives_the_same_text() {
    let text = || {
        emit(
            &connected(Lanes::<8, 64>::default()),
            &EmitOptions::new("lpu_top"),
        )
        .unwrap()
    };
    assert_eq!(text(), text());
}

#[test]
fn files_replace_ours_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let rtl = directory.path().join("out/rtl");
    let lanes = emit(
        &connected(Lanes::<2, 16>::default()),
        &EmitOptions::new("lpu_top"),
    )
    .unwrap();
    lanes.write_to(&rtl).unwrap();
    assert_eq!(
        listing(&rtl),
        [FILE_LIST, "lpu_lane.v", "lpu_top.v", LINT_WAIVERS]
    );
    let controller = emit(
        &connected(Controller::default()),
        &EmitOptions::new("lpu_controller"),
    )
    .unwrap();
    controller.write_to(&rtl).unwrap();
    assert_eq!(listing(&rtl), [FILE_LIST, "lpu_controller.v", LINT_WAIVERS]);
    assert_eq!(
        listing(&directory.path().join("out")),
        ["rtl"],
        "nothing is left over"
    );

    std::fs::write(rtl.join("notes.txt"), "mine\n").unwrap();
    let refused = lanes.write_to(&rtl).unwrap_err();
    assert!(
        matches!(&refused, EmitError::Foreign { path } if path.ends_with("notes.txt")),
        "{refused}"
    );
    assert_eq!(
        listing(&rtl),
        [FILE_LIST, "lpu_controller.v", "notes.txt", LINT_WAIVERS]
    );
}

fn listing(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Many lanes, for speed.
#[derive(LogicBlock)]
struct Field {
    clock: Signal<In, Clock>,
    reset: Signal<In, Bit>,
    data: Signal<In, Bits<8>>,
    valid: Signal<In, Bit>,
    sums: Vec<Signal<Out, Bits<16>>>,
    lane: Vec<Lane>,
    _lanes: usize,
}

impl Field {
    fn new(lanes: usize) -> Self {
        Self {
            clock: Signal::default(),
            reset: Signal::default(),
            data: Signal::default(),
            valid: Signal::default(),
            sums: (0..lanes).map(|_| Signal::default()).collect(),
            lane: (0..lanes).map(|_| Lane::default()).collect(),
            _lanes: lanes,
        }
    }
}

impl Logic for Field {
    #[hdl_gen]
    fn update(&mut self) {
        for i in 0..self._lanes {
            self.lane[i].clock.next = self.clock.val();
            self.lane[i].reset.next = self.reset.val();
            self.lane[i].in_a.next = self.data.val();
            self.lane[i].in_b.next = self.data.val();
            self.lane[i].in_valid.next = self.valid.val();
            self.sums[i].next = self.lane[i].out_sum.val();
        }
    }
}

#[test]
fn five_thousand_instances_take_a_moment() {
    let field = connected(Field::new(5000));
    let start = Instant::now();
    let emitted = emit(&field, &EmitOptions::new("lpu_field")).unwrap();
    let taken = start.elapsed();
    println!("{:?} in {taken:?}", emitted.statistics);
    assert_eq!(emitted.statistics.instances, 5001);
    assert_eq!(emitted.statistics.cells, 10000);
    assert_eq!(emitted.statistics.modules, 2);
    assert!(
        taken < Duration::from_secs(5),
        "{taken:?}: far more than the 0.1 s this takes when it is linear"
    );
}
