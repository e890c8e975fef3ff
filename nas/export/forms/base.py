"""What a form of a network for other programs can be asked, and the registry of forms."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path

from torch import Tensor, nn

from nas.architecture import Architecture
from nas.errors import FieldError, UserError
from nas.registry import Registry
from nas.task import Task

_OPSETS = (17, 20)
"""Below, LayerNorm is no operator; above, the exporter that traces knows none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What users may choose about the files.

    Attributes:
        opset: version of ONNX's operators; None for `OPSET`.
        batch: images at a time; None leaves the number open.
    """

    opset: int | None = None
    batch: int | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if self.opset is not None and not _OPSETS[0] <= self.opset <= _OPSETS[1]:
            raise FieldError("opset", f"must be {_OPSETS[0]} to {_OPSETS[1]}, got {self.opset}")
        if self.batch is not None and self.batch < 1:
            raise FieldError("batch", f"must be at least 1, got {self.batch}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is written.

    Attributes:
        network: in evaluation mode, on the CPU, with the weights that lie in `folder`.
        merged: its deployed form.
        architecture: of both.
        task: channels, classes and resolution of the weights.
        folder: the bundle, where the form is written beside it.
    """

    network: nn.Module
    merged: nn.Module
    architecture: Architecture
    task: Task
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A form that was written.

    Attributes:
        format: its name.
        file: in the folder.
        bytes: of the form: that file, with what holds its weights where those lie beside it.
        difference: the larger one of the next two.
        on_random, on_real: the largest difference to the network's outputs on random and on real images, over the
            largest output.
        real: whose the real images are.
        note: what people should know of how it was compared.
    """

    format: str
    file: str
    bytes: int
    difference: float
    on_random: float
    on_real: float
    real: str
    note: str = ""


class Form(ABC):
    """A form. Stateless."""

    file: str
    """The one to name to other programs, in the exported folder."""

    weights: str = ""
    """The file that holds its weights, in the exported folder, where `file` does not."""

    packages: tuple[str, ...] = ()
    """Without which it can neither be written nor checked."""

    extra: str = ""
    """Of our package, which installs them."""

    heeds: frozenset[str] = frozenset()
    """Those of the options that change it."""

    @property
    def note(self) -> str:
        """What people should know of how it was compared; mostly nothing."""
        return ""

    def require(self) -> None:
        """Raise UserError where something is not installed."""
        absent = [name for name in self.packages if find_spec(name) is None]
        if absent:
            raise UserError(
                f"{self.file}: {' and '.join(absent)} not installed; `pip install nas-convnets[{self.extra}]`"
            )

    @abstractmethod
    def write(self, subject: Subject, options: Options) -> None:
        """Write the form into the subject's folder; raises NasError where it cannot be."""

    @abstractmethod
    def outputs(self, folder: Path, batches: Sequence[Tensor]) -> list[Tensor]:
        """What the written form computes from each (N, C, H, W) in its own runtime, opened anew once."""

    def cards(self, subject: Subject, written: Sequence[Written]) -> Mapping[str, str]:
        """Texts for people, by file in the exported folder, once all forms asked for are compared; mostly none."""
        return {}


forms: Registry[Form] = Registry("format")


def require_heeded(options: Options, chosen: Mapping[str, Form]) -> None:
    """Raise UserError where an option was given that changes none of the forms."""
    for option in fields(options):
        given = getattr(options, option.name)
        if given is None or any(option.name in form.heeds for form in chosen.values()):
            continue
        heeding = ", ".join(name for name in sorted(forms) if option.name in forms[name].heeds)
        asked = " and ".join(chosen) or "a folder without --format"
        raise UserError(f"--{option.name} {given} would change nothing of {asked}: it is for {heeding}")
