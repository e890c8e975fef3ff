from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = '''
from dataclasses import dataclass

from nas.data import Npz, Source
from nas.data.reference import Reference


@dataclass(frozen=True)
class Plankton(Source):
    """Another name for an archive."""

    inside: Npz

    @classmethod
    def parse(cls, reference):
        return cls(Npz.parse(Reference("npz", reference.argument, reference.options)))

    @classmethod
    def example(cls, folder):
        return Npz.example(folder).replace("npz:", "plankton:")

    @property
    def reference(self):
        return self.inside.reference.replace("npz:", "plankton:")

    def stamp(self):
        return self.inside.stamp()

    def catalog(self, cache, progress):
        return self.inside.catalog(cache, progress)

    def opener(self):
        return self.inside.opener()


NUMBER = 7
'''

ENTRY_POINTS = """
[nas.datasets]
plankton = plankton_images:Plankton
broken = no_such_module:Thing
number = plankton_images:NUMBER
digits = no_such_module:Digits
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder of installed distributions, with one that has data sets."""
    site = tmp_path / "site"
    about = site / "plankton_images-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "plankton_images.py").write_text(SOURCE)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: plankton-images\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRY_POINTS)
    return site


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import numpy as np
from nas.data import Npz, datasets, describe, load_data
from nas.errors import UserError

folder, cache = Path(sys.argv[2]), Path(sys.argv[3])
describe(Npz.example(folder), cache=cache)
assert "plankton_images" not in sys.modules
for name in ("planktom", "moon", "broken", "number"):
    try:
        describe(name, cache=cache)
    except UserError as error:
        print(error)
assert "plankton" not in datasets
reference = "plankton:" + str(folder / "squares.npz")
print(describe(reference + "?seed=3", cache=cache).reference)
mapped = load_data(reference, resolution=4, cache=cache)
streamed = load_data(reference, resolution=4, cache=cache / "other", limit=0, decoders=1)
print(streamed.train.is_streamed, (mapped.train.images == next(streamed.train.read([np.arange(12)]))).all())
"""


@pytest.mark.slow
def test_a_data_set_of_another_distribution_is_found_by_name(installed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "squares"
    folder.mkdir()
    command = [sys.executable, "-c", PROGRAM, installed, folder, tmp_path / "cache"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    near, unknown, broken, number, reference, same = done.stdout.splitlines()
    installed_ones = "(installed plug-ins: broken, number, plankton)"
    assert near == f"unknown data set 'planktom'; did you mean 'plankton'? {installed_ones}"
    assert unknown.startswith("unknown data set 'moon'; known: ")
    assert unknown.endswith(f"broken, number, plankton {installed_ones}")
    assert broken.startswith("data set 'broken' of the installed distribution 'plankton-images' cannot be imported")
    assert "no_such_module" in broken
    assert number.endswith("is plankton_images:NUMBER, which is no subclass of nas.data.source.Source")
    assert reference == f"plankton:{folder / 'squares.npz'}?seed=3"
    assert same == "True True"
