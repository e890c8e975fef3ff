"""Every option of every command with absurd values: `python tests/cli/option_sweep.py` prints the tally.

Each command line is run in this process, in an empty folder. It must end with 0 or 2 (1 where the work itself failed),
with one message and no traceback, within a minute of the processor's time, and whatever it refuses must leave nothing
behind.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from command_tree import Parameter, parameters

from nas.cli.main import main

SECONDS = 60
"""Of the processor's time, for one command line; most take a fraction of one."""
WAITING = 600
"""Seconds on the clock, on however busy a machine."""

VALUES = (
    *("0", "-1", "1", "2.5", "1e308", "-1e308", "nan", "inf", "9" * 19, "9" * 400, "0x10", "1,2,,", "none", "null"),
    *("x", "x" * 300, "a/b", "../up", "/nope/x", ".", "/dev/null", "folder", "file.txt", "~", "-", "*", "a b", "a'b"),
    *(
        "ünïcode☃",
        "[/red]",
        "[bold]x[/bold]",
        ":smile:",
        "%s{0}",
        "$(id)",
        "a\tb",
        "a\nb",
        "\x1b[31m",
        "\udcff",
        "a\0b",
    ),
    *("study:id", "x:", ":x", "x=y", "k=", "http://", "sqlite://", "sqlite:///folder", "sqlite:///file.txt"),
    *(
        "postgresql://u:secret@h/d",
        "mysql://u:secret@h/d",
        "host=h password=secret",
        "4GFLOPs..1GFLOPs",
        "folder:",
        "npz:folder",
    ),
)
"""What nobody means, or means elsewhere."""

SECRET = "secret"
_ADDRESSES = ("storage", "copy_to", "ledgers")  # parameters that take the address of a database

ARCHITECTURE = ["arch.yaml"]
BASES: dict[str, list[str]] = {
    "search": ["--space", "tiny", "--budget", "30MFLOPs", "--dry-run"],
    "check": ["--space", "tiny", "--budget", "30MFLOPs"],
    "sample": ["--space", "tiny", "--budget", "30MFLOPs", "--count", "1"],
    "calibrate": ["--space", "tiny", "--budget", "30MFLOPs", "--profile", "no-such-profile"],
    "compare": ["no-such-study.yaml"],
    "trust": ["--space", "tiny", "--budget", "30MFLOPs", "--dry-run"],
    "refine": ["no-such-study", "--dry-run"],
    "show": ARCHITECTURE,
    "cost": ARCHITECTURE,
    "diff": ["arch.yaml", "arch.yaml"],
    "latency": ["arch.yaml", "--profile", "no-such-profile"],
    "export": ["arch.yaml", "-o", "out"],
    "train": ["arch.yaml", "--data", "npz:missing.npz", "-o", "out"],
    "import": ["file.txt", "--preset", "van_b0", "-o", "out"],
    "bench table": ["file.txt"],
    "bench ledgers": ["file.txt"],
    "bench driver": ["--space", "tiny", "--budget", "30MFLOPs", "--trials", "10", "--workers", "2"],
}
"""The rest of a command line, which is right, or fails soon after the options were looked at."""


class Case(NamedTuple):
    """One command line, and what is absurd about it."""

    parameter: Parameter
    value: str

    @property
    def words(self) -> list[str]:
        """The whole command line."""
        command, option = self.parameter.command, self.parameter.option
        base = BASES.get(" ".join(command), [])
        if option is None:
            begin = next((place for place, word in enumerate(base) if word.startswith("-")), len(base))
            return [*command, *base[begin:], "--", self.value]
        place = next((place for place, word in enumerate(base) if word == option), None)
        kept = base if place is None else base[:place] + base[place + 2 :]
        return [*command, *kept, f"{option}={self.value}"]

    def __str__(self) -> str:
        return f"{self.parameter} = {self.value!r:.40}"


def cases() -> list[Case]:
    """Every parameter with every value."""
    taking = [one for one in parameters() if not one.is_flag]
    return [Case(parameter, value) for parameter in taking for value in VALUES]


class LateError(BaseException):
    """A command has not ended in time; nothing that the command itself handles."""


class Outcome(NamedTuple):
    """What came of a command line; `problem` is empty where all is right."""

    code: int | None
    problem: str


