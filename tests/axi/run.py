#!/usr/bin/env python3
"""Tests `lpu_axi` from outside: cocotb and cocotbext-axi drive the emitted Verilog in Icarus Verilog and in Verilator.

    tests/axi/run.py [--simulator icarus|verilator] [--config FILE] [TEST ...]
    tests/axi/run.py --mutants       breaks the Verilog in several ways and wants each found

LPU_SEED and LPU_CASES choose other and more random bursts; $LPU names a binary of the toolkit that is built already. Tools come from
scripts/tools.py. Verilator's own makefile is not used: the Python package has no compiler settings in it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import tools  # noqa: E402

TOP = "lpu_axi"
MODULES = ["test_registers", "test_window", "test_job"]
M, K, N = 5, 12, 9
# Module, text, its wrong form, tests that have to find it.
MUTANTS = [
    ("lpu_axi_read_window", "out_r_last = beats_out_data[64]", "out_r_last = 1'd1", ["data_before_addresses"]),
    ("lpu_axi_read_window", "~held_q[4]", "1'd1", ["data_before_addresses"]),
    ("lpu_axi_write_window", "if (strobes[2])", "if (strobes[3])", ["partial_writes_and_bad_words"]),
    ("lpu_axi_request_pipe", "out_response = 2'd2", "out_response = 2'd0", ["interrupts_and_refusals"]),
    ("lpu_axi_burst_address", "out_valid & in_ready", "out_valid", ["data_before_addresses"]),
]


def compiler() -> str:
    found = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    return found or sys.exit("axi: no C++ compiler; install one or set CXX")


def command(*arguments: str, cwd: Path | None = None, env: dict | None = None, quiet: bool = True) -> str:
    """Runs a command; its output is shown when it fails."""
    done = subprocess.run(arguments, cwd=cwd, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"axi: `{' '.join(arguments)[:400]}` failed:\n{done.stdout[-8000:]}")
    return done.stdout


def lpu(*arguments: str) -> str:
    return subprocess.run([*tools.lpu(), *arguments], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def example(*arguments: str) -> str:
    """The job exporter; beside the binary if that is built already."""
    built = os.environ.get("LPU")
    beside = Path(built).parent / "examples" / "axi_job" if built else None
    start = [str(beside)] if beside and beside.exists() else ["cargo", "run", "--release", "--quiet", "--example", "axi_job", "--"]
    return subprocess.run([*start, *arguments], cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


def sources(rtl: Path) -> list[str]:
    names = (rtl / "files.f").read_text().splitlines()
    return [str(rtl / name) for name in names if name and not name.startswith("//")]


class Cocotb:
    """Where the private environment keeps cocotb."""

    def __init__(self) -> None:
        folder = tools.tool_folder()
        self.python = tools.ensure_locked(folder, "cocotb")
        script = (
            "import cocotb_tools.config as c, find_libpython as f; print(c.share_dir); print(c.libs_dir); "
            "print(c.lib_entry('vpi', 'icarus')); print(f.find_libpython(), c.pygpi_entry_point(), sep=';')"
        )
        self.share, self.libs, self.icarus, self.users = command(self.python, "-c", script).splitlines()


def build_icarus(cocotb: Cocotb, rtl: Path, out: Path) -> list[str]:
    iverilog = tools.ensure_locked(tools.tool_folder(), "iverilog")
    vvp = str(Path(iverilog).with_name("vvp"))
    (out / "time.f").write_text("+timescale+1ns/1ps\n")
    command(iverilog, "-g2005", "-s", TOP, "-f", str(out / "time.f"), "-o", str(out / "sim.vvp"), *sources(rtl))
    return [vvp, "-m", cocotb.icarus, str(out / "sim.vvp"), "-none"]


def build_verilator(cocotb: Cocotb, rtl: Path, out: Path) -> list[str]:
    """The Verilog and cocotb's main program, compiled by hand."""
    verilator = tools.ensure_locked(tools.tool_folder(), "verilator")
    public = out / "public.vlt"
    public.write_text(f'`verilator_config\npublic_flat_rw -module "{TOP}" -var "*"\n')
    command(
        verilator, "--cc", "--vpi", "--prefix", "Vtop", "--top-module", TOP, "-Mdir", str(out), "--timescale", "1ns/1ps",
        "--no-timing", "-O3", "--x-initial", "fast", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--output-split", "20000", str(public), *sources(rtl),
    )  # fmt: skip
    root = Path(command(verilator, "--getenv", "VERILATOR_ROOT").strip())
    include = root / "include"
    runtime = [include / name for name in ("verilated.cpp", "verilated_vpi.cpp", "verilated_dpi.cpp", "verilated_threads.cpp")]
    files = sorted(out.glob("Vtop*.cpp")) + runtime + [Path(cocotb.share) / "lib/verilator/verilator.cpp"]
    flags = ["-std=c++17", "-DVM_TRACE=0", "-DVM_TRACE_FST=0", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE_VCD=0", "-DVM_TRACE_SAIF=0", "-DVERILATOR=1", "-w"]

    def compile_one(file: Path) -> str:
        made = str(out / f"{file.stem}.o")
        command(compiler(), *flags, "-O1", "-I", str(out), "-I", str(include), "-I", str(include / "vltstd"), "-c", str(file), "-o", made)
        return made

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = list(pool.map(compile_one, files))
    command(compiler(), *made, "-o", str(out / "sim"), f"-L{cocotb.libs}", "-lcocotbvpi_verilator", f"-Wl,-rpath,{cocotb.libs}", "-lpthread")
    return [str(out / "sim")]


BUILD = {"icarus": build_icarus, "verilator": build_verilator}


def test(cocotb: Cocotb, start: list[str], environment: dict[str, str], modules: list[str], tests: list[str], quiet: bool = False) -> int:
    """Number of tests that failed; prints what the simulator says."""
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "results.xml"
        env = os.environ | environment | {
            "COCOTB_TEST_MODULES": ",".join(modules),
            "COCOTB_TOPLEVEL": TOP,
            "TOPLEVEL_LANG": "verilog",
            "COCOTB_RESULTS_FILE": str(results),
            "COCOTB_ANSI_OUTPUT": "0",
            "GPI_USERS": cocotb.users,
            "PATH": os.environ["PATH"] + os.pathsep + cocotb.libs,
            "PYGPI_PYTHON_BIN": cocotb.python,
            # cocotbext-axi 0.1.28 uses names that cocotb 2.1 keeps but does not like.
            "PYTHONWARNINGS": "ignore::DeprecationWarning",
            "GPI_LOG_LEVEL": "WARNING",
            "PYTHONPATH": str(HERE),
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        if tests:
            env["COCOTB_TEST_FILTER"] = "|".join(rf"\.{name}$" for name in tests)
        with subprocess.Popen(start, cwd=folder, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                if not quiet:
                    print(line, end="", flush=True)
        if not results.exists():
            return 1
        cases = ElementTree.parse(results).getroot().iter("testcase")
        cases = [case for case in cases if case.find("skipped") is None]
        failed = sum(case.find("failure") is not None or case.find("error") is not None for case in cases)
        if not cases:
            failed = 1
        return failed


def emit(config: str, out: Path) -> dict[str, str]:
    """Writes Verilog and a job; gives what the tests need to know."""
    report = json.loads(lpu("gen", "--top", "axi", "--config", config, "--out", str(out / "rtl"), "--json"))
    python = tools.ensure_locked(tools.tool_folder(), "cocotb")
    a, b, job = out / "a.npy", out / "b.npy", out / "job.json"
    seed = os.environ.get("LPU_SEED", "1")
    script = (
        f"import numpy; r = numpy.random.default_rng({int(seed)}); "
        f"numpy.save({str(a)!r}, r.integers(-128, 128, ({M}, {K}), dtype=numpy.int8)); "
        f"numpy.save({str(b)!r}, r.integers(-128, 128, ({K}, {N}), dtype=numpy.int8))"
    )
    command(python, "-c", script)
    job.write_text(example(config, str(a), str(b)))
    registers = lpu("regs", "--format", "json")
    return {"LPU_REGS": registers, "LPU_HASH": report["config_hash"], "LPU_A": str(a), "LPU_B": str(b), "LPU_JOB": str(job)}


def mutants(cocotb: Cocotb, folder: Path, environment: dict[str, str]) -> int:
    """Number of defects that no test finds."""
    missed = 0
    for number, (module, right, wrong, tests) in enumerate(MUTANTS):
        rtl, out = folder / f"mutant{number}", folder / f"built{number}"
        shutil.copytree(folder / "rtl", rtl)
        out.mkdir()
        file = rtl / f"{module}.v"
        text = file.read_text()
        if right not in text:
            sys.exit(f"axi: `{right}` is not in {module}.v: MUTANTS in {__file__} is out of date")
        file.write_text(text.replace(right, wrong))
        failed = test(cocotb, build_icarus(cocotb, rtl, out), environment, MODULES, tests, quiet=True)
        print(f"{'found' if failed else 'MISSED':6} {module}: `{right}` to `{wrong}`", flush=True)
        missed += failed == 0
    return missed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", metavar="TEST", help="names of tests (default: all)")
    parser.add_argument("--simulator", choices=[*BUILD], action="append", help="default: both")
    parser.add_argument("--config", default=str(HERE / "small.toml"), help="preset or TOML file")
    parser.add_argument("--mutants", action="store_true", help="check that wrong Verilog is found")
    arguments = parser.parse_args()
    print(command(sys.executable, str(HERE / "test_checker.py")), end="", flush=True)
    cocotb = Cocotb()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        environment = emit(arguments.config, folder)
        print(f"configuration hash {environment['LPU_HASH']}, LPU_SEED={os.environ.get('LPU_SEED', '1')}", flush=True)
        if arguments.mutants:
            sys.exit(1 if mutants(cocotb, folder, environment) else 0)
        failures = 0
        for simulator in arguments.simulator or BUILD:
            out = folder / simulator
            out.mkdir()
            environment["LPU_REPLAY"] = f"tests/axi/run.py --simulator {simulator} --config {arguments.config}"
            print(f"--- {simulator}", flush=True)
            if simulator == "verilator":
                # What cocotb sets for Verilator; in Icarus it makes a race of every write.
                environment["COCOTB_TRUST_INERTIAL_WRITES"] = "1"
            failures += test(cocotb, BUILD[simulator](cocotb, folder / "rtl", out), environment, MODULES, arguments.tests)
    if failures:
        sys.exit(f"axi: {failures} tests failed")


if __name__ == "__main__":
    main()
