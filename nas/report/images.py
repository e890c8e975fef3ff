"""Images by matplotlib, of the extra `plots`: asked for in one place, made without a screen, written whole."""

from __future__ import annotations

from collections.abc import Collection
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from nas.data.atomic import new_file
from nas.errors import UserError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

IMAGES = (".png", ".svg")
PAGE = ".html"


def require_suffix(path: Path, what: str, forms: Collection[str]) -> None:
    """Raise UserError for a file whose suffix is none of the forms that `what`, such as `a front`, is drawn as."""
    if path.suffix not in forms:
        raise UserError(f"{path}: {what} can be drawn as {', '.join(forms)}")


def require_form(path: Path, what: str, forms: Collection[str] = IMAGES) -> None:
    """Raise UserError for a file that matplotlib cannot draw: an unknown suffix, or no matplotlib.

    Args:
        path: the file.
        what: is drawn, such as `a front`.
        forms: suffixes that it can be drawn as; `.html`, where it is among them, needs no matplotlib.
    """
    require_suffix(path, what, forms)
    if path.suffix != PAGE and find_spec("matplotlib") is None:
        other = f"; {PAGE} needs nothing" if PAGE in forms else ""
        raise UserError(f"{path}: images need matplotlib; `pip install 'nas-convnets[plots]'` brings it{other}")


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, that no window shows and no global state knows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # 0.4 s
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure in the form that the suffix names."""
    with new_file(path) as temporary:
        save_figure(figure, temporary, path.suffix.removeprefix("."))


def save_figure(figure: Figure, path: Path, form: str) -> None:
    """Write a figure into a file that is made whole elsewhere."""
    figure.savefig(path, format=form, dpi=150)
