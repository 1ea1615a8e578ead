"""Before and after: the scenario as it is beside each of its what-ifs, alone or stacked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Unpack

import numpy as np

from simclone.changes.load import as_scenario, write_scenario
from simclone.changes.whatif import change_scenario, what_if
from simclone.engine.opening import open_context
from simclone.errors import Fault, InvalidInput
from simclone.explain.overload import grown, notes_of, overloads
from simclone.planning.arguments import checked
from simclone.planning.compare import whatif_variants
from simclone.planning.headroom import headroom
from simclone.planning.option import Option
from simclone.planning.parts.answer import Answer
from simclone.planning.replication.intervals import Difference, Interval, paired
from simclone.planning.replication.plan import (
    ReplicationPlan,
    RunKeywords,
    interval_of,
    plan_of,
    reasons_of,
    replicate,
)
from simclone.scenario.load import Given, Scenario
from simclone.scenario.writing import refuse_taken
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class After:
    """The scenario under one set of changes: hosts and their vCPUs and bytes at the start, success, more clones.

    *success_change* is the paired difference to the scenario as it is; *room* how many more clones of each kind fit.
    *overloads* say what then holds more than it has, and did not, or not so much, in the scenario as it is.
    """

    name: str
    hosts: int
    cpu_vcpus: int
    memory_bytes: int
    success: Interval
    success_change: Difference | None
    reasons: Mapping[str, int]
    room: Mapping[str, int]
    overloads: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WhatIf(Answer):
    """The scenario as it is (first) and under its changes."""

    question: ClassVar[str] = "whatif"
    title: ClassVar[str] = "What if"
    order: ClassVar[int] = 200

    scenario: str
    replications: int
    variants: tuple[After, ...]
    interrupted: bool = False

    def summary(self) -> str:
        """A line per variant, and what it changes."""
        lines = [f"{self.scenario}: what if, over {plural(self.replications, 'replication')}"]
        before = self.variants[0]
        for variant in self.variants:
            text = f"  {variant.name}: {plural(variant.hosts, 'host')}, {100 * variant.success.estimate:.2f} % placed"
            if variant.success_change is not None:
                change = variant.success_change
                words = f"{100 * change.interval.estimate:+.2f} points"
                text += f" ({words}{'' if change.significant else ', not significant'})"
            more = [f"{name} {count - before.room.get(name, 0):+d}" for name, count in variant.room.items()]
            if variant is not before and more:
                text += f"; room for more: {', '.join(more)}"
            lines.append(text)
            lines += [f"    over-committed: {line}" for line in variant.overloads]
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per variant: sizes, success with interval and change, a column ``room NAME`` per kind of clone."""
        import pandas as pd

        rows = []
        for variant in self.variants:
            change = variant.success_change.interval.estimate if variant.success_change is not None else 0.0
            row = {
                "variant": variant.name,
                "hosts": variant.hosts,
                "cpu_vcpus": variant.cpu_vcpus,
                "memory_bytes": variant.memory_bytes,
                "success_ratio": variant.success.estimate,
                "low": variant.success.low,
                "high": variant.success.high,
                "change": change,
                "reason": next(iter(variant.reasons), ""),
                "overloads": len(variant.overloads),
            }
            rows.append(row | {f"room {name}": count for name, count in variant.room.items()})
        return pd.DataFrame(rows)

    def chart_columns(self) -> tuple[str, ...]:
        """The share placed, with its interval."""
        return ("success_ratio", "low", "high")

    def picture(self) -> Any:
        """The share placed by each variant with its interval."""
        import pandas as pd

        from simclone.figures import lines

        rows = [
            (variant.name, variant.success.estimate, variant.success.low, variant.success.high)
            for variant in self.variants
        ]
        frame = pd.DataFrame(rows, columns=["name", "estimate", "low", "high"])
        return lines.intervals(frame, "placed", share=True)

    def figures(self) -> Mapping[str, float | None]:
        """The success ratio of each variant by its name, and its overloads as ``overloads.NAME``."""
        overloads = {f"overloads.{variant.name}": len(variant.overloads) for variant in self.variants}
        return {**{variant.name: variant.success.estimate for variant in self.variants}, **overloads}


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


