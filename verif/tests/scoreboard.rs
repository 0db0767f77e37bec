//! Every way in which the scoreboard can fail, and that it passes what is right.

mod bench;

use bench::*;
use lpu_isa::QueueKind::{MemRead, MemWrite};
use lpu_isa::Repeat;
use lpu_verif::machine::{EccCount, Fault};
use lpu_verif::scoreboard::{Difference, Side};
use lpu_verif::{Divergence, Effect, Event, FaultCode, LaunchReport, Scoreboard, Source};

/// Two reads that slice 1 stores, and one fault; with the events as a bench would observe them.
fn run() -> (Scoreboard, LaunchReport, Vec<Event>, Vec<Event>) {
    let mut b = Bench::new(nano());
    let twice = Repeat::inner(2, 3, 1);
    b.repeat(0, MemRead, 0, read(e(2)), 4, twice);
    b.repeat(3, MemWrite, 1, write(e(2)), 40, Repeat::inner(3, 3, 1));
    b.machine.write_sram(0, 4, &ramp(0x10));
    b.machine.write_sram(0, 5, &ramp(0x20));
    let report = b.run();
    let expected = b.events.clone();
    let observed = expected
        .iter()
        .map(|e| Event::observed(e.cycle, e.effect))
        .collect();
    assert_eq!(expected.len(), 7);
    (
        Scoreboard::new(&b.config, &b.program),
        report,
        expected,
        observed,
    )
}

/// The divergence that an observation changed by `change` leads to; the same however it is cut.
fn diverge(change: impl Fn(&mut Vec<Event>)) -> Divergence {
    let (scoreboard, _, expected, mut observed) = run();
    change(&mut observed);
    let whole = {
        let mut scoreboard = scoreboard.clone();
        scoreboard.expect(&expected).unwrap();
        let verdict = scoreboard.observe(&observed);
        *verdict.and_then(|()| scoreboard.finish()).unwrap_err()
    };
    let mut pieces = scoreboard;
    let mut verdict = Ok(());
    for i in 0..expected.len().max(observed.len()) {
        verdict = verdict
            .and_then(|()| pieces.observe(observed.get(i..=i).unwrap_or_default()))
            .and_then(|()| pieces.expect(expected.get(i..=i).unwrap_or_default()));
    }
    let pieces = *verdict.and_then(|()| pieces.finish()).unwrap_err();
    assert_eq!(
        (pieces.cycle, pieces.difference),
        (whole.cycle, whole.difference)
    );
    whole
}

fn find(events: &mut [Event], cycle: u64, kind: &str) -> usize {
    let found = |event: &Event| (event.cycle, event.effect.kind()) == (cycle, kind);
    events.iter().position(found).unwrap()
}

#[test]
fn the_same_events_pass() {
    let (mut scoreboard, report, expected, observed) = run();
    for (one, two) in expected.chunks(2).zip(observed.chunks(2)) {
        scoreboard.observe(two).unwrap();
        scoreboard.expect(one).unwrap();
    }
    scoreboard.finish().unwrap();
    scoreboard.compare_reports(&report, &report).unwrap();
    assert_eq!(scoreboard.compared(), 7);
}

#[test]
fn kinds_that_are_not_observed_can_be_left_out() {
    let (scoreboard, _, expected, mut observed) = run();
    observed.retain(|e| matches!(e.effect.kind(), "stream drive" | "SRAM write"));
    let mut scoreboard = scoreboard.without_faults().without_read_starts();
    scoreboard.expect(&expected).unwrap();
    scoreboard.observe(&observed).unwrap();
    scoreboard.finish().unwrap();
    assert_eq!(scoreboard.compared(), 4);
}

#[test]
fn a_wrong_lane() {
    let divergence = diverge(|events| {
        let i = find(events, 5, "stream drive");
        if let Effect::Drive { vector, .. } = &mut events[i].effect {
            *vector = vector.with_flip(0, 8 * 5);
        }
    });
    assert_eq!(divergence.difference, Difference::Value);
    assert_eq!(
        (divergence.cycle, divergence.position, divergence.lane),
        (5, Some(0), Some(5))
    );
    assert_eq!(divergence.stream, Some(e(2)));
    insta::assert_snapshot!("wrong_lane", divergence);
}

#[test]
fn a_wrong_check_bit() {
    let divergence = diverge(|events| {
        let i = find(events, 5, "SRAM write");
        if let Effect::Write { vector, .. } = &mut events[i].effect {
            *vector = vector.with_flip(0, 64);
        }
    });
    assert_eq!((divergence.cycle, divergence.lane), (5, None));
    insta::assert_snapshot!("wrong_check", divergence);
}

#[test]
fn a_wrong_address() {
    let divergence = diverge(|events| {
        let i = find(events, 8, "SRAM write");
        if let Effect::Write { address, .. } = &mut events[i].effect {
            *address += 1;
        }
    });
    assert_eq!(divergence.cycle, 8);
    insta::assert_snapshot!("wrong_address", divergence);
}

