"""Plug-ins: code from outside that registers mixers, norms, stems, samplers, scores and the like.

A plug-in is a file or a module that registers things when it is imported. Its code runs in this process with all its
rights, so it is loaded for three reasons only: the user named it (`--plugin`, `nas.load_plugin`), a study file that
the user runs names it (`plugins:`), or its distribution is installed with an entry point of the group `nas.parts`.
Architectures, spaces, exported folders and ledgers only say which plug-in they need, by name and version.

    [project.entry-points."nas.parts"]
    waves = "wave_mixers.parts"

What is loaded goes to the workers: a file as its text, a module by its name and version.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points, packages_distributions, version as version_of_distribution
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from types import ModuleType

from nas.errors import UserError

GROUP = "nas.parts"
_PREFIX = "nas_plugin_"  # of a file's name among the modules, where it must not hide an installed one
_RESERVED = ("model",)  # exported folders have a file of this name, and the plug-in's file beside it
_DIGITS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A plug-in that is loaded.

    Attributes:
        name: of the file without `.py`, or of the module; part of the ids of architectures.
        version: of the distribution, or `__version__`, or else a hash of the source; part of the ids, too.
        reference: what the user wrote to name it; empty for one found by its entry point.
        source: the text of a file; None for a module, which every machine has to have installed.
    """

    name: str
    version: str
    reference: str = ""
    source: str | None = None

    @property
    def label(self) -> str:
        """How architectures and studies name it."""
        return f"{self.name}=={self.version}"

    @property
    def digest(self) -> str:
        """Of its source; empty for a module."""
        return "" if self.source is None else _hash(self.source)


@dataclass(slots=True)
class _Loading:
    """A plug-in whose code runs now, and how to take back what it registered."""

    name: str
    undo: list[Callable[[], None]] = field(default_factory=list)


_LOADED: dict[str, Plugin] = {}
_LOADING: list[_Loading] = []
_SEARCHED: list[str] = []  # the groups of entry points that were looked through


def load(reference: str, folder: Path | None = None) -> Plugin:
    """Load a file (`my_mixers.py`) or a module (`wave_mixers.parts`); once is enough.

    Args:
        reference: the file or module.
        folder: where a file is looked for; default here.

    Raises:
        UserError: it is not there, fails, registers nothing, or a name it registers is taken.
    """
    if not reference.endswith(".py"):
        return _add(_module(reference), lambda: importlib.import_module(reference))
    path = (folder or Path()) / reference
    name = path.stem
    if not name.isidentifier() or name in _RESERVED:
        raise UserError(f"{path}: {name!r} cannot name a plug-in; call the file something like my_mixers.py")
    source = read_source(path, option="--plugin")
    plugin = Plugin(name=name, version=_version_in(source), reference=str(path), source=source)
    return _add(plugin, lambda: _run_source(plugin))


