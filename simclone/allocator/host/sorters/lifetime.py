"""A yardstick that looks ahead: VMs that end together share hosts, so that hosts become empty.

The order is that of NILAS (Ling et al., "LAVA: Lifetime-Aware VM Allocation with Learned Distributions and Adaptation
to Mispredictions", MLSys 2025), given the true ends instead of predictions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from simclone.allocator.host.flow import Candidates, Elementwise, FlowFacts, HostView, SortFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.lookups import Lookup
from simclone.model.cloud import Cloud
from simclone.model.columns import IntArray
from simclone.model.vms import NONE
from simclone.units import SECOND

NEVER = 1 << 60
"""The end of a VM of which none is known, in microseconds."""
BOUNDS = np.array([0, *(60 * SECOND << step for step in range(24))], dtype=np.int64)
"""Extensions up to the same of these (none, a minute, two, four, …; microseconds) are alike."""


@dataclass(frozen=True, slots=True)
class ExtensionFacts:
    """The class of extension of each host."""

    grade: Lookup


class LeastExtensionSortFlow(SortFlow):
    """Hosts whose last VM ends no earlier than the new one first, then those it keeps busy the least longer."""

    name: ClassVar[str] = "simclone.LeastExtension"
    reads: ClassVar[frozenset[str]] = frozenset({"lifetime"})
    width: ClassVar[int] = 5

    def facts(self, request: HostRequest, cloud: Cloud, candidates: Candidates) -> FlowFacts:
        """How much longer each host is busy with the VM than without; an empty host from the beginning."""
        end = NONE if request.vm is None else cloud.vms.until_us[request.vm]
        longer = np.maximum((NEVER if end == NONE else end) - last_ends(cloud), 0)
        return ExtensionFacts(Lookup(np.searchsorted(BOUNDS, longer)))

    def key(self, host: HostView, facts: FlowFacts) -> Elementwise:
        """The class of extension."""
        return facts.grade[host.index]


def last_ends(cloud: Cloud) -> IntArray:
    """When the last VM of each host ends, in microseconds; 0 for an empty host."""
    vms = cloud.vms
    held = np.flatnonzero(vms.array(vms.hold_host) != NONE)
    ends = vms.array(vms.until_us)[held]
    last = np.zeros(cloud.fleet.row_count, dtype=np.int64)
    np.maximum.at(last, vms.array(vms.hold_host)[held], np.where(ends == NONE, NEVER, ends))
    return last
