"""Storage and addresses re-counted from events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Amounts = Mapping[str, int]


class Storages:
    """Every primary storage, replayed; capacities in bytes."""

    def __init__(self, opening: list[Mapping[str, Any]]) -> None:
        self.available = {f"storage/{row}": int(item["available"]) for row, item in enumerate(opening)}
        self.shares: dict[tuple[str, int], int] = {
            (f"storage/{row}", int(host)): int(free)
            for row, entry in enumerate(opening)
            for host, free in entry.get("shares", {}).items()
        }
        self.holds: dict[str, tuple[str, int, int]] = {}

    def hold(self, space: str, target: str, amounts: Amounts, owner: str) -> Iterator[str]:
        """Bytes are taken."""
        if space in self.holds:
            yield f"{space} is held twice"
        self.holds[space] = (target, amounts["bytes"], amounts["host"])
        yield from self._move(target, amounts, -amounts["bytes"])
        if owner.startswith("adopt") or not amounts["bytes"]:
            return
        if self.available[target] < 0:
            yield f"{target} gives {amounts['bytes']} bytes it does not have"
        if self.shares.get((target, amounts["host"]), 0) < 0:
            yield f"{target} gives bytes of host/{amounts['host']} that are not there"

    def end(self, space: str, target: str, amounts: Amounts) -> Iterator[str]:
        """Bytes come back."""
        held = self.holds.pop(space, None)
        if held is None:
            yield f"{space} ends without having begun"
        elif held != (target, amounts["bytes"], amounts["host"]):
            yield f"{space} returns {amounts['bytes']} bytes to {target}, it held {held}"
        yield from self._move(target, amounts, amounts["bytes"])

    def shift(self, target: str, amounts: Amounts, cause: str) -> Iterator[str]:
        """A named drift."""
        if not cause:
            yield f"drift on {target} without a named cause"
        self._add(target, amounts, amounts["bytes"])

    def _add(self, target: str, amounts: Amounts, change: int) -> None:
        self.available[target] += change
        share = (target, amounts["host"])
        if share in self.shares:
            self.shares[share] += change

    def _move(self, target: str, amounts: Amounts, change: int) -> Iterator[str]:
        self._add(target, amounts, change)
        if self.available[target] != amounts["available"]:
            yield f"{target} records {amounts['available']} bytes available, the books say {self.available[target]}"

    def set(self, target: str, subject: str, amounts: Amounts) -> None:
        """Figures change."""
        if subject.startswith("host/"):
            host = int(subject.removeprefix("host/"))
            if "available" in amounts:
                self.shares[target, host] = amounts["available"]
        elif "available" in amounts:
            self.available[target] = amounts["available"]

    def closing(self, rows: list[Mapping[str, Any]]) -> Iterator[str]:
        """The figures at the end."""
        for position, row in enumerate(rows):
            expected = self.available[f"storage/{position}"]
            if row["available"] != expected:
                yield f"storage/{position} ends with {row['available']}, books say {expected}"
            for host, free in row.get("shares", {}).items():
                if self.shares.get((f"storage/{position}", int(host)), 0) != free:
                    yield f"storage/{position} on host/{host} ends with {free}, books differ"


class Addresses:
    """Taken addresses per network."""

    def __init__(self, opening: list[Mapping[str, Any]]) -> None:
        self.ranges = {f"l3/{row}": [tuple(item) for item in net["ranges"]] for row, net in enumerate(opening)}
        self.taken = {f"l3/{row}": set(net["used"]) for row, net in enumerate(opening)}

    def hold(self, target: str, ip: int) -> Iterator[str]:
        """An address is taken."""
        if ip in self.taken[target]:
            yield f"address {ip} of {target} is taken twice"
        if not any(low <= ip <= high for low, high in self.ranges[target]):
            yield f"address {ip} lies outside the ranges of {target}"
        self.taken[target].add(ip)

    def end(self, target: str, ip: int) -> Iterator[str]:
        """An address returns."""
        if ip not in self.taken[target]:
            yield f"address {ip} of {target} returns without having been taken"
        self.taken[target].discard(ip)

    def extend(self, target: str, amounts: Amounts) -> None:
        """A range is added."""
        self.ranges[target].append((amounts["start"], amounts["end"]))

    def closing(self, rows: list[Mapping[str, Any]]) -> Iterator[str]:
        """The sets at the end."""
        for position, row in enumerate(rows):
            if set(row["used"]) != self.taken[f"l3/{position}"]:
                yield f"l3/{position} ends with {len(row['used'])} addresses taken, books say otherwise"
