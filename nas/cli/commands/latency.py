"""`nas latency`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nas.cli import completion
from nas.cli.options import Classes, Json, Resolution, Storage, overridden
from nas.command_line import command_line
from nas.errors import UserError
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from nas.ledger import Ledger
    from nas.measure.profile import NamedProfile
    from nas.records import LatencyRecord
    from nas.report.latency import LatencyRow
    from nas.schema.published import Published

_PRESETS = "presets"
_TOGETHER = 8  # of the zoo at a time: all of it side by side would not fit into the memory


def run(
    architectures: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[ARCH...]",
            autocompletion=completion.architectures,
            help="Presets, architecture files or STUDY:ID; presets: all published ones.",
        ),
    ] = None,
    profile: Annotated[
        str | None,
        typer.Option("--profile", "-p", help="How to measure: a packaged profile's name, or a profile file (.yaml)."),
    ] = None,
    resolution: Resolution = None,
    classes: Classes = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Measure again what the ledger knows already.")] = False,
    profiles: Annotated[
        bool, typer.Option("--profiles", help="List the profiles, and which can be used here.")
    ] = False,
    records: Annotated[bool, typer.Option("--records", help="List what the ledger knows; measure nothing.")] = False,
    export: Annotated[
        Path | None, typer.Option("--export", metavar="FILE", help="Write the ledger's records to a JSON file.")
    ] = None,
    import_: Annotated[
        Path | None, typer.Option("--import", metavar="FILE", help="Take in the records of a file of --export.")
    ] = None,
    family: Annotated[
        str | None, typer.Option("--family", "-f", help="With presets: only this family, such as van.")
    ] = None,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """Measure how long networks take, with the error of the measurement.

    Each for its own task, a candidate for that of its study. The deployed form is measured: warmed up, several networks
    and a reference in turn, round after round. The result is the median with its 95 % interval, kept in the ledger;
    what is too noisy to be trusted is flagged.
    """
    _one_task(profiles=profiles, records=records, export=export, import_=import_)
    is_zoo = architectures == [_PRESETS] and not (profiles or records or export or import_)
    if family is not None and not is_zoo:
        raise UserError("--family goes with the word presets: nas latency presets --family van --profile torch-cpu")
    if profiles:
        _alone("--profiles", architectures, profile, resolution, classes, fresh)
        _show_profiles(as_json=as_json)
    elif import_ is not None:
        _alone("--import", architectures, profile, resolution, classes, fresh)
        _import(import_, storage, as_json=as_json)
    elif records or export is not None:
        if fresh or resolution is not None or classes is not None:
            raise UserError("--records and --export show what was measured; leave --fresh, --resolution, --classes out")
        _known(architectures, profile, storage, export, as_json=as_json)
    else:
        if not architectures or profile is None:
            raise UserError("what to measure, and how? Write it like: nas latency convnext_tiny van_b2 "
                            "--profile torch-cpu (the profiles: nas latency --profiles)")  # fmt: skip
        published = _published(family) if is_zoo else {}
        names = list(published) or architectures
        together = _TOGETHER if is_zoo else len(names)
        rows = _measure(names, profile, resolution, classes, storage, fresh=fresh, together=together)
        _show(rows, published, as_json=as_json)
        if any(row.record.failure for row in rows):
            raise typer.Exit(1)


def _one_task(**asked: object) -> None:
    given = [f"--{name.strip('_')}" for name, value in asked.items() if value]
    if len(given) > 1 and given != ["--records", "--export"]:
        raise UserError(f"{' and '.join(given)} are different tasks; give one of them")


def _alone(option: str, *others: object) -> None:
    if any(one not in (None, False, []) for one in others):
        raise UserError(f"{option} takes no architectures and no other options than --storage and --json")


def _show_profiles(*, as_json: bool) -> None:
    from nas.measure.profile import load_profile, own_names, packaged_names
    from nas.measure.runtimes import runtimes

    entries = []
    for name in dict.fromkeys([*packaged_names(), *own_names()]):
        named = load_profile(name)
        missing = runtimes[named.profile.runtime].missing(named.profile)
        entries.append(
            {
                "name": name,
                "id": named.id,
                "runtime": named.profile.runtime,
                "available": missing is None,
                "missing": missing,
                "about": named.profile.about,
                "protocol": named.profile.canonical(),
            }
        )
    if as_json:
        from nas.cli.output import print_json

        print_json(entries)
        return
    from nas.cli.latency_view import profiles_table
    from nas.cli.output import draw

    draw(
        profiles_table(entries), "Your own: a YAML file here or by path; `nas latency --profiles --json` spells all out"
    )


def _published(family: str | None) -> dict[str, Published]:
    """The published networks that have an accuracy of their own, the cheapest first."""
    from nas.schema.published import ALL, preset_families

    found = [row for one in preset_families(family or ALL) for row in one.members if row.top1 is not None]
    if family is not None and not found:
        naming = command_line("presets", "-f", family)
        raise UserError(f"no network of the family {family!r} has a published accuracy; name them: {naming}")
    return {row.name: row for row in sorted(found, key=lambda row: (row.flops, row.name))}


def _measure(
    names: Sequence[str],
    profile: str,
    resolution: int | None,
    classes: int | None,
    storage: str,
    *,
    fresh: bool,
    together: int,
) -> list[LatencyRow]:
    """Ranked rows; `together` networks of a task side by side at a time, each group kept as soon as it is measured."""
    from nas.cli.output import beginning, working
    from nas.ledger import Ledger
    from nas.measure.latencies import Found, latencies, task_of
    from nas.measure.profile import load_profile
    from nas.report.latency import LatencyRow, ranked
    from nas.space.references import own_task, resolve_architecture

    named = load_profile(profile)
    architectures = [resolve_architecture(name, storage) for name in names]
    tasks = [
        task_of(named, overridden(own_task(name, storage), None, classes), resolution=resolution) for name in names
    ]
    found: dict[int, Found] = {}  # by place
    with Ledger.open(storage) as ledger, working("measuring") as progress:
        for task in dict.fromkeys(tasks):
            places = [place for place, one in enumerate(tasks) if one == task]
            for start in range(0, len(places), together):
                some = places[start : start + together]
                say = beginning(f"{len(found)} of {len(names)} networks measured: ", progress)
                these = [architectures[place] for place in some]
                found |= zip(some, latencies(these, named, task, ledger, fresh=fresh, progress=say), strict=True)
    return ranked(
        [
            LatencyRow(name=name, record=found[place].record, was_known=found[place].was_known)
            for place, name in enumerate(names)
        ]
    )


def _show(rows: Sequence[LatencyRow], published: Mapping[str, Published], *, as_json: bool) -> None:
    if as_json:
        from nas.cli.output import print_json

        print_json([row.to_dict() | _facts(published.get(row.name)) for row in rows])
        return
    from nas.cli.latency_view import latency_table
    from nas.cli.output import draw

    by_key: dict[Any, list[LatencyRow]] = {}
    for row in rows:
        by_key.setdefault((row.record.profile_name, row.record.key), []).append(row)
    if not rows:
        draw("no records")
    for (name, key), some in by_key.items():
        title = f"{name} ({key.profile}), {key.resolution}x{key.resolution}, on {key.device}, {key.runtime}"
        draw(latency_table(some, title, published))


def _facts(published: Published | None) -> dict[str, Any]:
    """What JSON has of a published network besides its latency."""
    if published is None:
        return {}
    return {"family": published.family, "top1": published.top1, "at": published.at, "flops": published.flops}


def _known(
    names: Sequence[str] | None, profile: str | None, storage: str, export: Path | None, *, as_json: bool
) -> None:
    from nas.ledger import Ledger
    from nas.report.latency import LatencyRow

    with Ledger.read(storage) as ledger:
        records, labels = _wanted(ledger, names, profile, storage)
        if export is not None:
            from nas.measure.exchange import export_records

            export_records(ledger, records, export)
    rows = [LatencyRow(name=labels.get(one.architecture_id, one.architecture_id), record=one) for one in records]
    if export is None or as_json:
        _show(rows, {}, as_json=as_json)
    else:
        from nas.cli.output import draw

        draw(f"{len(rows)} records written to {export}")


def _wanted(
    ledger: Ledger, names: Sequence[str] | None, profile: str | None, storage: str
) -> tuple[list[LatencyRecord], dict[str, str]]:
    """The records, and names of architectures by id."""
    labels: dict[str, str] = {}
    if names:
        from nas.space.references import resolve_architecture

        labels = {resolve_architecture(name, storage).id: name for name in names}
    named: NamedProfile | None = None
    if profile is not None:
        from nas.measure.profile import load_profile

        named = load_profile(profile)
    return ledger.latencies(labels or None, None if named is None else named.id), labels


def _import(file: Path, storage: str, *, as_json: bool) -> None:
    from nas.ledger import Ledger
    from nas.measure.exchange import import_records

    with Ledger.open(storage) as ledger:
        new, total = import_records(ledger, file)
    if as_json:
        from nas.cli.output import print_json

        print_json({"records": total, "new": new})
        return
    from nas.cli.output import draw

    draw(f"{total} records read from {file}, {new} of them new")
