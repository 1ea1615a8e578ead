"""Flows and strategies of other installed packages, found by their entry points when somebody asks for them.

A package names them in its ``pyproject.toml``::

    [project.entry-points."simclone.flows"]
    labels = "mycloud.labels"            # a flow, its class, or a module with FLOWS = (flow, …)

    [project.entry-points."simclone.strategies"]
    LabelAware = "mycloud.labels:strategy"   # a Strategy, or a function of the profile that gives one
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from simclone.allocator.host.flow import FilterFlow, SortFlow
from simclone.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

FLOWS, STRATEGIES = "simclone.flows", "simclone.strategies"
Flow: TypeAlias = FilterFlow | SortFlow


@cache
def flows() -> tuple[Flow, ...]:
    """The flows of other packages, by entry point; raises InvalidInput for something else and for a name twice."""
    loaded: dict[str, Flow] = {}
    for point in _points(FLOWS):
        for flow in _flows_of(point):
            if flow.name in loaded:
                raise _wrong(point, f"a flow named {flow.name!r} is there already", "a name of its own")
            loaded[flow.name] = flow
    return tuple(loaded.values())


@cache
def strategies() -> tuple[tuple[str, object], ...]:
    """Names and objects of the strategies of other packages; raises InvalidInput for a name twice."""
    loaded: dict[str, object] = {}
    for point in _points(STRATEGIES):
        if point.name in loaded:
            raise _wrong(point, "this name is there already", "a name of its own")
        loaded[point.name] = point.load()
    return tuple(loaded.items())


def _points(group: str) -> list[EntryPoint]:
    """The entry points of a group; one that is found twice on the path counts once."""
    from importlib.metadata import entry_points  # loads a parser of e-mail, so only on use

    return sorted(set(entry_points(group=group)), key=lambda point: (point.name, point.value))


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
