"""A program of the user's: it gets the network as an ONNX file and prints a figure."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from nas.errors import UserError
from nas.measure.profile import MODEL, Command, Profile
from nas.measure.runtimes.base import Runtime, Timer, runtimes

if TYPE_CHECKING:
    from torch import nn

    from nas.task import Task

_MILLISECONDS = {"s": 1e3, "ms": 1.0, "us": 1e-3}
_SHOWN = 300  # characters of what a program said
_MAX_OUTPUT = 1 << 22  # bytes of it that are searched for the figure, from the end


class CommandError(UserError):
    """A command that fails, hangs, or prints no figure: the same for every network, so nothing is recorded."""


class CommandRuntime(Runtime):
    """`ssh`, `adb`, `trtexec`, `benchmark_app`, a script: run without a shell, with a time limit."""

    packages = ("onnx",)
    extra = "onnx"
    reads_onnx = True

    def missing(self, profile: Profile) -> str | None:
        """Why it cannot be run here: no such program, or onnx is not installed."""
        program = _command(profile).argv[0]
        if shutil.which(program) is None:
            return f"there is no program {program!r} here (first word of argv)"
        return super().missing(profile)

    def versions(self, profile: Profile) -> str:
        """The name of the program: it does not tell more."""
        return f"command {Path(_command(profile).argv[0]).name}"

    def device(self, profile: Profile) -> str:
        """As the profile calls it: where the command really measures, only the user knows."""
        return profile.device

    def load(self, profile: Profile, network: nn.Module | Path, task: Task) -> Timer:
        """Nothing is loaded: the program does that, at every call."""
        command, file = _command(profile), Path(str(network))
        return lambda: ask(command, file)

    def memory(self, profile: Profile) -> Callable[[], int | None]:
        """Unknown: it is another program's, perhaps on another machine."""
        return lambda: None


def ask(command: Command, file: Path) -> float:
    """Milliseconds that a command prints about a file.

    Raises:
        CommandError: it cannot be started, takes too long, ends with an error, or prints no figure above 0.
    """
    words = [word.replace(MODEL, str(file)) for word in command.argv]
    code, said = _run(words, command.seconds)
    shown = f"; it said: {said.strip()[-_SHOWN:]!r}" if said.strip() else "; it said nothing"
    if code != 0:
        raise CommandError(f"the command {words[0]!r} ended with exit code {code}{shown}")
    found = re.search(command.figure, said)
    if found is None or found[1] is None:
        raise CommandError(f"the command {words[0]!r} printed nothing that {command.figure!r} finds{shown}")
    unit = found[2] if found.re.groups > 1 else command.unit
    if unit not in _MILLISECONDS:
        raise CommandError(f"the command {words[0]!r} printed {unit!r} as the unit, not s, ms or us{shown}")
    try:
        figure = float(found[1]) * _MILLISECONDS[unit]
    except ValueError:
        figure = math.nan
    if not 0 < figure < math.inf:
        raise CommandError(f"the command {words[0]!r} printed {found[1]!r}, which is no time above 0{shown}")
    return figure


def _run(words: list[str], seconds: float) -> tuple[int, str]:
    """Exit code and output of a program; it and what it has started are ended when its time is over."""
    try:
        process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
        )
    except OSError as error:
        raise CommandError(f"the command {words[0]!r} cannot be started: {error.strerror}") from error
    try:
        output, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise CommandError(
            f"the command {words[0]!r} did not end within {seconds:g} s; the profile's `seconds` say how long it may"
        ) from None
    finally:
        _end(process)
    return process.returncode, output[-_MAX_OUTPUT:].decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _command(profile: Profile) -> Command:
    if profile.command is None:
        raise ValueError("a profile of another runtime")
    return profile.command


runtimes.register("command")(CommandRuntime())
