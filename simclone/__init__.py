"""simclone: which VM clones will succeed, where they land, why the others fail, and what would change that.

This module is the table of contents; names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from simclone.version import __version__ as __version__

_HOMES = {
    "Cloud": "simclone.api",
    "Run": "simclone.api",
    "change": "simclone.api",
    "check_path": "simclone.api",
    "load": "simclone.api",
    "open_cloud": "simclone.api",
    "reopen": "simclone.api",
    "run": "simclone.api",
    "Simulation": "simclone.simulation",
    "Fault": "simclone.errors",
    "InvalidInput": "simclone.errors",
    "InvariantViolation": "simclone.errors",
    "SimcloneError": "simclone.errors",
    "UnknownName": "simclone.errors",
    "ReplicationPlan": "simclone.planning.replication.plan",
    "Plan": "simclone.planning.replication.plan",
    "Model": "simclone.planning.parts.host_model",
    "overview": "simclone.planning.overview",
    "Execution": "simclone.planning.replication.executor",
    "picture": "simclone.report.plots",
}
"""Public names beside those of the planning questions, with their modules."""


def _homes() -> dict[str, str]:
    from simclone.planning.questions import public_names

    return {**_HOMES, **public_names()}


def __dir__() -> list[str]:
    return sorted([*_homes(), "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return __dir__()
    home = _homes().get(name)
    if home is not None:
        return getattr(import_module(home), name)
    from simclone.planning.entry_points import question_function

    function = None if name.startswith("_") else question_function(name)
    if function is None:
        raise AttributeError(f"module 'simclone' has no attribute {name!r}")
    return function
