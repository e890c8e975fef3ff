"""A network as one Python file that needs PyTorch alone.

The file holds the classes that the network uses, with the sentences and papers they have here, and one expression that
puts its layers together; the names of its tensors are those of the network.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from keyword import iskeyword
from types import ModuleType
from typing import Any

from torch import nn

from nas.errors import UserError
from nas.layers.depthwise import DepthwiseConv
from nas.layers.drop_path import DropPath
from nas.layers.fusable import Fusable

_WIDTH = 120
_NAMED = '''def named(**layers: nn.Module) -> nn.Sequential:
    """Layers one after the other, by name."""
    return nn.Sequential(OrderedDict(layers))
'''
_SEVERAL = '''def several(*layers: nn.Module) -> nn.ModuleList:
    """Layers by number, for a parent that calls them."""
    return nn.ModuleList(layers)
'''
_CHANGED = '''def changed(layer: nn.Module, **parts: nn.Module | None) -> nn.Module:
    """A layer with parts put in, or taken out."""
    for name, part in parts.items():
        setattr(layer, name, part)
    return layer
'''
_PART = '''class Part(nn.Module):
    """A module whose layers, parameters and numbers are given by name."""

    def __init__(self, **given: Any) -> None:
        super().__init__()
        for name, value in given.items():
            setattr(self, name, value)
'''


@dataclass(frozen=True, slots=True)
class _Call:
    """A call to be written: `name(arguments)`, each argument with its keyword or none."""

    name: str
    arguments: tuple[tuple[str, _Node], ...] = ()

    def lines(self, indent: int, before: str = "", after: str = "") -> list[str]:
        """On one line where it fits, else an argument a line."""
        pad = " " * indent
        whole = f"{pad}{before}{self.text()}{after}"
        if len(whole) <= _WIDTH:
            return [whole]
        found = [f"{pad}{before}{self.name}("]
        for keyword, value in self.arguments:
            start = f"{keyword}=" if keyword else ""
            if isinstance(value, _Call):
                found += value.lines(indent + 4, start, ",")
            else:
                found.append(f"{pad}    {start}{value},")
        return [*found, f"{pad}){after}"]

    def text(self) -> str:
        """On one line, however long."""
        written = []
        for keyword, value in self.arguments:
            one = value.text() if isinstance(value, _Call) else value
            written.append(f"{keyword}={one}" if keyword else one)
        return f"{self.name}({', '.join(written)})"


_Node = _Call | str


@dataclass(slots=True)
class _Writer:
    """Collects what the file needs while the expression is made."""

    classes: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, str] = field(default_factory=dict)
    tools: dict[str, str] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)
    blocks: dict[_Call, str] = field(default_factory=dict)
    uses_part: bool = False

    def module(self, module: nn.Module) -> _Call:
        """The expression that builds a module like this one."""
        kind = type(module)
        if isinstance(module, nn.Sequential):
            return self._sequence(module)
        if isinstance(module, nn.ModuleList):
            self.tools["several"] = _SEVERAL
            return _Call("several", tuple(("", one) for one in self._rows(list(module))))
        if isinstance(module, DropPath):
            if not module.rate:
                return _Call("nn.Identity")
            self._add_class(kind)
            return _Call(kind.__name__, (("rate", "drop_path"),))
        if isinstance(module, DepthwiseConv):  # on every device the same function; the class is faster on CPUs
            return _Call("nn.Conv2d", _constructor(module, nn.Conv2d))
        base = next(one for one in kind.__mro__ if one.__module__.startswith("torch."))
        if base is kind:
            return _Call(f"nn.{kind.__name__}", _constructor(module, kind))
        if base is not nn.Module:
            return self._changed_layer(module, base)
        self._add_class(kind)
        return _Call(kind.__name__, tuple(self._given(module)))

    def _changed_layer(self, module: nn.Module, base: type[nn.Module]) -> _Call:
        """A layer of PyTorch's with a `forward` of its own, or with parts more or fewer."""
        kind = type(module)
        name = f"nn.{base.__name__}"
        if kind.forward is not base.forward:
            self._add_class(kind)
            name = kind.__name__
        made = _Call(name, _constructor(module, base))
        changes: list[tuple[str, _Node]] = [(child, self.module(one)) for child, one in module.named_children()]
        if module._parameters.get("bias", 0) is None and "bias" not in inspect.signature(base.__init__).parameters:
            changes.append(("bias", "None"))
        if not changes:
            return made
        self.tools["changed"] = _CHANGED
        return _Call("changed", (("", made), *changes))

    def _sequence(self, module: nn.Sequential) -> _Call:
        names = list(module._modules)
        if names == [str(index) for index in range(len(names))]:
            return _Call("nn.Sequential", tuple(("", one) for one in self._rows(list(module))))
        self.imports.add("from collections import OrderedDict")
        self.tools["named"] = _NAMED
        layers = [(name, self.module(child)) for name, child in module.named_children()]
        if all(name.isidentifier() and not iskeyword(name) for name in names):
            return _Call("named", tuple(layers))
        pairs = tuple(("", _Call("", (("", repr(name)), ("", one)))) for name, one in layers)
        return _Call("named", (("", _Call("**dict", (("", _Call("", pairs)),))),))

    def _rows(self, children: Sequence[nn.Module]) -> Iterator[_Node]:
        """One expression a child; those with drop path, and long ones, become functions, equal neighbours a loop."""
        rows: list[tuple[str, float, _Call]] = []
        for child in children:
            made, rate = self.module(child), _rate(child)
            hoisted = rate > 0 or len(made.text()) > _WIDTH
            rows.append((self._block(made) if hoisted and not _has_sequences_of_blocks(child) else "", rate, made))
        start = 0
        while start < len(rows):
            name, rate, made = rows[start]
            end = start + 1
            while name and end < len(rows) and rows[end][0] == name:
                end += 1
            if not name:
                yield made
            elif end - start == 1:
                yield f"{name}({rate!r})" if "drop_path" in made.text() else f"{name}()"
            elif "drop_path" in made.text():
                rates = ", ".join(repr(one) for _, one, _ in rows[start:end])
                yield f"*({name}(rate) for rate in ({rates}))"
            else:
                yield f"*({name}() for _ in range({end - start}))"
            start = end

    def _block(self, made: _Call) -> str:
        return self.blocks.setdefault(made, f"block_{len(self.blocks) + 1}")

    def _given(self, module: nn.Module) -> Iterator[tuple[str, _Node]]:
        self.uses_part = True
        used = _attributes(type(module))
        for name, value in vars(module).items():
            if not name.startswith("_") and name != "training" and name in used:
                yield name, _literal(value, f"{type(module).__name__}.{name}")
        for name, parameter in module._parameters.items():
            shape = None if parameter is None else tuple(parameter.shape)
            yield name, "None" if shape is None else f"nn.Parameter(torch.zeros({shape}))"
        for name, buffer in module._buffers.items():
            raise UserError(f"{type(module).__name__} holds the buffer {name!r}, which model.py cannot write: {buffer}")
        for name, child in module._modules.items():
            yield name, "None" if child is None else self.module(child)

    def _add_class(self, kind: type) -> None:
        if kind.__name__ in self.classes:
            return
        self.classes[kind.__name__] = ""
        bases = [base for base in kind.__bases__ if base.__module__.startswith("nas") and base is not Fusable]
        for base in bases:
            self._add_class(base)
        own = [base for base in kind.__bases__ if base.__module__.startswith("torch") and base is not nn.Module]
        names = [base.__name__ for base in bases] + [f"nn.{base.__name__}" for base in own]
        if not names:
            self.uses_part = True
        written = self._class(kind, ", ".join(names or ["Part"]))
        self.classes.pop(kind.__name__)  # after those it is made of
        self.classes[kind.__name__] = written

    def _class(self, kind: type, bases: str) -> str:
        source = textwrap.dedent(inspect.getsource(kind))
        tree = ast.parse(source).body[0]
        assert isinstance(tree, ast.ClassDef)
        kept = _reachable(tree)
        lines = source.splitlines()
        body = []
        documentation = _documentation(kind)
        if documentation:
            body.append(textwrap.indent(f'"""{documentation}"""', "    "))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in kept:
                first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
                body.append("\n".join(lines[first - 1 : node.end_lineno]))
                self._need(node, sys.modules[kind.__module__])
        return f"class {kind.__name__}({bases}):\n" + "\n\n".join(body or ["    pass"]) + "\n"

    def _need(self, node: ast.AST, module: ModuleType) -> None:
        """Import or copy what a function takes from its module."""
        for name in _global_names(node):
            if name in vars(builtins) or not hasattr(module, name):
                continue
            value = getattr(module, name)
            if isinstance(value, ModuleType):
                parent, _, last = value.__name__.rpartition(".")
                self.imports.add(f"from {parent} import {last}" if parent else f"import {last}")
            elif getattr(value, "__module__", "").startswith("nas"):
                self._copy(name, value)
            elif hasattr(value, "__module__") and hasattr(value, "__name__"):
                if value.__module__.split(".")[0] != "torch":
                    self.imports.add(f"from {value.__module__} import {name}")
            else:
                self.helpers[name] = f"{name} = {_literal(value, name)}\n"

    def _copy(self, name: str, value: Any) -> None:
        if name in self.helpers:
            return
        if isinstance(value, type):
            self._add_class(value)
            return
        self.helpers[name] = ""
        source = textwrap.dedent(inspect.getsource(value))
        self._need(ast.parse(source), sys.modules[value.__module__])
        self.helpers.pop(name)
        self.helpers[name] = source