@checked
def whatif(
    source: Given,
    *,
    changes: Annotated[
        Sequence[Mapping[str, Any]],
        Option(
            "A change, such as 'addHosts: {like: host-1}'; all are made together. Instead of the file's whatif: block.",
            metavar="CHANGE",
            parse="changes_of",
        ),
    ] = (),
    stacks: Annotated[
        Sequence[Sequence[str]],
        Option(
            "Also these what-ifs of the file together; may be repeated.", metavar="NAME,NAME", parse="name_lists_of"
        ),
    ] = (),
    commit: Annotated[
        str | None,
        Option("Write the scenario with these what-ifs made (or with the changes: all).", metavar="NAME,NAME"),
    ] = None,
    out: Annotated[str | None, Option("The new file of --commit.", path=True)] = None,
    plan: ReplicationPlan | None = None,
    **runs: Unpack[RunKeywords],
) -> WhatIf:
    """SCENARIO before and after its what-ifs: success, and room for more.

    Each what-if stands beside the scenario as it is, and *stacks* of them made together; *changes* are made together
    instead. *commit* names the what-ifs with which the scenario is written to the new file *out* (``all``: with the
    changes). Raises InvalidInput.
    """
    scenario, plan = as_scenario(source), plan_of(plan, runs)
    _check_commit(commit, out, bool(changes))
    variants = (
        {"as it is": scenario, "changed": change_scenario(scenario, changes)} if changes else whatif_variants(scenario)
    )
    for names in stacks:
        variants[" + ".join(names)] = stacked(scenario, names)
    answer = beside(scenario.name, variants, plan)
    if commit is not None and out is not None:
        write_scenario(variants["changed"] if changes else stacked(scenario, commit.split(",")), out)
    return answer


def _check_commit(commit: str | None, out: str | None, changes: bool) -> None:
    if (commit is None) != (out is None):
        raise InvalidInput([Fault("commit", "--commit and --out go together", "both or neither")])
    if changes and commit not in (None, "all"):
        raise InvalidInput([Fault("commit", "with --change all changes are written", "all")])
    if out is not None:
        refuse_taken(out)


def beside(name: str, variants: Mapping[str, Scenario], plan: ReplicationPlan) -> WhatIf:
    """Variants, the first of which is the scenario as it is, on the same random numbers."""
    outcomes, interrupted = replicate(variants, plan)
    first = [item.success_ratio for item in next(iter(outcomes.values()))]
    result = []
    opened = [overloads(open_context(scenario).cloud) for scenario in variants.values()]
    for position, (title, scenario) in enumerate(variants.items()):
        part = outcomes[title]
        change = paired([entry.success_ratio for entry in part], first, plan.confidence) if position else None
        hosts, cpu, memory = _sizes(scenario)
        success = interval_of(part, "success_ratio", plan.confidence)
        over = notes_of(grown(opened[0], opened[position])) if position else ()
        result.append(After(title, hosts, cpu, memory, success, change, reasons_of(part), _room(scenario), over))
    return WhatIf(name, min(len(part) for part in outcomes.values()), tuple(result), interrupted)


def _sizes(scenario: Scenario) -> tuple[int, int, int]:
    fleet = scenario.build().cloud.fleet
    return fleet.row_count, int(np.sum(fleet.array(fleet.total_cpu))), int(np.sum(fleet.array(fleet.total_memory)))


def _room(scenario: Scenario) -> dict[str, int]:
    """How many more of each kind fit at the start; nothing where there is nothing to clone."""
    try:
        return {room.name: room.total for room in headroom(scenario).rooms}
    except InvalidInput:
        return {}
