"""How users name a data set: `NAME` or `NAME:ARGUMENT`, and options behind a question mark, as in a URL.

`folder:PATH?corrupt=skip&seed=1`. A path with a '?' of its own is written with another one at its end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, quote, urlencode

from nas.errors import DataError


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference in its parts.

    Attributes:
        name: of a registered data set.
        argument: what follows the colon, as a rule a path; '' if nothing does.
        options: what follows the question mark, as it is written.
    """

    name: str
    argument: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a reference; raises DataError where the options cannot be read."""
        place, mark, query = text.rpartition("?")
        if not mark:
            place, query = text, ""
        name, _, argument = place.partition(":")
        return cls(name, argument, _options(text, query))

    def __str__(self) -> str:
        """The reference as a user would write it; `parse` gives it back."""
        place = f"{self.name}:{self.argument}" if self.argument else self.name
        query = urlencode(self.options, quote_via=quote)
        return f"{place}?{query}" if query or "?" in place else place


def _options(text: str, query: str) -> dict[str, str]:
    if not query:
        return {}
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    except ValueError:
        raise DataError(
            f"{text}: cannot read the options {query!r}; write them like '?corrupt=skip&seed=1' (and a path that has a "
            "'?' with another one at its end)"
        ) from None
    options = dict(pairs)
    if len(options) < len(pairs):
        raise DataError(f"{text}: an option is given twice; leave one of them out")
    return options
