"""What an answer rests on, in one line: when, in which unit, with which seed, under which ratios and thresholds."""

from __future__ import annotations

from simclone.engine.context import Context
from simclone.model.cloud import Cloud
from simclone.scenario.load import Scenario

RATIOS = (
    ("CPU", "host.cpu.overProvisioning.ratio"),
    ("memory", "mevoco.overProvisioning.memory"),
    ("storage", "mevoco.overProvisioning.primaryStorage"),
)
THRESHOLD = "mevoco.threshold.primaryStorage.physicalCapacity"


def basis_of(scenario: Scenario, ctx: Context, *, at: str, seed: int | None = None, unit: str = "") -> str:
    """``at the start, one call of at most 50 names, seed 7; ratios CPU 10, memory 1, ...``."""
    used = scenario.run.seed if seed is None else seed
    words = [f"at the {at} of the run", *([unit] if unit else []), f"seed {used}"]
    return f"basis: {', '.join(words)}; {settings_of(ctx.cloud)}"


def settings_of(cloud: Cloud) -> str:
    """Ratios, physical threshold and profile; overrides are only said to be there."""
    values = cloud.settings.values
    ratios = ", ".join(f"{name} {float(values[key]):g}" for name, key in RATIOS)
    text = f"ratios {ratios}; physical threshold {100 * float(values[THRESHOLD]):g} %; profile {cloud.settings.profile}"
    return f"{text}; with overrides" if cloud.settings.overrides else text
