//! What people read when something is wrong.

mod common;

use common::{builder, counter, memory, model};
use lpu_sim::{Design, SimError};

/// The error as the command line shows it.
fn shown(error: SimError) -> String {
    let handler =
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::none()).with_width(100);
    let mut text = String::new();
    handler.render_report(&mut text, &error).unwrap();
    text.lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

fn refused(design: &Design) -> String {
    match builder().build(design) {
        Ok(_) => panic!("it was accepted"),
        Err(error) => shown(error),
    }
}

#[test]
fn broken_verilog_shows_verilators_message() {
    let text = refused(&Design::new("broken").source(
        "broken.v",
        "module broken(input clock);\n  assign x = ;\nendmodule\n",
    ));
    assert!(
        text.contains("src/broken.v:2:14: syntax error, unexpected ';'"),
        "{text}"
    );
}

#[test]
fn a_lint_warning_is_an_error_unless_waived() {
    let narrow = "module narrow(input clock, input [7:0] a, output reg [3:0] q);\n  always @(posedge clock) q <= a;\nendmodule\n";
    let design = Design::new("narrow").source("narrow.v", narrow);
    let text = refused(&design);
    assert!(text.contains("WIDTHTRUNC"), "{text}");
    builder()
        .build(&design.waive("`verilator_config\nlint_off -rule WIDTHTRUNC\n"))
        .unwrap();
}

#[test]
fn unknown_names_list_what_there_is() {
    let mut model = model(&memory());
    insta::assert_snapshot!("unknown_port", shown(model.port("data").unwrap_err()));
    insta::assert_snapshot!(
        "unknown_signal",
        shown(model.signal("memory.low.words").unwrap_err())
    );
    insta::assert_snapshot!(
        "unknown_instance",
        shown(model.signal("memory.middle.written").unwrap_err())
    );
    insta::assert_snapshot!(
        "vanished_signal",
        refused(&memory().observe("memory.low.absent", "memory_bank"))
    );
    insta::assert_snapshot!(
        "array_signal",
        refused(&memory().observe("memory.low.words", "memory_bank"))
    );
}

#[test]
fn clocks_and_names_are_checked() {
    insta::assert_snapshot!(
        "clock",
        refused(&Design {
            clock: "count".into(),
            ..counter()
        })
    );
    insta::assert_snapshot!(
        "source_name",
        refused(&counter().source("../counter.v", ""))
    );
    insta::assert_snapshot!(
        "identifier",
        refused(&counter().observe("counter.a\"b", "counter"))
    );
}

#[test]
#[should_panic(expected = "the design `stops` stopped in cycle 8: $finish at src/stops.v:5")]
fn a_design_that_stops_itself_panics_and_does_not_end_the_process() {
    let mut model = model(&Design::new("stops").source("stops.v", include_str!("data/stops.v")));
    model.step(100);
}
