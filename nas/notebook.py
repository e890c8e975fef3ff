"""What a notebook shows of a value: a heading, some facts, a table. HTML without a style of its own."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def heading(name: str, about: str = "") -> str:
    """A name in bold, and a sentence about it."""
    return f"<p><b>{html.escape(name)}</b>{' ' if about else ''}{html.escape(about)}</p>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, most: int | None = None) -> str:
    """A table of texts, of which at most so many rows are shown; the others are counted below it.

    Args:
        head: names of the columns; empty for a table of facts.
        rows: the cells.
        most: rows to show; None for all.
    """
    shown = [[html.escape(cell) for cell in row] for row in rows]
    left = 0 if most is None else len(shown) - most
    top = "".join(f"<th>{html.escape(one)}</th>" for one in head)
    top = f"<thead><tr>{top}</tr></thead>" if top else ""
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in shown[:most])
    rest = f"<p>... and {left} more</p>" if left > 0 else ""
    return f"<table>{top}<tbody>{body}</tbody></table>{rest}"


def in_words(form: Any) -> str:
    """A part's canonical form in one line.

    >>> in_words({"kind": "depthwise", "kernel": [7, 3]})
    'depthwise(kernel=[7, 3])'
    """
    if isinstance(form, Mapping):
        inner = ", ".join(f"{name}={in_words(value)}" for name, value in form.items() if name != "kind")
        kind = str(form.get("kind", ""))
        return f"{kind}({inner})" if inner else kind
    if isinstance(form, list | tuple):
        return f"[{', '.join(map(in_words, form))}]"
    return str(form)
