"""Which tests together make a request impossible: a set none of which can be left out."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass

from simclone.allocator.host import chain
from simclone.allocator.host.flow import FilterFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.model.cloud import Cloud
from simclone.placement.host import strategy_of
from simclone.records import ErrorCode, Unplaced


@dataclass(frozen=True, slots=True)
class Obstacle:
    """One test of one flow, by its place in the chain; *reason* is the flow's name for a flow without tests."""

    place: int
    flow: str
    reason: str


def blocking_set(request: HostRequest, cloud: Cloud) -> tuple[Obstacle, ...]:
    """Obstacles that together leave no host, found by deletion; without any one of them there is one.

    Empty for a request that finds a host, and for one that is refused even without all of them.
    """
    strategy, asked = strategy_of(request, cloud), request.dry()
    kept = [*_obstacles(strategy)]
    if not _refused(strategy, asked, cloud, kept):
        return ()
    for one in tuple(kept):
        rest = [other for other in kept if other != one]
        if _refused(strategy, asked, cloud, rest):
            kept = rest
    return tuple(kept)


def possible_without(request: HostRequest, cloud: Cloud, obstacles: Iterable[Obstacle]) -> bool:
    """Whether a host is found when only *obstacles* are in the way."""
    return not _refused(strategy_of(request, cloud), request.dry(), cloud, list(obstacles))


def _obstacles(strategy: Strategy) -> list[Obstacle]:
    return [
        Obstacle(place, flow.name, reason)
        for place, flow in enumerate(strategy.filters)
        for reason in (tuple(test.reason for test in flow.tests) or (flow.name,))
    ]


def _refused(strategy: Strategy, request: HostRequest, cloud: Cloud, kept: list[Obstacle]) -> bool:
    left = []
    for place, flow in enumerate(strategy.filters):
        reasons = {one.reason for one in kept if one.place == place}
        if reasons or not place:
            left.append(_with_tests(flow, reasons))
    return isinstance(chain.run(Strategy(strategy.name, tuple(left)), request, cloud), Unplaced)


def _with_tests(flow: FilterFlow, reasons: set[str]) -> FilterFlow:
    """The flow with some of its tests; the first of a chain stays even without any, to cut the pages."""
    twin = copy.copy(flow)
    twin.__dict__["tests"] = tuple(test for test in flow.tests if test.reason in reasons)
    twin.__dict__["refuses"] = _says_no
    return twin


def _says_no(*_: object) -> ErrorCode:
    """The words of a flow are about all of its tests; here only the outcome counts."""
    return ErrorCode(None, reason="blocked")
