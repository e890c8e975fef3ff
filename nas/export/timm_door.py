"""Makes `timm.create_model('local-dir:FOLDER')` work after `import nas`, whichever of the two is imported first.

timm looks networks up in its own registry, and `import nas` must not import timm, which takes seconds: where timm is
not there yet, ours is entered when it comes.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

_HOME = "timm.models"  # after which its registry can take more


class _WhenTimmComes(MetaPathFinder):
    """Waits for one import, finds nothing by itself and is gone afterwards."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec that is found anyway, whose module is followed by ours."""
        if fullname != _HOME:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        loader: Any = None if spec is None else spec.loader
        if loader is not None:
            run = loader.exec_module

            def run_and_register(module: ModuleType) -> None:
                run(module)
                _register()

            loader.exec_module = run_and_register
        return spec


def open_door() -> None:
    """Register now, or when timm is imported."""
    if _HOME in sys.modules:
        _register()
    elif not any(isinstance(one, _WhenTimmComes) for one in sys.meta_path):
        sys.meta_path.insert(0, _WhenTimmComes())


def _register() -> None:
    importlib.import_module("nas.export.timm_entry")
