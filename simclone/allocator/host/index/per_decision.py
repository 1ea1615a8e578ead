"""Decisions that ask something of their own: which of the open hosts stay, and which of those is best.

The order knows the hosts no lasting test refuses; brief flows and the strategy's sorters are asked about those alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclone.allocator.host.chain import narrowed
from simclone.allocator.host.flow import Candidates, Counts, Pass
from simclone.allocator.host.index.request_class import Shape
from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.records import ErrorCode, Step


@dataclass(frozen=True, slots=True)
class Loss:
    """Hosts that the part at *place* refuses of those that come to it, by reason."""

    place: int
    refused: Counts

    @property
    def hosts(self) -> int:
        """Their number."""
        return sum(count for _, count in self.refused)


@dataclass(frozen=True, slots=True)
class Sieved:
    """The hosts that stay, ascending, what each part took, and the *error* of one that took the last."""

    hosts: IntArray
    losses: tuple[Loss, ...]
    error: ErrorCode | None = None


def sieved(shape: Shape, request: HostRequest, cloud: Cloud) -> Sieved:
    """The open hosts that every brief flow keeps."""
    hosts, losses = np.flatnonzero(shape.open), []
    for place in shape.briefs or () if len(hosts) else ():
        flow, candidates = shape.parts[place].flow, Candidates(cloud, hosts)
        facts = flow.facts(request, cloud, candidates)
        if isinstance(facts, Pass):
            continue
        kept, refused = narrowed(flow, facts, candidates)
        losses.append(Loss(place, refused))
        if not len(kept):
            return Sieved(kept, tuple(losses), flow.refuses(request, cloud, facts, candidates))
        hosts = kept
    return Sieved(hosts, tuple(losses))


def any_of(hosts: IntArray | Sequence[int], cloud: Cloud, identity: Identity) -> int:
    """One of some hosts for a dry run, drawn."""
    return int(hosts[next(cloud.chance.order(identity, "dryRun").places(len(hosts)))])


def lessened(steps: Sequence[Step], losses: Sequence[Loss]) -> list[Step]:
    """The steps of a shape when parts of it refuse hosts that all others keep."""
    by_place, gone, made = {one.place: one for one in losses}, 0, []
    for place, one in enumerate(steps):
        loss = by_place.get(place)
        if loss is None:
            before, after = one.before - gone, one.after - gone
            made.append(Step(one.flow, one.page, before, after, one.outcome, one.refused) if gone else one)
            continue
        after = one.after - gone - loss.hosts
        made.append(Step(one.flow, one.page, one.before - gone, after, "kept", loss.refused))
        gone += loss.hosts
    return made


def emptied(shape: Shape, losses: Sequence[Loss], error: ErrorCode) -> list[Step]:
    """The steps of a shape when the last of some parts leaves nobody."""
    last = losses[-1]
    steps = lessened(shape.steps()[: last.place + 1], losses)
    own = steps[-1]
    return [*steps[:-1], Step(own.flow, own.page, own.before, 0, "emptied", own.refused, error.details or "")]
