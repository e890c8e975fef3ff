"""Problems of a file, collected while reading on, shown together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
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


_MOST_SHOWN = 20  # problems of a file; whoever has more has another kind of file


class SchemaError(UserError):
    """A file has problems; the message lists the first ones with line, caret and advice, and counts the others.

    Attributes:
        problems: what is wrong, in the order of the file, the first ones.
    """

    def __init__(self, source: Source, problems: Sequence[Problem], *, more: int = 0) -> None:
        """Say what is wrong with `source`, where `more` problems follow those that are given."""
        self.problems = tuple(sorted(set(problems)))
        shown = [source.show(problem) for problem in self.problems]
        if more:
            shown.append(f"{source.name}: and {more:,} more problems")
        super().__init__("\n".join(shown))


@dataclass(frozen=True)
class Source:
    """The text of a file and the name it is reported under."""

    name: str
    text: str

    @cached_property
    def lines(self) -> list[str]:
        """Those of the text."""
        return self.text.splitlines()

    def show(self, problem: Problem) -> str:
        """`file:line:column: message`, then the offending line with a caret under the column."""
        (number, column), message = problem
        head = f"{self.name}:{number}:{column}: {message}"
        if not 1 <= number <= len(self.lines):
            return head
        line, caret = _clipped(self.lines[number - 1].replace("\t", " "), column - 1)
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
        self._found: list[tuple[Mark, str | Callable[[], str]]] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, mark: Mark, message: str | Callable[[], str]) -> None:
        """Note a problem and go on; a message that takes a while to find is only asked for where it is shown."""
        self._found.append((mark, message))

    def check(self) -> None:
        """Raise SchemaError if anything was found."""
        if not self._found:
            return
        first: dict[Problem, None] = {}
        same = 0
        for mark, message in sorted(self._found, key=lambda one: one[0]):
            if len(first) == _MOST_SHOWN:
                break
            problem = Problem(mark, message if isinstance(message, str) else message())
            same += problem in first
            first[problem] = None
        raise SchemaError(self.source, list(first), more=len(self._found) - len(first) - same)
