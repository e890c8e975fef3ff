"""Images made ready before anybody waits for them, with what is unusual about them said on stderr."""

from __future__ import annotations

from nas.cli.live import StepDisplay
from nas.cli.output import aside, strong
from nas.data import DataSet, describe, load_data


def decode_images(reference: str, resolution: int, *, expected: str | None = None) -> DataSet:
    """Decode a data set into the cache, once for all workers, with progress.

    Raises:
        DataError: the images cannot be read, or are not the ones that were expected.
    """
    with StepDisplay("decoding the images") as decoding:
        # The source is looked at even where the cache has its images: it may have changed, and findings are about it.
        found = describe(reference, progress=decoding.count, expected=expected)
        data = load_data(found.reference, resolution=resolution, progress=decoding.count, expected=found.fingerprint)
    for sentence in found.findings.sentences():
        aside().print(strong("note:", "yellow") + f" {sentence}", soft_wrap=True)
    if data.train.is_streamed:
        aside().print(
            strong("note:", "yellow")
            + " the images do not fit in the cache and are decoded again whenever they are read; "
            "`nas cache --limit` says how much room it has",
            soft_wrap=True,
        )
    return data
