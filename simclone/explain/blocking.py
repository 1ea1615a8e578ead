"""Which tests together make a request impossible: a set none of which can be left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simclone.allocator.host import chain
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.model.cloud import Cloud
from simclone.placement.host import strategy_of
from simclone.records import Unplaced


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
    strategy, dry = strategy_of(request, cloud), request.dry()
    retained = _obstacles(strategy)
    if not _refused(strategy, dry, cloud, retained):
        return ()
    for obstacle in tuple(retained):
        others = [other for other in retained if other != obstacle]
        if _refused(strategy, dry, cloud, others):
            retained = others
    return tuple(retained)


def possible_without(request: HostRequest, cloud: Cloud, obstacles: Iterable[Obstacle]) -> bool:
    """Whether a host is found when only *obstacles* are in the way."""
    return not _refused(strategy_of(request, cloud), request.dry(), cloud, list(obstacles))


def _obstacles(strategy: Strategy) -> list[Obstacle]:
    return [
        Obstacle(position, flow.name, reason)
        for position, flow in enumerate(strategy.filters)
        for reason in (tuple(test.reason for test in flow.tests) or (flow.name,))
    ]


def _refused(strategy: Strategy, request: HostRequest, cloud: Cloud, kept: Sequence[Obstacle]) -> bool:
    """Whether the tests of *kept* alone leave no host; the first flow stays even without any, to cut the pages."""
    only = {}
    for position, flow in enumerate(strategy.filters):
        reasons = {obstacle.reason for obstacle in kept if obstacle.place == position}
        if reasons or not position:
            only[position] = tuple(test for test in flow.tests if test.reason in reasons)
    return isinstance(chain.run(strategy, request, cloud, only=only), Unplaced)
