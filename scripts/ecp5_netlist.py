"""The netlist that yosys makes for an ECP5, as text for ecp5_netlist.rs. Refuses cells and modes that it does not model."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

# Parameters of a cell and the values that are modelled; those not listed do not matter to the function.
MODES = {
    "TRELLIS_FF": {"SRMODE": ["LSR_OVER_CE"], "CLKMUX": ["CLK"], "LSRMODE": ["LSR"]},
    "DP16KD": {
        "REGMODE_A": ["NOREG"],
        "REGMODE_B": ["NOREG"],
        "CSDECODE_A": ["0b000"],
        "CSDECODE_B": ["0b000"],
        "CLKAMUX": ["CLKA"],
        "CLKBMUX": ["CLKB"],
    },
    "MULT18X18D": {
        **{f"REG_{stage}_CLK": ["NONE"] for stage in ("INPUTA", "INPUTC", "PIPELINE")},
        **{f"REG_{stage}_CLK": ["NONE", "CLK0"] for stage in ("INPUTB", "OUTPUT")},
    },
    "TRELLIS_DPR16X4": {"WCKMUX": ["WCK"], "WREMUX": ["WRE"]},
}
# Inputs that have to be low.
LOW = {
    "DP16KD": ["RSTA", "RSTB", "WEB", "CSA0", "CSA1", "CSA2", "CSB0", "CSB1", "CSB2"],
    "MULT18X18D": ["SOURCEA", "SOURCEB", "RST0"],
}


class Cell:
    """A cell of the JSON netlist."""

    def __init__(self, name: str, cell: dict):
        self.name, self.kind = name, cell["type"]
        self.parameters = {key: value.strip() if isinstance(value, str) else value for key, value in cell["parameters"].items()}
        self.connections = cell["connections"]

    def net(self, port: str) -> int:
        """Net of a port: 0 low, 1 high. What is open or arbitrary is low."""
        bit = self.connections.get(port, ["0"])[0]
        return bit if isinstance(bit, int) else int(bit == "1")

    def nets(self, *ports: str) -> list[int]:
        return [self.net(port) for port in ports]

    def bus(self, port: str, width: int) -> list[int]:
        return [self.net(f"{port}{bit}") for bit in range(width)]

    def wide(self, port: str) -> list[int]:
        """The nets of a port of several bits."""
        return [bit if isinstance(bit, int) else int(bit == "1") for bit in self.connections[port]]

    def number(self, parameter: str) -> int:
        return int(self.parameters.get(parameter, "0").replace("x", "0"), 2)

    def refuse(self, reason: str) -> None:
        sys.exit(f"ecp5_netlist: {self.kind} {self.name}: {reason}; add it to scripts/ecp5_netlist.rs")

    def lines(self, clock: int, new_net: Callable[[], int]) -> list[list]:
        """The cell as lines of fields; `new_net` numbers a net inside the cell."""
        for parameter, values in MODES.get(self.kind, {}).items():
            if self.parameters.get(parameter, values[0]) not in values:
                self.refuse(f"{parameter} = {self.parameters[parameter]} is not modelled")
        for port in LOW.get(self.kind, []):
            if self.net(port) != 0:
                self.refuse(f"{port} is not low, which is not modelled")
        match self.kind:
            case "LUT4":
                return [["lut", self.number("INIT"), *self.nets(*"ABCDZ")]]
            case "PFUMX":
                return [["mux", *self.nets("C0", "ALUT", "BLUT", "Z")]]
            case "L6MUX21":
                return [["mux", *self.nets("SD", "D1", "D0", "Z")]]
            case "CCU2C":
                inject = [int(self.parameters.get(f"INJECT1_{half}", "YES") == "YES") for half in (0, 1)]
                inputs = self.nets("CIN", *(f"{port}{half}" for half in (0, 1) for port in "ABCD"))
                return [["carry", self.number("INIT0"), self.number("INIT1"), *inject, *inputs, *self.nets("S0", "S1", "COUT")]]
            case "MULT18X18D":
                return self.multiplier(clock, new_net)
            case "TRELLIS_FF":
                return [self.flip_flop(clock)]
            case "DP16KD":
                return [self.ram(clock)]
            case "TRELLIS_DPR16X4":
                return [self.small_ram(clock)]
        self.refuse("no such cell")

    def multiplier(self, clock: int, new_net: Callable[[], int]) -> list[list]:
        """A multiplier without registers, and a flip-flop for each bit of those it has."""
        a, b, p = self.bus("A", 18), self.bus("B", 18), self.bus("P", 36)
        signs = self.nets("SIGNEDA", "SIGNEDB")
        lines = []

        def register(stage: str, data: list[int], out: list[int]) -> None:
            if self.net("CLK0") != clock:
                self.refuse("it has a clock of its own")
            enable = self.net(self.parameters.get(f"REG_{stage}_CE", "CE0"))
            lines.extend(["flip_flop", 0, bit, enable, 0, 0, 0, net] for bit, net in zip(data, out) if net != 0)

        if self.parameters.get("REG_INPUTB_CLK", "NONE") != "NONE":
            if signs[1] > 1:
                self.refuse("a register of SIGNEDB is not modelled")
            inner = [new_net() for _ in b]
            register("INPUTB", b, inner)
            b = inner
        if self.parameters.get("REG_OUTPUT_CLK", "NONE") != "NONE":
            inner = [new_net() for _ in p]
            register("OUTPUT", inner, p)
            p = inner
        return [*lines, ["multiplier", *signs, *a, *b, *p]]

    def flip_flop(self, clock: int) -> list:
        if self.net("CLK") != clock:
            self.refuse("it has a clock of its own")
        enable = self.parameters.get("CEMUX", "1")
        enables = {"1": (1, 0), "0": (0, 0), "CE": (self.net("CE"), 0), "INV": (self.net("CE"), 1)}[enable]
        reset = (self.net("LSR"), int(self.parameters.get("LSRMUX") == "INV"))
        preset = int(self.parameters.get("REGSET") == "SET")
        return ["flip_flop", preset, self.net("DI"), *enables, *reset, self.net("Q")]

    def ram(self, clock: int) -> list:
        """Port A writes and port B reads; port A reads a table, which nothing writes."""
        widths = {self.number("DATA_WIDTH_A"), self.number("DATA_WIDTH_B")}
        if widths not in ({9}, {18}, {36}):
            self.refuse(f"widths {sorted(widths)} are not modelled")
        width = widths.pop()
        is_table = self.nets("WEA", "CEB") == [0, 0]
        if self.nets("CLKA", "CLKB") != [clock, 0 if is_table else clock]:
            self.refuse("it has a clock of its own")
        side = "A" if is_table else "B"
        if width == 36:
            if is_table:
                self.refuse("a table of 36 bits is not modelled")
            data, out = [*self.bus("DIA", 18), *self.bus("DIB", 18)], [*self.bus("DOA", 18), *self.bus("DOB", 18)]
        else:
            data, out = self.bus("DIA", width), self.bus(f"DO{side}", width)
        fields = ["ram", width, *self.nets("CEA", "WEA"), *self.bus("ADA", 14), *data]
        fields += [self.net(f"CE{side}"), *self.bus(f"AD{side}", 14), *out]
        return [*fields, *self.contents(width)]

    def contents(self, width: int) -> list[int]:
        """The words of a block RAM at the start, empty if all are zero: 16 times 18 of the 320 bits of each parameter."""
        flat = 0
        for index in range(64):
            bits = self.number(f"INITVAL_{index:02X}")
            for part in range(16):
                flat |= (bits >> 20 * part & 0x3FFFF) << 18 * (16 * index + part)
        return [flat >> width * word & (1 << width) - 1 for word in range(18432 // width)] if flat else []

    def small_ram(self, clock: int) -> list:
        if self.net("WCK") != clock:
            self.refuse("it has a clock of its own")
        if "INITVAL" in self.parameters and self.number("INITVAL") != 0:
            self.refuse("contents at the start are not modelled")
        four = [self.wide(port) for port in ("WAD", "DI", "RAD", "DO")]
        return ["small_ram", self.net("WRE"), *(net for nets in four for net in nets)]

def write(netlist: Path, top: str, out: Path) -> int:
    """Writes the text of a JSON netlist and returns the number of its LUTs."""
    module = json.loads(netlist.read_text())["modules"][top]
    ports = module["ports"]
    clock = ports["clock"]["bits"][0]
    lines, highest, luts = [], 1, 0
    for name, port in ports.items():
        bits = [bit if isinstance(bit, int) else int(bit == "1") for bit in port["bits"]]
        lines.append([port["direction"], name, *bits])
        highest = max(highest, *bits)
    cells = {name: cell for name, cell in module["cells"].items() if cell["type"] != "$scopeinfo"}
    for cell in cells.values():
        highest = max([highest, *(bit for bits in cell["connections"].values() for bit in bits if isinstance(bit, int))])
        luts += cell["type"] == "LUT4"

    def new_net() -> int:
        nonlocal highest
        highest += 1
        return highest

    for name, cell in cells.items():
        lines += Cell(name, cell).lines(clock, new_net)
    # Yosys numbers nets from 2 on: 0 and 1 are free for the constants.
    lines.insert(0, ["nets", highest + 1])
    out.write_text("".join(" ".join(map(str, line)) + "\n" for line in lines))
    return luts
