"""Incidents: changes at their times, again and again, with repairs and in waves, as actions of the engine.

Random times are drawn by incident, target and number, so that one incident more moves no draw of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from simclone.chance import Identity
from simclone.changes.kind import ChangeKind, Workflows
from simclone.engine.actions import Action, Timetable
from simclone.engine.calendar import FAILURES, REPAIRS
from simclone.engine.context import Context, Outcome
from simclone.engine.timing import UNIT
from simclone.errors import InvariantViolation
from simclone.scenario.document.distributions import Law
from simclone.scenario.document.incidents import IncidentDoc, law_of
from simclone.scenario.load import Scenario
from simclone.units import SECOND, java_round

Group = tuple[int, ...]
"""Rows of targets that are struck together."""


def actions_of(scenario: Scenario, ctx: Context) -> list[Action]:
    """The actions of a scenario's incidents, for the run of *ctx*."""
    folder = Path(scenario.path).parent
    return [
        action
        for row, doc in enumerate(scenario.doc.incidents)
        for action in _Incident(ctx, doc, doc.name or f"incident-{row + 1}", folder).actions()
    ]


class _Incident:
    """One incident of a run."""

    def __init__(self, ctx: Context, doc: IncidentDoc, name: str, folder: Path) -> None:
        self.ctx, self.doc, self.name, self.folder = ctx, doc, name, folder
        self.change = cast("ChangeKind", doc.made)
        self.kind = REPAIRS if self.change.restores else FAILURES

    def actions(self) -> list[Action]:
        """What happens first: at its time, or after the first gap of each target."""
        doc, targets = self.doc, self._targets()
        groups: list[Group] = [tuple(targets)] if doc.together else [(target,) for target in targets]
        if doc.at is None:
            return [self._next(group, 0, self.ctx.ledger.now_us) for group in groups]
        at_us = java_round(doc.at * SECOND)
        if doc.wave is None:
            return [Action(at_us, self.kind, partial(self._happen, groups, 0))]
        waves = [targets[first : first + doc.wave] for first in range(0, len(targets), doc.wave)]
        return [Action(at_us, FAILURES, partial(self._begin_wave, iter(waves)))]

    def _targets(self) -> list[int]:
        """The rows it happens to; -1 where the change names what it changes."""
        cloud, doc = self.ctx.cloud, self.doc
        fleet = cloud.fleet
        if doc.primary_storage is not None:
            return [cloud.find("primaryStorage", doc.primary_storage)]
        if doc.host is not None:
            return [cloud.find("host", doc.host)]
        if doc.hosts == "all":
            return list(range(fleet.row_count))
        if doc.label is not None:
            ((key, value),) = doc.label.items()
            return [host for host, labels in enumerate(fleet.labels) if labels.get(key) == value]
        for column, name in (("cluster", doc.cluster), ("zone", doc.zone)):
            if name is not None:
                hosts: list[int] = np.flatnonzero(fleet.array(fleet.cells[column]) == cloud.find(column, name)).tolist()
                return hosts
        return [-1]

    def _draw(self, law: Law | None, group: Group, number: int, purpose: str) -> int:
        """Microseconds drawn from a law for the *number*-th time that a group is struck."""
        if law is None:
            raise InvariantViolation("an incident without its law passed the checks")
        identity = Identity(f"incident/{self.name}", _key(group), number)
        uniform = (self.ctx.cloud.chance.key(identity, purpose) + 0.5) / UNIT
        seconds = float(law_of(law, self.folder).quantile(np.array([uniform]))[0])
        return max(java_round(seconds * SECOND), 0)

    def _next(self, group: Group, number: int, now_us: int) -> Action:
        """The next time that a group is struck by chance."""
        gap_us = self._draw(self.doc.gap_law(), group, number, "gap")
        return Action(now_us + gap_us, self.kind, partial(self._happen, [group], number))

    def _happen(self, groups: Sequence[Group], number: int, timetable: Timetable) -> None:
        """Strike all targets, then put repairs and the next time into the timetable."""
        targets = [target for group in groups for target in group]
        _start(timetable, self.change.strike(self.ctx, targets), _ignore)
        law = self.doc.repair_law()
        for group in groups:
            then_us = timetable.now_us
            if law is not None:
                then_us += self._draw(law, group, number, "repair")
                timetable.at(then_us, REPAIRS, self._undo, group, timetable)
            if self.doc.at is None:
                timetable.at(then_us, FAILURES, self._again, group, number + 1, timetable)

    def _again(self, group: Group, number: int, timetable: Timetable) -> None:
        action = self._next(group, number, timetable.now_us)
        timetable.at(action.at_us, action.kind, action.act, timetable)

    def _undo(self, group: Group, timetable: Timetable) -> None:
        for target in group:
            _start(timetable, self.change.undo(self.ctx, target), _ignore)

    def _begin_wave(self, waves: Iterator[Sequence[int]], timetable: Timetable) -> None:
        """Strike the targets of a wave; the next wave follows when the last of these is back."""
        away = set(next(waves, ()))

        def come_back(host: int, _: object = None) -> None:
            away.discard(host)
            if not away:
                self._begin_wave(waves, timetable)

        def undo(host: int) -> None:
            _start(timetable, self.change.undo(self.ctx, host), partial(come_back, host))

        def wait(host: int, outcome: Outcome) -> None:
            if not outcome.ok:
                come_back(host)
                return
            after_us = self._draw(self.doc.repair_law(), (host,), 0, "repair")
            timetable.at(timetable.now_us + after_us, REPAIRS, undo, host)

        for host in sorted(away):
            _start(timetable, self.change.strike(self.ctx, [host]), partial(wait, host))


def _start(timetable: Timetable, workflows: Workflows, done: Callable[[Outcome], None]) -> None:
    for workflow in workflows:
        timetable.start(workflow, done)


def _key(group: Group) -> int:
    """What a target's draws are keyed by: its row; targets struck together share one key."""
    return group[0] + 1 if len(group) == 1 else 0


def _ignore(_: object) -> None:
    """The outcome stands in the records."""