def python_source(network: nn.Module, about: str) -> str:
    """The text of the file; its `build()` makes the network, with the weights of `weights.pt` beside it.

    Args:
        network: in training or deployed form.
        about: the first sentences of the file.

    Raises:
        UserError: a layer keeps something that cannot be written as Python.
    """
    writer = _Writer()
    expression = writer.module(network)
    papers = _papers(network)
    heading = about + ("\n\nPapers:\n" + "\n".join(papers) if papers else "")
    imports = sorted(one for one in writer.imports if one not in ("import torch", "from torch import nn"))
    standard = {one for one in imports if "torch" not in one} | {"from pathlib import Path"}
    standard |= {"from typing import Any"} if writer.uses_part else set()
    others = [one for one in imports if "torch" in one]
    parts = [
        f'"""{heading}\n"""\n',
        "from __future__ import annotations\n",
        "\n".join(sorted(standard, key=lambda line: (not line.startswith("import"), line))) + "\n",
        "\n".join(["import torch", "from torch import Tensor, nn", *others]) + "\n",
    ]
    code = [*writer.helpers.values(), *writer.tools.values()]
    code += [_PART] * writer.uses_part + list(writer.classes.values())
    for made, name in writer.blocks.items():
        takes = "drop_path: float" if "drop_path" in made.text() else ""
        code.append(f"def {name}({takes}) -> nn.Module:\n" + "\n".join(made.lines(4, "return ")) + "\n")
    code.append(
        "\n".join(
            [
                'def build(weights: str | Path | None = Path(__file__).with_name("weights.pt")) -> nn.Module:',
                '    """The network in evaluation mode with its weights; None leaves them out."""',
                *expression.lines(4, "network = "),
                "    if weights is not None:",
                '        network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))',
                "    return network.eval()",
            ]
        )
        + "\n"
    )
    return "\n".join(parts) + "\n\n" + "\n\n".join(code)


