"""The table of docs/export-table.md: networks of every family, and drawn ones, through every form.

    python tests/export/table.py --drawn 100 --kept outcomes -o docs/export-table.md

Each network has fresh weights and ten classes, is written in every form, opened again in the form's own runtime and
compared. One line a network goes to the standard error as it is done. What came of each is kept, one file a network: a
run that was ended goes on, and takes again what was refused and what has been installed since.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "architecture"))

import without_torchvision  # noqa: F401  # before anything imports timm
from smallest import SMALLEST

from nas.architecture import Architecture, estimate
from nas.data.atomic import new_file
from nas.errors import NasError, UserError
from nas.export.forms import Form, Options, Written, forms
from nas.export.taking import fresh_bundle, write_export
from nas.space import load_architecture, load_space
from nas.space.askers import drawing
from nas.task import Task

_RUNTIMES = (
    *("torch", "timm", "onnx", "onnxruntime", "openvino", "ncnn", "pnnx"),
    *("litert-torch", "ai-edge-litert", "executorch"),
)


class Outcome(NamedTuple):
    """One network in one form: what was written, or why not."""

    network: str
    params: int
    form: str
    written: Written | None
    refusal: str


def outcomes(architecture: Architecture, name: str, names: Sequence[str], resolution: int) -> list[Outcome]:
    """Of a network, in the order of the forms."""
    task = Task(resolution=resolution, classes=10)
    params = estimate(architecture, task).params
    return [Outcome(name, params, form, *found) for form, found in _taken(architecture, task, names).items()]


def kept_outcomes(
    architecture: Architecture, name: str, names: Sequence[str], resolution: int, place: Path, *, take: bool = True
) -> list[Outcome]:
    """Those that were kept, and, where they are taken, those of other forms and those that were refused."""
    file = place / f"{name.replace(', ', '-').replace(' ', '-')}-{resolution}.json"
    document = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else []
    found = [Outcome(**one | {"written": one["written"] and Written(**one["written"])}) for one in document]
    absent = [form for form in names if form not in {one.form for one in found if one.written is not None}]
    if absent and take:
        found = [one for one in found if one.written is not None]
        found += outcomes(architecture, name, absent, resolution)
        kept = [one._asdict() | {"written": one.written and asdict(one.written)} for one in found]
        with new_file(file) as path:
            path.write_text(json.dumps(kept, indent=1), encoding="utf-8")
    return sorted((one for one in found if one.form in names), key=lambda one: names.index(one.form))


def _taken(architecture: Architecture, task: Task, names: Sequence[str]) -> dict[str, tuple[Written | None, str]]:
    """All forms at once; one by one where one of them fails."""
    with tempfile.TemporaryDirectory() as place:
        out = Path(place) / "out"

        def take(*some: str) -> list[Written]:
            try:
                return write_export(out, fresh_bundle(architecture, task), some, Options())
            finally:
                shutil.rmtree(out, ignore_errors=True)

        try:
            return {one.format: (one, "") for one in take(*names)}
        except NasError:
            return {name: _alone(take, name) for name in names}


def _alone(take: Callable[[str], list[Written]], name: str) -> tuple[Written | None, str]:
    try:
        return take(name)[0], ""
    except NasError as error:
        return None, str(error)


def available() -> list[str]:
    """The forms whose packages are installed."""

    def is_there(form: Form) -> bool:
        try:
            form.require()
        except UserError:
            return False
        return True

    return [name for name in forms if is_there(forms[name])]


def drawn(count: int, limit: int, resolution: int) -> list[tuple[str, Architecture]]:
    """Networks of `modern` with at most so many FLOPs, by the seed that draws them."""
    space, task, found = load_space("modern"), Task(resolution=resolution, classes=10), []
    seed = 0
    while len(found) < count:
        one = space.build(drawing(random.Random(seed)))
        if estimate(one, task).flops <= limit:
            found.append((f"modern, seed {seed}", one))
        seed += 1
    return found


def table(rows: Sequence[Outcome], names: Sequence[str], heading: str) -> str:
    """Markdown: a summary by form, the refusals, and every family."""
    lines = [heading, "", "| form | networks | refused | on random images: median | largest | on photographs: median "
             "| largest | bytes a parameter, median |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for name in names:
        own = [one for one in rows if one.form == name]
        done = [(one.written, one.params) for one in own if one.written is not None]
        cells = [name, str(len(own)), str(len(own) - len(done))]
        for column in ("on_random", "on_real"):
            found = [getattr(written, column) for written, _ in done]
            cells += [f"{statistics.median(found):.1e}", f"{max(found):.1e}"] if found else ["", ""]
        cells.append(f"{statistics.median(written.bytes / params for written, params in done):.2f}" if done else "")
        lines.append(_row(cells))
    refused = [one for one in rows if one.written is None]
    lines += ["", "## Refused", ""]
    lines += [f"* {one.network}: {one.refusal}" for one in refused] or ["Nothing."]
    lines += [
        "",
        "## Every network",
        "",
        "The larger one of both differences, and the size in MB; nothing: not taken.",
        "",
    ]
    lines += [_row(["network", "parameters", *names]), "|" + "---|" * (len(names) + 2)]
    for network in sorted({one.network for one in rows}, key=lambda name: (", seed" in name, name)):
        own = [one for one in rows if one.network == network]
        taken = {one.form: _difference(one.written) for one in own}
        cells = [taken.get(name, "") for name in names]
        lines.append(_row([network, f"{own[0].params:,}", *cells]))
    return "\n".join(lines) + "\n"


def _mixed(
    families: Sequence[tuple[str, Architecture]], drawn: Sequence[tuple[str, Architecture]]
) -> list[tuple[str, Architecture]]:
    """Evenly, so that a run that is ended early has seen both."""
    places = [(index / len(some), one) for some in (families, drawn) for index, one in enumerate(some)]
    return [one for _, one in sorted(places, key=lambda place: place[0])]


def _difference(written: Written | None) -> str:
    return "refused" if written is None else f"{written.difference:.0e}, {written.bytes / 1e6:.1f}"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _version(package: str) -> str:
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"no {package}"


def main() -> None:
    """Write the table after every network, so that what is there is whole whenever it ends."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drawn", type=int, default=100, help="networks of `modern`")
    parser.add_argument("--limit", type=float, default=40e6, help="of their FLOPs")
    parser.add_argument("--resolution", type=int, default=64)
    parser.add_argument("--kept", type=Path, required=True, help="folder of what came of each network")
    parser.add_argument("--take-nothing", action="store_true", help="the table of what is kept")
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    names, task = available(), Task(resolution=given.resolution, classes=10)
    given.kept.mkdir(parents=True, exist_ok=True)
    families = [(name, load_architecture(name)) for name in SMALLEST]
    families.sort(key=lambda one: estimate(one[1], task).params)
    networks = _mixed(families, drawn(given.drawn, int(given.limit), given.resolution))
    rows: list[Outcome] = []
    for number, (network, architecture) in enumerate(networks, start=1):
        found = kept_outcomes(architecture, network, names, given.resolution, given.kept, take=not given.take_nothing)
        rows += found
        told = "; ".join(f"{one.form} {_difference(one.written)}{one.refusal and ' ' + one.refusal}" for one in found)
        print(f"{number}/{len(networks)} {network}: {told}", file=sys.stderr, flush=True)
        taken = {one.network for one in rows}
        of_families = len(taken & {name for name, _ in families})
        heading = (
            f"# Networks in every form\n\n{len(taken)} networks with fresh weights, for images of {given.resolution} x "
            f"{given.resolution} and 10 classes: the smallest member of {of_families} families, and "
            f"{len(taken) - of_families} drawn from `modern` with at most {given.limit / 1e6:.0f} MFLOPs. Each was "
            "written in every form, opened again in the form's own runtime, and compared with the network on random "
            "images and on two photographs: the largest difference of an output, over the largest output. Above 1e-4 "
            f"an export fails.\n\n{', '.join(map(_version, _RUNTIMES))}. Made by `tests/export/table.py`."
        )
        given.output.write_text(table(rows, names, heading), encoding="utf-8")


if __name__ == "__main__":
    main()
