from __future__ import annotations

from nas.schema.packaged import SPACES, packaged, preset_names, preset_path, space_names


def test_spaces_and_presets_travel_with_the_program() -> None:
    assert {"convnext", "tiny"} <= set(space_names())
    assert "convnext_tiny" in preset_names()
    assert packaged(SPACES).is_dir()


def test_every_preset_name_leads_to_its_file() -> None:
    assert all(preset_path(name).is_file() for name in preset_names())


def test_steps_of_a_road_are_named_with_it() -> None:
    assert any("/" in name for name in preset_names())
