"""Flows and strategies of other installed packages, found by their entry points when somebody asks for them.

A package names them in its ``pyproject.toml``::

    [project.entry-points."simclone.flows"]
    labels = "mycloud.labels"            # a flow, its class, or a module with FLOWS = (flow, …)

    [project.entry-points."simclone.strategies"]
    LabelAware = "mycloud.labels:strategy"   # a Strategy, or a function of the profile that gives one
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from simclone.allocator.host.flow import FilterFlow, SortFlow
from simclone.errors import Fault, InvalidInput
from simclone.installed import PlugIn, entry_points_of, plug_in

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FLOWS, STRATEGIES = "simclone.flows", "simclone.strategies"
Flow: TypeAlias = FilterFlow | SortFlow


@cache
def flows() -> tuple[Flow, ...]:
    """The flows of other packages, by entry point; raises InvalidInput for something else and for a name twice."""
    return tuple(flow for flow, _ in _loaded_flows().values())


@cache
def strategies() -> tuple[tuple[str, object], ...]:
    """Names and objects of the strategies of other packages; raises InvalidInput for a name twice."""
    return tuple((name, point.load()) for name, point in _strategy_points().items())


def flow_origins() -> Mapping[str, PlugIn]:
    """The names of the flows of other packages, with the entry point that brings each."""
    return {name: plug_in(point) for name, (_, point) in _loaded_flows().items()}


def strategy_origins() -> Mapping[str, PlugIn]:
    """The names of the strategies of other packages, with the entry point that brings each."""
    return {name: plug_in(point) for name, point in _strategy_points().items()}


@cache
def _loaded_flows() -> Mapping[str, tuple[Flow, EntryPoint]]:
    loaded: dict[str, tuple[Flow, EntryPoint]] = {}
    for point in entry_points_of(FLOWS):
        for flow in _flows_of(point):
            if flow.name in loaded:
                raise _wrong(point, f"a flow named {flow.name!r} is there already", "a name of its own")
            loaded[flow.name] = flow, point
    return loaded


@cache
def _strategy_points() -> Mapping[str, EntryPoint]:
    points: dict[str, EntryPoint] = {}
    for point in entry_points_of(STRATEGIES):
        if point.name in points:
            raise _wrong(point, "this name is there already", "a name of its own")
        points[point.name] = point
    return points


def _flows_of(point: EntryPoint) -> Iterator[Flow]:
    thing = point.load()
    things = getattr(thing, "FLOWS", (thing,))
    for item in things:
        flow = item() if isinstance(item, type) and issubclass(item, FilterFlow | SortFlow) else item
        if not isinstance(flow, FilterFlow | SortFlow):
            raise _wrong(point, f"{item!r} is no flow", "a FilterFlow, a SortFlow, or a module with FLOWS")
        yield flow


def _wrong(point: EntryPoint, message: str, expected: str) -> InvalidInput:
    return InvalidInput([Fault(f"{point.group}.{point.name}", f"{point.value}: {message}", expected)])
