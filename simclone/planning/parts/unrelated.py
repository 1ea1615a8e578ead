"""Refusals that have nothing to do with hosts, set apart so that the rest can be judged."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from simclone.planning.replication.outcomes import RunOutcome
from simclone.units import plural
from simclone.vocabulary import REASONS, Subject

HOMELESS = "VMs of the file find no host"
"""Stands in the place of a reason where no run can begin."""
CALLS = frozenset({Subject.QUOTA, Subject.REQUEST, Subject.VM, Subject.VOLUME, Subject.INJECTED})
"""Subjects of a call, an account or a fault: no host and no other resource is short."""
OTHER_RESOURCES = frozenset({Subject.NETWORK, Subject.ADDRESS, Subject.IMAGE})
"""Subjects that other resources than hosts are short of."""
UNRELATED = CALLS | OTHER_RESOURCES


def unrelated_reasons(reasons: Iterable[str], subjects: Collection[Subject] = UNRELATED) -> frozenset[str]:
    """Those of some reasons whose subject has nothing to do with hosts; codes that nobody declared are not."""
    return frozenset(code for code in reasons if code in REASONS and REASONS[code].subject in subjects)


def apart(runs: Sequence[RunOutcome], reasons: Collection[str]) -> list[RunOutcome]:
    """The runs as if names that were refused for *reasons* had not been asked for."""
    if not reasons:
        return list(runs)
    return [
        replace(
            run,
            asked=run.asked - sum(count for code, count in run.reasons.items() if code in reasons),
            reasons={code: count for code, count in run.reasons.items() if code not in reasons},
        )
        for run in runs
    ]


def apart_note(counts: Mapping[str, int], runs: int = 1) -> str:
    """``quota.vm.num apart (3 names): hosts do not change it``; empty where nothing is set apart."""
    if not counts:
        return ""
    over = f" over {runs} runs" if runs > 1 else ""
    parts = ", ".join(f"{code} ({plural(count, 'name')}{over})" for code, count in counts.items())
    kinds = [word for word, prefix in (("quota", "quota."),) if all(code.startswith(prefix) for code in counts)]
    return f"{kinds[0] if kinds else 'other refusals'} apart: {parts}; hosts have nothing to do with it"


__all__ = ["CALLS", "HOMELESS", "OTHER_RESOURCES", "UNRELATED", "apart", "apart_note", "unrelated_reasons"]
