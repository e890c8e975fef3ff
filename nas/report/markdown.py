"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a table; a head that begins with '>' aligns its column to the right.

    >>> grid(["name", ">size"], [("a", "1")])
    ['| name | size |', '|---|---:|', '| a | 1 |']
    """
    marks = ("---:" if head.startswith(">") else "---" for head in heads)
    named = (head.removeprefix(">") for head in heads)
    return [f"| {' | '.join(named)} |", f"|{'|'.join(marks)}|", *(f"| {' | '.join(row)} |" for row in rows)]
