"""Renaming, copying and deleting studies: their rows in the ledger, their files, and Optuna's copy together."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from nas.command_line import command_line
from nas.data.atomic import new_file
from nas.errors import StudyError, UserError
from nas.ledger import Ledger
from nas.records import StudyKind
from nas.search.artifacts import weights_folder
from nas.search.definition import StudyDefinition, is_name, require_name
from nas.search.driver import this_process
from nas.search.optuna.copies import delete_copy, rename_copy
from nas.search.optuna.mirror import Mirror
from nas.search.space_domain import SpaceDomain
from nas.search.trials import replayed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What went with a study.

    Attributes:
        study: its name.
        files: of weights and checkpoints.
        bytes: that they took up.
        handed_over: evaluations that other studies use, which are theirs now.
    """

    study: str
    files: int
    bytes: int
    handed_over: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a copy of a study consists of.

    Attributes:
        study: its name.
        trials, evaluations: that it has.
        files: of weights.
        bytes: of them.
    """

    study: str
    trials: int
    evaluations: int
    files: int
    bytes: int


def rename_study(ledger: Ledger, storage: str, old: str, new: str) -> None:
    """Give a study another name, and its folder of weights and checkpoints with it.

    Args:
        ledger: where it is, open for writing.
        storage: address of the ledger.
        old: its name.
        new: its next one.

    Raises:
        StudyError: there is no such study, somebody drives it, or the new name is taken.
        UserError: the new name cannot be a folder's, or its folder cannot be moved.
    """
    require_name(new)
    moves = _Moves()
    with ledger.lease(old, holder=this_process()), moves.undone_on_failure():
        folders = _Folders.of(storage, old, ledger.weights_of(old))
        renamed = _Folders(tuple(folder.with_name(new) for folder in folders.all))
        for folder, there in zip(folders.all, renamed.all, strict=True):
            moves.move(folder, there)
        ledger.rename_study(old, new, relocate=lambda path: str(renamed.find(path) or path))
    rename_copy(storage, old, new)


def delete_study(ledger: Ledger, storage: str, study: str) -> Deleted:
    """Remove a study, with the weights and checkpoints that no other study uses.

    Args:
        ledger: where it is, open for writing.
        storage: address of the ledger.
        study: its name.

    Raises:
        StudyError: there is no such study, or somebody drives it.
    """
    moves = _Moves()
    folders = _Folders.of(storage, study, ledger.weights_of(study))

    @cache  # two rungs of a training have the same file
    def hand_over(path: str, heir: str) -> str | None:
        weights = folders.find(path)
        if weights is None:
            return path
        there = weights.parent.with_name(heir) / weights.name
        if there.exists():
            return None  # the heir has weights of this architecture; an export trains these again
        there.parent.mkdir(parents=True, exist_ok=True)
        moves.move(weights, there)
        return str(there)

    with ledger.lease(study, holder=this_process()), moves.undone_on_failure():
        gone = ledger.delete_study(study, hand_over=hand_over)
    delete_copy(storage, study)
    files, size = folders.remove()
    return Deleted(study=study, files=files, bytes=size, handed_over=gone)


def require_free(other: Ledger, names: Collection[str]) -> None:
    """Refuse to copy anything if one of the studies is in the other ledger already; raises StudyError."""
    taken = {study.name for study in other.studies()} & set(names)
    if taken:
        renaming = command_line("studies", "--rename", min(taken), "NEW", *other.as_option)
        raise StudyError(
            f"the other ledger has a study {min(taken)!r} already; rename that one first ({renaming}), or name "
            "the studies to copy"
        )


def copy_study(
    ledger: Ledger, storage: str, study: str, other: Ledger, url: str, *, watch: Callable[[int, int], None]
) -> Copied:
    """Add a study to another ledger as well, with the weights that it keeps.

    Args:
        ledger: where it is.
        storage: address of that one.
        study: its name in both.
        other: where to, open for writing.
        url: address of that one.
        watch: told how many trials are copied, of how many.

    Raises:
        StudyError: there is no such study, or the other ledger has one of this name.
        UserError: the weights cannot be written.
    """
    record = ledger.study(study)
    folder, weights = weights_folder(url, study).folder, ledger.weights_of(study)
    sources = {path: _source(storage, Path(path)) for path in weights}
    files = {path: folder / source.name for path, source in sources.items() if source.is_file()}
    try:
        rows = ledger.copy_study(
            study, other, relocate=lambda path: str(files[path]) if path in files else None, watch=watch
        )
        for path, there in files.items():
            with new_file(there) as temporary:
                shutil.copyfile(sources[path], temporary)
    except OSError as error:
        raise UserError(
            f"{folder}: the weights cannot be written there: {error.strerror or error}; the study is in the other "
            "ledger without them, and an export trains again what it needs"
        ) from None
    if record.kind is StudyKind.SEARCH:
        copy_for_optuna(other, url, study, StudyDefinition.from_dict(record.definition))
    size = sum(there.stat().st_size for there in files.values())
    return Copied(study=study, trials=rows.trials, evaluations=rows.evaluations, files=len(files), bytes=size)


def _source(storage: str, weights: Path) -> Path:
    """Weights beside the ledger, wherever it was moved to, in the folder of the study that made them; else as known."""
    maker = weights.parent.name
    beside = weights_folder(storage, maker).folder / weights.name if is_name(maker) else weights
    return beside if beside.is_file() else weights


def copy_for_optuna(ledger: Ledger, url: str, study: str, definition: StudyDefinition) -> None:
    """Copy the whole of a study into Optuna's tables at `url`."""
    domain = SpaceDomain(definition.space, definition.budget, definition.task)
    mirror = Mirror(
        url,
        study,
        domain.dimensions,
        definition.objectives,
        ledger=ledger,
        about=definition.to_dict(),
        notify=ledger.notify,
    )
    for _, climbed in replayed(ledger, study, definition.problem().proxy):
        for step in climbed:
            mirror.note(step)
    mirror.copy()
    mirror.close()


