"""Which plug-ins a run was made with: what its manifest says beside the version of simclone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from simclone.allocator.host import plugins
from simclone.allocator.host.strategies import Strategy
from simclone.engine.results.result import RunResult
from simclone.installed import PlugIn, current_question, entry_points_of, plug_in
from simclone.model.cloud import Cloud
from simclone.model.storage_types import BUILT_IN, storage_type_origins
from simclone.scenario.load import Scenario
from simclone.scenario.writing import data_of
from simclone.traces.formats import format_origin

CHANGES = "simclone.changes"


def plug_ins_of(scenario: Scenario, result: RunResult) -> tuple[PlugIn, ...]:
    """The plug-ins a run used, by group and name; those that are installed and took no part are none of them."""
    data = data_of(scenario)
    question = current_question()
    used = {
        *_strategies(result.ledger.cloud),
        *_storage_types(result.ledger.cloud),
        *_traces(data, Path(scenario.path).parent),
        *_changes(scenario),
        *(() if question is None else (question,)),
    }
    return tuple(sorted(used))


def _strategies(cloud: Cloud) -> Iterator[PlugIn]:
    """Those of the chains that any host request ran, and of the flows in them."""
    strategies, flows = plugins.strategy_origins(), plugins.flow_origins()
    for name, chain in cloud.used_strategies.items():
        if name in strategies and name not in cloud.strategies:
            yield strategies[name]
        if isinstance(chain, Strategy):
            names = {flow.name for flow in chain.filters} | {flow.name for flow in chain.sorters}
            yield from (flows[flow] for flow in names & flows.keys())


def _storage_types(cloud: Cloud) -> Iterator[PlugIn]:
    foreign = {storage.type for storage in cloud.storages} - BUILT_IN.keys()
    if foreign:
        origins = storage_type_origins()
        yield from (origins[name] for name in foreign)


def _traces(data: Mapping[str, object], folder: Path) -> Iterator[PlugIn]:
    """Those of the formats of the traces that are read without a column map."""
    origins = (format_origin(folder / path) for path in _trace_paths(data))
    yield from (origin for origin in origins if origin is not None)


def _trace_paths(value: object, key: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        if key == "trace" and "path" in value and not value.get("map"):
            yield value["path"]
        for name, below in value.items():
            yield from (below,) if name == "fromTrace" else _trace_paths(below, name)
    elif isinstance(value, list):
        for item in value:
            yield from _trace_paths(item, key)


def _changes(scenario: Scenario) -> Iterator[PlugIn]:
    """Those of the kinds of change that the scenario's incidents are."""
    keys = {incident.made.key for incident in scenario.doc.incidents}
    yield from (plug_in(point) for point in entry_points_of(CHANGES) if point.name in keys)
