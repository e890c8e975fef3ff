"""Labelled images for the proxy: decoded and resized once, kept as one uint8 array, mapped by every worker.

A data set is named by a reference, `NAME` or `NAME:ARGUMENT`: `digits` or `folder:PATH`.
"""

from nas.data.dataset import DataSet, Description, Progress, Split
from nas.data.digits import Digits
from nas.data.folder import Folder
from nas.data.load import default_cache, describe, fingerprint, load_data
from nas.data.source import Source, datasets, open_source

__all__ = [
    "DataSet",
    "Description",
    "Digits",
    "Folder",
    "Progress",
    "Source",
    "Split",
    "datasets",
    "default_cache",
    "describe",
    "fingerprint",
    "load_data",
    "open_source",
]
