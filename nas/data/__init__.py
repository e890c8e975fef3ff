"""Labelled images for the proxy: decoded and resized once, kept as one uint8 array, mapped by every worker.

A data set is named by a reference, `NAME` or `NAME:ARGUMENT`, perhaps with options: `digits`,
`folder:PATH?corrupt=skip`. Importing this package registers those that come with it; others are plug-ins.
"""

from nas.data.cifar import Cifar10, Cifar100
from nas.data.dataset import DataSet, Description, Findings, Progress, Split
from nas.data.digits import Digits
from nas.data.folder import Folder
from nas.data.imagenet import ImageNet
from nas.data.load import default_cache, describe, fingerprint, load_data
from nas.data.npz import Npz
from nas.data.parquet import Parquet
from nas.data.room import DEFAULT_LIMIT, Entry, entries, forget, limit_of, prune, set_limit
from nas.data.source import Catalog, Source, datasets, open_source
from nas.data.streaming import StreamedImages

__all__ = [
    "DEFAULT_LIMIT",
    "Catalog",
    "Cifar10",
    "Cifar100",
    "DataSet",
    "Description",
    "Digits",
    "Entry",
    "Findings",
    "Folder",
    "ImageNet",
    "Npz",
    "Parquet",
    "Progress",
    "Source",
    "Split",
    "StreamedImages",
    "datasets",
    "default_cache",
    "describe",
    "entries",
    "fingerprint",
    "forget",
    "limit_of",
    "load_data",
    "open_source",
    "prune",
    "set_limit",
]
