"""A scenario's cloud at t = 0: its own strategies registered, its VMs placed."""

from __future__ import annotations

from collections.abc import Mapping

from simclone.allocator.host.sorters.textbook import LowestRankSortFlow, WeightedScoreSortFlow
from simclone.allocator.host.strategies import TABLES, Strategy, filters_by_name
from simclone.engine.context import Context
from simclone.engine.initial import place_all
from simclone.engine.results.records import opening_figures
from simclone.scenario.document.offerings import StrategyDoc
from simclone.scenario.load import Scenario
from simclone.units import java_round


def own_strategies(profile: str, docs: Mapping[str, StrategyDoc]) -> dict[str, object]:
    """Strategies a file composes: filters by name (LeastVm's where the key is left out) and weighted scores.

    The first flow, which produces the hosts and cuts the pages, is always there.
    """
    table = TABLES[profile]
    known = filters_by_name(profile)
    usual = table["LeastVmPreferredHostAllocatorStrategy"].filters
    result: dict[str, object] = {}
    for name, doc in docs.items():
        named = None if doc.filters is None else [known[item] for item in doc.filters if item != usual[0].name]
        filters = usual if named is None else (usual[0], *named)
        weights = tuple((scorer, java_round(1000 * weight)) for scorer, weight in doc.score.items())
        result[name] = Strategy(name, filters, (WeightedScoreSortFlow(weights), LowestRankSortFlow()))
    return result


def open_context(scenario: Scenario, *, seed: int | None = None, replication: int = 0) -> Context:
    """A cloud at t = 0 with its VMs placed, ready for requests."""
    ledger = scenario.build(seed, replication)
    ledger.cloud.strategies.update(own_strategies(ledger.cloud.settings.profile, scenario.strategies))
    ctx = Context(ledger, max_names=scenario.run.max_names, opening=opening_figures(ledger.cloud))
    place_all(ctx, scenario)
    return ctx
