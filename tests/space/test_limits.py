"""Limits and conditions of the space language."""

from pathlib import Path

import pytest

from nas.schema.problems import SchemaError
from nas.space import SearchSpace, load_space
from nas.space.askers import following

TEXT = """
task: {{resolution: 64}}
stem: {{kind: patchify, patch: 4}}
stages:
  depth: [1, 1, 1]
  width: {width}
  block:
    kind: mixer_first
    mixer: {mixer}
  downsample: {{kind: conv, kernel: 2}}
head: pool_norm_linear
"""


def space(path: Path, *, mixer: str = "{kind: depthwise}", width: str = "[8, 16, 32]") -> SearchSpace:
    file = path / "space.yaml"
    file.write_text(TEXT.format(mixer=mixer, width=width))
    return load_space(file)


def test_a_limit_in_maps_differs_from_stage_to_stage(tmp_path: Path) -> None:
    mixer = "{kind: depthwise, kernel: {choice: [3, 7, 13, 31], per: stage, at_most: 2 maps}}"
    found = space(tmp_path, mixer=mixer).dimensions()
    assert {name: list(one.values) for name, one in found.items()} == {
        "stages.0.block.mixer.kernel": [3, 7, 13, 31],
        "stages.1.block.mixer.kernel": [3, 7, 13],
        "stages.2.block.mixer.kernel": [3, 7],
    }


def test_a_shared_choice_obeys_the_smallest_map(tmp_path: Path) -> None:
    mixer = "{kind: depthwise, kernel: {int: [3, 31], step: 2, at_most: 1 map}}"
    [found] = space(tmp_path, mixer=mixer).dimensions().values()
    assert list(found.values) == [3]


def test_a_limit_that_leaves_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"nothing is left at or below 2 in stage 1, whose map is 16x16"):
        space(tmp_path, mixer="{kind: depthwise, kernel: {choice: [3, 5], at_most: 0.5 maps}}")


def test_a_limit_may_be_a_number(tmp_path: Path) -> None:
    mixer = "{kind: depthwise, kernel: {choice: [3, 5, 7, 9], at_most: 7}}"
    [found] = space(tmp_path, mixer=mixer).dimensions().values()
    assert list(found.values) == [3, 5, 7]


@pytest.mark.parametrize("limit", ["many", "-1", "[3]"])
def test_a_limit_that_cannot_be_read_is_named(tmp_path: Path, limit: str) -> None:
    with pytest.raises(SchemaError, match="at_most takes a number or '2 maps'"):
        space(tmp_path, mixer=f"{{kind: depthwise, kernel: {{choice: [3, 5], at_most: {limit}}}}}")


def test_both_branches_of_a_condition_may_ask(tmp_path: Path) -> None:
    mixer = (
        "{kind: large_kernel, kernel: {choice: [3, 13]}, "
        "small: {when: {kernel: '>= 7'}, then: {choice: [null, 3, 5]}, else: {choice: [null, 3]}}}"
    )
    found = space(tmp_path, mixer=mixer)
    names = [name.partition("mixer.")[2] for name in found.dimensions()]
    assert sorted(set(names)) == ["kernel", "small", "small.else"]
    assert found.size() == 2**3 + 3**3


def test_a_condition_may_test_the_stage(tmp_path: Path) -> None:
    found = space(tmp_path, width="{when: {depth: 1}, then: 24, else: 8}")
    assert [stage.width for stage in found.build(following({})).stages] == [24, 24, 24]
    assert found.contains(found.build(following({})))


@pytest.mark.parametrize(
    ("mixer", "message"),
    [
        (
            "{kind: large_kernel, kernel: 5, small: 7}",
            r"space\.yaml:9:\d+: .*small: must not be larger than the kernel",
        ),
        ("{kind: large_kernel, kernel: 12}", r"space\.yaml:9:\d+: .*kernel: must be odd"),
        (
            "{kind: large_kernel, kernel: {choice: [3, 13]}, small: 5}",
            r"space\.yaml:9:\d+: .*small: must not be larger.*kernel=3",
        ),
        ("{kind: dilated, kernel: 8}", r"space\.yaml:9:\d+: .*kernel: must be 5 or 7"),
    ],
)
def test_kernels_that_cannot_be_merged_are_errors_with_a_place(tmp_path: Path, mixer: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        space(tmp_path, mixer=mixer)
