"""The task of the model `sums`: adding two numbers of eight digits column by column, with the carries shown.

    <s>00000058+00000967=8+7+0=15 5+6+1=12 0+9+1=10 0+0+1=01 0+0+0=00 0+0+0=00 0+0+0=00 0+0+0=00 ;000001025</s>

A column says digit + digit + carry = two digits; the lowest one comes first. Every answer can be checked.
"""

import numpy as np

ALPHABET = ["<s>", "</s>", *"0123456789", "+", "=", " ", ";"]
START, END = 0, 1
IDS = {token: number for number, token in enumerate(ALPHABET)}
DIGITS = 8
LENGTH = 2 * DIGITS + 2 + 9 * DIGITS + 1 + DIGITS + 1 + 2
"""Tokens of a text with its two markers."""


def prompt(a: int, b: int) -> str:
    """What the model gets."""
    return f"{a:0{DIGITS}}+{b:0{DIGITS}}="


def answer(a: int, b: int) -> str:
    """What follows the prompt."""
    carry, columns = 0, []
    for column in range(DIGITS):
        x, y = a // 10**column % 10, b // 10**column % 10
        columns.append(f"{x}+{y}+{carry}={x + y + carry:02} ")
        carry = (x + y + carry) // 10
    return "".join(columns) + f";{a + b:0{DIGITS + 1}}"


def number(random: np.random.Generator) -> int:
    """Every other one has DIGITS digits at random, the rest any number of them, down to one."""
    digits = int(random.integers(1, 2 * DIGITS + 1))
    return int(random.integers(0, 10 ** min(digits, DIGITS)))


def batch(random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens (rows, LENGTH) and which of them (rows, LENGTH - 1) the model has to predict from those before."""
    tokens = np.empty((rows, LENGTH), np.int32)
    wanted = np.zeros((rows, LENGTH - 1), np.float32)
    for row in range(rows):
        a, b = number(random), number(random)
        tokens[row] = [START, *(IDS[c] for c in prompt(a, b) + answer(a, b)), END]
        wanted[row, len(prompt(a, b)) :] = 1
    return tokens, wanted
