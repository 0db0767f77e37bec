"""What the window of `lpu_axi` does, in the plainest way: docs/host.md in Python, for the tests to compare with."""

OKAY, SLVERR, DECERR = 0, 2, 3
FIXED, INCR, WRAP = 0, 1, 2
SRAM, PROGRAM, DESCRIPTOR, MAP = 0, 0x0800_0000, 0x0900_0000, 0x0900_1000


def beats(address: int, length: int, size: int, burst: int) -> list[int]:
    """Byte address of each beat (ARM IHI 0022, burst address); length counts beats."""
    step = 1 << size
    if burst == FIXED:
        return [address] * length
    aligned = address // step * step
    if burst == INCR:
        return [address] + [aligned + i * step for i in range(1, length)]
    low = address // (step * length) * (step * length)
    return [low + (aligned - low + i * step) % (step * length) for i in range(length)]


def illegal(address: int, length: int, size: int, burst: int) -> bool:
    """Whether the standard knows no such burst on a bus of 64 bits."""
    wrap = burst == WRAP and (length not in (2, 4, 8, 16) or address % (1 << size) != 0)
    return size > 3 or burst == 3 or wrap


class Window:
    """The memories behind the window. Words nobody has written hold None."""

    def __init__(self, shape: dict[str, int]):
        self.shape = shape
        self.words: dict[int, int] = {}

    def region(self, address: int) -> str | None:
        """Where a byte lies; None: nowhere."""
        s = self.shape
        if address < PROGRAM:
            return "sram" if address >> 22 < s["SLICES"] and address % (1 << 22) < s["DEPTH"] * s["LANES"] else None
        if address < DESCRIPTOR:
            offset = address - PROGRAM
            return "program" if offset >> 16 < s["QUEUES"] and offset % (1 << 16) < 16 * s["QUEUE_DEPTH"] else None
        if address < MAP:
            return "table" if s["VXM_ALUS"] and (address - DESCRIPTOR) % 64 < 8 * (1 + s["VXM_ALUS"]) else None
        return "table" if address - MAP < s["SXM_MAPS"] * s["LANES"] else None

    def write(self, address: int, length: int, size: int, burst: int, data: list[tuple[int, int]]) -> int:
        """Applies a burst of (word, strobes) and gives its response."""
        if illegal(address, length, size, burst):
            return SLVERR
        worst = OKAY
        for byte, (word, strobes) in zip(beats(address, length, size, burst), data, strict=True):
            region = self.region(byte)
            if region is None:
                response = DECERR
            elif region == "table":
                response = OKAY if strobes in (0, 0xFF) else SLVERR
            else:
                response = OKAY
                old = self.words.get(byte // 8)
                mask = sum(0xFF << 8 * i for i in range(8) if strobes >> i & 1)
                if old is not None or strobes == 0xFF:
                    self.words[byte // 8] = (old or 0) & ~mask | word & mask
            worst = max(worst, response)
        return worst

    def read(self, address: int, length: int, size: int, burst: int) -> list[tuple[int | None, int]]:
        """(word, response) of each beat; None: anything."""
        if illegal(address, length, size, burst):
            return [(0, SLVERR)] * length
        answers = []
        for byte in beats(address, length, size, burst):
            region = self.region(byte)
            if region is None:
                answers.append((0, DECERR))
            elif region == "table":
                answers.append((0, SLVERR))
            else:
                answers.append((self.words.get(byte // 8), OKAY))
        return answers
