"""The work of `nas train`: one training or several seeds of it, shown and summed up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nas.cli.output import aside, draw, notice, print_json, strong

if TYPE_CHECKING:
    from nas.architecture import Architecture
    from nas.export.trained import Start, Trained
    from nas.train.full import Watch
    from nas.train.recipe import Recipe
    from nas.train.trackers import Tracker


def overridden_recipe(recipe: Recipe, **given: Any) -> Recipe:
    """The recipe with what the command line says instead; what is None was not said."""
    return recipe.changed(**{name: value for name, value in given.items() if value is not None})


def note_open_drop_path(recipe: Recipe, architectures: Mapping[str, Architecture]) -> None:
    """Say which architectures are trained without drop path although the recipe leaves it to them."""
    named = [name for name, one in architectures.items() if recipe.leaves_drop_path_open(one.drop_path)]
    if named:
        which = ", ".join(named)
        notice(
            f"drop_path is the architecture's own in this recipe, and {which} says none: nothing is dropped. "
            "Give the recipe a rate to train it with one, or to compare all with the same"
        )


def train_and_show(
    label: str,
    architecture: Architecture,
    data: str,
    recipe: Recipe,
    folder: Path,
    *,
    seeds: Sequence[int],
    device: str,
    start: Start | None = None,
    micro_batch: int | None = None,
    force: bool = False,
    trackers: Sequence[Tracker] = (),
    as_json: bool,
) -> None:
    """Train with every seed, each into a folder of its own where there are several, and show how it went."""
    from nas.api.full_training import train_to_folder
    from nas.cli.preparing import ready_images
    from nas.export.trained import require_room
    from nas.search.launch import resolve_device
    from nas.train.distributed import joined
    from nas.train.process import keep_freed_memory
    from nas.units import plural

    keep_freed_memory()
    folders = {seed: folder if len(seeds) == 1 else folder / f"seed-{seed}" for seed in seeds}
    done: list[Trained] = []
    with joined(resolve_device(device)) as place:
        if place.is_first:
            for there in folders.values():
                require_room(there, force=force)
            note_open_drop_path(recipe, {label: architecture})
            ready_images(data, recipe.stored_resolution)
        place.wait()
        for seed, there in folders.items():
            which = "" if len(seeds) == 1 else f", seed {seed}"
            with _watching(
                f"training {label} for {plural(recipe.epochs, 'epoch')}{which}", is_silent=not place.is_first
            ) as watch:
                trained = train_to_folder(
                    architecture,
                    data,
                    recipe,
                    there,
                    seed=seed,
                    place=place,
                    start=start,
                    micro_batch=micro_batch,
                    force=force,
                    trackers=trackers,
                    watch=watch,
                )
            if trained is not None:
                done.append(trained)
    if done:
        _show(label, done, as_json=as_json)


@contextmanager
def _watching(training: str, *, is_silent: bool) -> Iterator[Watch]:
    """What is told how far a training is, and shows it; says how an interrupted one goes on."""
    from nas.cli.live import StepDisplay

    try:
        with StepDisplay(training, is_silent=is_silent) as display:
            yield lambda moment: display.fraction(
                moment.fraction,
                f"epoch {moment.epoch}/{moment.epochs}, {moment.images_per_second:,.0f} images/s",
            )
    except KeyboardInterrupt:
        aside().print("\nInterrupted; the same command goes on from the last minute's checkpoint.")
        raise


def _show(label: str, done: Sequence[Trained], *, as_json: bool) -> None:
    from dataclasses import asdict

    if as_json:
        document = {"runs": [asdict(one) for one in done], "test": _over_seeds(done)}
        print_json(asdict(done[0]) if len(done) == 1 else document)
        return
    for one in done:
        test = one.test
        draw(
            strong(label) + f" ({one.id}, seed {one.seed}) -> {one.folder}: {', '.join(one.files)}",
            f"  validation top-1 {one.validation['accuracy']:.1%}; training loss {one.curve[0]:.3f} -> "
            f"{one.curve[-1]:.3f}; {one.images_per_second:,.0f} images/s",
            f"  test top-1 {test['accuracy']:.1%}, 95% interval {test['low']:.1%} to {test['high']:.1%} "
            f"over {test['images']:,} images",
        )
    if len(done) > 1:
        mean = _over_seeds(done)
        draw(
            strong(f"test top-1 {mean['accuracy']:.1%}") + f", mean of {len(done)} seeds, 95% interval "
            f"{mean['low']:.1%} to {mean['high']:.1%} over the choice of seeds"
        )


def _over_seeds(done: Sequence[Trained]) -> dict[str, Any]:
    """Mean test accuracy with Student's interval over the seeds."""
    from statistics import fmean

    from nas.analysis.intervals import mean_interval

    values = [one.test["accuracy"] for one in done]
    interval = mean_interval(values) if len(values) > 1 else None
    return {
        "accuracy": fmean(values),
        "low": None if interval is None else interval.low,
        "high": None if interval is None else interval.high,
        "seeds": len(values),
    }
