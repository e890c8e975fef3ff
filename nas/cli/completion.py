"""What a shell proposes when half a word is typed: names of presets, spaces, recipes and studies.

A shell asks on every key, so nothing here imports more than the standard library before it has to.
"""

from __future__ import annotations

from contextlib import suppress


def spaces(incomplete: str) -> list[str]:
    """Packaged spaces; files are proposed by the shell itself."""
    from nas.schema.packaged import space_names

    return _beginning(incomplete, space_names())


def architectures(incomplete: str) -> list[str]:
    """Presets."""
    from nas.schema.packaged import preset_names

    return _beginning(incomplete, preset_names())


def recipes(incomplete: str) -> list[str]:
    """Packaged recipes."""
    from nas.train import recipe_names

    return _beginning(incomplete, recipe_names())


def studies(incomplete: str) -> list[str]:
    """Studies of the ledger in the working directory; none where there is no ledger that can be read."""
    from nas.errors import NasError
    from nas.ledger import Ledger
    from nas.ledger.address import DEFAULT_STORAGE

    with suppress(NasError), Ledger.read(DEFAULT_STORAGE, patience=0) as ledger:
        return _beginning(incomplete, [study.name for study in ledger.studies()])
    return []


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
