"""What a run comes to: success, waits and answer times, use over time, what is left and how well it can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from simclone.allocator.rules.affinity import members_in_order
from simclone.allocator.rules.capacity import reservation_shortfall, room
from simclone.engine.results.result import RunResult
from simclone.model.cloud import Cloud
from simclone.model.vms import NONE
from simclone.units import SECOND, format_size, multiplied

if TYPE_CHECKING:
    import pandas as pd

Standing = tuple[int, int, int]
"""VMs, vCPUs and bytes of VM memory."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of one run. A ratio or quantile over nothing is None; seconds, vCPUs and bytes are in the names.

    *asked* counts names, a call refused before it named any as one. Means and peaks count what stood before the first
    request too; memory is that of the VMs, so an over-provisioned host counts with its ratio. The *hole* is the host
    with most free memory after the reserve. *stranded* shares are by instance offering: free capacity on hosts that
    cannot take one more of it. *breach_ratio* is the share of placements made while others were in the allocator whose
    host broke a hard rule when it was reserved, *breaches* counts them by reason.
    """

    asked: int
    placed: int
    success_ratio: float | None
    reasons: Mapping[str, int]
    wait_p50_s: float | None
    wait_p95_s: float | None
    wait_p99_s: float | None
    answer_p50_s: float | None
    answer_p95_s: float | None
    answer_p99_s: float | None
    span_s: float
    mean_vms: float
    mean_cpu_vcpus: float
    mean_memory_bytes: float
    peak_vms: int
    peak_cpu_vcpus: int
    peak_memory_bytes: int
    total_cpu_vcpus: int
    total_memory_bytes: int
    mean_cpu_util_ratio: float | None
    mean_memory_util_ratio: float | None
    peak_cpu_util_ratio: float | None
    peak_memory_util_ratio: float | None
    hole_cpu_vcpus: int
    hole_memory_bytes: int
    affinity_compliance_ratio: float | None
    breach_ratio: float | None
    breaches: Mapping[str, int]
    stranded_cpu_ratio: Mapping[str, float] = field(default_factory=dict)
    stranded_memory_ratio: Mapping[str, float] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The figures by name, as plain data."""
        result = {item.name: getattr(self, item.name) for item in fields(self)}
        return {name: dict(value) if isinstance(value, Mapping) else value for name, value in result.items()}

    def rows(self) -> Iterator[tuple[str, str, int | float | None]]:
        """Name, key (empty unless the figure is one of several) and value."""
        for name, value in self.to_dict().items():
            if isinstance(value, dict):
                yield from ((name, key, item) for key, item in value.items())
            else:
                yield name, "", value

    def to_frame(self) -> pd.DataFrame:
        """One row per figure: statistic, key, value."""
        import pandas as pd

        frame = pd.DataFrame(list(self.rows()), columns=["statistic", "key", "value"])
        return frame.astype({"value": "float64"})

    def summary(self) -> str:
        """The figures as lines of text."""
        lines = [
            f"placed {self.placed} of {self.asked} ({_percent(self.success_ratio)})",
            f"answer time p50 {_seconds(self.answer_p50_s)}, p95 {_seconds(self.answer_p95_s)}, "
            f"p99 {_seconds(self.answer_p99_s)}",
            f"wait p50 {_seconds(self.wait_p50_s)}, p95 {_seconds(self.wait_p95_s)}, p99 {_seconds(self.wait_p99_s)}",
            f"mean {self.mean_vms:.1f} VMs, {self.mean_cpu_vcpus:.1f} vCPUs ({_percent(self.mean_cpu_util_ratio)}), "
            f"{format_size(round(self.mean_memory_bytes))} ({_percent(self.mean_memory_util_ratio)})",
            f"peak {self.peak_vms} VMs, {self.peak_cpu_vcpus} vCPUs ({_percent(self.peak_cpu_util_ratio)}), "
            f"{format_size(self.peak_memory_bytes)} ({_percent(self.peak_memory_util_ratio)})",
            f"largest hole {self.hole_cpu_vcpus} vCPUs, {format_size(self.hole_memory_bytes)}",
        ]
        lines += [f"not placed: {count} for {reason}" for reason, count in self.reasons.items()]
        for name, share in self.stranded_memory_ratio.items():
            cpu = _percent(self.stranded_cpu_ratio[name])
            lines.append(f"stranded for {name}: {cpu} of free vCPUs, {_percent(share)} of free memory")
        if self.affinity_compliance_ratio is not None:
            lines.append(f"members that stand by their group's rule: {_percent(self.affinity_compliance_ratio)}")
        if self.breach_ratio is not None:
            lines.append(f"placements that broke a rule in the race: {_percent(self.breach_ratio)}")
        return "\n".join(lines)


