"""An exported folder with the forms that were asked for, each opened again in its own runtime and compared."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nas.architecture import Architecture, build, fuse
from nas.errors import NasError, UserError, system_reason
from nas.export.bundle import Provenance, about_of, load_model, write_bundle
from nas.export.folder import beside, move, require_free
from nas.export.forms import Form, Options, Subject, Written, forms, require_heeded
from nas.export.normalisation import IMAGENET
from nas.export.real_images import RealImages, photographs
from nas.space import load_architecture
from nas.space.references import ABOUT
from nas.task import Task
from nas.train.randomness import own_randomness

TOLERANCE = 1e-4
"""Of the largest output: what a form may differ by."""


def write_export(
    folder: Path,
    bundle: Callable[[Path], RealImages | None],
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
        bundle: writes architecture, weights and provenance into an empty folder, and gives the images to compare on;
            photographs for None.
        names: of the forms.
        options: about the files.
        merged: take the network in its deployed form, also where a form is for training.
        force: write over what is in the folder, too.
        report: told the name of each form before it is written.

    Raises:
        UserError: a form is unknown, a package for it is missing, an option changes none of them, or the folder holds
            something else.
        NasError: a runtime refuses the network, or a form computes something else.
    """
    wanted = {name: forms[name] for name in dict.fromkeys(names)}
    require_heeded(options, wanted)
    for form in wanted.values():
        form.require()
    with beside(folder) as place:
        real = bundle(place)
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
        if wanted and real is None:
            real = photographs(about.provenance.task, about.provenance.mean, about.provenance.std)
        written = []
        for name, form in wanted.items():
            assert real is not None
            report(name)
            written.append(_checked(name, form, subject, options, real))
        _conclude(wanted.values(), subject, written)
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


def _checked(name: str, form: Form, subject: Subject, options: Options, real: RealImages) -> Written:
    """Write a form, open it again, compare."""
    try:
        form.write(subject, options)
        *on_random, on_real = _differences(
            form, subject, [*_random(subject.task, options), _counted(real.images, options)]
        )
    except NasError as error:
        raise type(error)(f"{name}: {error}; nothing was written") from error
    except OSError as error:
        raise UserError(f"{name}: cannot be written: {system_reason(error)}") from None
    for difference, images in (
        *((one, "random images") for one in on_random),
        (on_real, f"real images ({real.origin})"),
    ):
        if not difference <= TOLERANCE:
            raise NasError(
                f"{name}: {form.file} computes something else, by {difference:.1e} of the largest output on {images} "
                f"(at most {TOLERANCE:.0e} is rounding); nothing was written"
            )
    files = (form.file, form.weights) if form.weights else (form.file,)
    return Written(
        format=name,
        file=form.file,
        bytes=sum((subject.folder / file).stat().st_size for file in files),
        difference=max(*on_random, on_real),
        on_random=max(on_random),
        on_real=on_real,
        real=real.origin,
        note=form.note,
    )


def _random(task: Task, options: Options) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for count in (1, 3) if options.batch is None else (options.batch,):
        yield torch.randn(count, task.channels, task.resolution, task.resolution, generator=generator)


def _counted(images: Tensor, options: Options) -> Tensor:
    """As many as the form takes, some of them more than once if there are too few."""
    if options.batch is None:
        return images
    return images[torch.arange(options.batch) % len(images)]


def _differences(form: Form, subject: Subject, batches: Sequence[Tensor]) -> list[float]:
    with torch.no_grad():
        expected = [subject.network(images) for images in batches]
    return [_difference(*both) for both in zip(form.outputs(subject.folder, batches), expected, strict=True)]


def _difference(found: Tensor, expected: Tensor) -> float:
    if found.shape != expected.shape:
        raise NasError(f"gives {tuple(found.shape)} where the network gives {tuple(expected.shape)}")
    return float((found - expected).abs().max() / expected.abs().max())


def _conclude(wanted: Iterable[Form], subject: Subject, written: Sequence[Written]) -> None:
    """Keep the differences beside the weights, and write what tells people of them."""
    file = subject.folder / ABOUT
    try:
        document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        document["forms"] = {one.format: _kept(one) for one in written}
        file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        for form in wanted:
            for name, text in form.cards(subject, written).items():
                (subject.folder / name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{subject.folder}: cannot be written: {system_reason(error)}") from None


def _kept(one: Written) -> dict[str, Any]:
    return {
        "file": one.file,
        "difference": one.difference,
        "on_random": one.on_random,
        "on_real": one.on_real,
        "real": one.real,
    }
