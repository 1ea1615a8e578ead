"""What counting how much fits comes to, and in which unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST = 1_000_000
"""Counting ends here: what nothing limits has no end of its own."""


@dataclass(frozen=True, slots=True)
class Unit:
    """What is counted: names of one call (*names* None), or of calls of so many names each, one after the other.

    *by_columns* lets the count be made on whole columns where that gives the same.
    """

    names: int | None = None
    by_columns: bool = True

    def summary(self, most: int) -> str:
        """``one call`` and its limit, or ``calls of 3 names``."""
        if self.names is None:
            return f"one call, of at most {most} names"
        return "calls of one name" if self.names == 1 else f"calls of {self.names} names"


@dataclass(frozen=True, slots=True)
class Filled:
    """How many clones were placed before the first failure and in all, why it failed, and where they went."""

    until_failure: int
    total: int
    reason: str
    clusters: Mapping[str, int]
    zones: Mapping[str, int]