def _constructor(module: nn.Module, base: type[nn.Module]) -> tuple[tuple[str, _Node], ...]:
    """Arguments of a layer of PyTorch's, those at their default left out."""
    arguments: list[tuple[str, _Node]] = []
    positional = True
    for name, parameter in list(inspect.signature(base.__init__).parameters.items())[1:]:
        if name in ("device", "dtype", "args", "kwargs"):
            continue
        value = getattr(module, name)
        if name == "bias":
            value = value is not None
        if isinstance(value, tuple) and len(set(value)) == 1 and len(value) == 2:
            value = value[0]
        if name == "normalized_shape" and len(value) == 1:
            value = value[0]
        follows_kernel = name == "stride" and parameter.default is None and value == module.kernel_size
        if value == parameter.default or follows_kernel:
            positional = False
            continue
        positional = positional and parameter.default is inspect.Parameter.empty
        arguments.append(("" if positional else name, _literal(value, f"{base.__name__}.{name}")))
    return tuple(arguments)


def _literal(value: Any, where: str) -> str:
    if value is None or isinstance(value, bool | int | float | str):
        return repr(value)
    if type(value) in (tuple, list) and all(one is None or isinstance(one, bool | int | float | str) for one in value):
        return repr(value)
    raise UserError(f"{where} is a {type(value).__name__}, which model.py cannot write; ask for another --format")


def _rate(module: nn.Module) -> float:
    return max((one.rate for one in module.modules() if isinstance(one, DropPath)), default=0.0)


def _has_sequences_of_blocks(module: nn.Module) -> bool:
    """Whether it is a stage: its blocks have drop-path rates of their own."""
    return isinstance(getattr(module, "blocks", None), nn.Sequential)


def _reachable(tree: ast.ClassDef) -> set[str]:
    """`forward` and the methods it calls, directly or not."""
    methods = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    kept, waiting = set(), ["forward"]
    while waiting:
        name = waiting.pop()
        if name in methods and name not in kept:
            kept.add(name)
            waiting += _self_names(methods[name])
    return kept


def _attributes(kind: type) -> set[str]:
    """What `forward`, and what it calls, reads of `self`."""
    names: set[str] = set()
    for one in kind.__mro__:
        if one.__module__.startswith("torch"):
            break
        if one.__module__.startswith(("abc", "typing")):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0]
        assert isinstance(tree, ast.ClassDef)
        kept = _reachable(tree)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name in kept:
                names.update(_self_names(node))
    return names


def _self_names(node: ast.AST) -> list[str]:
    return [
        one.attr
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute) and isinstance(one.value, ast.Name) and one.value.id == "self"
    ]


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        return node if node.value is None else ast.Assign(targets=[node.target], value=node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)


def _global_names(node: ast.AST) -> set[str]:
    bare = _WithoutAnnotations().visit(ast.parse(ast.unparse(node)))
    return {one.id for one in ast.walk(bare) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load)}


def _documentation(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n")[0]


def _papers(network: nn.Module) -> list[str]:
    """The first sentence of the files that its layers are from, where it names a paper."""
    found: dict[str, None] = {}
    for module in network.modules():
        home = sys.modules[type(module).__module__]
        sentence = " ".join((home.__doc__ or "").strip().split("\n\n")[0].split())
        if "arXiv:" in sentence:
            found[sentence] = None
    return [line for sentence in found for line in textwrap.wrap(f"* {sentence}", 116, subsequent_indent="  ")]
