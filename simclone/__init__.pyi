"""Public names with their signatures, for editors and type checkers; see tests/repo/generate.py."""

from simclone.api import Cloud as Cloud
from simclone.api import Run as Run
from simclone.api import change as change
from simclone.api import check_path as check_path
from simclone.api import load as load
from simclone.api import open_cloud as open_cloud
from simclone.api import reopen as reopen
from simclone.api import run as run
from simclone.errors import Fault as Fault
from simclone.errors import InvalidInput as InvalidInput
from simclone.errors import InvariantViolation as InvariantViolation
from simclone.errors import SimcloneError as SimcloneError
from simclone.errors import UnknownName as UnknownName
from simclone.planning.bound import bound as bound
from simclone.planning.compare import change_variants as change_variants
from simclone.planning.compare import compare as compare
from simclone.planning.compare import strategy_variants as strategy_variants
from simclone.planning.compare import whatif_variants as whatif_variants
from simclone.planning.drain import drain as drain
from simclone.planning.headroom import headroom as headroom
from simclone.planning.overview import overview as overview
from simclone.planning.parts.host_model import Model as Model
from simclone.planning.rebalance import rebalance as rebalance
from simclone.planning.replication.executor import Execution as Execution
from simclone.planning.replication.plan import Plan as Plan
from simclone.planning.replication.plan import ReplicationPlan as ReplicationPlan
from simclone.planning.runway import runway as runway
from simclone.planning.sensitivity import sensitivity as sensitivity
from simclone.planning.shrink import shrink as shrink
from simclone.planning.size import refresh as refresh
from simclone.planning.size import size as size
from simclone.planning.slo import slo as slo
from simclone.planning.survive import survive as survive
from simclone.planning.sweep import hypercube as hypercube
from simclone.planning.sweep import sweep as sweep
from simclone.planning.whatif import whatif as whatif
from simclone.report.plots import picture as picture
from simclone.simulation import Simulation as Simulation
from simclone.version import __version__ as __version__

__all__ = [
    "Cloud",
    "Execution",
    "Fault",
    "InvalidInput",
    "InvariantViolation",
    "Model",
    "Plan",
    "ReplicationPlan",
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
