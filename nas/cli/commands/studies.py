"""`nas studies`."""

from __future__ import annotations

from dataclasses import asdict

from nas.cli.options import Json, Storage
from nas.ledger.address import DEFAULT_STORAGE


def run(storage: Storage = DEFAULT_STORAGE, as_json: Json = False) -> None:
    """List the studies of the ledger, the latest first."""
    from nas.ledger import Ledger

    with Ledger.read(storage) as ledger:
        found = ledger.studies()
    if as_json:
        from nas.cli.output import print_json

        print_json([asdict(study) for study in found])
        return
    from nas.cli.output import draw
    from nas.cli.tables import studies_table

    draw(studies_table(found) if found else "no studies yet; `nas search` begins one")
