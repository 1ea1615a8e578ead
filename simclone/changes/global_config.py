"""A setting of the platform changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from simclone.changes.kind import Data, Incidents, ValueKind, Workflows, finished
from simclone.engine.context import Context
from simclone.engine.operations.settings import update_global_config
from simclone.model.settings import DEFINITIONS, canonical
from simclone.scenario.document.base import Name, Scalar
from simclone.scenario.document.kinds import FileNames
from simclone.scenario.findings import nearest

_DERIVED = {"host.cpu.overProvisioning.ratio": "totalCpu", "kvm.reservedMemory": "reservedMemory"}
"""Settings that hosts' figures follow: one that is given in the file would contradict the new value."""


class GlobalConfig(ValueKind[dict[Name, Scalar]]):
    """Settings by ``category.name``, with their new values."""

    key: ClassVar[str] = "globalConfig"
    incident: ClassVar[bool] = True
    prices: ClassVar[Mapping[str, float]] = {"lowerReserve": 6.0, "raiseThreshold": 6.0, "raiseRatio": 7.0}

    @classmethod
    def check_incidents(cls, names: FileNames, incidents: Incidents) -> None:
        """Add a fault for every unknown setting and every value that is none of its setting."""
        for path, change in incidents:
            for key, value in change.root.items():
                try:
                    DEFINITIONS[canonical(key)].parse(value)
                except KeyError:
                    names.findings.add((*path, cls.key, key), f"unknown setting {key!r}", nearest(key, DEFINITIONS))
                except ValueError as error:
                    names.findings.add((*path, cls.key, key), f"{value!r} is not a value of {key}", str(error))

    def to_file(self, data: Data) -> None:
        """Write the values, whatever spelling of the settings the file has."""
        new = {_full(key): value for key, value in self.root.items()}
        old = {key: value for key, value in data.get("globalConfig", {}).items() if _full(key) not in new}
        data["globalConfig"] = {**old, **new}
        for key in new:
            for host in data.get("hosts", ()) if key in _DERIVED else ():
                host.pop(_DERIVED[key], None)

    def to_cloud(self, ctx: Context) -> Workflows:
        """Set the values; what depends on them is recalculated at once."""
        for key, value in self.root.items():
            yield finished(update_global_config(ctx, key, value))

    def words(self) -> str:
        """What is done."""
        return ", ".join(f"set {key} to {_shown(value)}" for key, value in self.root.items())


def _shown(value: Scalar) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


def _full(key: str) -> str:
    try:
        return canonical(key)
    except KeyError:
        return key
