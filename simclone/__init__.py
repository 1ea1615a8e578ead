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
    from simclone.planning.bounding import bound
    from simclone.planning.comparing import change_variants, compare, strategy_variants, whatif_variants
    from simclone.planning.execution import Execution
    from simclone.planning.headroom import headroom
    from simclone.planning.overview import overview
    from simclone.planning.rebalancing import rebalance
    from simclone.planning.replicating import Plan
    from simclone.planning.resilience import drain, survive
    from simclone.planning.runway import runway
    from simclone.planning.shrinking import shrink
    from simclone.planning.sizing import Model, refresh, size
    from simclone.planning.sweeping import hypercube, sensitivity, slo, sweep
    from simclone.planning.whatifs import whatif
    from simclone.report.plots import picture

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
    "headroom": "simclone.planning.headroom",
    "size": "simclone.planning.sizing",
    "refresh": "simclone.planning.sizing",
    "Model": "simclone.planning.sizing",
    "shrink": "simclone.planning.shrinking",
    "survive": "simclone.planning.resilience",
    "drain": "simclone.planning.resilience",
    "rebalance": "simclone.planning.rebalancing",
    "runway": "simclone.planning.runway",
    "compare": "simclone.planning.comparing",
    "strategy_variants": "simclone.planning.comparing",
    "whatif_variants": "simclone.planning.comparing",
    "change_variants": "simclone.planning.comparing",
    "sweep": "simclone.planning.sweeping",
    "hypercube": "simclone.planning.sweeping",
    "sensitivity": "simclone.planning.sweeping",
    "slo": "simclone.planning.sweeping",
    "whatif": "simclone.planning.whatifs",
    "bound": "simclone.planning.bounding",
    "Plan": "simclone.planning.replicating",
    "overview": "simclone.planning.overview",
    "Execution": "simclone.planning.execution",
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
