"""Which code a process runs: results of different code must not meet in one study unnoticed."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import nas
from nas.errors import UserError

_DIGITS = 12


@cache
def code_version() -> str:
    """The package's version and a hash of its source files, as they were when this was first asked: '0.1.0+3f2a…'."""
    return f"{nas.__version__}+{source_hash(Path(nas.__file__).parent)}"


def other_code(worker: str, theirs: str, ours: str) -> UserError:
    """What is said of a worker that runs another version than this program."""
    return UserError(
        f"the worker {worker} has nas {theirs}, this program {ours}; results of different code must not meet in one "
        "study: install the same code on every node, and do not change it while a study runs"
    )


def source_hash(folder: Path) -> str:
    """Twelve hexadecimal digits that differ where a Python file below `folder` has another name or content."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        for part in (path.relative_to(folder).as_posix().encode(), path.read_bytes()):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:_DIGITS]