#[test]
fn a_wrong_stream_and_a_wrong_unit() {
    for change in [Source::Mem(0), Source::Mem(1)] {
        let divergence = diverge(|events| {
            let i = find(events, 2, "stream drive");
            if let Effect::Drive { source, stream, .. } = &mut events[i].effect {
                *source = change;
                stream.index += 1;
            }
        });
        assert_eq!(
            (divergence.cycle, divergence.difference),
            (2, Difference::Missing)
        );
        assert_eq!(
            divergence.instruction.unwrap().text,
            "read e2, 0x0004 repeat 2, 3, 1"
        );
    }
}

#[test]
fn one_cycle_late_and_one_cycle_early() {
    let late = diverge(|events| {
        let i = find(events, 8, "SRAM write");
        events[i].cycle += 1;
    });
    assert_eq!(
        (late.cycle, late.difference, late.shift),
        (8, Difference::Missing, Some(1))
    );
    insta::assert_snapshot!("late", late);
    let early = diverge(|events| {
        let i = find(events, 8, "SRAM write");
        events[i].cycle -= 1;
    });
    assert_eq!(
        (early.cycle, early.difference, early.shift),
        (7, Difference::Unexpected, Some(-1))
    );
    insta::assert_snapshot!("early", early);
}

#[test]
fn a_missing_event_in_the_middle_and_at_the_end() {
    let middle = diverge(|events| {
        let i = find(events, 3, "read start");
        events.remove(i);
    });
    assert_eq!((middle.cycle, middle.difference), (3, Difference::Missing));
    let end = diverge(|events| {
        events.pop();
    });
    assert_eq!(
        (end.cycle, end.difference, end.observed),
        (11, Difference::Missing, None)
    );
    insta::assert_snapshot!("missing_at_the_end", end);
}

#[test]
fn missing_is_known_as_soon_as_the_cycle_has_passed() {
    let (mut scoreboard, _, expected, _) = run();
    scoreboard.expect(&expected[1..]).unwrap();
    let next = expected[1].cycle;
    scoreboard.observed_through(next - 1).unwrap();
    let divergence = scoreboard.observed_through(next).unwrap_err();
    assert_eq!(
        (divergence.cycle, divergence.difference),
        (next, Difference::Missing)
    );
}

#[test]
fn an_unexpected_event_in_the_middle_and_at_the_end() {
    let extra = Effect::ReadStart { slice: 3 };
    let middle = diverge(|events| events.insert(1, Event::observed(0, extra)));
    assert_eq!(
        (middle.cycle, middle.difference),
        (0, Difference::Unexpected)
    );
    let end = diverge(|events| events.push(Event::observed(99, extra)));
    assert_eq!(
        (end.cycle, end.difference, end.expected),
        (99, Difference::Unexpected, None)
    );
    insta::assert_snapshot!("unexpected_at_the_end", end);
}

#[test]
fn a_wrong_fault_code() {
    let divergence = diverge(|events| {
        if let Some(Effect::Fault { code, .. }) = events.last_mut().map(|e| &mut e.effect) {
            *code = FaultCode::BankConflict;
        }
    });
    insta::assert_snapshot!("wrong_fault", divergence);
}

#[test]
fn events_out_of_order_on_either_side() {
    let observed = diverge(|events| events.insert(2, events[0]));
    assert_eq!(observed.difference, Difference::Disorder(Side::Observed));
    insta::assert_snapshot!("disorder", observed);
    let (mut scoreboard, _, expected, _) = run();
    let error = scoreboard.expect(&[expected[1], expected[0]]).unwrap_err();
    assert_eq!(error.difference, Difference::Disorder(Side::Expected));
    assert!(
        error
            .to_string()
            .contains("expected events are not in canonical order")
    );
}

#[test]
fn registers_that_differ() {
    let (scoreboard, report, _, _) = run();
    let ecc = EccCount {
        corrected: 1,
        uncorrectable: 0,
    };
    let code = FaultCode::AddressRange;
    let changes: [fn(&mut LaunchReport, EccCount, FaultCode); 6] = [
        |r, _, _| r.cycles += 1,
        |r, _, code| r.faults[2] = Some(Fault { code, cycle: 7 }),
        |r, _, _| r.faults[3] = None,
        |r, _, _| r.faults.truncate(3),
        |r, ecc, _| r.ecc[8] = ecc,
        |r, ecc, _| r.host_ecc = ecc,
    ];
    let text: String = changes
        .into_iter()
        .map(|change| {
            let mut observed = report.clone();
            change(&mut observed, ecc, code);
            let error = scoreboard.compare_reports(&report, &observed).unwrap_err();
            assert_eq!(error.difference, Difference::Register);
            error.to_string()
        })
        .collect();
    insta::assert_snapshot!("registers", text);
}
