"""`nas presets`."""

from __future__ import annotations

from nas.cli.options import Json


def run(as_json: Json = False) -> None:
    """List the published networks that can be named wherever an architecture is asked for."""
    from nas.cli.output import print_json
    from nas.schema.packaged import preset_names

    names = preset_names()
    if as_json:
        print_json(names)
        return
    from nas.cli.output import console

    out = console()
    for name in names:
        out.print(name)
