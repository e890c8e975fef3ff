"""Images made ready before anybody waits for them, with what is unusual about them said on stderr."""

from __future__ import annotations

from nas.cli.live import StepDisplay
from nas.cli.output import aside, strong
from nas.data import DataSet
from nas.search.images import decode_images


def ready_images(reference: str, resolution: int, *, expected: str | None = None) -> DataSet:
    """`decode_images`, with its progress and its notes on stderr."""
    notes: list[str] = []
    with StepDisplay("decoding the images") as display:
        data = decode_images(reference, resolution, expected=expected, progress=display.count, note=notes.append)
    for sentence in notes:
        aside().print(strong("note:", "yellow") + f" {sentence}", soft_wrap=True)
    return data
