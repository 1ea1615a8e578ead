"""Hosts re-counted from events: balances, admission, who stands where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

ENABLED, CONNECTED = 0, 0
Amounts = Mapping[str, int]


@dataclass(slots=True)
class Host:
    """One host as the auditor counts it; *holds* maps a VM to what it took (vCPUs, bytes)."""

    figures: dict[str, int]
    holds: dict[str, tuple[int, int]] = field(default_factory=dict)
    drift: list[int] = field(default_factory=lambda: [0, 0])

    def expected(self) -> tuple[int, int]:
        """What the recorded book must say: total - held + drift."""
        cpu = sum(item for item, _ in self.holds.values())
        memory = sum(entry for _, entry in self.holds.values())
        return (
            self.figures["total_cpu"] - cpu + self.drift[0],
            self.figures["total_memory"] - memory + self.drift[1],
        )


class Hosts:
    """All hosts, replayed."""

    def __init__(self, opening: list[Mapping[str, Any]]) -> None:
        self.rows: dict[str, Host] = {}
        for row, item in enumerate(opening):
            host = Host({key: value for key, value in item.items() if isinstance(value, int)})
            host.drift = [item["available_cpu"] - item["total_cpu"], item["available_memory"] - item["total_memory"]]
            self.rows[f"host/{row}"] = host
        self.of: dict[str, str] = {}
        self.moving: dict[str, str] = {}

    def hold(self, vm: str, target: str, amounts: Amounts, cause: str) -> Iterator[str]:
        """A VM takes a host, or more of it."""
        host = self.rows[target]
        if cause == "resize":
            cpu, memory = host.holds[vm]
            host.holds[vm] = (cpu + amounts["cpu"], memory + amounts["memory"])
        elif vm in self.of and cause == "migrate":
            host.holds[vm], self.moving[vm] = (amounts["cpu"], amounts["memory"]), target
        elif vm in self.of:
            yield f"{vm} takes {target} while it holds {self.of[vm]}"
        else:
            host.holds[vm], self.of[vm] = (amounts["cpu"], amounts["memory"]), target
        yield from self._balance(target, amounts)
        if cause != "adopt":
            yield from self._admitted(target, amounts)

    def _admitted(self, target: str, amounts: Amounts) -> Iterator[str]:
        figures = self.rows[target].figures
        if amounts["cpu"] < 0 or amounts["memory"] < 0:
            return
        if figures["state"] != ENABLED or figures["status"] != CONNECTED or not figures["exists"]:
            yield f"{target} takes a VM though it is not Enabled and Connected"
        if amounts["cpu"] and amounts["available_cpu"] < 0:
            yield f"{target} is over-committed by {-amounts['available_cpu']} vCPUs"
        if amounts["memory"] and amounts["available_memory"] < figures["reserved_memory"]:
            yield f"{target} has {amounts['available_memory']} bytes left, below its reserve"

    def end(self, vm: str, target: str, amounts: Amounts) -> Iterator[str]:
        """A VM gives its host back."""
        held = self.rows[target].holds.pop(vm, None)
        if self.moving.get(vm) == target:
            del self.moving[vm]
        else:
            self.of.pop(vm, None)
        if vm not in self.of and vm in self.moving:
            self.of[vm] = self.moving.pop(vm)
        if held is None:
            yield f"{vm} returns {target} without holding it"
        elif held != (amounts["cpu"], amounts["memory"]):
            yield f"{vm} returns {amounts['cpu']} vCPUs and {amounts['memory']} bytes, it held {held}"
        yield from self._balance(target, amounts)

    def shift(self, target: str, amounts: Amounts, cause: str) -> Iterator[str]:
        """A named drift; only a recalculation leaves the books comparable at once."""
        drift = self.rows[target].drift
        drift[0] += amounts["cpu"]
        drift[1] += amounts["memory"]
        if not cause:
            yield f"drift on {target} without a named cause"
        if cause == "recalculation":
            yield from self._balance(target, amounts)

    def set(self, target: str, amounts: Amounts, cause: str) -> None:
        """Descriptive columns change, or a host is added."""
        if cause == "add" and target not in self.rows:
            self.rows[target] = Host({"exists": 1, "state": 0, "status": 0, "total_cpu": 0, "reserved_memory": 0})
        self.rows[target].figures.update(amounts)

    def _balance(self, target: str, amounts: Amounts) -> Iterator[str]:
        result = (amounts["available_cpu"], amounts["available_memory"])
        expected = self.rows[target].expected()
        if result != expected:
            yield f"{target} records {result} available (vCPUs, bytes), the books say {expected}"

    def closing(self, rows: list[Mapping[str, int]]) -> Iterator[str]:
        """The figures at the end."""
        for position, row in enumerate(rows):
            figures = self.rows[f"host/{position}"].figures
            for name in ("total_cpu", "total_memory", "reserved_memory", "state", "status"):
                if row["exists"] and row[name] != figures.get(name, row[name]):
                    yield f"host/{position} ends with {name} {row[name]}, the books say {figures[name]}"
            expected = self.rows[f"host/{position}"].expected()
            if row["exists"] and (row["available_cpu"], row["available_memory"]) != expected:
                free = f"{row['available_cpu']}, {row['available_memory']}"
                yield f"host/{position} ends with {free}; books say {expected}"


class Devices:
    """PCI devices per host and specification, replayed."""

    def __init__(self, opening: list[Mapping[str, Any]]) -> None:
        self.present = {
            (f"host/{row}", spec): int(count)
            for row, item in enumerate(opening)
            for spec, count in item.get("devices", {}).items()
        }
        self.held: dict[tuple[str, str], dict[str, int]] = {}

    def move(self, vm: str, target: str, spec: str, amounts: Amounts, adopted: bool) -> Iterator[str]:
        """A VM takes or returns whole devices; one that was *adopted* stands where a file put it, with or without."""
        held = self.held.setdefault((target, spec), {})
        held[vm] = held.get(vm, 0) + amounts["count"]
        total = sum(held.values())
        if total != amounts["held"] or held[vm] < 0:
            yield f"{target} records {amounts['held']} devices {spec} taken, the books say {total}"
        if not adopted and amounts["count"] > 0 and total > self.present.get((target, spec), 0):
            yield f"{target} gives {total} devices {spec}, it has {self.present.get((target, spec), 0)}"
