"""Where the weights of trained candidates are kept, and which of them are kept."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from nas.errors import UserError

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

    def path(self, architecture: str) -> str:
        """The file of an architecture, absolute."""
        return str((self.folder / f"{architecture}{_SUFFIX}").resolve())

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
    """The folder of a study: beside a SQLite ledger, or in the working directory for a server."""
    prefix = "sqlite:///"
    beside = Path(storage.removeprefix(prefix)) if storage.startswith(prefix) else Path("nas.db")
    return WeightsFolder(beside.with_name(f"{beside.name}.weights") / study)
