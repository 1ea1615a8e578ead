"""Every planning answer that makes sense for a scenario, for a page that shows them all."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from simclone.changes.load import as_scenario
from simclone.planning.arguments import checked
from simclone.planning.bound import bound
from simclone.planning.compare import compare, strategy_variants
from simclone.planning.drain import drain
from simclone.planning.headroom import headroom
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import LIVING
from simclone.planning.parts.host_model import Model
from simclone.planning.replication.plan import ReplicationPlan
from simclone.planning.runway import runway
from simclone.planning.size import size
from simclone.planning.survive import survive
from simclone.planning.whatif import whatif
from simclone.scenario.load import Given, Scenario

LARGE = 300
"""Fleets of more hosts get no host-by-host answers: they take minutes."""
PATIENT = 64
"""Hosts tried at most when a number of hosts to add is looked for."""


@checked
def overview(source: Given, *, plan: ReplicationPlan | None = None, strategies: bool = False) -> list[Answer]:
    """Headroom, survival, maintenance, hosts to add, runway, what-ifs and bound, where the scenario has them.

    *strategies* compares host strategies too, which takes a run of each in every replication. Large fleets get no
    host-by-host answers. Raises InvalidInput.
    """
    scenario, plan = as_scenario(source), plan or ReplicationPlan()
    return [ask() for ask in _asked(scenario, plan, strategies)]


def _asked(scenario: Scenario, plan: ReplicationPlan, strategies: bool) -> Iterator[Callable[[], Answer]]:
    hosts = [doc.name for doc in scenario.resolved.names.docs("host")]
    small, living = len(hosts) <= LARGE, any(doc.state in LIVING for doc in scenario.vms)
    if living:
        yield lambda: headroom(scenario, survive=1 if small and len(hosts) > 1 else 0, seed=plan.seed)
    if hosts and (scenario.requests or scenario.doc.workload):
        yield lambda: size(scenario, [Model("new", like=hosts[0])], most=PATIENT, plan=plan)
    if small and len(hosts) > 1:
        yield lambda: survive(scenario, each=("host", "cluster", "storage"), ladder=2 * living, seed=plan.seed)
        yield lambda: drain(scenario, seed=plan.seed)
    if hosts and scenario.doc.workload and scenario.run.horizon is not None:
        yield lambda: runway(scenario, changes={"one more host": [{"addHosts": {"like": hosts[0]}}]}, plan=plan)
    if scenario.doc.whatif:
        yield lambda: whatif(scenario, plan=plan)
    if strategies:
        yield lambda: compare(scenario, strategy_variants(scenario, ()), plan=plan)
    if scenario.requests and not scenario.doc.workload and not scenario.doc.incidents:
        yield lambda: bound(scenario, plan=plan)
