"""nas: a design-space explorer for modern ConvNets.

The functions below are the Python interface. They are loaded on first use, so that `import nas` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nas.export.timm_door import open_door

if TYPE_CHECKING:
    from nas.api import (
        Local,
        Ray,
        Study,
        analyze,
        build,
        compare,
        estimate,
        from_official,
        fuse,
        import_checkpoint,
        load_architecture,
        load_model,
        load_plugin,
        load_space,
        train_network,
        trust,
    )

__version__ = "0.1.0"
__all__ = [
    "Local",
    "Ray",
    "Study",
    "analyze",
    "build",
    "compare",
    "estimate",
    "from_official",
    "fuse",
    "import_checkpoint",
    "load_architecture",
    "load_model",
    "load_plugin",
    "load_space",
    "train_network",
    "trust",
]


def __getattr__(name: str) -> Any:
    """Load the interface when it is first asked for."""
    if name in __all__:
        return getattr(import_module("nas.api"), name)
    raise AttributeError(f"module 'nas' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The interface, loaded or not, and nothing of how it is made."""
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})


open_door()
