"""Incidents of a scenario: failures and repairs, maintenance, storage loss, settings and hosts at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from simclone.chance import Identity
from simclone.engine.admin.hosts import add_host, change_host_state
from simclone.engine.admin.settings import update_global_config
from simclone.engine.clock import FAILURES, REPAIRS
from simclone.engine.life.failure import fail_host, repair_host, restart_elsewhere
from simclone.engine.life.start import start_vm
from simclone.engine.simulation import Simulation
from simclone.engine.timing import UNIT
from simclone.engine.waits import alone
from simclone.scenario.expand import numbered
from simclone.scenario.incident_docs import IncidentDoc, law_of
from simclone.units import SECOND, java_round
from simclone.workload.distributions import Distribution


class Incidents:
    """Schedules a scenario's incidents. Random ones draw by incident, target and number: adding one moves no other."""

    def __init__(self, simulation: Simulation, docs: Sequence[IncidentDoc], folder: Path) -> None:
        self.simulation, self.folder = simulation, folder
        for row, doc in enumerate(docs):
            self._schedule(doc, doc.name or f"incident-{row + 1}")

    def _schedule(self, doc: IncidentDoc, name: str) -> None:
        for target in self._targets(doc):
            if doc.at is not None:
                self._at(java_round(doc.at * SECOND), doc, name, target, 0)
            else:
                self._again(doc, name, target, 0)

    def _targets(self, doc: IncidentDoc) -> list[int]:
        cloud = self.simulation.ctx.cloud
        fleet = cloud.fleet
        if doc.primary_storage is not None:
            return [cloud.find("primaryStorage", doc.primary_storage)]
        if doc.host is not None:
            return [cloud.find("host", doc.host)]
        if doc.hosts == "all":
            return list(range(fleet.size))
        if doc.label is not None:
            ((key, value),) = doc.label.items()
            return [host for host, labels in enumerate(fleet.labels) if labels.get(key) == value]
        for kind, place in (("cluster", doc.cluster), ("zone", doc.zone)):
            if place is not None:
                row = cloud.find(kind, place)
                found: list[int] = np.flatnonzero(fleet.array(kind) == row).tolist()
                return found
        return [-1]

    def _draw(self, law: Distribution, name: str, target: int, number: int, purpose: str) -> int:
        chance = self.simulation.ctx.cloud.chance
        uniform = (chance.key(Identity(f"incident/{name}", target + 1, number), purpose) + 0.5) / UNIT
        return max(java_round(float(law.quantile(np.array([uniform]))[0]) * SECOND), 0)

    def _again(self, doc: IncidentDoc, name: str, target: int, number: int) -> None:
        assert doc.every is not None
        gap = self._draw(law_of(doc.every, self.folder), name, target, number, "gap")
        self._at(self.simulation.clock.now_us + gap, doc, name, target, number)

    def _at(self, when_us: int, doc: IncidentDoc, name: str, target: int, number: int) -> None:
        kind = REPAIRS if doc.event in ("repair", "enable") else FAILURES
        self.simulation.clock.at(when_us, kind, partial(self._happen, doc, name, target, number))

    def _happen(self, doc: IncidentDoc, name: str, target: int, number: int) -> None:
        self._act(doc, target)
        clock = self.simulation.clock
        then = clock.now_us
        if doc.repair_after is not None:
            then += self._draw(law_of(doc.repair_after, self.folder), name, target, number, "repair")
            clock.at(then, REPAIRS, partial(self._repair, doc, target))
        if doc.every is not None:
            clock.at(then, FAILURES, partial(self._again, doc, name, target, number + 1))

    def _act(self, doc: IncidentDoc, target: int) -> None:
        ctx = self.simulation.ctx
        if doc.global_config is not None:
            for key, value in doc.global_config.items():
                update_global_config(ctx, key, value)
        elif doc.add_hosts is not None:
            self._add_hosts(doc)
        elif doc.primary_storage is not None:
            self._storage(doc, target)
        elif doc.event == "fail":
            self._start_each(fail_host(ctx, target), restart_elsewhere)
        elif doc.event == "repair":
            self._repair(doc, target)
        else:
            self.simulation.clock.start(change_host_state(ctx, target, str(doc.event)), _ignore)

    def _start_each(self, vms: list[int], workflow: Callable[..., Any]) -> None:
        for vm in vms:
            self.simulation.clock.start(alone(vm, workflow(self.simulation.ctx, vm)), _ignore)

    def _repair(self, doc: IncidentDoc, target: int) -> None:
        ctx = self.simulation.ctx
        if doc.primary_storage is not None:
            ctx.ledger.set_storage(target, **({"state": 0} if doc.event == "disable" else {"status": 0}))
        elif doc.event == "maintain" or doc.event == "disable":
            self.simulation.clock.start(change_host_state(ctx, target, "enable"), _ignore)
        else:
            self._start_each(repair_host(ctx, target), start_vm)

    def _storage(self, doc: IncidentDoc, target: int) -> None:
        ledger = self.simulation.ctx.ledger
        if doc.event == "fill":
            ledger.set_storage(target, available_physical=doc.available_physical_capacity)
        elif doc.event in ("fail", "repair"):
            ledger.set_storage(target, status=2 if doc.event == "fail" else 0)
        else:
            ledger.set_storage(target, state=1 if doc.event == "disable" else 0)

    def _add_hosts(self, doc: IncidentDoc) -> None:
        new, ctx = doc.add_hosts, self.simulation.ctx
        assert new is not None
        cluster = ctx.cloud.find("cluster", new.cluster)
        local = {
            row: new.local_storage
            for row in ctx.cloud.storages_of(cluster)
            if new.local_storage is not None and ctx.cloud.storages[row].is_local
        }
        for number in range(1, new.count + 1):
            name = numbered(new.name, number)
            add_host(ctx, name, cluster, new.cpu_num, new.total_physical_memory, local)


def _ignore(_: object) -> None:
    """The outcome stands in the records."""
