"""Run a scenario: place what is there, serve the requests in order, keep the records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simclone.allocator.host.sorters.textbook import LowestRankSortFlow, WeightedScoreSortFlow
from simclone.allocator.host.strategies import TABLES, Strategy
from simclone.engine.clone.call import clone_now
from simclone.engine.context import Context
from simclone.engine.initial import place_all
from simclone.engine.records import answer_records, figures
from simclone.model.columns import IntArray
from simclone.model.ledger import Ledger
from simclone.records import CloneAnswer, CloneRequest, DecisionRecord, Event
from simclone.scenario.load import Scenario
from simclone.scenario.shapes import StrategyDoc
from simclone.units import java_round

HOST_FIGURES = ("available_cpu", "available_memory", "total_cpu", "total_memory", "vm_count", "reserved_memory")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run: its answers, decisions and events, the ledger as it stands, and host figures before.

    *opening* are the figures before anything was placed, *start* those before the first request.
    """

    ledger: Ledger
    answers: tuple[CloneAnswer, ...]
    decisions: tuple[DecisionRecord, ...]
    events: tuple[Event, ...]
    before: Mapping[str, IntArray]
    storage_before: tuple[int, ...]
    opening: Mapping[str, Any]
    start: Mapping[str, Any]

    def records(self) -> dict[str, Any]:
        """Opening, closing and answers as plain data; with the events all an auditor needs."""
        closing = figures(self.ledger.cloud)
        return {"opening": self.opening, "closing": closing, "answers": answer_records(self.answers)}


def own_strategies(profile: str, docs: Mapping[str, StrategyDoc]) -> dict[str, object]:
    """Strategies a file composes: filters by name (LeastVm's when none are named) and weighted scores."""
    table = TABLES[profile]
    known = {flow.name: flow for strategy in table.values() for flow in strategy.filters}
    usual = table["LeastVmPreferredHostAllocatorStrategy"].filters
    made: dict[str, object] = {}
    for name, doc in docs.items():
        filters = usual if not doc.filters else (usual[0], *(known[one] for one in doc.filters if one != usual[0].name))
        weights = tuple((scorer, java_round(1000 * weight)) for scorer, weight in doc.score.items())
        made[name] = Strategy(name, filters, (WeightedScoreSortFlow(weights), LowestRankSortFlow()))
    return made


def open_context(scenario: Scenario, *, seed: int | None = None, replication: int = 0) -> Context:
    """A cloud at t = 0 with its VMs placed, ready for requests."""
    ledger = scenario.build(seed, replication)
    ledger.cloud.strategies.update(own_strategies(ledger.cloud.settings.profile, scenario.strategies))
    ctx = Context(ledger, max_names=scenario.run.max_names, opening=figures(ledger.cloud))
    place_all(ctx, scenario)
    return ctx


def serve(ctx: Context, requests: Sequence[CloneRequest]) -> RunResult:
    """Serve requests one after the other in order of time; equal times keep their order."""
    fleet = ctx.cloud.fleet
    before = {name: fleet.array(name).copy() for name in HOST_FIGURES}
    start = figures(ctx.cloud)
    storage_before = tuple(one.available for one in ctx.cloud.storages)
    answers = []
    for request in sorted(requests, key=lambda one: one.at_us):
        ctx.ledger.now_us = max(ctx.ledger.now_us, request.at_us)
        answers.append(clone_now(ctx, request))
    ctx.ledger.check()
    events = tuple(ctx.ledger.events)
    return RunResult(
        ctx.ledger, tuple(answers), tuple(ctx.decisions), events, before, storage_before, ctx.opening, start
    )
