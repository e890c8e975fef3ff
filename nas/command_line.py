"""Commands that messages propose, such that one can paste them into a shell whatever is in the names."""

from __future__ import annotations

import shlex
from collections.abc import Sequence


def command_line(*words: str, arguments: Sequence[str] = ()) -> str:
    """A command of ours: its name, options with their values, and its arguments last.

    >>> command_line("pareto", "--all", arguments=["my study"])
    "nas pareto --all 'my study'"
    >>> command_line("compare", arguments=["-x.yaml"])
    'nas compare -- -x.yaml'
    """
    ends = ["--"] if any(one.startswith("-") for one in arguments) else []
    return " ".join(map(_quoted, ["nas", *words, *ends, *arguments]))


def _quoted(word: str) -> str:
    """A word as a shell reads it back; what a terminal would not show, such as a tab, as bash and zsh escape it."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(character: str) -> str:
    if character.isprintable() and character not in "\\'":
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode(errors="surrogateescape"))
