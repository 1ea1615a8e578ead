"""Decisions that ask something of their own: which of the open hosts stay, and which of those is best.

The order knows the hosts that no lasting test refuses; flows to be asked at every decision and the strategy's sorters
are asked about those alone.
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
from simclone.vocabulary import Purpose


@dataclass(frozen=True, slots=True)
class Loss:
    """Hosts that the part at *position* refuses of those that come to it, by reason, and its *outcome*."""

    position: int
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
    for position in request_class.per_decision or () if len(hosts) else ():
        flow, candidates = request_class.parts[position].flow, Candidates(cloud, hosts, page=request_class.page)
        facts = flow.facts(request, cloud, candidates)
        if isinstance(facts, Skip | HardStop):
            return None
        if isinstance(facts, Pass):
            losses.append(Loss(position, (), "passed"))
            continue
        retained, refused = narrowed(flow.tests, facts, candidates)
        losses.append(Loss(position, refused))
        if not len(retained):
            return Filtered(retained, tuple(losses), flow.refuses(request, cloud, facts, candidates))
        hosts = retained
    return Filtered(hosts, tuple(losses))


def draw_any(hosts: IntArray | Sequence[int], cloud: Cloud, identity: Identity) -> int:
    """One of some hosts for a dry run, drawn."""
    return int(hosts[next(cloud.chance.order(identity, Purpose.DRY_RUN).places(len(hosts)))])


def adjust_steps(steps: Sequence[Step], losses: Sequence[Loss]) -> list[Step]:
    """The steps of a request class when parts of it refuse hosts that all others keep."""
    by_place, removed, adjusted = {loss.position: loss for loss in losses}, 0, []
    for position, step in enumerate(steps):
        loss = by_place.get(position)
        if loss is None:
            before, after = step.before - removed, step.after - removed
            adjusted.append(Step(step.flow, step.page, before, after, step.outcome, step.refused) if removed else step)
            continue
        after = step.after - removed - loss.hosts
        adjusted.append(Step(step.flow, step.page, step.before - removed, after, loss.outcome, loss.refused))
        removed += loss.hosts
    return adjusted


def emptied_steps(request_class: RequestClass, losses: Sequence[Loss], error: ErrorCode) -> list[Step]:
    """The steps of a request class when the last of some parts leaves nobody."""
    last = losses[-1]
    steps = adjust_steps(request_class.steps()[: last.position + 1], losses)
    own = steps[-1]
    return [*steps[:-1], Step(own.flow, own.page, own.before, 0, "emptied", own.refused, error.details or "")]
