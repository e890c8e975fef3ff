from __future__ import annotations

import json

import pytest

from nas.errors import UnknownNameError
from nas.layers import FAMILIES
from nas.report.grammar import LEAVES, grammar
from nas.schema.fields import field_types
from nas.search.samplers import samplers
from nas.space.keys import WORDS


def test_every_registered_part_is_there_with_all_its_fields() -> None:
    rows = {(row.kind, row.name): [field.name for field in row.fields] for row in grammar()}
    for _, family in FAMILIES:
        for name, cls in family.items():
            assert rows[family.kind, name] == list(field_types(cls))
    assert [name for kind, name in rows if kind == "sampler"] == list(samplers)


def test_every_row_says_what_it_is_and_is_ready_for_json() -> None:
    for row in grammar():
        assert row.about.strip(), row
        json.dumps(row.to_dict(), allow_nan=False)


def test_a_field_has_its_rule_and_default_and_a_part_its_paper() -> None:
    (row,) = [row for row in grammar("mixer") if row.name == "depthwise"]
    assert row.reference is not None
    assert "arXiv:2201.03545" in row.reference
    kernel = row.fields[0]
    assert (kernel.name, kernel.takes, kernel.default) == ("kernel", "a whole number", 7)
    assert "must be odd to keep the resolution" in kernel.rules


def test_every_leaf_form_of_the_reader_is_explained() -> None:
    assert list(LEAVES) == list(WORDS)


def test_an_unknown_kind_proposes_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'mixer'"):
        grammar("mixr")
