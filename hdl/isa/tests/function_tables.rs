//! The tables in the crate are those that their generator makes.

#[path = "../examples/function_tables.rs"]
mod generator;

#[test]
fn tables_are_what_the_generator_makes() {
    let committed = include_str!("../src/functions/tables.rs");
    let differs = generator::source()
        .lines()
        .zip(committed.lines())
        .position(|(new, old)| new != old);
    assert_eq!(
        differs, None,
        "line (from 0) that differs; make the file again: see its first line"
    );
    assert_eq!(generator::source(), committed);
}
