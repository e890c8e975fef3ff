"""Architectures as rows and as SVG text, over published networks."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from nas.report.drawing import WIDTH, DrawnPart, drawn_parts, placed, svg
from nas.schema.packaged import preset_names
from nas.space import load_architecture
from nas.task import Task

HOSTILE = '<img src=x onerror="alert(1)">&'
SVG = "{http://www.w3.org/2000/svg}"


def test_a_drawing_says_map_width_depth_block_mixer_kernel_and_norm() -> None:
    stem, first, second, *_, head = drawn_parts(load_architecture("convnext_tiny"), Task())
    assert (stem.name, stem.facts, stem.words) == ("stem", "56x56, 96 channels", ("patchify 4x4",))
    assert (first.name, first.facts, first.bars) == ("stage 1", "56x56, 96 channels, 3 blocks", (0, 0, 0))
    assert first.words == ("mixer_first · mixer depthwise 7x7", "norm layernorm · act gelu · ratio 4")
    assert second.words[-1] == "downsample conv 2x2"
    assert (head.name, head.facts, head.size) == ("head", "1000 classes", 1)


def test_blocks_of_a_pattern_are_told_apart() -> None:
    stage = drawn_parts(load_architecture("unireplknet_t"), Task())[3]
    assert stage.bars == (0, 1) * 9
    assert "mixer dilated 13x13, depthwise 3x3 in turn" in stage.words


@pytest.mark.parametrize("name", preset_names()[::6])  # of every family
def test_presets_are_drawn_inside_its_frame(name: str) -> None:
    architecture = load_architecture(name)
    parts = drawn_parts(architecture, Task())
    root = ElementTree.fromstring(svg(parts, title=name))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    stacks = [one for one in root.iter(f"{SVG}rect") if one.get("class") != "paper"]
    assert width == WIDTH
    assert len(stacks) == architecture.depth + 2  # stem and head
    assert all(float(one.attrib["x"]) >= 0 and float(one.attrib["width"]) <= 100 for one in stacks)
    assert max(float(one.attrib["y"]) for one in root.iter(f"{SVG}text")) < height
    assert [part.size for part in parts] == sorted((part.size for part in parts), reverse=True)


def test_what_is_written_is_text_whatever_it_holds() -> None:
    part = DrawnPart(name=HOSTILE, facts=HOSTILE, words=(HOSTILE,), size=8, width=4)
    text = svg([part, part], title=HOSTILE)
    assert "<img" not in text
    assert ElementTree.fromstring(text).findtext(f"{SVG}title") == HOSTILE


def test_a_very_deep_stage_does_not_grow_without_end() -> None:
    deep = DrawnPart(name="stage 1", facts="", words=(), size=8, width=4, bars=(0,) * 300)
    assert placed([deep, deep])[0].height < 150
