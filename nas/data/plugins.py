"""Data sets of other distributions: entry points of the group `nas.datasets`, each naming a subclass of `Source`.

    [project.entry-points."nas.datasets"]
    plankton = "plankton_images:Plankton"

They are looked for only where a name is unknown, so that an installed one costs nothing to those who do not use it.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from nas.errors import DataError, UnknownNameError
from nas.registry import Registry, did_you_mean

T = TypeVar("T")

GROUP = "nas.datasets"


def load_plugin(name: str, registry: Registry[type[T]], base: type) -> None:
    """Import the plug-in called `name` and register it.

    Args:
        name: as a user wrote it.
        registry: where it belongs.
        base: what it must be a subclass of.

    Raises:
        UnknownNameError: there is no such plug-in; the message proposes registered names and those of plug-ins.
        DataError: it cannot be imported, or is something else.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name not in found:
        plugins = sorted(set(found) - set(registry))
        installed = f" (installed plug-ins: {', '.join(plugins)})" if plugins else ""
        advice = did_you_mean(name, [*registry, *plugins])
        raise UnknownNameError(f"unknown {registry.kind} {name!r}; {advice}{installed}")
    registry.register(name)(_imported(found[name], base))


def _imported(point: EntryPoint, base: type) -> Any:
    origin = f"data set {point.name!r} of the installed distribution {point.dist.name if point.dist else '?'!r}"
    try:
        thing = point.load()
    except Exception as error:  # whatever foreign code raises when it is imported
        raise DataError(f"{origin} cannot be imported ({error!r}); repair or uninstall it") from error
    if not (isinstance(thing, type) and issubclass(thing, base)):
        raise DataError(f"{origin} is {point.value}, which is no subclass of {base.__module__}.{base.__qualname__}")
    return thing
