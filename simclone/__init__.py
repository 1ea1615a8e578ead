"""simclone: which VM clones will succeed, where they land, why the others fail, and what would change that.

This module is the table of contents; names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from simclone.version import __version__

if TYPE_CHECKING:
    from simclone.api import Cloud, Run, change, check_path, load, open_cloud, reopen, run
    from simclone.errors import Fault, InvalidInput, InvariantViolation, SimcloneError, UnknownName
    from simclone.planning.bound import bound
    from simclone.planning.compare import change_variants, compare, strategy_variants, whatif_variants
    from simclone.planning.headroom import headroom
    from simclone.planning.overview import overview
    from simclone.planning.rebalance import rebalance
    from simclone.planning.replication.executor import Execution
    from simclone.planning.replication.plan import Plan
    from simclone.planning.runway import runway
    from simclone.planning.shrink import shrink
    from simclone.planning.size import Model, refresh, size
    from simclone.planning.survive import drain, survive
    from simclone.planning.sweep import hypercube, sensitivity, slo, sweep
    from simclone.planning.whatif import whatif
    from simclone.report.plots import picture
    from simclone.simulation import Simulation

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
    "headroom": "simclone.planning.headroom",
    "size": "simclone.planning.size",
    "refresh": "simclone.planning.size",
    "Model": "simclone.planning.size",
    "shrink": "simclone.planning.shrink",
    "survive": "simclone.planning.survive",
    "drain": "simclone.planning.survive",
    "rebalance": "simclone.planning.rebalance",
    "runway": "simclone.planning.runway",
    "compare": "simclone.planning.compare",
    "strategy_variants": "simclone.planning.compare",
    "whatif_variants": "simclone.planning.compare",
    "change_variants": "simclone.planning.compare",
    "sweep": "simclone.planning.sweep",
    "hypercube": "simclone.planning.sweep",
    "sensitivity": "simclone.planning.sweep",
    "slo": "simclone.planning.sweep",
    "whatif": "simclone.planning.whatif",
    "bound": "simclone.planning.bound",
    "Plan": "simclone.planning.replication.plan",
    "overview": "simclone.planning.overview",
    "Execution": "simclone.planning.replication.executor",
    "picture": "simclone.report.plots",
}

__all__ = [
    "Cloud",
    "Execution",
    "Fault",
    "InvalidInput",
    "InvariantViolation",
    "Model",
    "Plan",
    "Run",
    "SimcloneError",
    "Simulation",
    "UnknownName",
    "__version__",
    "bound",
    "change",
    "change_variants",
    "check_path",
    "compare",
    "drain",
    "headroom",
    "hypercube",
    "load",
    "open_cloud",
    "overview",
    "picture",
    "rebalance",
    "refresh",
    "reopen",
    "run",
    "runway",
    "sensitivity",
    "shrink",
    "size",
    "slo",
    "strategy_variants",
    "survive",
    "sweep",
    "whatif",
    "whatif_variants",
]


def __dir__() -> list[str]:
    return [*__all__]


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'simclone' has no attribute {name!r}")
    return getattr(import_module(home), name)
