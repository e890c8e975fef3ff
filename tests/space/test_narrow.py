"""A space file loses values as text: what it says, its comments and its form stay."""

from __future__ import annotations

import pytest

from nas.schema.nodes import parse_yaml
from nas.space import SearchSpace, load_space
from nas.space.dimension import Value
from nas.space.load import read_space
from nas.space.narrow import Narrowing, narrowed, places

TEXT = """\
# The first comment.
name: small  # its name
stem:
  # which stem
  choice:
    # the old one
    - kind: patchify
      patch: 4  # four
    - {kind: overlapping, kernel: 7, stride: 4}
stages:
  count: 2
  depth: {int: [1, 9], step: 2, per: stage}  # how deep
  width: 32
  block:
    kind: mixer_first
    mixer: {kind: depthwise, kernel: {choice: [3, 5,
              # seven is usual
              7], per: stage}}
    act: {choice: [gelu, relu]}
head: {kind: pool_norm_linear}
"""


def space() -> SearchSpace:
    return read_space(*parse_yaml(TEXT, "small.yaml"))


def without(space: SearchSpace, **drop: tuple[Value, ...]) -> tuple[str, SearchSpace]:
    """The text and the space without values; decisions by the end of their name."""
    found = [
        Narrowing(mark=place.mark, drop=values, why=(f"no {name}",))
        for name, values in drop.items()
        for place in places(space.root)
        if place.decisions[0].endswith(name)
    ]
    text = narrowed(space, "smaller", found, ["What this is."])
    return text, read_space(*parse_yaml(text, "smaller.yaml"))


def test_places_ask_for_all_stages_together() -> None:
    found = {place.decisions: place.is_range for place in places(space().root)}
    assert found["stages.0.depth", "stages.1.depth"]
    assert not found["stages.0.block.mixer.kernel", "stages.1.block.mixer.kernel"]
    assert ("stem",) in found


def test_values_leave_and_everything_else_stays() -> None:
    text, smaller = without(space(), depth=(1, 9), kernel=(3,), act=("relu",))
    dimensions = smaller.dimensions()
    assert list(dimensions["stages.0.depth"].values) == [3, 5, 7]
    assert dimensions["stages.1.block.mixer.kernel"].values == (5, 7)
    assert dimensions["stages.block.act"].values == ("gelu",)
    assert smaller.name == "smaller"
    assert dimensions["stem"].values == space().dimensions()["stem"].values
    for comment in ("# The first comment.", "# its name", "# which stem", "# the old one", "# four", "# how deep"):
        assert comment in text
    assert "# seven is usual" in text
    assert "\n# What this is.\n" in text
    lines = text.splitlines()
    assert lines[lines.index("  # no depth") + 1].startswith("  depth: {int: [3, 7], step: 2")


def test_an_option_that_is_a_block_is_commented_out() -> None:
    text, smaller = without(space(), stem=("patchify",))
    assert smaller.dimensions()["stem"].values == ("overlapping",)
    assert "    # - kind: patchify\n    #   patch: 4  # four\n" in text


def test_an_option_of_a_block_list_that_is_written_in_a_line() -> None:
    text, smaller = without(space(), stem=("overlapping",))
    assert smaller.dimensions()["stem"].values == ("patchify",)
    assert "    # - {kind: overlapping, kernel: 7, stride: 4}\n" in text


def test_nothing_to_drop_changes_comments_and_name_only() -> None:
    text, same = without(space())
    assert same.root.dimensions() == space().root.dimensions()
    assert text == TEXT.replace("name: small", "name: smaller").replace(
        "# The first comment.\n", "# The first comment.\n# What this is.\n"
    )


@pytest.mark.parametrize(
    "name", ["tiny", *(pytest.param(one, marks=pytest.mark.slow) for one in ("convnext", "replknet", "modern"))]
)
def test_every_question_of_a_packaged_space_can_lose_its_last_value(name: str) -> None:
    whole = load_space(name)
    for place in places(whole.root):
        values = list(whole.dimensions()[place.decisions[0]].values)
        if len(values) < 2:
            continue
        narrowing = Narrowing(mark=place.mark, drop=(values[-1],), why=("too dear",))
        text = narrowed(whole, "less", [narrowing], [])
        dimensions = read_space(*parse_yaml(text, "less.yaml")).dimensions()
        assert values[-1] not in dimensions[place.decisions[0]].values
        for line in whole.text.splitlines():
            assert not line.lstrip().startswith("#") or line in text.splitlines()
