"""Where the weights of trained candidates are kept, and which of them are kept."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nas.errors import UserError
from nas.ledger.address import file_name
from nas.search.definition import require_name

_CHECKPOINTS = "checkpoints"
_SUFFIX = ".safetensors"


@dataclass(frozen=True, slots=True)
class WeightsFolder:
    """A folder with one file an architecture; only those on the front are kept, the rest would fill the disk."""

    folder: Path

    def make(self) -> None:
        """Make the folder; raises UserError where that cannot be."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(f"{self.folder}: no folder for weights can be made here: {error.strerror}") from None

    def path(self, architecture_id: str) -> str:
        """The file of an architecture, absolute."""
        return str((self.folder / f"{architecture_id}{_SUFFIX}").resolve())

    def remove(self, architectures: Collection[str]) -> list[str]:
        """Remove the files of architectures that are not to be kept; returns whose there were.

        Files of other architectures are left alone: their training may be about to be recorded.
        """
        removed = []
        for architecture in sorted(architectures):
            with suppress(FileNotFoundError):
                Path(self.path(architecture)).unlink()
                removed.append(architecture)
        return removed


def weights_folder(storage: str, study: str) -> WeightsFolder:
    """The folder of a study: beside a SQLite ledger, or in the working directory for a server's; absolute.

    It has the name of the study, in one that has the name of the ledger, so that no other ledger's study has it too.
    Workers on other machines use it by the same path, so there it has to be on a disk that all of them share. Where it
    is not, weights are lost with the machine that has them (an export trains again).

    Raises:
        UserError: the name cannot be a folder's; a ledger that somebody else has written may hold any.
    """
    require_name(study)
    prefix = "sqlite:///"
    beside = Path(storage.removeprefix(prefix) if storage.startswith(prefix) else file_name(storage))
    return WeightsFolder(beside.absolute().with_name(f"{file_name(storage)}.weights") / study)


def checkpoints_place(given: str | None, storage: str, study: str) -> str:
    """Where a study's trainings are put aside: a place of its own, for what is left there at the end is removed.

    Args:
        given: folder or URL in which the study has a folder of its name; None for the folder of its weights.
        storage: address of the ledger.
        study: its name.

    Raises:
        UserError: the name cannot be a folder's.
    """
    require_name(study)
    if given is None:
        return str(weights_folder(storage, study).folder / _CHECKPOINTS)
    below = f"{given.rstrip('/')}/{study}"
    return below if "://" in below else str(Path(below).absolute())
