"""Decisions that ask something of their own: which of the open hosts stay, and which of those is best.

The order knows the hosts no lasting test refuses; brief flows and the strategy's sorters are asked about those alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclone.allocator.host.chain import narrowed
from simclone.allocator.host.flow import Candidates, Counts, HardStop, Pass, Skip
from simclone.allocator.host.index.request_class import RequestClass
from simclone.allocator.host.request import HostRequest
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.records import ErrorCode, Step


@dataclass(frozen=True, slots=True)
class Loss:
    """Hosts that the part at *place* refuses of those that come to it, by reason, and its *outcome*."""

    place: int
    refused: Counts
    outcome: str = "kept"

    @property
    def hosts(self) -> int:
        """Their number."""
        return sum(count for _, count in self.refused)


@dataclass(frozen=True, slots=True)
class Filtered:
    """The hosts that stay, ascending, what each part took, and the *error* of one that took the last."""

    hosts: IntArray
    losses: tuple[Loss, ...]
    error: ErrorCode | None = None


def apply_filters(request_class: RequestClass, request: HostRequest, cloud: Cloud) -> Filtered | None:
    """The open hosts that every flow of a decision keeps; None where one of them does not filter but ends or skips."""
    hosts, losses = np.flatnonzero(request_class.open), []
    for place in request_class.per_decision or () if len(hosts) else ():
        flow, candidates = request_class.parts[place].flow, Candidates(cloud, hosts, page=request_class.page)
        facts = flow.facts(request, cloud, candidates)
        if isinstance(facts, Skip | HardStop):
            return None
        if isinstance(facts, Pass):
            losses.append(Loss(place, (), "passed"))
            continue
        kept, refused = narrowed(flow.tests, facts, candidates)
        losses.append(Loss(place, refused))
        if not len(kept):
            return Filtered(kept, tuple(losses), flow.refuses(request, cloud, facts, candidates))
        hosts = kept
    return Filtered(hosts, tuple(losses))


def draw_any(hosts: IntArray | Sequence[int], cloud: Cloud, identity: Identity) -> int:
    """One of some hosts for a dry run, drawn."""
    return int(hosts[next(cloud.chance.order(identity, "dryRun").places(len(hosts)))])


def adjust_steps(steps: Sequence[Step], losses: Sequence[Loss]) -> list[Step]:
    """The steps of a shape when parts of it refuse hosts that all others keep."""
    by_place, gone, made = {one.place: one for one in losses}, 0, []
    for place, one in enumerate(steps):
        loss = by_place.get(place)
        if loss is None:
            before, after = one.before - gone, one.after - gone
            made.append(Step(one.flow, one.page, before, after, one.outcome, one.refused) if gone else one)
            continue
        after = one.after - gone - loss.hosts
        made.append(Step(one.flow, one.page, one.before - gone, after, loss.outcome, loss.refused))
        gone += loss.hosts
    return made


def emptied_steps(request_class: RequestClass, losses: Sequence[Loss], error: ErrorCode) -> list[Step]:
    """The steps of a shape when the last of some parts leaves nobody."""
    last = losses[-1]
    steps = adjust_steps(request_class.steps()[: last.place + 1], losses)
    own = steps[-1]
    return [*steps[:-1], Step(own.flow, own.page, own.before, 0, "emptied", own.refused, error.details or "")]