def statistics_of(result: RunResult, durations_us: Sequence[int] | None = None) -> Statistics:
    """The statistics of a run; *durations_us* stand for the answers where rows were dropped on request."""
    if durations_us is None:
        durations_us = [answer.ended_us - answer.started_us for answer in result.answers]
    totals = result.totals
    compliance = _compliance(result.ledger.cloud)
    return Statistics(
        asked=totals.asked,
        placed=totals.placed,
        success_ratio=_ratio(totals.placed, totals.asked),
        reasons=dict(totals.reasons),
        **_quantiles("wait", _waits(result)),
        **_quantiles("answer", durations_us),
        span_s=totals.span_us / SECOND,
        **_use(result),
        **_holes(result.ledger.cloud),
        affinity_compliance_ratio=compliance,
        breach_ratio=_ratio(sum(totals.rule_violations.values()), totals.concurrent_placements),
        breaches=dict(totals.rule_violations),
    )


def _standing_now(cloud: Cloud) -> Standing:
    vms = cloud.vms
    held = vms.array(vms.hold_host) != NONE
    return int(held.sum()), int(vms.array(vms.cpu)[held].sum()), int(vms.array(vms.memory)[held].sum())


def _waits(result: RunResult) -> list[int]:
    """Time in queues of every row that was made in the run and came to a host."""
    vms = result.ledger.cloud.vms
    host, last = vms.host, vms.last_host
    born = range(len(result.start["vms"]), vms.row_count)
    return [result.waited_us.get(row, 0) for row in born if host[row] != NONE or last[row] != NONE]


def _quantiles(name: str, values_us: Sequence[int]) -> dict[str, Any]:
    """p50, p95 and p99 in seconds: the smallest value that so many of a hundred do not exceed."""
    ranked = sorted(values_us)
    return {
        f"{name}_p{share}_s": ranked[-(-share * len(ranked) // 100) - 1] / SECOND if ranked else None
        for share in (50, 95, 99)
    }


def _use(result: RunResult) -> dict[str, Any]:
    cloud, totals = result.ledger.cloud, result.totals
    peak = totals.peak
    mean: Sequence[float] = _standing_now(cloud)
    if totals.span_us:
        span = totals.span_us
        mean = [area / span for area in totals.area]
    hosts = _usable(cloud)
    cpu = sum(cloud.fleet.total_cpu[host] for host in hosts)
    memory = sum(multiplied(cloud.fleet.total_memory[host], cloud.fleet.memory_ratio(host)) for host in hosts)
    return {
        "mean_vms": float(mean[0]),
        "mean_cpu_vcpus": float(mean[1]),
        "mean_memory_bytes": float(mean[2]),
        "peak_vms": peak[0],
        "peak_cpu_vcpus": peak[1],
        "peak_memory_bytes": peak[2],
        "total_cpu_vcpus": cpu,
        "total_memory_bytes": memory,
        "mean_cpu_util_ratio": _ratio(mean[1], cpu),
        "mean_memory_util_ratio": _ratio(mean[2], memory),
        "peak_cpu_util_ratio": _ratio(peak[1], cpu),
        "peak_memory_util_ratio": _ratio(peak[2], memory),
    }


def _usable(cloud: Cloud) -> list[int]:
    """Hosts that are Enabled and Connected."""
    return [int(host) for host in np.flatnonzero(cloud.fleet.usable())]


def _holes(cloud: Cloud) -> dict[str, Any]:
    """The largest hole, and what is stranded for each offering."""
    table, hosts = cloud.fleet, _usable(cloud)
    cpu = {host: max(table.available_cpu[host], 0) for host in hosts}
    memory = {host: room(table, host) for host in hosts}
    hole = max(((memory[host], cpu[host]) for host in hosts if memory[host] and cpu[host]), default=(0, 0))
    stranded: dict[str, dict[str, float]] = {"cpu": {}, "memory": {}}
    for offering in cloud.offerings:
        shut = [
            host
            for host in hosts
            if reservation_shortfall(table, host, offering.cpu_num, offering.memory_size) is not None
        ]
        for name, free in (("cpu", cpu), ("memory", memory)):
            stranded[name][offering.name] = _ratio(sum(free[host] for host in shut), sum(free.values())) or 0.0
    return {
        "hole_cpu_vcpus": hole[1],
        "hole_memory_bytes": hole[0],
        "stranded_cpu_ratio": stranded["cpu"],
        "stranded_memory_ratio": stranded["memory"],
    }


def _compliance(cloud: Cloud) -> float | None:
    """The share of members with a host that stand by the rule of their enabled group, whatever its policy."""
    good = every = 0
    for group in cloud.groups:
        if group.enabled:
            in_order, members = members_in_order(group, cloud)
            good, every = good + in_order, every + members
    return _ratio(good, every)


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _percent(share: float | None) -> str:
    return "none" if share is None else f"{100 * share:.1f} %"


def _seconds(value: float | None) -> str:
    return "none" if value is None else f"{value:g} s"


__all__ = ["Statistics", "statistics_of"]
