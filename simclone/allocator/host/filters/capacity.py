"""HostCapacity: enough vCPUs and memory, with reserve and over-provisioning (rules/host-capacity.md#filter)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from simclone.allocator.host.flow import Candidates, Counts, FilterFlow, FlowFacts, Test, Threshold, refusal
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.allocator.rules.capacity import ANYTHING, checks_physical, need_of
from simclone.model.cloud import Cloud
from simclone.records import ErrorCode
from simclone.vocabulary import HOST_CPU, HOST_MEMORY, HOST_PHYSICAL_MEMORY, HOST_RESERVED_MEMORY, reason_of


@dataclass(frozen=True, slots=True)
class Facts:
    """Thresholds per memory-ratio class, all in bytes.

    *physical* must lie below the host's physical memory, *least* is the smallest
    ``availableMemory`` that looks big enough after over-provisioning, *needed* what must remain above the reserve.
    """

    cpu: int
    physical: int
    least: Lookup
    needed: Lookup


class HostCapacityFlow(FilterFlow):
    """VCPUs; memory below the physical size; memory after over-provisioning; reserve untouched.

    Rule: rules/host-capacity.md#filter.
    """

    name: ClassVar[str] = "HostCapacityAllocatorFlow"
    tests: ClassVar[tuple[Test, ...]] = (
        Threshold.of(HOST_CPU, (("available_cpu", 1),), lambda facts, host: facts.cpu),
        Threshold.of(HOST_PHYSICAL_MEMORY, (("total_memory", 1),), lambda facts, host: facts.physical + 1),
        Threshold.of(HOST_MEMORY, (("available_memory", 1),), lambda facts, host: facts.least[host.ratio_class]),
        Threshold.of(
            HOST_RESERVED_MEMORY,
            (("available_memory", 1), ("reserved_memory", -1)),
            lambda facts, host: facts.needed[host.ratio_class],
        ),
    )

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """Thresholds; nothing asked means nothing tested."""
        physical = request.memory + request.old_memory if checks_physical(cloud) and request.memory else ANYTHING
        needs = [need_of(request.cpu, request.memory, ratio, physical) for ratio in cloud.fleet.memory_ratios]
        least, above = Lookup([need.least for need in needs]), Lookup([need.above_reserve for need in needs])
        return Facts(needs[0].cpu, physical, least, above)

    def refuses(self, request: HostRequest, cloud: Cloud, facts: FlowFacts, candidates: Candidates) -> ErrorCode:
        """Like the product, gives what was asked for; which of the two was short stands in the step's counts."""
        counts = []
        hosts = candidates.index
        for test in self.tests:
            retained = hosts[test.keep(Candidates(candidates.cloud, hosts).hosts, facts)]
            counts.append((test.reason, len(hosts) - len(retained)))
            hosts = retained
        return self.refusal_of(request, tuple(counts))

    def refusal_of(self, request: HostRequest, refused: Counts) -> ErrorCode:
        """The reason is the test that refused most hosts."""
        text = f"no host offers cpu={request.cpu} and memory={request.memory} bytes"
        return refusal(reason_of(max(refused, key=lambda pair: pair[1])[0]), text)
