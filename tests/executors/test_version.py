from __future__ import annotations

from pathlib import Path

import nas
from nas.executors.version import code_version, source_hash


def package(folder: Path, **files: str) -> Path:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    return folder


def test_code_is_known_by_its_names_and_contents(tmp_path: Path) -> None:
    base = source_hash(package(tmp_path / "base", a="x = 1\n", b=""))
    assert source_hash(package(tmp_path / "same", a="x = 1\n", b="")) == base
    others = [
        source_hash(package(tmp_path / "content", a="x = 2\n", b="")),
        source_hash(package(tmp_path / "name", a="x = 1\n", c="")),
        source_hash(package(tmp_path / "moved", a="", b="x = 1\n")),
        source_hash(package(tmp_path / "fewer", a="x = 1\n")),
    ]
    assert len({base, *others}) == 5


def test_other_files_do_not_count(tmp_path: Path) -> None:
    folder = package(tmp_path / "base", a="")
    before = source_hash(folder)
    (folder / "a.pyc").write_bytes(b"compiled")
    assert source_hash(folder) == before


def test_the_version_begins_with_the_packages() -> None:
    assert code_version().startswith(f"{nas.__version__}+")
