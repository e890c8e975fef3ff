"""`nas shrink`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Device, Json, Storage, StudyName, Workers, proposed
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.analysis.gain import Gain
    from nas.search.shrinking import Shrunk


def run(
    study: StudyName = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the refined space as a YAML file.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    verify: Annotated[
        int | None,
        typer.Option(
            "--verify",
            metavar="N",
            min=2,
            help="Train N fresh random networks of each space within the budget, and say what the refined one gains.",
        ),
    ] = None,
    workers: Workers = None,
    device: Device = "auto",
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Narrow a space to what a search's evidence supports: values that are worse beyond doubt leave it.

    The file of the old space is kept word for word, comments too; the evidence stands in comments beside each change.
    Run `--verify` again after an interruption and it goes on.
    """
    from nas.cli.output import notice
    from nas.errors import UserError
    from nas.ledger import Ledger
    from nas.search.shrinking import shrink

    if output is None and verify is None:
        raise UserError("name the file of the refined space: nas shrink -o refined.yaml")
    if output is not None and output.exists() and not force:
        raise UserError(f"{output}: there already; name another file with -o, or say --force to write over it")
    if verify is None and (workers is not None or device != "auto"):
        raise UserError("--workers and --device are of the trainings of --verify; add --verify N")
    with Ledger.read(storage) as ledger:
        shrunk = shrink(ledger, study)
    if output is not None:
        _write(output, shrunk.text)
        notice(f"{output}: {shrunk.space.size():,} of {shrunk.definition.space.size():,} points left")
    gained = None
    if verify is not None and shrunk.cuts:
        gained = _verified(shrunk, verify, storage, workers, device)
    if as_json:
        from nas.cli.output import print_json

        print_json({**shrunk.to_dict(), "verified": None if gained is None else gained.to_dict()})
        return
    _draw(shrunk, gained)


def _write(path: Path, text: str) -> None:
    from nas.data.atomic import new_file
    from nas.errors import UserError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from None


def _verified(shrunk: Shrunk, count: int, storage: str, workers: int | None, device: str) -> Gain:
    import numpy as np

    from nas.analysis.gain import gain
    from nas.cli.retraining import train_again
    from nas.errors import StudyError
    from nas.ledger import Ledger
    from nas.search.shrinking import fresh_samples
    from nas.search.sweeps.retraining import retraining

    with Ledger.read(storage) as ledger:
        known = {trial.architecture_id for trial in ledger.trials(shrunk.study)}
    old, new = fresh_samples(shrunk, count, known)
    both = list({one.id: one for one in (*old, *new)}.values())
    comparison = retraining(shrunk.study, shrunk.definition, both, purpose="shrink", seeds=1)
    found = {
        trial.architecture_id: (trial.evaluation.accuracy, float(trial.cost[shrunk.model.cost]))
        for trial in train_again(comparison, storage, workers=workers, device=device)
        if trial.evaluation is not None
    }
    samples = [np.array([found[one.id] for one in sample if one.id in found]).reshape(-1, 2) for sample in (old, new)]
    if min(map(len, samples)) < 2:
        seen = proposed("status", arguments=[comparison.name], storage=storage)
        raise StudyError(f"too few of the fresh networks could be trained; see: {seen}")
    return gain(samples[0][:, 0], samples[0][:, 1], samples[1][:, 0], samples[1][:, 1])


def _draw(shrunk: Shrunk, gained: Gain | None) -> None:
    from nas.cli.analysis_view import cuts_table, gain_sentences
    from nas.cli.output import draw

    if shrunk.cuts:
        draw(cuts_table(shrunk.cuts, shrunk.model.cost))
    else:
        everywhere = " in all stages at once" if shrunk.kept else ""
        draw(f"No value is worse beyond doubt{everywhere}: the space stays as it is, and there is nothing to verify.")
    if shrunk.kept:
        draw("", cuts_table(shrunk.kept, shrunk.model.cost, where=" in one stage"))
        draw("These stay: the file asks for them once for all stages. A list in its place has a choice for each stage.")
    for sentence in [] if gained is None else gain_sentences(gained, shrunk.model.cost):
        draw(sentence)
