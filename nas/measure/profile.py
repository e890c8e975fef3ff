"""Profiles: how a latency is measured, as YAML files. What differs in any point is another profile with another id."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nas.errors import UnknownNameError, UserError
from nas.registry import did_you_mean
from nas.schema.models import read_model
from nas.schema.nodes import read_yaml

ID_LENGTH = 12
MODEL = "{model}"
"""What stands for the network's file in the words of a command."""

_FOLDER = Path(__file__).parent / "profiles"
_ENDINGS = (".yaml", ".yml")

Runtime = Literal["torch", "onnxruntime", "openvino", "command"]
Clock = Literal["process", "wall", "device", "reported"]
Precision = Literal["fp32", "bf16", "fp16"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WarmUp(_Part):
    """Runs before the first one that counts: until the last three are as fast as the three before them."""

    at_least: int = Field(6, ge=0, le=10_000, description="runs, also of a network that is steady at once")
    at_most: int = Field(30, ge=0, le=10_000, description="runs; a network still unsteady then is flagged")
    tolerance: float = Field(0.1, gt=0, le=1, description="relative difference that counts as steady")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most < self.at_least:
            raise ValueError(f"at_most ({self.at_most}) is below at_least ({self.at_least})")
        return self


class Runs(_Part):
    """How many runs count. They come in rounds, in which every network and the reference have their turn.

    Ten rounds of seven runs are above the 64 from which the second largest is an upper bound of the 90th percentile
    with 99 % confidence (early stopping of MLPerf's single stream: 0.9^n + n 0.1 0.9^(n-1) <= 0.01).
    """

    in_round: int = Field(7, ge=1, le=1000, description="runs of one network in a round, after one that is dropped")
    rounds: int = Field(10, ge=1, le=10_000, description="rounds at least, unless the time is over")
    at_most: int = Field(30, ge=1, le=10_000, description="rounds, for networks whose interval is still wide")
    half_width: float = Field(0.01, gt=0, le=1, description="of the 95 % interval, relative; narrow enough to stop")
    seconds: float = Field(60.0, gt=0, le=86_400, description="of the wall clock, for each network")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.at_most < self.rounds:
            raise ValueError(f"at_most ({self.at_most}) is below rounds ({self.rounds})")
        return self


class Command(_Part):
    """A program of the user's that measures an ONNX file and prints a figure."""

    argv: tuple[str, ...] = Field(min_length=1, description="the program and its words; {model} is the file")
    figure: str = Field(
        description="regular expression for what is printed: its first group is the figure, a second one its unit"
    )
    unit: Literal["s", "ms", "us"] = Field("ms", description="of the figure, where no second group says it")
    seconds: float = Field(120.0, gt=0, le=86_400, description="time limit of one call")

    @field_validator("argv")
    @classmethod
    def _names_the_model(cls, argv: tuple[str, ...]) -> tuple[str, ...]:
        if not any(MODEL in word for word in argv):
            raise ValueError("one of the words must hold {model}, which becomes the path of the ONNX file")
        if any("\0" in word for word in argv):
            raise ValueError("a word cannot hold the character U+0000")
        return argv

    @field_validator("figure")
    @classmethod
    def _has_a_group(cls, figure: str) -> str:
        try:
            groups = re.compile(figure).groups
        except re.error as error:
            raise ValueError(f"no regular expression: {error}") from None
        if groups < 1:
            raise ValueError(r"the expression needs a group around the figure, as in 'mean: ([\d.]+) ms'")
        return figure


class Profile(_Part):
    """A runtime on a device, and the protocol of measuring there."""

    about: str = Field("", description="a sentence for people; no part of the id")
    runtime: Runtime = Field(description="torch, onnxruntime, openvino or command")
    device: str = Field("cpu", min_length=1, max_length=200, description="cpu, cuda, or a command's own device")
    threads: int | None = Field(None, ge=1, le=4096, description="of the runtime on a CPU")
    batch: int = Field(1, ge=1, le=65_536, description="images at a time")
    resolution: int | None = Field(None, ge=1, le=1 << 20, description="side of the images; default: the task's")
    precision: Precision = Field("fp32", description="of weights and activations: fp32, bf16 or fp16")
    memory_format: Literal["channels_last", "channels_first"] | None = Field(
        None, description="of torch's tensors; other runtimes have their own"
    )
    compile: bool = Field(False, description="run what torch.compile makes of the network")
    clock: Clock = Field(
        "wall", description="process (CPU time), wall, device (CUDA events) or reported (by a command)"
    )
    warm_up: WarmUp = WarmUp()  # type: ignore[call-arg]
    runs: Runs = Runs()  # type: ignore[call-arg]
    max_spread: float = Field(0.1, gt=0, le=10, description="interquartile range over median; above it: unstable")
    max_drift: float = Field(0.05, gt=0, le=10, description="of the reference network meanwhile; above it: unstable")
    command: Command | None = Field(None, description="of the runtime 'command'")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for problem in _problems(self):
            raise ValueError(problem)
        return self

    @property
    def id(self) -> str:
        """A short hash of everything but the sentence about it."""
        text = json.dumps(self.canonical(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:ID_LENGTH]

    def canonical(self) -> dict[str, Any]:
        """Plain data with every field spelled out."""
        return self.model_dump(mode="json", exclude={"about"})


def _problems(profile: Profile) -> Iterable[str]:
    """Fields that contradict each other: none may be accepted and then ignored."""
    runtime, device, clock = profile.runtime, profile.device, profile.clock
    if (runtime == "command") != (profile.command is not None):
        yield "the runtime 'command' and the key 'command' (argv, figure) belong together"
    if (runtime == "command") != (clock == "reported"):
        yield "clock 'reported' is that of the runtime 'command', and its only one"
    if runtime == "command" and profile.threads is not None:
        yield "threads of a command are set by its own words (argv)"
    if runtime == "torch" and device not in ("cpu", "cuda"):
        yield f"device {device!r}: torch measures on cpu or cuda"
    if runtime in ("onnxruntime", "openvino") and device != "cpu":
        yield f"device {device!r}: {runtime} measures on cpu; other devices are a profile of the runtime 'command'"
    if runtime != "torch" and (profile.compile or profile.memory_format is not None):
        yield "compile and memory_format are torch's"
    if runtime != "torch" and profile.precision != "fp32":
        yield f"precision {profile.precision!r}: networks go to {runtime} in fp32"
    if device == "cuda" and runtime == "torch" and (profile.threads is not None or clock not in ("device", "wall")):
        yield "cuda has no threads, and its clock is device or wall"
    if clock == "device" and device != "cuda":
        yield "clock 'device' is that of cuda"
    if clock == "process" and profile.threads != 1:
        yield "clock 'process' counts the CPU time of all threads; it is a latency with threads: 1 alone"
    if device == "cpu" and runtime == "torch" and profile.memory_format == "channels_first":
        yield "on a CPU our networks are channels_last"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedProfile:
    """A profile and what it is called.

    Attributes:
        name: of the packaged profile, or of the file without its ending.
        profile: what it says.
    """

    name: str
    profile: Profile

    @property
    def id(self) -> str:
        """Of the profile."""
        return self.profile.id


def packaged_names() -> list[str]:
    """The profiles that travel with the program."""
    return sorted(path.stem for path in _FOLDER.glob("*.yaml"))


def own_names(folder: Path | None = None) -> list[str]:
    """The YAML files of a folder (default: the working directory) that are profiles: they name a known runtime."""
    return sorted(path.stem for path in (folder or Path()).glob("*.yaml") if _names_a_runtime(path))


def load_profile(reference: str) -> NamedProfile:
    """A packaged profile by its name, or one's own by path, or by the name of `NAME.yaml` in the working directory.

    Raises:
        UnknownNameError: no such profile, with the nearest name.
        SchemaError: all problems of the file.
    """
    path = _located(reference)
    root, problems = read_yaml(path, name=path.name if path.parent == _FOLDER else None)
    return NamedProfile(name=path.stem, profile=read_model(Profile, root, problems))


def _located(reference: str) -> Path:
    path = Path(reference)
    if path.suffix in _ENDINGS:
        return path
    if reference in packaged_names():
        return _FOLDER / f"{reference}.yaml"
    own = Path(f"{reference}.yaml")
    if path.name == reference and own.is_file():
        return own
    known = [*packaged_names(), *own_names()]
    raise UnknownNameError(f"unknown profile {reference!r}; {did_you_mean(reference, known)} (a file ends in .yaml)")


def _names_a_runtime(path: Path) -> bool:
    try:
        return "runtime" in read_yaml(path)[0].mapping
    except UserError:
        return False
