"""What every registered data set must do, so that a new one is tested before its author writes a test."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from nas.data import DataSet, Source, datasets, describe, load_data, open_source
from nas.data.images import PixelReader
from nas.errors import DataError

SIDE = 8


class Example(NamedTuple):
    reference: str
    folder: Path
    cache: Path
    data: DataSet

    @property
    def source(self) -> Source:
        return open_source(self.reference)


@pytest.fixture(scope="module", params=datasets)
def example(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("source")
    cache = tmp_path_factory.mktemp("cache")
    reference = datasets[request.param].example(folder)
    assert reference.startswith(request.param)
    yield Example(reference, folder, cache, load_data(reference, resolution=SIDE, cache=cache))
    shutil.rmtree(folder)


def test_the_canonical_reference_names_the_same_source(example: Example) -> None:
    known = describe(example.reference, cache=example.cache)
    assert open_source(known.reference) == example.source
    assert open_source(known.reference).reference == known.reference


def test_the_description_agrees_with_the_data(example: Example) -> None:
    known, data = describe(example.reference, cache=example.cache), example.data
    assert (known.train, known.validation, known.test) == tuple(map(len, (data.train, data.validation, data.test)))
    assert (known.classes, known.flippable, known.findings) == (data.classes, data.flippable, data.findings)
    assert known.fingerprint == data.fingerprint
    assert known.task(SIDE) == data.task


def test_splits_are_whole(example: Example) -> None:
    data = example.data
    for split in (data.train, data.validation, data.test):
        assert split.images.shape == (len(split), data.channels, SIDE, SIDE)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
        assert len(split) > 0
        assert set(split.labels.tolist()) <= set(range(len(data.classes)))
    assert set(data.train.labels.tolist()) == set(range(len(data.classes)))


def test_the_catalog_is_the_same_every_time(example: Example, tmp_path: Path) -> None:
    first, second = (example.source.catalog(cache, lambda done, total: None) for cache in (example.cache, tmp_path))
    assert (first.names, first.fingerprint) == (second.names, second.fingerprint)
    assert len(set(first.names)) == len(first.names) == sum(first.counts)


def test_images_are_given_by_name_in_any_order(example: Example) -> None:
    catalog = example.source.catalog(example.cache, lambda done, total: None)
    read = PixelReader(example.source.opener(), side=SIDE, channels=catalog.channels)
    drawn = np.random.default_rng(0).permutation(catalog.counts[0])[:10]
    for index, images in zip(drawn, example.data.train.read([drawn[[row]] for row in range(len(drawn))]), strict=True):
        np.testing.assert_array_equal(read(catalog.names[index]), images[0])


def test_a_second_look_reads_no_image(example: Example) -> None:
    calls: list[int] = []
    again = describe(example.reference, cache=example.cache, progress=lambda done, total: calls.append(done))
    assert again == describe(example.reference, cache=example.cache)
    assert not calls


def test_an_unknown_option_is_refused(example: Example) -> None:
    mark = "&" if "?" in example.reference else "?"
    with pytest.raises(DataError, match="unknown option 'moon'"):
        open_source(f"{example.reference}{mark}moon=full")
