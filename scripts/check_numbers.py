#!/usr/bin/env python3
"""Compares the golden E4M3 and E2M1 with ml_dtypes (float8_e4m3fn, float4_e2m1fn) and NumPy.

    scripts/check_numbers.py            all patterns, all products, 19 million conversions: seconds
    scripts/check_numbers.py --all      conversions of all 2^32 FP32 patterns: minutes
    scripts/check_numbers.py --self-test    a wrong answer of each kind is found

Where they differ on purpose, the difference is checked as precisely (docs/numbers.md): ml_dtypes gives NaN where the
magnitude is above 464, the end of what rounds to 448, and for infinities, and keeps the sign of a NaN; the toolkit
saturates at 448 and has one NaN, 0x7f. In E2M1 both saturate at 6; ml_dtypes gives for a NaN a zero of the other sign, the toolkit +0. Sums
of the toolkit are +0 where NumPy's product of one pair is -0, and their NaN is 0x7fc00000.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = "ml_dtypes"

try:
    import ml_dtypes
    import numpy as np
except ImportError:
    if os.environ.get("LPU_IN_VENV"):
        raise
    sys.path.insert(0, str(ROOT / "scripts"))
    import tools

    python = tools.ensure_locked(tools.tool_folder(), PACKAGES)
    os.environ["LPU_IN_VENV"] = "1"
    os.execv(python, [python, *sys.argv])

NAN = 0x7FC00000
wrong = 0


def golden(*arguments: str, given: bytes = b"") -> np.ndarray:
    """What the golden numbers answer, as bytes."""
    command = ["cargo", "run", "--quiet", "-p", "lpu-verif", "--example", "number_tables", "--", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=given, stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, np.uint8)


def compare(what: str, found: np.ndarray, expected: np.ndarray, arguments: np.ndarray | None = None) -> None:
    """Reports the first difference."""
    global wrong
    if found.shape != expected.shape:
        wrong += 1
        print(f"{what}: {found.size} answers to {expected.size} questions")
        return
    differs = np.flatnonzero(found != expected)
    if differs.size:
        wrong += 1
        i = differs[0]
        of = i if arguments is None else arguments[i]
        print(f"{what}: {differs.size} differ; first for {of:#x}: golden {found[i]:#x}, ml_dtypes {expected[i]:#x}")


def one_nan(patterns: np.ndarray) -> np.ndarray:
    """FP32 patterns with the canonical NaN for all NaN."""
    return np.where(patterns & 0x7FFFFFFF > 0x7F800000, np.uint32(NAN), patterns)


def check_patterns(words: np.ndarray) -> None:
    e4m3 = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    e2m1 = np.arange(16, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float32)
    compare("E4M3 to FP32", words[:256], one_nan(e4m3.view(np.uint32)))
    compare("E2M1 to FP32", words[256:], e2m1.view(np.uint32))


def check_products(words: np.ndarray) -> None:
    def products(numbers: np.ndarray) -> np.ndarray:
        # Products of 4 and of 2 significant bits are exact in FP32. A sum that is zero is +0.
        exact = np.multiply.outer(numbers, numbers).reshape(-1) + np.float32(0)
        return one_nan(exact.view(np.uint32))

    e4m3 = np.arange(256, dtype=np.uint8).view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    e2m1 = np.arange(16, dtype=np.uint8).view(ml_dtypes.float4_e2m1fn).astype(np.float32)
    compare("E4M3 products", words[: 1 << 16], products(e4m3))
    compare("E2M1 products", words[1 << 16 :], products(e2m1))


def check_conversions(patterns: np.ndarray, codes: np.ndarray) -> None:
    """`codes`: a byte of E4M3 and one of E2M1 for each pattern."""
    values = patterns.view(np.float32)
    with np.errstate(all="ignore"):
        e4m3 = values.astype(ml_dtypes.float8_e4m3fn).view(np.uint8)
        e2m1 = values.astype(ml_dtypes.float4_e2m1fn).view(np.uint8)
    nan = np.isnan(values)
    negative = (patterns >> 31).astype(np.uint8)
    # ml_dtypes does not saturate: exactly the magnitudes above 464 (a tie, and 448 is even) are NaN.
    beyond = ~nan & (np.abs(values) > 464)
    compare("E4M3 NaN of ml_dtypes", (e4m3 & 0x7F == 0x7F), nan | beyond, patterns)
    expected = np.where(nan, np.uint8(0x7F), np.where(beyond, negative << 7 | np.uint8(0x7E), e4m3))
    compare("FP32 to E4M3", codes[0::2], expected, patterns)
    compare("E2M1 of NaN in ml_dtypes", e2m1[nan], (1 - negative[nan]) << np.uint8(3), patterns[nan])
    compare("FP32 to E2M1", codes[1::2], np.where(nan, np.uint8(0), e2m1), patterns)


def interesting() -> np.ndarray:
    """All upper halves, with lower halves at both ends and around the middle, and the neighbours of every tie."""
    halves = np.arange(1 << 16, dtype=np.uint32) << 16
    lower = [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, *np.random.default_rng(1).integers(0, 1 << 16, 290)]
    grid = [halves | np.uint32(low) for low in lower]
    ties = []
    for kind, count in [(ml_dtypes.float8_e4m3fn, 127), (ml_dtypes.float4_e2m1fn, 8)]:
        numbers = np.arange(count, dtype=np.uint8).view(kind).astype(np.float32)
        middles = (numbers[:-1] + numbers[1:]) / np.float32(2)
        points = np.concatenate([numbers, middles, np.float32([464, 480, 7, 8])]).view(np.uint32)
        ties += [points + np.uint32(step) for step in (0, 1)] + [points[points > 0] - np.uint32(1)]
    near = np.concatenate(ties)
    return np.concatenate([*grid, near, near | np.uint32(1 << 31)])


def self_test() -> None:
    """Changes one answer of each kind, and expects exactly the check of that kind to say so."""
    global wrong
    patterns = interesting()[:100_000]
    answers = {
        check_patterns: golden("decode").view(np.uint32),
        check_products: golden("products").view(np.uint32),
    }
    codes = golden("encode", given=patterns.tobytes())
    for at in [0, 1]:
        changed = codes.copy()
        changed[2 * 777 + at] ^= 1
        wrong = 0
        check_conversions(patterns, changed)
        assert wrong == 1, "a wrong conversion is not found"
    for check, words in answers.items():
        for at in [3, -3]:
            changed = words.copy()
            changed[at] ^= 1
            wrong = 0
            check(changed)
            assert wrong == 1, f"{check.__name__} does not find a wrong answer"
    wrong = 0


def main() -> None:
    if sys.argv[1:] == ["--self-test"]:
        self_test()
        return
    if sys.argv[1:] not in ([], ["--all"]):
        sys.exit(__doc__)
    check_patterns(golden("decode").view(np.uint32))
    check_products(golden("products").view(np.uint32))
    count = 0
    if sys.argv[1:]:
        chunk = 1 << 26
        parts = (np.arange(first, first + chunk, dtype=np.uint64).astype(np.uint32) for first in range(0, 1 << 32, chunk))
    else:
        parts = [interesting()]
    for patterns in parts:
        check_conversions(patterns, golden("encode", given=patterns.tobytes()))
        count += patterns.size
    if wrong:
        sys.exit(1)
    print(f"E4M3 and E2M1 equal ml_dtypes: all patterns, all products, {count} conversions")


if __name__ == "__main__":
    main()
