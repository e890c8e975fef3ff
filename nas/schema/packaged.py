"""The YAML files that travel with the program: spaces, presets and studies."""

from __future__ import annotations

from pathlib import Path

import nas

SPACES, STUDIES = "search_spaces", "studies"
_PRESETS = "presets"


def packaged(folder: str) -> Path:
    """A folder of files: beside the package in a checkout, inside it in an installed wheel."""
    inside = Path(nas.__file__).parent / folder
    return inside if inside.is_dir() else inside.parent.parent / folder


def space_names() -> list[str]:
    """The packaged spaces."""
    return sorted(path.stem for path in packaged(SPACES).glob("*.yaml"))


def preset_path(name: str) -> Path:
    """The file of a preset, whether or not there is one."""
    return packaged(SPACES) / _PRESETS / f"{name}.yaml"


def preset_names() -> list[str]:
    """The packaged architectures: the published networks, and the steps between them as `ROAD/STEP`."""
    root = packaged(SPACES) / _PRESETS
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.yaml"))
