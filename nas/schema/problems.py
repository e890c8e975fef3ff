"""Problems of a file, collected while reading on, shown together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from nas.errors import UserError


class Mark(NamedTuple):
    """A place in a file, counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing that is wrong, and where."""

    mark: Mark
    message: str


class SchemaError(UserError):
    """A file has problems; the message lists all of them with line, caret and advice.

    Attributes:
        problems: what is wrong, in the order of the file.
    """

    def __init__(self, source: Source, problems: Sequence[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(source.show(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a file and the name it is reported under."""

    name: str
    text: str

    def show(self, problem: Problem) -> str:
        """`file:line:column: message`, then the offending line with a caret under the column."""
        lines = self.text.splitlines()
        (number, column), message = problem
        head = f"{self.name}:{number}:{column}: {message}"
        if not 1 <= number <= len(lines):
            return head
        line, caret = _clipped(lines[number - 1].replace("\t", " "), column - 1)
        return f"{head}\n    {line}\n    {' ' * caret}^"


_SHOWN = 120  # columns of the offending line


def _clipped(line: str, caret: int) -> tuple[str, int]:
    """What is shown of a line that may be very long, and where the caret stands in that."""
    start = max(0, caret - _SHOWN // 2) if len(line) > _SHOWN else 0
    shown = f"{'…' if start else ''}{line[start : start + _SHOWN]}{'…' if start + _SHOWN < len(line) else ''}"
    return shown, caret - start + (1 if start else 0)


class Problems:
    """A collector: readers add to it and go on; `check` raises once with everything."""

    def __init__(self, source: Source) -> None:
        """Start with no problem in `source`."""
        self.source = source
        self._found: list[Problem] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, mark: Mark, message: str) -> None:
        """Note a problem and go on."""
        self._found.append(Problem(mark, message))

    def check(self) -> None:
        """Raise SchemaError if anything was found."""
        if self._found:
            raise SchemaError(self.source, self._found)
