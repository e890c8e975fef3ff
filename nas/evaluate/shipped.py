"""Modules that travel: the text of somebody's own code, so that every worker runs what the driver has read.

A module of the working directory is not installed where the workers are, and may be edited while a study runs. So the
text of it, or of all modules of its package, goes along with the work, and is imported from there under its own name.
What is installed is imported as usual, and has to be there on every machine; so have other modules beside it, although
their folder is looked at where the worker's machine has it.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec, spec_from_loader
from pathlib import Path
from types import ModuleType

from nas.errors import UserError
from nas.plugins import read_source

_MOST_BYTES = 8 * 2**20  # of source; more is no code that somebody wrote


@dataclass(frozen=True, slots=True)
class Text:
    """One module that travels.

    Attributes:
        name: of the module, in full.
        source: its text.
        path: the file it was read from, which tracebacks name.
        is_package: whether it has modules below it.
    """

    name: str
    source: str
    path: str
    is_package: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipped:
    """What has to be known of a top-level module, or package, to import it anywhere.

    Attributes:
        name: of it.
        texts: of it and of all below it; none where it has to be installed.
        folder: that it was found in, where neighbours of it may be; empty for what is installed.
    """

    name: str
    texts: tuple[Text, ...] = ()
    folder: str = ""

    def install(self) -> None:
        """Have imports of it in this process find these texts."""
        before = [one for one in sys.meta_path if isinstance(one, _Finder) and one.shipped.name == self.name]
        if not self.texts or any(one.shipped == self for one in before):
            return
        for finder in before:  # the text was changed since
            sys.meta_path.remove(finder)
            for name in finder.names:
                sys.modules.pop(name, None)
        sys.meta_path.insert(0, _Finder(self))
        if self.folder not in sys.path and Path(self.folder).is_dir():
            sys.path.append(self.folder)  # at the end: no file of somebody's may hide what is installed


def shipped_file(path: Path, name: str) -> Shipped:
    """A single file, as a module called `name`.

    Raises:
        UserError: it is not there, or is no text.
    """
    return Shipped(
        name=name, texts=(Text(name, read_source(path), str(path.absolute())),), folder=str(path.absolute().parent)
    )


def shipped_module(module: str, folders: Sequence[Path]) -> Shipped | None:
    """A module by its name: one that is loaded, or else from one of the folders, or else from the path; None for none.

    Raises:
        UserError: there is more source below it than anybody wrote.
    """
    top = module.partition(".")[0]
    spec = _spec(top, folders)
    if spec is None:
        return None
    if _is_installed(spec):
        return Shipped(name=top)
    if spec.submodule_search_locations is not None:
        root = Path(next(iter(spec.submodule_search_locations)))
        return Shipped(name=top, texts=_package(top, root), folder=str(root.absolute().parent))
    return shipped_file(Path(spec.origin or ""), top)


def _spec(top: str, folders: Sequence[Path]) -> ModuleSpec | None:
    loaded = sys.modules.get(top)
    if loaded is not None:
        return loaded.__spec__
    if top not in sys.stdlib_module_names:
        for folder in folders:
            spec = PathFinder.find_spec(top, [str(folder.absolute())])
            if spec is not None:
                return spec
    try:
        return find_spec(top)
    except (ImportError, ValueError):
        return None


def _is_installed(spec: ModuleSpec) -> bool:
    """Whether it is of Python itself or of a distribution, or is no source at all."""
    places = spec.submodule_search_locations
    where = next(iter(places), "") if places is not None else spec.origin or ""
    if places is None and not where.endswith(".py"):
        return True
    path = Path(where).resolve()
    homes = {sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
    is_program = spec.name == __name__.partition(".")[0]  # its version is compared by itself
    return is_program or any(path.is_relative_to(Path(home).resolve()) for home in homes if home)


def _package(top: str, root: Path) -> tuple[Text, ...]:
    texts = [Text(top, "", str(root / "__init__.py"), is_package=True)]
    size = 0
    for path in sorted(root.rglob("*.py")):
        steps = path.relative_to(root).with_suffix("").parts
        if not all(step.isidentifier() for step in steps):
            continue  # nothing that could be imported
        size += path.stat().st_size
        if size > _MOST_BYTES:
            raise UserError(
                f"{root}: more than {_MOST_BYTES // 2**20} MiB of Python files, too much to send to workers; install "
                "it on every machine"
            )
        is_package = steps[-1] == "__init__"
        name = ".".join((top, *(steps[:-1] if is_package else steps)))
        texts += shipped_file(path, name).texts if not is_package else (_as_package(path, name),)
    return tuple({one.name: one for one in texts}.values())


def _as_package(path: Path, name: str) -> Text:
    (text,) = shipped_file(path, name).texts
    return Text(name, text.source, text.path, is_package=True)


class _Finder(MetaPathFinder):
    """Finds the modules that travel."""

    def __init__(self, shipped: Shipped) -> None:
        self.shipped = shipped
        self._texts = {one.name: one for one in shipped.texts}

    @property
    def names(self) -> list[str]:
        """The modules that travel."""
        return list(self._texts)

    def find_spec(self, fullname: str, path: object = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The module, from its text."""
        text = self._texts.get(fullname)
        if text is None:
            return None
        spec = spec_from_loader(fullname, _Loader(text), origin=text.path, is_package=text.is_package)
        if spec is not None:
            spec.has_location = True  # modules look for files beside their own
            if text.is_package:
                spec.submodule_search_locations = [str(Path(text.path).parent)]
        return spec


class _Loader(InspectLoader):
    """Loads a module from its text; tracebacks show its lines wherever it runs."""

    def __init__(self, text: Text) -> None:
        self._text = text

    def is_package(self, fullname: str) -> bool:
        """Whether it has modules below it."""
        return self._text.is_package

    def get_source(self, fullname: str) -> str:
        """The text."""
        return self._text.source

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # a code object, which typeshed says too
        """The text, compiled."""
        return self.source_to_code(self._text.source, self._text.path)
