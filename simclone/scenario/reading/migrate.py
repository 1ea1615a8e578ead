"""Older files into the current schema, one version at a time."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from simclone.scenario.findings import Findings

CURRENT = 1
"""The version this simclone writes."""

Document = MutableMapping[str, Any]
STEPS: dict[int, Callable[[Document], None]] = {}
"""Version → the change that lifts a document of it to the next; each edits in place, so comments stay."""


def migrate(data: Document, findings: Findings) -> bool:
    """Lift *data* to `CURRENT` in place; True when anything changed. A version nobody knows is a fault."""
    version = data.get("schemaVersion", CURRENT)
    if isinstance(version, bool) or not isinstance(version, int):
        return False
    if version > CURRENT or any(old not in STEPS for old in range(version, CURRENT)):
        expected = f"a version up to {CURRENT}"
        findings.add(("schemaVersion",), f"version {version} is not known to this simclone", expected)
        return False
    for old in range(version, CURRENT):
        STEPS[old](data)
        data["schemaVersion"] = old + 1
    return version < CURRENT
