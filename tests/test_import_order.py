"""The packages form a line: each imports only from its left, and each foreign package comes in by one door.

Nor is there a circle inside a package. An import inside a function counts like any other; one for types only, under
`TYPE_CHECKING`, does not.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nas

NAS = Path(nas.__file__).parent
ORDER = (
    "errors", "units", "command_line", "notebook", "plugins", "registry", "schema", "task", "cost", "records", "pulse",
    "ledger", "analysis", "layers", "architecture", "space", "data", "measure", "train", "evaluate", "executors",
    "search", "export", "report", "api", "cli",
)  # fmt: skip
OUTSIDE = {"__init__", "__main__"}  # the package's own doors, which nothing inside may use
FILES = sorted(NAS.rglob("*.py"))
DOORS = {
    "optuna": "search/",
    "ray": "executors/ray",
    "sqlalchemy": "ledger/",
    "alembic": "ledger/",
    "rich": "cli/",
    "typer": "cli/",
    "click": "cli/",
    "fvcore": "architecture/crosscheck.py",
    "pyarrow": "data/parquet",
    "prometheus_client": "report/exposition.py",
    "timm": "export/timm_entry.py",
    "onnx": "measure/",
    "onnxruntime": "measure/runtimes/onnx_runtime.py",
    "openvino": "measure/runtimes/open_vino.py",
}


def named(path: Path) -> str:
    return path.relative_to(NAS).as_posix()


def layer_of(path: Path) -> str:
    return named(path).partition("/")[0].removesuffix(".py")


@cache
def imported(path: Path, *, types_too: bool = True) -> tuple[str, ...]:
    """Full names of everything a file imports, wherever in the file the import stands."""
    return tuple(_imported(path, types_too))


def _imported(path: Path, types_too: bool) -> Iterator[str]:
    for node in statements(tree_of(path).body, types_too):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}:{node.lineno}: imports are written in full"
            yield from (f"{node.module}.{name.name}" for name in node.names)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def statements(block: Sequence[ast.AST], types_too: bool) -> Iterator[ast.AST]:
    """All statements of a block and of those inside it, perhaps without what is imported for type checkers only."""
    for node in block:
        is_for_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        if is_for_types and not types_too:
            continue
        yield node
        for inner in ("body", "orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(node, inner, ()), types_too)


def imported_layers(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("nas.") and name.count(".") >= 1}


def test_every_module_has_its_place_in_the_order() -> None:
    assert {layer_of(path) for path in FILES} - OUTSIDE <= set(ORDER)


def test_imports_only_go_left() -> None:
    wrong = [
        f"{named(path)}: nas.{here} may not import nas.{other}"
        for path in FILES
        if (here := layer_of(path)) in ORDER
        for other in sorted(imported_layers(path))
        if other in OUTSIDE - {"__init__"} or (other in ORDER and ORDER.index(other) > ORDER.index(here))
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle() -> None:
    TopologicalSorter(import_graph()).prepare()  # raises CycleError, which names the modules


def import_graph() -> dict[str, set[str]]:
    """For each module the others of the program that it needs; a package is its `__init__`."""
    modules = {module_of(path): path for path in FILES}
    graph = {}
    for name, path in modules.items():
        targets = {one if one in modules else one.rpartition(".")[0] for one in imported(path, types_too=False)}
        graph[name] = (targets & modules.keys()) - {name, "nas"}  # `import nas.x` finds `nas` loaded already
    return graph


def module_of(path: Path) -> str:
    parts = ("nas", *path.relative_to(NAS).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_nothing_left_of_the_layers_imports_torch() -> None:
    left = ORDER[: ORDER.index("layers")]
    wrong = [named(path) for path in FILES if layer_of(path) in left and "torch" in roots(path)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("package", "door"), DOORS.items())
def test_foreign_package_comes_in_by_one_door(package: str, door: str) -> None:
    wrong = [named(path) for path in FILES if package in roots(path) and not named(path).startswith(door)]
    assert not wrong, f"only {door}* may import {package}: {', '.join(wrong)}"


def roots(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def test_light_modules_stay_light() -> None:
    heavy = "{'torch', 'optuna', 'sqlalchemy', 'ray', 'rich', 'sklearn', 'pydantic'}"
    light = "nas, nas.cost, nas.schema.nodes, nas.records, nas.registry"
    code = f"import sys, {light}; sys.exit(' '.join({heavy} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ALONE = """
import importlib, os, sys
foreign = [name for name in ("torch", "optuna", "sqlalchemy", "ray") if importlib.import_module(name)]
for name in sys.argv[1:]:
    child = os.fork()
    if child == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            if not isinstance(error, ModuleNotFoundError) or error.name.startswith("nas"):  # or an extra is not here
                print(f"{name}: {error!r}", flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_every_module_can_be_imported_first() -> None:
    """Each in a process that has imported nothing of nas before; what comes from elsewhere is shared, for speed."""
    names = [f"nas.{named(path).removesuffix('.py').replace('/', '.')}".removesuffix(".__init__") for path in FILES]
    names = [name for name in names if not name.endswith(("__main__", ".env"))]  # a program, and alembic's script
    command = [sys.executable, "-W", "ignore", "-c", ALONE, *names]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not done.stdout, done.stdout
