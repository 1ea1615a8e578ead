"""A kind of host to add."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simclone.planning.parts.arguments import check_fields


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of host to add: *like* one that is there, or of *cpu_num* cores and *memory* bytes in *cluster*."""

    name: str
    price: float = 1.0
    like: str | None = None
    cpu_num: int | None = None
    memory: int | None = None
    cluster: str | None = None

    def __post_init__(self) -> None:
        check_fields(self)

    @property
    def shown(self) -> str:
        """The name, and the host it is like."""
        return self.name if self.like is None or self.like in self.name else f"{self.name} (like {self.like})"

    def change(self, count: int) -> Mapping[str, Any]:
        """So many more of it, as a change."""
        values = {
            "like": self.like,
            "cpuNum": self.cpu_num,
            "totalPhysicalMemory": self.memory,
            "cluster": self.cluster,
        }
        named = {"name": f"{self.name}-{{n}}", "count": count}
        return {"addHosts": {**{key: value for key, value in values.items() if value is not None}, **named}}
