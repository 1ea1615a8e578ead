"""Of two compliances with affinity rules the larger is the better."""

from __future__ import annotations

from pathlib import Path

import simclone

SCENARIOS = Path(__file__).resolve().parents[3] / "scenarios"


def test_more_compliance_is_better() -> None:
    """A hard rule is kept by all, a soft one by few: the hard one ranks first."""
    path = SCENARIOS / "affinity-hard.yaml"
    soft = {"set": {"affinityGroups.group-1.policy": "antiSoft"}}
    variants = simclone.change_variants(path, {"soft": [soft], "hard": []})
    found = simclone.compare(
        path, variants, figure="affinity_compliance_ratio", plan=simclone.ReplicationPlan(replications=2)
    )
    assert [(one.name, one.figure.estimate) for one in found.variants] == [("hard", 1.0), ("soft", 0.2)]
