"""What VMs really use, averaged over a window: the host columns that minimum-usage strategies sort by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from simclone.chance import Identity
from simclone.engine.context import Context
from simclone.engine.timing import UNIT
from simclone.model.vms import NONE
from simclone.scenario.document.usage import UtilisationDoc, course_of
from simclone.workload.courses import MILLION, Course

KINDS = ("cpu", "memory")


@dataclass(slots=True)
class Window:
    """VM-microseconds on hosts since the last average: when each (VM, host) began, and what has ended."""

    since: dict[tuple[int, int], int] = field(default_factory=dict)
    ended: list[tuple[int, int, int]] = field(default_factory=list)

    def spans(self, begin_us: int, now_us: int) -> Iterator[tuple[int, int, int]]:
        """(VM, host, microseconds) of everything that stood in the window."""
        yield from self.ended
        for (vm, host), came_us in self.since.items():
            yield vm, host, now_us - max(came_us, begin_us)


class Meters:
    """Writes each host's mean use of vCPUs and memory in parts per million at the end of every window.

    A VM's share is that of the window's middle, a host's CPU use is the vCPUs in use over its threads, at most all of
    them. Before the first window ends, hosts show what stands at t = 0.

    Rule: rules/host-selection.md#commercial (average over a collection window).
    """

    def __init__(self, ctx: Context, folder: Path, window_us: int) -> None:
        self.ctx, self.folder, self.window_us = ctx, folder, window_us
        self._courses: dict[str, dict[str, Course]] = {}
        self._window = Window()
        self._begin_us = ctx.ledger.now_us
        vms = ctx.cloud.vms
        for vm in range(vms.row_count):
            if vms.hold_host[vm] != NONE:
                self._window.since[vm, vms.hold_host[vm]] = self._begin_us
        ctx.ledger.hosts.start_measuring()
        self._average(self._begin_us + window_us, self._begin_us)
        ctx.ledger.watch(self._changed)

    def _changed(self, vm: int, host: int, cpu: int, memory: int) -> None:
        now_us = self.ctx.ledger.now_us
        if cpu > 0 or memory > 0:
            self._window.since[vm, host] = now_us
            return
        came_us = self._window.since.pop((vm, host), now_us)
        self._window.ended.append((vm, host, now_us - max(came_us, self._begin_us)))

    def measure(self) -> None:
        """End the window: write the averages and begin the next one."""
        now_us = self.ctx.ledger.now_us
        if now_us > self._begin_us:
            self._average(now_us, self._begin_us)
        self._begin_us = now_us
        self._window.ended.clear()

    def _average(self, now_us: int, begin_us: int) -> None:
        """Sums are exact: part per million × amount × microsecond."""
        ctx, span = self.ctx, now_us - begin_us
        fleet, table = ctx.cloud.fleet, ctx.cloud.vms
        used = {kind: [0] * fleet.row_count for kind in KINDS}
        middle = begin_us + span // 2
        shares: dict[tuple[int, str], int] = {}
        for vm, host, stood in self._window.spans(begin_us, now_us):
            for kind in KINDS:
                share = self._share(vm, kind, middle, shares)
                if share:
                    used[kind][host] += share * table.cells[kind][vm] * stood
        for host in range(fleet.row_count):
            whole = {"cpu": fleet.cpu_num[host], "memory": fleet.total_memory[host]}
            result = {
                f"{kind}_use_ppm": min(used[kind][host] // (whole[kind] * span), MILLION) if whole[kind] else 0
                for kind in KINDS
            }
            ctx.ledger.hosts.measure(host, **result)

    def _share(self, vm: int, kind: str, at_us: int, known: dict[tuple[int, str], int]) -> int:
        """The part in use at a time; what many VMs share is asked once."""
        vms = self.ctx.cloud.vms
        use = vms.shape_of(vm).use
        if not use:
            return 0
        course = self._course(use)[kind]
        start = self.ctx.cloud.start
        if course.is_drawn:
            who = self.ctx.identity(vm)
            turn = Identity(f"use/{who.source}", who.ordinal, who.position, at_us // self.window_us)
            return course.at(at_us, start, (self.ctx.cloud.chance.key(turn, f"use/{kind}") + 0.5) / UNIT)
        row = vms.shape[vm], kind
        if row not in known:
            known[row] = course.at(at_us, start)
        return known[row]

    def _course(self, use: str) -> dict[str, Course]:
        if use not in self._courses:
            doc = UtilisationDoc.model_validate_json(use)
            self._courses[use] = {
                "cpu": course_of(doc.cpu, self.folder),
                "memory": course_of(doc.memory, self.folder),
            }
        return self._courses[use]