@dataclass(frozen=True)
class _Folders:
    """Where a study has its weights and checkpoints.

    Beside a SQLite ledger that is one folder, wherever the ledger was moved to: paths that it knows from before, or
    from a file that was copied, are not its own. Drivers of a server's study leave weights where they run, in folders
    of the same name as the one here; another folder that rows of a shared server name is nobody's to remove.
    """

    all: tuple[Path, ...]

    @classmethod
    def of(cls, storage: str, study: str, weights: Iterable[str]) -> Self:
        """Those of a study with these weights."""
        if not is_name(study):  # somebody else has written it, and no driver of ours has made folders for it
            return cls(())
        here = weights_folder(storage, study).folder
        found = {here}
        if not storage.startswith("sqlite"):
            folders = {path.parent for path in map(Path, weights) if path.is_absolute()}
            found |= {folder for folder in folders if folder.parts[-2:] == here.parts[-2:]}
        return cls(tuple(sorted(found)))

    def find(self, weights: str) -> Path | None:
        """The file of weights that the ledger knows by this path; None where there is none of the study's own."""
        name = Path(weights).name
        return next((folder / name for folder in self.all if (folder / name).is_file()), None)

    def remove(self) -> tuple[int, int]:
        """Remove them; how many files that were, and their bytes."""
        sizes = [path.stat().st_size for folder in self.all for path in folder.rglob("*") if path.is_file()]
        for folder in self.all:
            shutil.rmtree(folder, ignore_errors=True)
        return len(sizes), sum(sizes)


class _Moves:
    """Files and folders that were moved and can be moved back."""

    def __init__(self) -> None:
        self._done: dict[Path, Path] = {}

    def move(self, path: Path, target: Path) -> None:
        """Move a file or a folder, if it is there; raises UserError where that cannot be."""
        if not path.exists():
            return
        try:
            path.rename(target)
        except OSError as error:
            raise UserError(f"{path} cannot be moved to {target}: {error.strerror or error}") from None
        self._done[path] = target

    @contextmanager
    def undone_on_failure(self) -> Iterator[None]:
        """Move everything back if the block does not end well."""
        try:
            yield
        except BaseException:
            for path, target in self._done.items():
                target.rename(path)
            raise
