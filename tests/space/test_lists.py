"""Fields that take a list of parts, in spaces, and how they are told from lists with an entry a stage."""

import pytest

from nas.architecture.text import to_yaml
from nas.schema.nodes import parse_yaml
from nas.schema.problems import SchemaError
from nas.space import SearchSpace
from nas.space.load import read_space

TEXT = """
stem:
  kind: layers
  layers:
    - {kind: conv, kernel: 3, stride: 2, ratio: {choice: [0.5, 1]}}
    - {choice: [relu, gelu]}
    - {kind: conv, kernel: 3, stride: 2}
stages:
  depth: [1, 2, 1]
  width: [16, 24, 32]
  block:
    kind: metaformer
    mixer:
      kind: parallel
      join: {choice: [sum, product]}
      branches:
        - [{kind: depthwise, kernel: [7, 5, 3], columns: {choice: [null, 1], per: stage}}, batchnorm]
        - []
    ffn: {choice: [null, {kind: chain, layers: [{kind: conv, ratio: {choice: [2, 4], per: stage}}, gelu, conv]}]}
  downsample: [null, conv, conv]
head: {kind: layers, layers: [pool, {kind: conv, ratio: {choice: [1, 2]}}, gelu]}
"""


def space(text: str = TEXT) -> SearchSpace:
    return read_space(*parse_yaml(text, "lists.yaml"))


def test_decisions_in_lists_are_named_by_their_place_and_counted() -> None:
    found = space()
    names = set(found.dimensions())
    assert "stem.layers.0.ratio" in names
    assert "stages.1.block.mixer.branches.0.0.columns" in names
    assert found.size() == 2 * 2 * 2 * 2**3 * (1 + 2**3) * 2


def test_a_list_of_parts_is_one_value_and_a_list_inside_it_has_an_entry_a_stage() -> None:
    for architecture in space().sample(20, None, seed=0):
        kernels = [stage.blocks[0].mixer.branches[0][0].kernel for stage in architecture.stages]
        assert kernels == [7, 5, 3]


@pytest.mark.slow
def test_drawn_points_are_found_again_and_read_back() -> None:
    found = space()
    for architecture in found.sample(30, None, seed=1):
        assert found.contains(architecture)
        assert read_space(*parse_yaml(to_yaml(architecture), "point.yaml")).sample(1, None, seed=0)[0] == architecture


@pytest.mark.parametrize(
    ("part", "broken", "says"),
    [
        ("[pool, ", "[", "the layers of a head hold 'pool' once"),
        ("[relu, gelu]", "[relu, glu]", "unknown layer of a sequence 'glu'"),
        ("- []", "- batchnorm", "must be a list"),
        ("layers: [pool, {kind: conv, ratio: {choice: [1, 2]}}, gelu]", "layers: pool", "must be a list"),
        ("{kind: conv, kernel: 3, stride: 2}", "{kind: conv, kernel: 3, stride: 2, width: 8}",
         "must put out 16 channels"),
        ("gelu, conv]}]}", "gelu]}]}", "must keep 16 channels and the map, but 32 channels come out"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_list_is_told(part: str, broken: str, says: str) -> None:
    with pytest.raises(SchemaError, match=says.replace("[", r"\[")):
        space(TEXT.replace(part, broken))
