"""`nas studies`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from nas.cli.options import Json, Storage
from nas.ledger.address import DEFAULT_STORAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nas.ledger import Ledger, StudySummary


def run(
    studies: Annotated[
        list[str] | None, typer.Argument(help="Names of studies to list or to copy; default: all.", show_default=False)
    ] = None,
    rename: Annotated[
        tuple[str, str] | None, typer.Option("--rename", metavar="OLD NEW", help="Give a study another name.")
    ] = None,
    copy_to: Annotated[
        str | None,
        typer.Option(
            "--copy-to",
            metavar="URL",
            help="Copy the studies, with their weights, into another ledger, as of --storage.",
        ),
    ] = None,
    delete: Annotated[
        str | None,
        typer.Option(
            "--delete", metavar="NAME", help="Delete a study, with weights and checkpoints that no other study uses."
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    storage: Storage = DEFAULT_STORAGE,
    as_json: Json = False,
) -> None:
    """List the studies of the ledger, the latest first; rename, copy or delete one.

    A study that somebody is running is neither renamed nor deleted. What other studies took over from a deleted one
    (evaluations, weights) stays, as theirs.
    """
    from nas.errors import UserError

    if sum(one is not None for one in (rename, copy_to, delete)) > 1:
        raise UserError("--rename, --copy-to and --delete are done one at a time; give one of them")
    if yes and delete is None:
        raise UserError("--yes says that a study may be deleted; name it with --delete")
    if studies and (rename or delete):
        raise UserError(
            f"{'--rename' if rename else '--delete'} names its study itself; leave out {', '.join(studies)}"
        )
    if rename is not None:
        _rename(*rename, storage, as_json=as_json)
    elif delete is not None:
        _delete(delete, storage, is_agreed=yes, as_json=as_json)
    elif copy_to is not None:
        _copy(studies or [], storage, copy_to, as_json=as_json)
    else:
        _list(studies or [], storage, as_json=as_json)


def _list(names: Sequence[str], storage: str, *, as_json: bool) -> None:
    from nas.cli.output import notice
    from nas.command_line import command_line
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        found = _summaries(ledger, names)
        for study in found:
            if study.problem:
                deleting = command_line("studies", "--delete", study.name, *ledger.as_option)
                notice(f"{study.name} is damaged: {study.problem}; restore the ledger from a copy, or: {deleting}")
    if as_json:
        from nas.cli.output import print_json

        print_json([asdict(study) for study in found])
        return
    from nas.cli.output import draw
    from nas.cli.tables import studies_table

    draw(studies_table(found) if found else "no studies yet; `nas search` begins one")


def _summaries(ledger: Ledger, names: Sequence[str]) -> list[StudySummary]:
    """The studies of these names, or all; raises StudyError for an unknown one."""
    found = ledger.studies()
    for name in set(names).difference(study.name for study in found):
        ledger.study(name)
    return [study for study in found if not names or study.name in names]


def _rename(old: str, new: str, storage: str, *, as_json: bool) -> None:
    from nas.cli.output import draw, notice, print_json
    from nas.ledger import Ledger
    from nas.search.manage import rename_study

    with Ledger.open(storage, create=False, notify=notice) as ledger:
        rename_study(ledger, storage, old, new)
    if as_json:
        print_json({"study": new, "was": old})
    else:
        draw(f"{old} is now {new}")


def _delete(name: str, storage: str, *, is_agreed: bool, as_json: bool) -> None:
    from nas.cli.output import draw, notice, print_json
    from nas.ledger import Ledger
    from nas.search.manage import delete_study
    from nas.units import format_bytes, plural

    with Ledger.open(storage, create=False, notify=notice) as ledger:
        if not is_agreed:
            _ask(ledger, name)
        gone = delete_study(ledger, storage, name)
    if as_json:
        print_json(asdict(gone))
        return
    kept = f"; {plural(gone.handed_over, 'evaluation')} that other studies use stay" if gone.handed_over else ""
    draw(f"{name} is deleted, and {plural(gone.files, 'file')} with it: {format_bytes(gone.bytes)} made free{kept}")


def _ask(ledger: Ledger, name: str) -> None:
    """Let somebody at the terminal agree; raises UserError if there is nobody, or they do not."""
    import sys

    from nas.errors import UserError
    from nas.units import plural

    (found,) = _summaries(ledger, [name])
    if not sys.stdin.isatty():
        raise UserError(f"nobody is here to be asked whether {name!r} may be deleted; say --yes")
    trials = plural(sum(found.counts.values()), "trial")
    asked = f"Delete study {name!r}, which {found.purpose} ({trials}, since {found.created[:10]})?"
    if not typer.confirm(asked, err=True):
        raise UserError("nothing was deleted")


def _copy(names: Sequence[str], storage: str, url: str, *, as_json: bool) -> None:
    from nas.cli.live import StepDisplay
    from nas.cli.output import draw, notice, print_json
    from nas.ledger import Ledger, redacted
    from nas.search.manage import copy_study, require_free
    from nas.units import format_bytes, plural

    with Ledger.read(storage, notify=notice) as ledger, Ledger.open(url, notify=notice) as other:
        chosen = [ledger.study(name).name for name in names or [study.name for study in ledger.studies()]]
        require_free(other, chosen)
        done = []
        for name in chosen:
            with StepDisplay(f"copying {name}") as display:
                done.append(copy_study(ledger, storage, name, other, url, watch=display.count))
    if as_json:
        print_json({"to": redacted(url), "studies": [asdict(one) for one in done]})
        return
    for one in done:
        weights = f", {plural(one.files, 'file')} of weights ({format_bytes(one.bytes)})" if one.files else ""
        draw(f"{one.study}: {plural(one.trials, 'trial')}, {plural(one.evaluations, 'evaluation')}{weights}")
