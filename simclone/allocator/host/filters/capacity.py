"""HostCapacity: enough vCPUs and memory, with reserve and over-provisioning (rules/host-capacity.md#filter)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from simclone.allocator.host.flow import Candidates, Counts, FilterFlow, Floor, Lookup, Test, refusal
from simclone.allocator.host.request import HostRequest
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode
from simclone.units import MAX_AMOUNT, divided, multiplied


@dataclass(frozen=True, slots=True)
class Facts:
    """Thresholds per memory-ratio class, all in bytes.

    *physical* must lie below the host's physical memory (-1: not compared), *least* is the smallest
    ``availableMemory`` that looks big enough after over-provisioning, *needed* what must remain above the reserve.
    """

    cpu: int
    physical: int
    least: Lookup
    needed: Lookup


def least_available(memory: int, ratio: float) -> int:
    """The smallest free host memory whose over-provisioned view is at least *memory* bytes.

    >>> least_available(10, 1.0), least_available(10, 3.0)
    (10, 4)
    """
    guess = max(int(memory / ratio) - 2, 0)
    while multiplied(guess, ratio) < memory:
        guess += 1
    return guess


class HostCapacityFlow(FilterFlow):
    """VCPUs; memory below the physical size; memory after over-provisioning; reserve untouched.

    Rule: rules/host-capacity.md#filter.
    """

    name: ClassVar[str] = "HostCapacityAllocatorFlow"
    reads: ClassVar[frozenset[str]] = frozenset({"capacity"})
    tests: ClassVar[tuple[Test, ...]] = (
        Floor.of("host.cpu", (("available_cpu", 1),), lambda facts, host: facts.cpu),
        Floor.of("host.physicalMemory", (("total_memory", 1),), lambda facts, host: facts.physical + 1),
        Floor.of("host.memory", (("available_memory", 1),), lambda facts, host: facts.least[host.ratio_class]),
        Floor.of(
            "host.reservedMemory",
            (("available_memory", 1), ("reserved_memory", -1)),
            lambda facts, host: facts.needed[host.ratio_class],
        ),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> Any:
        """Thresholds; nothing asked means nothing tested."""
        ratios = cloud.fleet.memory_ratios
        if request.memory == 0:
            least = needed = [-MAX_AMOUNT // 2] * len(ratios)
        else:
            least = [least_available(request.memory, ratio) for ratio in ratios]
            needed = [divided(request.memory, ratio) for ratio in ratios]
        check = cloud.settings.flag("hostAllocator.hostAllocator.checkHostMem") and request.memory > 0
        physical = request.memory + request.old_memory if check else -1
        cpu = request.cpu if request.cpu else -MAX_AMOUNT // 2
        return Facts(cpu, physical, Lookup(least), Lookup(needed))

    def refuses(self, request: HostRequest, cloud: Cloud, facts: Any, candidates: Candidates) -> ErrorCode:
        """Like the product, gives what was asked; which of the two was short stands in the step's counts."""
        counts = []
        left = candidates.index
        for test in self.tests:
            hosts = Candidates(candidates.cloud, left).hosts
            kept = left[test.keep(hosts, facts)]
            counts.append((test.reason, len(left) - len(kept)))
            left = kept
        return self.refuses_by_counts(request, cloud, facts, tuple(counts))

    def refuses_by_counts(self, request: HostRequest, cloud: Cloud, facts: Any, refused: Counts) -> ErrorCode:
        """The reason is the test that refused most hosts."""
        text = f"no host offers cpu={request.cpu} and memory={request.memory} bytes"
        return refusal(max(refused, key=lambda pair: pair[1])[0], text)
