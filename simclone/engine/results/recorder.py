"""Time-weighted statistics and series of a run, exact integers, columns that only grow."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from simclone.engine.calendar import RECALCULATION
from simclone.engine.results.series import PlaceSeries
from simclone.engine.workflow_driver import WorkflowDriver
from simclone.model.ledger.ledger import Ledger

SERIES = ("at_us", "vms", "cpu", "memory", "waiting")


class Tally:
    """What runs now, its integral over time and its peak; told by the ledger at every hold and end.

    Integrals are VM-, vCPU- and byte-microseconds since *since_us*, the end of the warm-up.
    """

    def __init__(self, ledger: Ledger, since_us: int = 0) -> None:
        self._ledger = ledger
        self.since_us = since_us
        self._last_us = ledger.now_us
        self.now = _standing(ledger)
        self.peak = list(self.now)
        self.peak_at_us = [0, 0, 0]
        self.area = [0, 0, 0]
        ledger.watch(self._changed)

    def _advance(self) -> None:
        now_us = self._ledger.now_us
        passed = now_us - max(self._last_us, self.since_us)
        if passed > 0:
            for number in range(3):
                self.area[number] += self.now[number] * passed
        self._last_us = now_us

    def _changed(self, _vm: int, _host: int, cpu: int, memory: int) -> None:
        if self._ledger.now_us != self._last_us:
            self._advance()
        now, peak = self.now, self.peak
        now[0] += 1 if cpu > 0 or memory > 0 else -1
        now[1] += cpu
        now[2] += memory
        if now[0] > peak[0] or now[1] > peak[1] or now[2] > peak[2]:
            self._rise()

    def _rise(self) -> None:
        """Keep what is higher than ever before, and when it was first so."""
        for position, value in enumerate(self.now):
            if value > self.peak[position]:
                self.peak[position], self.peak_at_us[position] = value, self._last_us

    def means(self) -> tuple[float, float, float]:
        """Time-weighted means of VMs, vCPUs and bytes from the end of the warm-up until now."""
        self._advance()
        span = max(self._last_us - self.since_us, 1)
        vms, cpu, memory = (item / span for item in self.area)
        return vms, cpu, memory


def _standing(ledger: Ledger) -> list[int]:
    """VMs, vCPUs and bytes that hold a host already."""
    vms = ledger.cloud.vms
    held = vms.array(vms.hold_host) >= 0
    return [int(held.sum()), int(vms.array(vms.hold_cpu)[held].sum()), int(vms.array(vms.memory)[held].sum())]


class Sampler:
    """A row every *interval_us*: running VMs, vCPUs, bytes, waiters in all queues, and what *places* sees."""

    def __init__(
        self, clock: WorkflowDriver, tally: Tally, places: PlaceSeries, interval_us: int, alive: Callable[[], bool]
    ) -> None:
        self._driver, self._tally, self._interval, self._alive = clock, tally, interval_us, alive
        self.places = places
        self.columns = {name: array("q") for name in SERIES}
        self._sample()

    def _sample(self) -> None:
        row = (self._driver.now_us, *self._tally.now, self._driver.queues.waiting())
        for name, value in zip(SERIES, row, strict=True):
            self.columns[name].append(value)
        self.places.sample()
        if self._alive():
            self._driver.at(self._driver.now_us + self._interval, RECALCULATION, self._sample)
