//! A small design through the whole path: verilate, compile, load, run.

use lpu_sim::{Builder, Cache, CompiledModel, Design, Observed, SimError, SourceFile, Watch};

const COUNTER: &str = "
module leaf (input wire clock, input wire reset, input wire enable, output reg [7:0] count);
  wire carry = enable && count == 8'd3;
  always @(posedge clock) if (reset) count <= 0; else if (enable) count <= carry ? 8'd0 : count + 8'd1;
endmodule
module counter (input wire clock, input wire reset, input wire enable, input wire [99:0] in_wide,
                output wire [7:0] out_count, output reg [99:0] out_wide);
  leaf left (.clock(clock), .reset(reset), .enable(enable), .count(out_count));
  /* verilator lint_off PINCONNECTEMPTY */
  leaf right (.clock(clock), .reset(reset), .enable(!enable), .count());
  always @(posedge clock) out_wide <= ~in_wide;
endmodule
";

fn cache() -> Cache {
    Cache::new(concat!(env!("CARGO_TARGET_TMPDIR"), "/cache"))
}

fn design() -> Design {
    Design {
        top: "counter".into(),
        files: vec![SourceFile {
            name: "counter.v".into(),
            text: COUNTER.into(),
        }],
        clock: "clock".into(),
        observed: ["carry", "count"]
            .map(|signal| Observed {
                module: "leaf".into(),
                signal: signal.into(),
            })
            .to_vec(),
        waivers: None,
    }
}

fn compiled() -> CompiledModel {
    Builder::new(cache()).unwrap().build(&design()).unwrap()
}

#[test]
fn ports_of_any_width_work() {
    let mut model = compiled().instantiate().unwrap();
    let (input, output) = (
        model.port("in_wide").unwrap(),
        model.port("out_wide").unwrap(),
    );
    model.set_words(input, &[0x1234, 0xf]);
    model.step(1);
    assert_eq!(model.get_words(output), [!0x1234, 0xf_ffff_fff0]);
    assert!(
        matches!(model.port("nothing"), Err(SimError::NoSuchPort { name }) if name == "nothing")
    );
}

#[test]
fn play_drives_and_records_every_cycle() {
    let mut model = compiled().instantiate().unwrap();
    let inputs = [model.port("reset").unwrap(), model.port("enable").unwrap()];
    let output = [model.port("out_count").unwrap()];
    let rows = [[1, 0], [0, 1], [0, 1], [0, 0], [0, 1], [0, 1]].concat();
    assert_eq!(model.play(&inputs, &rows, &output), [0, 1, 2, 2, 3, 0]);
    assert_eq!(model.cycle(), 6);
}

#[test]
fn watches_record_the_exact_cycles() {
    let mut model = compiled().instantiate().unwrap();
    model.set(model.port("enable").unwrap(), 1);
    let watch = |name: &str, id| Watch {
        id,
        valid: format!("counter.{name}.carry"),
        payload: vec![format!("counter.{name}.count")],
    };
    model.add_watch(&watch("left", 7)).unwrap();
    model.add_watch(&watch("right", 8)).unwrap();
    model.step(10);
    let mut events = vec![];
    model.drain_events(|event| {
        events.push((event.cycle, event.id, event.valid, event.payload.to_vec()))
    });
    assert_eq!(events, [(3, 7, 1, vec![3]), (7, 7, 1, vec![3])]);
    let missing = model.add_watch(&Watch {
        id: 9,
        valid: "counter.left.nothing".into(),
        payload: vec![],
    });
    assert!(matches!(missing, Err(SimError::NoSuchSignal { .. })));
}

#[test]
fn a_restored_model_continues_identically() {
    let mut model = compiled().instantiate().unwrap();
    let (enable, count) = (
        model.port("enable").unwrap(),
        model.port("out_count").unwrap(),
    );
    model.set(enable, 1);
    model.step(6);
    let saved = model.save().unwrap();
    let mut other = compiled().instantiate().unwrap();
    other.restore(&saved).unwrap();
    other.set(enable, 1);
    for _ in 0..5 {
        model.step(1);
        other.step(1);
        assert_eq!(
            (model.cycle(), model.get(count)),
            (other.cycle(), other.get(count))
        );
    }
    assert!(matches!(
        other.restore(b"nonsense"),
        Err(SimError::WrongState)
    ));
}

#[test]
fn broken_verilog_shows_verilators_message() {
    let mut design = design();
    design.files[0].text = COUNTER.replace("out_wide <= ~in_wide", "out_wide <= ~in_wyde");
    let error = Builder::new(cache())
        .unwrap()
        .build(&design)
        .unwrap_err()
        .to_string();
    assert!(error.contains("in_wyde"), "{error}");
}

#[test]
fn waves_need_a_model_with_waves() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("waves.vcd");
    let mut plain = compiled().instantiate().unwrap();
    assert!(matches!(
        plain.open_waves(&path, 0..10),
        Err(SimError::NoTrace)
    ));
    let traced = Builder::new(cache())
        .unwrap()
        .trace(true)
        .build(&design())
        .unwrap();
    let mut model = traced.instantiate().unwrap();
    model.set(model.port("enable").unwrap(), 1);
    model.open_waves(&path, 2..5).unwrap();
    model.step(10);
    assert_eq!(model.close_waves().unwrap(), path);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(
        text.contains("#20") && text.contains("#40") && !text.contains("#50"),
        "{text}"
    );
}
