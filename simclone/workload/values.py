"""Values with weights, as recorded or listed, and what is known of lifetimes that were cut short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simclone.workload.laws import Floats


@dataclass(frozen=True, slots=True, eq=False)
class ValueTable:
    """Distinct values, ascending, and the share of all that is at most each of them."""

    values: Floats
    below: Floats

    @classmethod
    def of(cls, values: Sequence[float] | Floats, weights: Sequence[float] | Floats | None = None) -> ValueTable:
        """The table of *values*, equally likely or by *weights*; infinity stands for no end."""
        distinct, position = np.unique(np.asarray(values, np.float64), return_inverse=True)
        mass = np.bincount(position, None if weights is None else np.asarray(weights, np.float64), len(distinct))
        below = np.cumsum(mass) / mass.sum()
        below[np.flatnonzero(mass)[-1] :] = 1.0
        return cls(distinct, below)

    def quantile(self, u: Floats) -> Floats:
        """The least value that a share of more than u does not exceed."""
        return np.asarray(self.values[np.searchsorted(self.below, u, side="right")])

    @property
    def weights(self) -> Floats:
        """The share of each value."""
        return np.diff(self.below, prepend=0.0)

    @property
    def mean(self) -> float:
        """The expectation, infinite where some have no end."""
        has = self.weights > 0
        return float(np.dot(self.values[has], self.weights[has]))


def survival(durations: Floats, ended: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> ValueTable:
    """Kaplan and Meier's estimate of a law of which some members were cut short.

    *durations* are whole where *ended*, else at least that long. What is left beyond the longest ended one has no
    end.
    """
    times, position = np.unique(durations, return_inverse=True)
    ends = np.bincount(position, ended.astype(np.float64), len(times))
    members = np.bincount(position, None, len(times))
    at_risk = members[::-1].cumsum()[::-1]
    remaining = np.cumprod(1.0 - ends / at_risk)
    mass = -np.diff(remaining, prepend=1.0)
    return ValueTable.of(np.append(times, np.inf), np.append(mass, max(remaining[-1], 0.0)))