def read_source(path: Path, *, option: str = "") -> str:
    """The text of somebody's module; raises UserError, which names the option that it was given by."""
    named = f"{option} {path}".lstrip()
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(f"{named}: no such file") from None
    except (OSError, ValueError) as error:
        raise UserError(f"{named}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def receive(plugin: Plugin, digest: str) -> None:
    """Load, in a worker, what the driver has loaded.

    Raises:
        UserError: a module is not installed here, or in another version; or the text of a file is not the driver's.
    """
    if plugin.digest != digest:
        raise UserError(f"the text of plug-in {plugin.name!r} arrived damaged")
    if plugin.source is not None:
        _add(plugin, lambda: _run_source(plugin))
        return
    found = load(plugin.name)
    if found.version != plugin.version:
        raise UserError(
            f"plug-in {plugin.name!r} is {found.version} here and {plugin.version} where the program was started; "
            "install the same one on every machine"
        )


def load_installed() -> bool:
    """Load the installed plug-ins, those of the group `nas.parts`; says whether there was one that is new.

    Raises:
        UserError: one of them fails.
    """
    if GROUP in _SEARCHED or _LOADING:
        return False
    _SEARCHED.append(GROUP)
    before = len(_LOADED)
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        _load_point(point)
    return len(_LOADED) > before


def _load_point(point: EntryPoint) -> None:
    if point.module in _LOADED:
        return
    distribution = point.dist
    version = distribution.version if distribution is not None else ""
    _add(Plugin(name=point.module, version=version), lambda: importlib.import_module(point.module))


def loaded() -> tuple[Plugin, ...]:
    """What is loaded, in the order in which it was."""
    return tuple(_LOADED.values())


def given() -> tuple[Plugin, ...]:
    """Those that somebody named: not the ones that are there because they are installed."""
    return tuple(plugin for plugin in loaded() if plugin.reference)


def label_of(name: str) -> str:
    """`NAME==VERSION` of a loaded one."""
    return _LOADED[name].label


def find(label: str) -> Plugin:
    """The loaded plug-in of a label.

    Raises:
        UserError: it is not loaded, or in another version; the message says what to do.
    """
    problem = problem_with(label)
    if problem is not None:
        raise UserError(problem)
    return _LOADED[label.partition("==")[0]]


def problem_with(label: object) -> str | None:
    """Why what is labelled so cannot be read here, or None."""
    if not isinstance(label, str) or "==" not in label:
        return f"plugin takes NAME==VERSION, got {label!r}"
    name, _, version = label.partition("==")
    if name not in _LOADED:
        load_installed()
    if name not in _LOADED:
        return (
            f"this needs the plug-in {name} {version}, which is not loaded: pass --plugin {name}.py, its file, or "
            f"install the module {name} and pass --plugin {name}"
        )
    if _LOADED[name].version != version:
        return (
            f"this was made with the plug-in {name} {version}, and {_LOADED[name].version} is loaded; the two may "
            "differ, so pass or install the former"
        )
    return None


def owner(module: str) -> str | None:
    """The plug-in that something made in `module` and registered now is of; None for what the program brings along.

    A plug-in may be what imports a part of the program first, so it does not own all that is registered while it runs.
    """
    is_ours = module.partition(".")[0] == __name__.partition(".")[0]
    return _LOADING[-1].name if _LOADING and not is_ours else None


def on_failure(undo: Callable[[], None]) -> None:
    """Call `undo` should the plug-in whose code runs now fail."""
    if _LOADING:
        _LOADING[-1].undo.append(undo)


def _add(plugin: Plugin, run: Callable[[], ModuleType]) -> Plugin:
    """Run a plug-in's code, unless it has been; all that it registers, or nothing."""
    known = _LOADED.get(plugin.name)
    if known is not None:
        if known.source != plugin.source:
            raise UserError(
                f"two different plug-ins are called {plugin.name!r} ({known.reference or 'an installed module'} and "
                f"{plugin.reference or 'an installed module'}); give one of them another name"
            )
        return known
    here = _Loading(plugin.name)
    _LOADING.append(here)
    try:
        module = run()
    except BaseException as error:
        _take_back(here.undo)
        if not isinstance(error, Exception):
            raise
        raise UserError(f"plug-in {plugin.reference or plugin.name}{_place(error, plugin)}: {_said(error)}") from error
    finally:
        _LOADING.pop()
    if not here.undo:
        raise UserError(
            f"plug-in {plugin.reference or plugin.name} registers nothing: decorate its parts as in "
            "@mixers.register('NAME') (or it was imported before; let nas.load_plugin be the first to import it)"
        )
    done = plugin if plugin.version else replace(plugin, version=_version_of(module))
    _LOADED[plugin.name] = done
    return done


def _take_back(undo: Iterable[Callable[[], None]]) -> None:
    for step in reversed(list(undo)):
        step()


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"


def _place(error: Exception, plugin: Plugin) -> str:
    """The line of the plug-in's file that failed, as ':12'."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == _file_name(plugin)]
    if isinstance(error, SyntaxError) and error.filename == _file_name(plugin):
        lines.append(error.lineno)
    return f":{lines[-1]}" if lines else ""


# Files.


class _Text(InspectLoader):
    """Loads a module from the very text that was hashed and is sent to the workers."""

    def __init__(self, source: str) -> None:
        self._source = source

    def get_source(self, fullname: str) -> str:
        """The text."""
        return self._source

    def get_code(self, fullname: str) -> object:  # type: ignore[override]  # a code object, which typeshed says too
        """The text, compiled; tracebacks name the plug-in."""
        return self.source_to_code(self._source, f"<{fullname}>")


def _run_source(plugin: Plugin) -> ModuleType:
    name = _PREFIX + plugin.name
    loader = _Text(plugin.source or "")
    module = module_from_spec(ModuleSpec(name, loader, origin=plugin.reference))
    sys.modules[name] = module  # dataclasses look their module up there
    try:
        loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _file_name(plugin: Plugin) -> str:
    return f"<{_PREFIX}{plugin.name}>"


def _version_in(source: str) -> str:
    """What the text sets `__version__` to, or else a hash of it."""
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError):
        return _hash(source)  # loading it says what is wrong
    said = [one.value for one in statements if isinstance(one, ast.Assign) and _names(one) == ["__version__"]]
    literal = said[-1].value if said and isinstance(said[-1], ast.Constant) else None
    return literal if isinstance(literal, str) and literal else _hash(source)


def _names(statement: ast.Assign) -> list[str]:
    return [to.id for to in statement.targets if isinstance(to, ast.Name)]


def _hash(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:_DIGITS]


# Modules.


def _module(name: str) -> Plugin:
    """A module by its name; its version is found once it is imported, if no distribution says it.

    Raises:
        UserError: there is none of this name.
    """
    if name in _LOADED:
        return _LOADED[name]
    try:
        is_there = find_spec(name) is not None
    except (ImportError, ValueError):
        is_there = False
    if not is_there:
        raise UserError(
            f"--plugin {name}: no such module is installed here; install the distribution that has it, or name a "
            "file such as my_mixers.py"
        )
    distributions = packages_distributions().get(name.partition(".")[0], ())
    version = version_of_distribution(distributions[0]) if distributions else ""
    return Plugin(name=name, version=version, reference=name)


def _version_of(module: ModuleType) -> str:
    version = getattr(module, "__version__", None)
    if isinstance(version, str):
        return version
    path = getattr(module, "__file__", None)
    return "unknown" if path is None else _hash(Path(path).read_text(encoding="utf-8"))
