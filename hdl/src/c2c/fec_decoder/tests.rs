use super::*;
use crate::prim::testing::cycle;

/// Bytes of a codeword: random data and parities that solve the equations, found by trying.
fn frame(seed: u64, shape: Shape) -> Vec<u64> {
    let n = shape.codeword();
    let mut words: Vec<u64> = (0..n as u64 - 2)
        .map(|i| (seed + i).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .collect();
    let (mut p0, mut p1) = (0, 0);
    for column in 0..8 {
        let bytes = words.iter().map(|w| (w >> (8 * column)) as u8);
        let (a, b) = bytes.fold((0, 0), |(a, b), r| (a ^ r, maps::multiply(b, 2) ^ r));
        let b = maps::multiply(b, 4);
        // p0 + p1 = a, 2 p0 + p1 = b
        let p = (0..=255u8).find(|&p| maps::multiply(p, 2) ^ p ^ a == b);
        let p = p.expect("1 + alpha has an inverse");
        p0 |= u64::from(p) << (8 * column);
        p1 |= u64::from(p ^ a) << (8 * column);
    }
    words.extend([p0, p1]);
    words.insert(0, lpu_isa::c2c::marker(0));
    words
}

/// What a frame became: its words, its trailer, bytes repaired, columns that were not.
type Seen = (Vec<u64>, Vec<u64>, u64, u64);

/// Feeds frames and gathers what comes out of each.
fn run(frames: &[Vec<u64>], shape: Shape) -> Vec<Seen> {
    let mut decoder = FecDecoder::<8, 64>::new(shape);
    decoder.connect_all();
    let mut seen: Vec<Seen> = vec![];
    let mut words = vec![];
    let mut trailer = vec![];
    let idle = vec![0; shape.frame()];
    for (at, word) in frames.iter().chain([&idle, &idle]).flatten().enumerate() {
        decoder.in_start.next = at % shape.frame() == 0;
        decoder.in_word.next = Bits::from(*word);
        cycle(&mut decoder, |decoder, level| {
            decoder.clock.next = Clock::from(level)
        });
        if decoder.out_done.val() {
            let counts = (
                decoder.out_corrected.val().to_u64(),
                decoder.out_uncorrectable.val().to_u64(),
            );
            seen.push((
                std::mem::take(&mut words),
                trailer.clone(),
                counts.0,
                counts.1,
            ));
        }
        if decoder.out_valid.val() {
            if decoder.out_number.val() == 0 {
                let all = decoder.out_trailer.val();
                trailer = (0..4)
                    .map(|i| all.get_bits::<64>(64 * i).to_u64())
                    .collect();
                words.clear();
                words.push(lpu_isa::c2c::marker(0));
                // The word F + 1 cycles ago.
                let came = at + 1 - FecDecoder::<8, 64>::latency(shape);
                assert_eq!(came % shape.frame(), 0, "latency");
            } else {
                words.push(decoder.out_word.val().to_u64());
            }
        }
    }
    seen
}

#[test]
fn any_byte_of_each_column_is_repaired_in_place() {
    let shape = Shape::new(1, 8).unwrap();
    let good: Vec<Vec<u64>> = (0..shape.frame() as u64)
        .map(|i| frame(i * 100, shape))
        .collect();
    let mut bad = good.clone();
    for (place, words) in bad.iter_mut().enumerate().skip(1) {
        for column in 0..8 {
            // Another place in each column, any error but none.
            let at = 1 + (place + 5 * column) % shape.codeword();
            words[at] ^= (1 + (place * 31 + column * 77) as u64 % 255) << (8 * column);
        }
    }
    let seen = run(&bad, shape);
    assert_eq!(seen.len(), bad.len());
    for (place, ((words, trailer, corrected, left), good)) in seen.iter().zip(&good).enumerate() {
        assert_eq!(words, good, "frame {place}");
        let plain: Vec<u64> = good[9..13].iter().map(|w| w ^ WHITENING).collect();
        assert_eq!(trailer, &plain, "frame {place}");
        assert_eq!((*corrected, *left), (if place == 0 { 0 } else { 8 }, 0));
    }
}

#[test]
fn two_bytes_of_a_column_are_flagged_or_left_to_the_crc() {
    let shape = Shape::new(1, 8).unwrap();
    let mut frames: Vec<Vec<u64>> = (0..60).map(|i| frame(i * 100, shape)).collect();
    for (i, words) in frames.iter_mut().enumerate() {
        words[1 + i % 12] ^= 1 + i as u64;
        words[2 + i % 12] ^= 1 + 2 * i as u64;
    }
    let seen = run(&frames, shape);
    let flagged = seen.iter().filter(|s| s.3 == 1).count();
    let repaired = seen.iter().filter(|s| s.2 == 1).count();
    // Never silent: every frame is one or the other. n / 255 of them find a place, 14 / 255 here.
    assert_eq!(flagged + repaired, 60);
    assert!(flagged > 45, "{flagged}");
}
