//! The golden link on its own: what its transmitter says, its receiver hears, and nothing that the line does is silent.

use lpu_isa::c2c::Shape;
use lpu_verif::c2c::{
    Channel, Content, Control, Decoder, Encoder, Errors, Flit, Random, Receiver, State, Value,
};

const SHAPES: [(usize, usize); 5] = [(1, 8), (1, 208), (2, 20), (4, 208), (8, 16)];

fn content(random: &mut Random, shape: Shape) -> Content {
    let flit =
        |random: &mut Random| -> Flit { (0..shape.lanes()).map(|_| random.word()).collect() };
    let slots = (0..shape.slots()).map(|_| (random.below(3) > 0).then(|| flit(random)));
    let slots = slots.collect();
    let number = random.below(4096) as u16;
    let value = match random.below(3) {
        0 => Value::Stamp(number),
        1 => Value::Difference(Some(number)),
        _ => Value::Difference(None),
    };
    Content {
        slots,
        control: Control {
            state: State::Up,
            value,
        },
    }
}

#[test]
fn a_frame_comes_back() {
    let mut random = Random::new(1);
    for (lanes, slots) in SHAPES {
        let shape = Shape::new(lanes, slots).unwrap();
        let (mut encoder, mut decoder) = (Encoder::new(shape), Decoder::new(shape));
        for round in 0..6 {
            let sent = content(&mut random, shape);
            let words = encoder.encode(&sent);
            assert_eq!(words.len(), shape.frame());
            let got = decoder.decode(&words);
            // The descrambler of the first frame starts from nothing.
            if round > 0 {
                assert!(got.good());
                assert_eq!(got.content, Some(sent));
            }
        }
    }
}

#[test]
fn a_sender_that_is_not_up_sends_no_data() {
    let mut random = Random::new(2);
    let shape = Shape::new(2, 20).unwrap();
    let (mut encoder, mut decoder) = (Encoder::new(shape), Decoder::new(shape));
    decoder.decode(&encoder.encode(&content(&mut random, shape)));
    let mut sent = content(&mut random, shape);
    sent.control.state = State::Train;
    let got = decoder.decode(&encoder.encode(&sent));
    assert!(got.good() && got.flits.is_empty());
}

/// Sends frames over a line; bytes repaired, frames flagged, frames wrong without a flag, frames, wrong bits.
fn campaign(shape: Shape, delays: &[usize], errors: Errors, frames: usize, seed: u64) -> [u64; 5] {
    let mut random = Random::new(seed);
    let mut encoder = Encoder::new(shape);
    let mut receiver = Receiver::new(shape);
    let mut channel = Channel::new(delays, Errors::default(), seed + 1);
    let mut sent = vec![];
    let mut heard = 0;
    let [mut repaired, mut flagged, mut silent] = [0; 3];
    for round in 0..frames {
        if round == 4 {
            channel.set_errors(errors);
        }
        let frame = content(&mut random, shape);
        for word in encoder.encode(&frame) {
            if let Some(got) = receiver.take(&channel.step(&word)) {
                let expected: &Content = &sent[heard];
                if heard > 0 {
                    repaired += u64::from(got.corrected);
                    flagged += u64::from(!got.good());
                    silent += u64::from(got.good() && got.content.as_ref() != Some(expected));
                }
                heard += 1;
            }
        }
        sent.push(frame);
        if round == 3 {
            assert!(receiver.aligned());
            // Alignment forgets nothing that it has seen two markers of.
            assert!(heard >= 1);
        }
    }
    [repaired, flagged, silent, heard as u64, channel.wrong()]
}

#[test]
fn a_burst_on_each_lane_is_repaired() {
    let shape = Shape::new(4, 40).unwrap();
    let (mut encoder, mut decoder) = (Encoder::new(shape), Decoder::new(shape));
    let mut random = Random::new(5);
    decoder.decode(&encoder.encode(&content(&mut random, shape)));
    for _ in 0..200 {
        let sent = content(&mut random, shape);
        let mut words = encoder.encode(&sent);
        for lane in 0..4 {
            // 57 bits anywhere in the lane's frame, all wrong.
            let at = 64 + random.below(64 * (shape.codeword() as u64) - 57) as usize;
            for bit in at..at + 57 {
                let word = &mut words[bit / 64];
                word[lane] ^= 1 << (bit % 64);
            }
        }
        let got = decoder.decode(&words);
        assert!(got.good());
        assert_eq!(got.content, Some(sent));
        assert!(got.corrected >= 4 * 7, "{}", got.corrected);
    }
}

#[test]
fn errors_are_repaired_or_flagged() {
    let shape = Shape::new(2, 60).unwrap();
    for (random, bursts, longest) in [(1e-5, 0.0, 1), (0.0, 2e-5, 57), (1e-4, 1e-4, 64)] {
        let errors = Errors {
            random,
            bursts,
            longest,
        };
        let [repaired, flagged, silent, heard, wrong] =
            campaign(shape, &[700, 933], errors, 300, 11);
        assert_eq!(silent, 0, "{errors:?}");
        assert!(heard > 290 && wrong > 0 && repaired > 0, "{errors:?}");
        // A line this bad overwhelms the code: the flags are not there for show.
        assert_eq!(flagged > 0, random > 5e-5, "{errors:?}: {flagged} flagged");
    }
}

#[test]
fn a_receiver_without_repair_or_crc_would_be_silent() {
    // The check of the checker: with its flags ignored, wrong content is found.
    let shape = Shape::new(1, 8).unwrap();
    let (mut encoder, mut decoder) = (Encoder::new(shape), Decoder::new(shape));
    let mut random = Random::new(9);
    decoder.decode(&encoder.encode(&content(&mut random, shape)));
    let sent = content(&mut random, shape);
    let mut words = encoder.encode(&sent);
    words[3][0] ^= 1;
    words[5][0] ^= 2;
    let got = decoder.decode(&words);
    assert!(!got.good());
    assert_ne!(got.content, Some(sent));
}
