#!/usr/bin/env python3
"""Compares the kernels with NumPy in double precision.

    scripts/oracle.py               all kernels, each on machines that schedule it differently
    scripts/oracle.py --self-test   the comparison finds a result with one wrong element

Operands are drawn here and passed to `lpu run` as files; the result that it writes is compared with what NumPy makes of the same operands. The golden machine
computes, which other tests compare with the RTL bit by bit. $LPU names a binary that is built already.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import tools

SEED = 20240229
EPSILON = 1e-5


def numpy_or_restart():
    """NumPy, of this Python or of the private environment."""
    try:
        import numpy
    except ImportError:
        python = tools.ensure_locked(tools.tool_folder(), "numpy")
        if Path(sys.executable) == Path(python):
            raise
        os.execv(python, [python, *sys.argv])
    return numpy


np = numpy_or_restart()


class Case:
    """One run: a kernel, its options and its operands."""

    def __init__(self, folder: Path, kernel: str, config: str):
        self.folder = folder
        self.kernel = kernel
        self.config = config
        self.options: list[str] = []

    def operand(self, option: str, array) -> None:
        path = self.folder / f"{option}.npy"
        np.save(path, array)
        self.options += [f"--{option}", str(path)]

    def run(self, *options: str) -> list:
        """The result, and the scales of a quantisation."""
        outputs = [self.folder / "out.npy"]
        arguments = ["run", self.kernel, "--engine", "model", "--config", self.config, "--json"]
        arguments += [*self.options, *options, "--out", str(outputs[0])]
        if self.kernel == "quantise":
            outputs.append(self.folder / "scales.npy")
            arguments += ["--out-scales", str(outputs[1])]
        done = subprocess.run(tools.lpu() + arguments, text=True, stdout=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(f"oracle: `lpu {' '.join(arguments)}` ended with {done.returncode}\n{done.stdout}")
        return [np.load(path) for path in outputs]


def rows_of(random, rows: int, columns: int, spread: float = 2.0):
    return (random.standard_normal((rows, columns)) * spread).astype(np.float32)


def softmax(case: Case, random, rows: int, columns: int):
    x = rows_of(random, rows, columns, 4.0)
    case.operand("x", x)
    x = x.astype(np.float64) * 0.5
    weights = np.exp(x - x.max(axis=1, keepdims=True))
    return case.run("--scale", "0.5")[0], weights / weights.sum(axis=1, keepdims=True)


def rmsnorm(case: Case, random, rows: int, columns: int):
    x, gamma = rows_of(random, rows, columns), rows_of(random, 1, columns)
    case.operand("x", x)
    case.operand("gamma", gamma)
    x = x.astype(np.float64)
    root = np.sqrt((x * x).mean(axis=1, keepdims=True) + EPSILON)
    return case.run("--eps", str(EPSILON))[0], x / root * gamma


def layernorm(case: Case, random, rows: int, columns: int):
    x, gamma, beta = rows_of(random, rows, columns) + np.float32(1), rows_of(random, 1, columns), rows_of(random, 1, columns)
    for option, array in (("x", x), ("gamma", gamma), ("beta", beta)):
        case.operand(option, array)
    x = x.astype(np.float64)
    centred = x - x.mean(axis=1, keepdims=True)
    root = np.sqrt(x.var(axis=1, keepdims=True) + EPSILON)
    return case.run("--eps", str(EPSILON))[0], centred / root * gamma + beta


def silu(case: Case, random, rows: int, columns: int):
    x = rows_of(random, rows, columns)
    case.operand("x", x)
    x = x.astype(np.float64)
    return case.run()[0], x / (1 + np.exp(-x))


def swiglu(case: Case, random, rows: int, columns: int):
    case.kernel = "silu"
    x, b = rows_of(random, rows, columns), rows_of(random, rows, columns)
    case.operand("x", x)
    case.operand("b", b)
    x = x.astype(np.float64)
    return case.run("--gated")[0], x / (1 + np.exp(-x)) * b


def gelu(case: Case, random, rows: int, columns: int):
    x = rows_of(random, rows, columns)
    case.operand("x", x)
    x = x.astype(np.float64)
    tanh = np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))
    return case.run()[0], x / 2 * (1 + tanh)


def rope(case: Case, random, rows: int, columns: int):
    dim, offset = columns // 3 // 2 * 2, 777
    x = rows_of(random, rows, 3 * dim)
    case.operand("x", x)
    heads = x.astype(np.float64).reshape(rows, 3, 2, dim // 2)
    positions = offset + np.arange(rows, dtype=np.float64)
    angles = positions[:, None] * 10000.0 ** (-2 * np.arange(dim // 2) / dim)
    # A complex number for each pair.
    turned = (heads[:, :, 0] + 1j * heads[:, :, 1]) * np.exp(1j * angles)[:, None]
    expected = np.stack([turned.real, turned.imag], axis=2).reshape(rows, 3 * dim)
    return case.run("--dim", str(dim), "--offset", str(offset))[0], expected


def quantise(case: Case, random, rows: int, columns: int):
    x = rows_of(random, rows, columns)
    case.operand("x", x)
    codes, scales = case.run("--format", "int8")
    return codes.astype(np.float64) * scales.astype(np.float64)[:, None], x.astype(np.float64)


def dequantise(case: Case, random, rows: int, columns: int):
    codes = random.integers(-(2**24), 2**24, (rows, columns)).astype(np.int32)
    of_rows, of_columns = rows_of(random, 1, rows), rows_of(random, 1, columns)
    for option, array in (("x", codes), ("row-scales", of_rows), ("column-scales", of_columns)):
        case.operand(option, array)
    return case.run()[0], codes * of_rows.astype(np.float64).T * of_columns


def attention(case: Case, random, rows: int, columns: int):
    heads, keys = 2, columns
    q, k, v = (
        random.integers(-100, 100, (heads * count, 16)).astype(np.int8) for count in (rows, keys, keys)
    )
    for option, array in (("q", q), ("k", k), ("v", v)):
        case.operand(option, array)
    found = case.run("--seq", str(rows), "--cache", str(keys), "--heads", str(heads), "--dim", "16")[0]
    q, k, v = (array.astype(np.float64).reshape(heads, -1, 16) / 32 for array in (q, k, v))
    scores = q @ k.transpose(0, 2, 1) / 4
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    expected = weights / weights.sum(axis=2, keepdims=True) @ v
    return found.reshape(-1, 16), expected.reshape(-1, 16)


# The largest error of a row, in units of its largest element. FP32 has steps of 1.2e-7, an int8 scale of 1/127, and the
# softmax weights of attention of 3.1e-5 of the largest weight.
BOUNDS = {
    softmax: 3e-7,
    rmsnorm: 3e-7,
    layernorm: 3e-7,
    silu: 3e-7,
    swiglu: 4e-7,
    gelu: 3e-7,
    rope: 3e-7,
    quantise: 0.5001 / 127,
    dequantise: 2e-7,
    attention: 5e-4,
}


def error_of(found, expected) -> float:
    if found.shape != expected.shape or not np.isfinite(found).all():
        return float("inf")
    errors = np.abs(found - expected).max(axis=1) / np.abs(expected).max(axis=1)
    return float(errors.max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true", help="check that the comparison finds an error")
    arguments = parser.parse_args()
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        for kernel, bound in BOUNDS.items():
            for config, rows, columns in (("edge", 5, 75), ("proto", 2, 576)):
                random = np.random.default_rng(SEED)
                case = Case(Path(folder), kernel.__name__, config)
                found, expected = kernel(case, random, rows, columns)
                if arguments.self_test:
                    found = found.copy()
                    largest = np.unravel_index(np.abs(expected).argmax(), expected.shape)
                    found[largest] *= 1 + 4 * bound
                error = error_of(found, expected)
                good = error <= bound
                wrong += not good
                print(f"{kernel.__name__:10} {config:6} {rows} x {columns:4}  error {error:.2e}, bound {bound:.1e}{'' if good else '  WRONG'}")
    cases = 2 * len(BOUNDS)
    if arguments.self_test:
        sys.exit(0 if wrong == cases else f"oracle: {cases - wrong} spoilt results passed")
    sys.exit(f"oracle: {wrong} of {cases} results are wrong" if wrong else 0)


if __name__ == "__main__":
    main()
