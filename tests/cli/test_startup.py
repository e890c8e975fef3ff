from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "optuna", "ray", "sklearn", "fvcore")


def loaded_by(arguments: list[str], folder: Path) -> set[str]:
    """The heavy packages in `sys.modules` after a command."""
    program = (
        "import sys\n"
        "from nas.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "except SystemExit: pass\n"
        f"sys.stderr.write('loaded ' + ' '.join(m for m in {HEAVY!r} if m in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=folder, check=True)
    return set(done.stderr.rpartition("loaded ")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["search", "--help"],
        ["presets"],
        ["studies"],
        ["pareto"],
        ["status"],
        ["status", "a:b"],
    ],
    ids=" ".join,
)
def test_quick_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert loaded_by(arguments, tmp_path) == set()


@pytest.mark.slow
def test_costs_load_neither_optuna_nor_ray(tmp_path: Path) -> None:
    assert loaded_by(["cost", "convnext_tiny"], tmp_path) <= {"torch"}


def test_module_and_script_are_the_same_program() -> None:
    module = subprocess.run([sys.executable, "-m", "nas", "--version"], capture_output=True, text=True, check=True)
    script = subprocess.run(
        [Path(sys.executable).parent / "nas", "--version"], capture_output=True, text=True, check=True
    )
    assert module.stdout == script.stdout != ""
