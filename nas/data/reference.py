"""How users name a data set: `NAME` or `NAME:ARGUMENT`, and options behind a question mark, as in a URL.

`folder:PATH?corrupt=skip&seed=1`. A path with a '?' of its own is written with another one at its end. Options are
fields of a source's dataclass that know how to read what a user writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Self, TypeVar
from urllib.parse import parse_qsl, quote, urlencode

from nas.errors import DataError
from nas.registry import did_you_mean

T = TypeVar("T")

_READER = "nas option"


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
        return cls(name, argument, _pairs(text, query))

    def __str__(self) -> str:
        """The reference as a user would write it; `parse` gives it back."""
        place = f"{self.name}:{self.argument}" if self.argument else self.name
        query = urlencode(self.options, quote_via=quote)
        return f"{place}?{query}" if query or "?" in place else place


def _pairs(text: str, query: str) -> dict[str, str]:
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


def option(default: T, read: Callable[[str], T]) -> Any:
    """A keyword-only field that a reference can set.

    Args:
        default: its value where the reference says nothing; then it is left out of the canonical reference, too.
        read: from text to value; raises ValueError that says what the option takes.
    """
    return field(default=default, kw_only=True, metadata={_READER: read})


def read_options(cls: type[Any], reference: Reference) -> dict[str, Any]:
    """The values of the options that a reference gives, by field.

    Raises:
        DataError: an option that `cls` does not have, or a value it cannot take.
    """
    known = {one.name: one.metadata[_READER] for one in _options(cls)}
    values = {}
    for name, text in reference.options.items():
        if name not in known:
            advice = did_you_mean(name, known) if known else f"{reference.name} takes none"
            raise DataError(f"{reference}: unknown option {name!r}; {advice}")
        try:
            values[name] = known[name](text)
        except ValueError as error:
            raise DataError(f"{reference}: {name} takes {error}, not {text!r}") from None
    return values


def written_options(source: Any) -> dict[str, str]:
    """The options of a source that are not at their defaults, as a reference has them."""
    return {
        one.name: _written(getattr(source, one.name))
        for one in _options(type(source))
        if getattr(source, one.name) != one.default
    }


def share(text: str) -> float:
    """A share of the images, 0 < share < 1."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1:
        raise ValueError("a share between 0 and 1, such as 0.1")
    return value


def natural(text: str) -> int:
    """A number such as a seed."""
    if not (text.isascii() and text.isdigit()):
        raise ValueError("a whole number from 0 on")
    return int(text)


def word(text: str) -> str:
    """A name, such as a column's."""
    if not text:
        raise ValueError("a name")
    return text


def yes_or_no(text: str) -> bool:
    """A switch."""
    return one_of("yes", "no")(text) == "yes"


def colour(text: str) -> str:
    """A colour that is not transparent itself."""
    from PIL import ImageColor

    try:
        is_opaque = len(ImageColor.getrgb(text)) == 3
    except ValueError:
        is_opaque = False
    if not is_opaque:
        raise ValueError("a colour, such as 'white' or '#ff8000'")
    return text


def one_of(*words: str) -> Callable[[str], str]:
    """A reader that takes one of a few words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(" or ".join(map(repr, words)))
        return text

    return read


def _options(cls: type[Any]) -> list[Field[Any]]:
    return [one for one in fields(cls) if _READER in one.metadata]


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
