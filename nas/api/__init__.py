"""The Python interface; `import nas` offers these names."""

from nas.api.analyses import analyze
from nas.api.architectures import build, estimate, load_architecture, load_plugin
from nas.api.study import Study
from nas.api.trainings import compare, import_checkpoint, train_network
from nas.api.trust_study import trust
from nas.api.workers import Local, Ray
from nas.architecture import fuse
from nas.export.bundle import load_model
from nas.export.official import from_official
from nas.space import load_space

__all__ = [
    "Local",
    "Ray",
    "Study",
    "analyze",
    "build",
    "compare",
    "estimate",
    "from_official",
    "fuse",
    "import_checkpoint",
    "load_architecture",
    "load_model",
    "load_plugin",
    "load_space",
    "train_network",
    "trust",
]
