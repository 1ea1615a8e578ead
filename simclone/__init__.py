"""simclone: which VM clones will succeed, where they land, why the others fail, and what would change that.

This module is the table of contents; names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from simclone.version import __version__

if TYPE_CHECKING:
    from simclone.api import Cloud, Run, change, check_path, load, open_cloud, reopen, run
    from simclone.driving import Simulation
    from simclone.errors import Fault, InvalidInput, InvariantViolation, SimcloneError, UnknownName

_HOMES = {
    "Cloud": "simclone.api",
    "Run": "simclone.api",
    "change": "simclone.api",
    "check_path": "simclone.api",
    "load": "simclone.api",
    "open_cloud": "simclone.api",
    "reopen": "simclone.api",
    "run": "simclone.api",
    "Simulation": "simclone.driving",
    "Fault": "simclone.errors",
    "InvalidInput": "simclone.errors",
    "InvariantViolation": "simclone.errors",
    "SimcloneError": "simclone.errors",
    "UnknownName": "simclone.errors",
}

__all__ = [
    "Cloud",
    "Fault",
    "InvalidInput",
    "InvariantViolation",
    "Run",
    "SimcloneError",
    "Simulation",
    "UnknownName",
    "__version__",
    "change",
    "check_path",
    "load",
    "open_cloud",
    "reopen",
    "run",
]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'simclone' has no attribute {name!r}")
    return getattr(import_module(home), name)
