"""Before and after: the scenario as it is beside each of its what-ifs, alone or stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simclone.changes.load import as_scenario
from simclone.changes.whatif import what_if
from simclone.errors import Fault, InvalidInput
from simclone.planning.compare import whatif_variants
from simclone.planning.headroom import headroom
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Difference, Interval, paired
from simclone.planning.replication.plan import Plan, interval_of, reasons_of, replicate
from simclone.scenario.load import Given, Scenario
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class After:
    """The scenario under one set of changes: hosts and their vCPUs and bytes at the start, success, more clones.

    *success_change* is the paired difference to the scenario as it is; *room* how many more clones of each kind fit.
    """

    name: str
    hosts: int
    cpu_vcpus: int
    memory_bytes: int
    success: Interval
    success_change: Difference | None
    reasons: Mapping[str, int]
    room: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class WhatIf(Answer):
    """The scenario as it is (first) and under its changes."""

    scenario: str
    replications: int
    variants: tuple[After, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """A line per variant, and what it changes."""
        lines = [f"{self.scenario}: what if, over {plural(self.replications, 'replication')}"]
        before = self.variants[0]
        for one in self.variants:
            text = f"  {one.name}: {plural(one.hosts, 'host')}, {100 * one.success.estimate:.2f} % placed"
            if one.success_change is not None:
                change = one.success_change
                told = f"{100 * change.interval.estimate:+.2f} points"
                text += f" ({told}{'' if change.significant else ', not significant'})"
            more = [f"{name} {count - before.room.get(name, 0):+d}" for name, count in one.room.items()]
            if one is not before and more:
                text += f"; room for more: {', '.join(more)}"
            lines.append(text)
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per variant: sizes, success with interval and change, a column ``room NAME`` per kind of clone."""
        import pandas as pd

        rows = []
        for one in self.variants:
            change = one.success_change.interval.estimate if one.success_change is not None else 0.0
            row = {
                "variant": one.name,
                "hosts": one.hosts,
                "cpu_vcpus": one.cpu_vcpus,
                "memory_bytes": one.memory_bytes,
                "success_ratio": one.success.estimate,
                "low": one.success.low,
                "high": one.success.high,
                "change": change,
                "reason": next(iter(one.reasons), ""),
            }
            rows.append(row | {f"room {name}": count for name, count in one.room.items()})
        return pd.DataFrame(rows)

    def drawn(self) -> tuple[str, ...]:
        """The share placed, with its interval."""
        return ("success_ratio", "low", "high")

    def figures(self) -> Mapping[str, float | None]:
        """The success ratio of each variant by its name."""
        return {one.name: one.success.estimate for one in self.variants}


def stacked(source: Given, names: Sequence[str]) -> Scenario:
    """The scenario with several of its what-ifs made one after the other. Raises InvalidInput."""
    scenario = as_scenario(source)
    known = {doc.name: (row, doc) for row, doc in enumerate(scenario.doc.whatif)}
    wrong = [Fault("whatif", f"{name!r} is not there", ", ".join(known) or "a whatif: block") for name in names]
    wrong = [fault for fault, name in zip(wrong, names, strict=True) if name not in known]
    if wrong:
        raise InvalidInput(wrong)
    for name in names:
        row, doc = known[name]
        scenario = what_if(scenario, doc, f"whatif.{row}")
    return scenario


def whatif(source: Given, *, stacks: Sequence[Sequence[str]] = (), plan: Plan | None = None) -> WhatIf:
    """Each what-if of the scenario beside it as it is, and *stacks* of them made together. Raises InvalidInput."""
    scenario, plan = as_scenario(source), plan or Plan()
    variants = whatif_variants(scenario)
    for names in stacks:
        variants[" + ".join(names)] = stacked(scenario, names)
    return beside(scenario.name, variants, plan)


def beside(name: str, variants: Mapping[str, Scenario], plan: Plan) -> WhatIf:
    """Variants, the first of which is the scenario as it is, on the same random numbers."""
    runs, interrupted = replicate(variants, plan)
    first = [one.success_ratio for one in next(iter(runs.values()))]
    made = []
    for place, (title, scenario) in enumerate(variants.items()):
        part = runs[title]
        change = paired([one.success_ratio for one in part], first, plan.confidence) if place else None
        hosts, cpu, memory = _sizes(scenario)
        success = interval_of(part, "success_ratio", plan.confidence)
        made.append(After(title, hosts, cpu, memory, success, change, reasons_of(part), _room(scenario)))
    return WhatIf(name, min(len(part) for part in runs.values()), tuple(made), interrupted)


def _sizes(scenario: Scenario) -> tuple[int, int, int]:
    fleet = scenario.build().cloud.fleet
    return fleet.row_count, int(np.sum(fleet.array(fleet.total_cpu))), int(np.sum(fleet.array(fleet.total_memory)))


def _room(scenario: Scenario) -> dict[str, int]:
    """How many more of each kind fit at the start; nothing where there is nothing to clone."""
    try:
        return {one.name: one.total for one in headroom(scenario).rooms}
    except InvalidInput:
        return {}
