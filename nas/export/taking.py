"""An exported folder with the forms that were asked for, each opened again in its own runtime and compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nas.architecture import Architecture, build, fuse
from nas.errors import NasError, UserError, system_reason
from nas.export.bundle import Provenance, about_of, load_model, write_bundle
from nas.export.folder import beside, move, require_free
from nas.export.forms import Form, Options, Subject, forms
from nas.export.normalisation import IMAGENET
from nas.space import load_architecture
from nas.space.references import ABOUT
from nas.task import Task
from nas.train.randomness import own_randomness

TOLERANCE = 1e-4
"""Of the largest output: what a form may differ by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A form that was written.

    Attributes:
        format: its name.
        file: in the folder.
        bytes: of that file.
        difference: the largest one to the network's outputs on random images, over the largest output.
        note: what people should know of how it was compared.
    """

    format: str
    file: str
    bytes: int
    difference: float
    note: str = ""


def write_export(
    folder: Path,
    bundle: Callable[[Path], None],
    names: Sequence[str],
    options: Options,
    *,
    merged: bool = False,
    force: bool = False,
    report: Callable[[str], None] = lambda name: None,
) -> list[Written]:
    """Write a bundle and forms beside it; all of them appear, or none.

    Args:
        folder: where to.
        bundle: writes architecture, weights and provenance into an empty folder.
        names: of the forms.
        options: about the files.
        merged: take the network in its deployed form, also where a form is for training.
        force: write over what is in the folder, too.
        report: told the name of each form before it is written.

    Raises:
        UserError: a form is unknown, a package for it is missing, or the folder holds something else.
        NasError: a runtime refuses the network, or a form computes something else.
    """
    wanted = {name: forms[name] for name in dict.fromkeys(names)}
    for form in wanted.values():
        form.require()
    with beside(folder) as place:
        bundle(place)
        network = load_model(place)
        about = about_of(place)
        architecture = load_architecture(place)
        if merged and not about.merged:
            network = fuse(network)
            write_bundle(place, architecture, network, about.provenance)
        require_free(folder, place, force=force)
        subject = Subject(
            network=network, merged=fuse(network), architecture=architecture, task=about.provenance.task, folder=place
        )
        written = []
        for name, form in wanted.items():
            report(name)
            written.append(_checked(name, form, subject, options))
        _note(place, written)
        move(place, folder)
    return written


def fresh_bundle(architecture: Architecture, task: Task, *, seed: int = 0) -> Callable[[Path], None]:
    """A bundle of an architecture that nobody has trained."""

    def write(folder: Path) -> None:
        with own_randomness(seed, torch.device("cpu")):
            network = build(architecture, classes=task.classes, in_channels=task.channels)
        mean, std = IMAGENET if task.channels == 3 else ((0.5,) * task.channels, (0.5,) * task.channels)
        about = Provenance(task=task, classes=(), mean=mean, std=std, results={"trained": False, "seed": seed})
        write_bundle(folder, architecture, network, about)

    return write


def copied_bundle(source: Path) -> Callable[[Path], None]:
    """The bundle of a folder that was exported, imported or trained before."""

    def write(folder: Path) -> None:
        about = about_of(source)
        write_bundle(folder, load_architecture(source), load_model(source), about.provenance)

    return write


def _checked(name: str, form: Form, subject: Subject, options: Options) -> Written:
    """Write a form, open it again, compare."""
    try:
        form.write(subject, options)
        difference = max(
            _difference(form.outputs(subject.folder, images), subject.network, images)
            for images in _images(subject.task, options)
        )
    except NasError as error:
        raise type(error)(f"{name}: {error}; nothing was written") from error
    except OSError as error:
        raise UserError(f"{name}: cannot be written: {system_reason(error)}") from None
    if not difference <= TOLERANCE:
        raise NasError(
            f"{name}: {form.file} computes something else, by {difference:.1e} of the largest output on random images "
            f"(at most {TOLERANCE:.0e} is rounding); nothing was written"
        )
    size = (subject.folder / form.file).stat().st_size
    return Written(format=name, file=form.file, bytes=size, difference=difference, note=form.note)


def _images(task: Task, options: Options) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for count in (1, 3) if options.batch is None else (options.batch,):
        yield torch.randn(count, task.channels, task.resolution, task.resolution, generator=generator)


def _difference(found: Tensor, network: nn.Module, images: Tensor) -> float:
    with torch.no_grad():
        expected = network(images)
    if found.shape != expected.shape:
        raise NasError(f"gives {tuple(found.shape)} where the network gives {tuple(expected.shape)}")
    return float((found - expected).abs().max() / expected.abs().max())


def _note(place: Path, written: Sequence[Written]) -> None:
    """Keep the differences beside the weights."""
    document: dict[str, Any] = json.loads((place / ABOUT).read_text(encoding="utf-8"))
    document["forms"] = {one.format: {"file": one.file, "difference": one.difference} for one in written}
    (place / ABOUT).write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
