from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

HEAVY = ("torch", "optuna", "ray", "sklearn", "fvcore")


QUICK = (
    ["--help"],
    ["--version"],
    ["search", "--help"],
    ["presets"],
    ["studies"],
    ["pareto"],
    ["status"],
    ["status", "a:b"],
)


def loaded_by(commands: Sequence[list[str]], folder: Path) -> list[set[str]]:
    """The heavy packages in `sys.modules` after each of several commands, one after the other in one process."""
    program = (
        "import sys\n"
        "from nas.cli.main import main\n"
        f"for arguments in {list(commands)!r}:\n"
        "    try: main(arguments)\n"
        "    except SystemExit: pass\n"
        f"    sys.stderr.write('\\nloaded ' + ' '.join(m for m in {HEAVY!r} if m in sys.modules) + '\\n')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    lines = [line for line in done.stderr.splitlines() if line.startswith("loaded ")]
    return [set(line.removeprefix("loaded ").split()) for line in lines]


def test_quick_commands_load_nothing_heavy(tmp_path: Path) -> None:
    found = dict(zip(map(" ".join, QUICK), loaded_by(QUICK, tmp_path), strict=True))
    assert {command: loaded for command, loaded in found.items() if loaded} == {}


@pytest.mark.slow
def test_costs_load_neither_optuna_nor_ray(tmp_path: Path) -> None:
    assert loaded_by([["cost", "convnext_tiny"]], tmp_path)[0] <= {"torch"}


@pytest.mark.slow
def test_a_search_loads_only_what_it_asks_for() -> None:
    late = ("scipy.optimize", "scipy.stats", "torch._dynamo", "sklearn", "ray")
    program = f"import sys, nas.api; print(*(name for name in {late!r} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_module_and_script_are_the_same_program() -> None:
    module = subprocess.run([sys.executable, "-m", "nas", "--version"], capture_output=True, text=True, check=True)
    script = subprocess.run(
        [Path(sys.executable).parent / "nas", "--version"], capture_output=True, text=True, check=True
    )
    assert module.stdout == script.stdout != ""