def run(case: Case) -> Outcome:
    """Run one in an empty folder of its own."""
    with tempfile.TemporaryDirectory() as place, _inside(Path(place)):
        before = _contents()
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), _limited():
                code = main(case.words)
        except BaseException as error:
            frames = "; ".join(
                f"{one.filename[-30:]}:{one.lineno}" for one in traceback.extract_tb(error.__traceback__)[-4:]
            )
            return Outcome(None, f"{type(error).__name__}: {error!s:.200} at {frames}")
        return Outcome(code, _problem(case, code, err.getvalue(), _contents() - before))


def _problem(case: Case, code: int, said: str, left: set[str]) -> str:
    if code not in (0, 1, 2):
        return f"exit code {code}"
    if code == 1 and "error: " not in said:
        return "exit code 1 without a word"
    if code == 2 and not said.strip():
        return "exit code 2 without a word"
    if "Traceback" in said:
        return "a traceback"
    if SECRET in said and SECRET in case.value and case.parameter.name in _ADDRESSES:
        return f"a password on the screen: {said[-200:]}"
    if code == 2 and left:
        return f"left behind {sorted(left)[:4]}"
    return "" if len(said) < 6000 else f"{len(said)} characters of message"


@contextlib.contextmanager
def _inside(place: Path) -> Iterator[None]:
    """A folder with a few things in it, as the working directory and the home."""
    before, home = os.getcwd(), os.environ.get("HOME", "")
    os.chdir(place)
    os.environ["HOME"] = str(place)
    Path("folder").mkdir()
    Path("file.txt").write_text("hello\n")
    Path("arch.yaml").write_text(ARCHITECTURE_TEXT)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ["HOME"] = home


def _contents() -> set[str]:
    return {str(path) for path in Path().rglob("*") if not str(path).startswith(".cache")}


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    def late(*_: object) -> None:
        raise LateError(f"not over after {SECONDS} s of work, or {WAITING} s")

    import torch  # not within the limit: half an import would be left for all that follow

    assert torch.__version__
    signal.signal(signal.SIGALRM, late)
    signal.signal(signal.SIGPROF, late)
    signal.alarm(WAITING)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


ARCHITECTURE_TEXT = """
task: {resolution: 32, classes: 10}
stem: {kind: patchify, patch: 4}
stages:
  depth: [1, 1]
  width: [8, 16]
  block: {kind: mixer_first, mixer: {kind: depthwise, kernel: 3}}
  downsample: conv
head: norm_pool_linear
"""


def sweep(chosen: Sequence[Case]) -> tuple[Counter[str], list[str]]:
    """How often each exit code came, and what was wrong."""
    codes: Counter[str] = Counter()
    wrong = []
    for number, case in enumerate(chosen):
        outcome = run(case)
        codes[str(outcome.code)] += 1
        if outcome.problem:
            wrong.append(f"{case}: {outcome.problem}")
            sys.stderr.write(f"{wrong[-1]}\n")
        if number % 100 == 99:
            sys.stderr.write(f"{number + 1} of {len(chosen)}: {dict(codes)}\n")
    return codes, wrong


def some(chosen: Sequence[Case], values: int, seed: str) -> list[Case]:
    """So many values of each parameter, by chance."""
    rng = random.Random(seed)
    of: dict[str, list[Case]] = {}
    for one in chosen:
        of.setdefault(str(one.parameter), []).append(one)
    return [one for every in of.values() for one in rng.sample(every, min(values, len(every)))]


if __name__ == "__main__":
    read = argparse.ArgumentParser(description="Try absurd values for every parameter of every command.")
    read.add_argument("commands", nargs="*", help="as in 'search' or 'bench table'; default: all")
    read.add_argument("--values", type=int, default=len(VALUES), help="of each parameter, by chance")
    read.add_argument("--seed", default="0")
    given = read.parse_args()
    wanted = [one for one in cases() if " ".join(one.parameter.command).startswith(tuple(given.commands) or "")]
    chosen = some(wanted, given.values, given.seed)
    found, problems = sweep(chosen)
    sys.stdout.write(f"{len(chosen)} command lines, {len(problems)} wrong; exit codes {dict(found)}\n")
    sys.exit(bool(problems))
