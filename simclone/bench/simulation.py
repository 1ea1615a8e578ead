"""The timed stream on the engine's clock: arrivals and departures are SimPy events, decisions the allocator's."""

from __future__ import annotations

from itertools import islice
from time import perf_counter

from simclone.bench.cloud import flavour_requests, opened
from simclone.bench.placement import BenchOutcome, add_rows
from simclone.bench.stream import MASK, requests
from simclone.chance import Identity
from simclone.engine.calendar import ARRIVALS, ENDS
from simclone.engine.collecting import collected_rarely
from simclone.engine.timing import INSTANT
from simclone.engine.workflow_driver import WorkflowDriver
from simclone.placement.host import decide, give_back_host, take_host
from simclone.records import Placed
from simclone.units import SECOND


class _Timed:
    """One run: the next arrival is scheduled by the one before, each end by its arrival."""

    def __init__(self, hosts: int, vms: int, policy: str) -> None:
        self.ctx = opened(hosts)
        self._driver = WorkflowDriver(self.ctx, INSTANT)
        stream = list(islice(requests(vms, hosts), vms))
        self._first = add_rows(self.ctx, [kind for kind, _, _ in stream])
        self._requests = flavour_requests(policy)
        self._stream = iter(enumerate(stream))
        self._identity = Identity("bench", 0)
        self.total = self.placed = 0

    def run(self) -> None:
        """To the last departure."""
        self._next()
        self._driver.calendar.run()

    def _next(self) -> None:
        number, (kind, at, life) = next(self._stream, (-1, (0, 0, 0)))
        if number >= 0:
            self._driver.at(at * SECOND, ARRIVALS, self._arrive, number, kind, life)

    def _arrive(self, number: int, kind: int, life: int) -> None:
        decision = decide(self._requests[kind], self.ctx.cloud, self._identity)
        if isinstance(decision, Placed):
            vm = self._first + number
            take_host(self.ctx.ledger, vm, decision.host)
            self._driver.at(self._driver.now_us + life * SECOND, ENDS, self._end, vm)
            self.total = (self.total * 1_000_003 + decision.host + 1) & MASK
            self.placed += 1
        else:
            self.total = (self.total * 1_000_003) & MASK
        self._next()

    def _end(self, vm: int) -> None:
        give_back_host(self.ctx.ledger, vm, "end")


def run_simulation(hosts: int, vms: int, policy: str) -> BenchOutcome:
    """The whole simulation, the building of the cloud and the drawing of the stream included."""
    begun = perf_counter()
    with collected_rarely():
        timed = _Timed(hosts, vms, policy)
        timed.run()
    seconds = perf_counter() - begun
    timed.ctx.ledger.check()
    return BenchOutcome(f"{timed.total:016x}", timed.placed, vms - timed.placed, seconds)
