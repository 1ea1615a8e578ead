"""Incidents of a scenario: failures and repairs, maintenance, storage loss, settings and hosts at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from simclone.chance import Identity
from simclone.engine.calendar import FAILURES, REPAIRS
from simclone.engine.context import Outcome
from simclone.engine.operations.host_failure import fail_host, repair_host, restart_elsewhere
from simclone.engine.operations.hosts import add_host, change_host_state
from simclone.engine.operations.settings import update_global_config
from simclone.engine.operations.start_vm import start_vm
from simclone.engine.run_loop import RunLoop
from simclone.engine.timing import UNIT
from simclone.engine.waits import alone
from simclone.errors import InvariantViolation
from simclone.scenario.document.distributions import Law
from simclone.scenario.document.incidents import IncidentDoc, law_of
from simclone.scenario.reading.expand import numbered
from simclone.units import SECOND, java_round
from simclone.workload.distributions import Distribution

Group = tuple[int, ...]
"""Targets that are struck together."""


class Incidents:
    """Schedules a scenario's incidents. Random ones draw by incident, target and number: adding one moves no other."""

    def __init__(self, simulation: RunLoop, docs: Sequence[IncidentDoc], folder: Path) -> None:
        self.simulation, self.folder = simulation, folder
        for row, doc in enumerate(docs):
            self._schedule(doc, doc.name or f"incident-{row + 1}")

    def _schedule(self, doc: IncidentDoc, name: str) -> None:
        if doc.wave is not None and doc.at is not None:
            hosts = self._targets(doc)
            waves = [hosts[at : at + doc.wave] for at in range(0, len(hosts), doc.wave)]
            begin = partial(self._wave, doc, name, iter(waves))
            self.simulation.driver.at(java_round(doc.at * SECOND), FAILURES, begin)
            return
        targets = self._targets(doc)
        groups: list[Group] = [tuple(targets)] if doc.together else [(target,) for target in targets]
        if doc.at is not None:
            self._at(java_round(doc.at * SECOND), doc, name, groups, 0)
            return
        for group in groups:
            self._again(doc, name, group, 0)

    def _wave(self, doc: IncidentDoc, name: str, waves: Iterator[list[int]]) -> None:
        """Hosts that go into maintenance together; the next ones follow when the last of these is back."""
        away = set(next(waves, ()))

        def back(host: int, _: object = None) -> None:
            away.discard(host)
            if not away:
                self._wave(doc, name, waves)

        def enable(host: int) -> None:
            self.simulation.driver.start(change_host_state(self.simulation.ctx, host, "enable"), partial(back, host))

        def drained(host: int, outcome: Outcome) -> None:
            if not outcome.ok:
                back(host)
                return
            law = law_of(_given(doc.repair_law()), self.folder)
            after = self._draw(law, name, (host,), 0, "repair")
            self.simulation.driver.at(self.simulation.driver.now_us + after, REPAIRS, partial(enable, host))

        for host in sorted(away):
            self.simulation.driver.start(
                change_host_state(self.simulation.ctx, host, "maintain"), partial(drained, host)
            )

    def _targets(self, doc: IncidentDoc) -> list[int]:
        cloud = self.simulation.ctx.cloud
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
        for kind, place in (("cluster", doc.cluster), ("zone", doc.zone)):
            if place is not None:
                row = cloud.find(kind, place)
                found: list[int] = np.flatnonzero(fleet.array(cloud.fleet.cells[kind]) == row).tolist()
                return found
        return [-1]

    def _draw(self, law: Distribution, name: str, group: Group, number: int, purpose: str) -> int:
        chance = self.simulation.ctx.cloud.chance
        uniform = (chance.key(Identity(f"incident/{name}", _key(group), number), purpose) + 0.5) / UNIT
        return max(java_round(float(law.quantile(np.array([uniform]))[0]) * SECOND), 0)

    def _again(self, doc: IncidentDoc, name: str, group: Group, number: int) -> None:
        gap = self._draw(law_of(_given(doc.gap_law()), self.folder), name, group, number, "gap")
        self._at(self.simulation.driver.now_us + gap, doc, name, [group], number)

    def _at(self, when_us: int, doc: IncidentDoc, name: str, groups: list[Group], number: int) -> None:
        kind = REPAIRS if doc.event in ("repair", "enable") else FAILURES
        self.simulation.driver.at(when_us, kind, partial(self._happen, doc, name, groups, number))

    def _happen(self, doc: IncidentDoc, name: str, groups: list[Group], number: int) -> None:
        """All targets are struck before anything reacts: nobody restarts on a host that fails at the same moment."""
        self._act(doc, [target for group in groups for target in group])
        clock, repair = self.simulation.driver, doc.repair_law()
        for group in groups:
            then = clock.now_us
            if repair is not None:
                then += self._draw(law_of(repair, self.folder), name, group, number, "repair")
                clock.at(then, REPAIRS, partial(self._repair_each, doc, group))
            if doc.at is None:
                clock.at(then, FAILURES, partial(self._again, doc, name, group, number + 1))

    def _repair_each(self, doc: IncidentDoc, group: Group) -> None:
        for target in group:
            self._repair(doc, target)

    def _act(self, doc: IncidentDoc, targets: list[int]) -> None:
        ctx = self.simulation.ctx
        if doc.global_config is not None:
            for key, value in doc.global_config.items():
                update_global_config(ctx, key, value)
        elif doc.add_hosts is not None:
            self._add_hosts(doc)
        elif doc.primary_storage is not None:
            self._storage(doc, targets[0])
        elif doc.event == "fail":
            hit = [fail_host(ctx, target) for target in targets]
            self._start_each([vm for vms in hit for vm in vms], restart_elsewhere)
        else:
            for target in targets:
                self._change(doc, target)

    def _change(self, doc: IncidentDoc, target: int) -> None:
        if doc.event == "repair":
            self._repair(doc, target)
        else:
            self.simulation.driver.start(change_host_state(self.simulation.ctx, target, str(doc.event)), _ignore)

    def _start_each(self, vms: list[int], workflow: Callable[..., Any]) -> None:
        for vm in vms:
            self.simulation.driver.start(alone(vm, workflow(self.simulation.ctx, vm)), _ignore)

    def _repair(self, doc: IncidentDoc, target: int) -> None:
        ctx = self.simulation.ctx
        if doc.primary_storage is not None:
            ctx.ledger.space.set_storage(target, **({"state": 0} if doc.event == "disable" else {"status": 0}))
        elif doc.event == "maintain" or doc.event == "disable":
            self.simulation.driver.start(change_host_state(ctx, target, "enable"), _ignore)
        else:
            self._start_each(repair_host(ctx, target), start_vm)

    def _storage(self, doc: IncidentDoc, target: int) -> None:
        ledger = self.simulation.ctx.ledger
        if doc.event == "fill":
            ledger.space.set_storage(target, available_physical=doc.available_physical_capacity)
        elif doc.event in ("fail", "repair"):
            ledger.space.set_storage(target, status=2 if doc.event == "fail" else 0)
        else:
            ledger.space.set_storage(target, state=1 if doc.event == "disable" else 0)

    def _add_hosts(self, doc: IncidentDoc) -> None:
        new, ctx = doc.add_hosts, self.simulation.ctx
        assert new is not None
        cluster = ctx.cloud.find("cluster", new.cluster)
        local = {
            row: new.local_storage
            for row in ctx.cloud.storages_of(cluster)
            if new.local_storage is not None and ctx.cloud.storages[row].per_host
        }
        for number in range(1, new.count + 1):
            name = numbered(new.name, number)
            add_host(ctx, name, cluster, new.cpu_num, new.total_physical_memory, local)


def _key(group: Group) -> int:
    """What a target's draws are keyed by: its row; targets struck together share one key."""
    return group[0] + 1 if len(group) == 1 else 0


def _given(law: Law | None) -> Law:
    """A law that the checks of the file have seen to be there."""
    if law is None:
        raise InvariantViolation("an incident without its law passed the checks")
    return law


def _ignore(_: object) -> None:
    """The outcome stands in the records."""
