"""Forms of a network that other programs read; importing this registers them."""

from nas.export.forms import graphs, hub, mobile, ncnn, python, pytorch, timm
from nas.export.forms.base import Form, Options, Subject, Written, forms, require_heeded

__all__ = [
    "Form",
    "Options",
    "Subject",
    "Written",
    "forms",
    "graphs",
    "hub",
    "mobile",
    "ncnn",
    "python",
    "pytorch",
    "require_heeded",
    "timm",
]
