use super::*;
use crate::prim::testing::cycle;

type Codeword = SecdedDecoder<8, 64>;

fn decoder<const L: usize, const V: usize>() -> SecdedDecoder<L, V> {
    let mut decoder = SecdedDecoder::default();
    decoder.connect_all();
    decoder
}

fn step<const L: usize, const V: usize>(decoder: &mut SecdedDecoder<L, V>) {
    cycle(decoder, |decoder, level| {
        decoder.clock.next = Clock::from(level);
    });
}

/// Decodes one codeword per cycle: data, corrected, uncorrectable of each.
fn decode(words: &[(u64, u8)]) -> Vec<(u64, u64, u64)> {
    let mut decoder: Codeword = decoder();
    let latency = Codeword::LATENCY as usize;
    let mut answers = vec![];
    for now in 0..words.len() + latency {
        if now >= latency {
            assert!(decoder.out_valid.val());
            answers.push((
                decoder.out_data.val().to_u64(),
                decoder.out_corrected.val().to_u64(),
                decoder.out_uncorrectable.val().to_u64(),
            ));
        }
        let word = words.get(now);
        decoder.in_valid.next = word.is_some();
        let (data, check) = word.copied().unwrap_or_default();
        decoder.in_data.next = Bits::from(data);
        decoder.in_check.next = Bits::from(u64::from(check));
        step(&mut decoder);
    }
    assert!(!decoder.out_valid.val());
    answers
}

/// A codeword with the bits of `hit` flipped: 0 to 63 data, 64 to 71 check.
fn hit(data: u64, hit: &[usize]) -> (u64, u8) {
    let start = (data, matrix::checks(data));
    hit.iter().fold(start, |(data, check), &bit| {
        if bit < 64 {
            (data ^ 1 << bit, check)
        } else {
            (data, check ^ 1 << (bit - 64))
        }
    })
}

const DATA: [u64; 3] = [0, u64::MAX, 0x0123_4567_89ab_cdef];

#[test]
fn the_result_is_visible_two_cycles_later() {
    let mut decoder: Codeword = decoder();
    let (data, check) = hit(0x5a, &[3]);
    // Cycle 0: the vector is on the inputs.
    decoder.in_valid.next = true;
    decoder.in_data.next = Bits::from(data);
    decoder.in_check.next = Bits::from(u64::from(check));
    step(&mut decoder);
    // Cycle 1: the syndrome is known.
    assert!(!decoder.out_valid.val());
    decoder.in_valid.next = false;
    step(&mut decoder);
    // Cycle 2: the corrected vector, for one cycle.
    assert!(decoder.out_valid.val());
    assert_eq!(decoder.out_data.val().to_u64(), 0x5a);
    assert_eq!(decoder.out_corrected.val().to_u64(), 1);
    step(&mut decoder);
    assert!(!decoder.out_valid.val());
    assert_eq!(decoder.out_data.val().to_u64(), 0x5a);
    assert_eq!(decoder.out_corrected.val().to_u64(), 0);
}

#[test]
fn every_single_flip_is_corrected() {
    for data in DATA {
        let words: Vec<_> = (0..72).map(|bit| hit(data, &[bit])).collect();
        for (bit, answer) in decode(&words).into_iter().enumerate() {
            assert_eq!(answer, (data, 1, 0), "bit {bit} of {data:016x}");
        }
        assert_eq!(decode(&[hit(data, &[])]), [(data, 0, 0)]);
    }
}

#[test]
fn every_double_flip_is_detected_and_passes_as_it_is() {
    for data in DATA {
        let pairs: Vec<_> = (0..72).flat_map(|a| (0..a).map(move |b| [a, b])).collect();
        assert_eq!(pairs.len(), 72 * 71 / 2);
        let words: Vec<_> = pairs.iter().map(|pair| hit(data, pair)).collect();
        let answers = decode(&words);
        for ((pair, word), answer) in pairs.iter().zip(&words).zip(answers) {
            assert_eq!(answer, (word.0, 0, 1), "bits {pair:?} of {data:016x}");
        }
    }
}

#[test]
fn a_wrong_matrix_would_be_found() {
    // Three flips look like one: the exhaustive tests above would fail if a column were the sum of two others.
    let triple = hit(0, &[0, 1, 2]);
    assert_eq!(matrix::checks(triple.0) ^ triple.1, 0x07 ^ 0x0b ^ 0x0d);
    assert_ne!(decode(&[triple]), [(0, 1, 0)]);
}

#[test]
fn all_syndromes_are_told_apart() {
    let words: Vec<_> = (0..=255u8).map(|syndrome| (0, syndrome)).collect();
    for (syndrome, answer) in (0..=255u8).zip(decode(&words)) {
        let expected = match (syndrome, matrix::correctable(syndrome)) {
            (0, _) => (0, 0, 0),
            (_, true) => (matrix::flips(syndrome), 1, 0),
            (_, false) => (0, 0, 1),
        };
        assert_eq!(answer, expected, "syndrome {syndrome:02x}");
    }
}

#[test]
fn codewords_of_a_vector_are_counted_together() {
    let mut decoder: SecdedDecoder<32, 256> = decoder();
    let words = [hit(1, &[5]), hit(2, &[]), hit(3, &[64]), hit(4, &[8, 9])];
    let mut data = Bits::<256>::default();
    let mut check = Bits::<32>::default();
    for (g, word) in words.into_iter().enumerate() {
        data.set_bits::<64>(64 * g, Bits::from(word.0));
        check.set_bits::<8>(8 * g, Bits::from(u64::from(word.1)));
    }
    decoder.in_valid.next = true;
    decoder.in_data.next = data;
    decoder.in_check.next = check;
    step(&mut decoder);
    decoder.in_valid.next = false;
    step(&mut decoder);
    let seen: Vec<u64> = (0..4)
        .map(|g| decoder.out_data.val().get_bits::<64>(64 * g).to_u64())
        .collect();
    assert_eq!(seen, [1, 2, 3, 4 ^ 0x300]);
    assert_eq!(decoder.out_corrected.val().to_u64(), 2);
    assert_eq!(decoder.out_uncorrectable.val().to_u64(), 1);
}

#[test]
fn reset_drops_what_is_under_way() {
    let mut decoder: Codeword = decoder();
    decoder.in_valid.next = true;
    decoder.in_check.next = Bits::from(1);
    step(&mut decoder);
    step(&mut decoder);
    assert!(decoder.out_valid.val() && decoder.out_corrected.val().any());
    decoder.reset.next = true;
    step(&mut decoder);
    assert!(!decoder.out_valid.val() && !decoder.out_corrected.val().any());
    decoder.reset.next = false;
    decoder.in_valid.next = false;
    step(&mut decoder);
    assert!(!decoder.out_valid.val());
}
