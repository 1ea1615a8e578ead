"""Failure and repair laws that were published, by name. What a source leaves open is said where it is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HOUR = 3600.0
YEAR = 365.25 * 24 * HOUR


@dataclass(frozen=True, slots=True)
class FailurePreset:
    """How often one target fails and how long it is away, as plain data for `Distribution.of`; *source* says whence."""

    every: Mapping[str, Any]
    repair_after: Mapping[str, Any]
    source: str


FAILURE_PRESETS: Mapping[str, FailurePreset] = {
    "google-2009-machine": FailurePreset(
        {"exponential": {"mean": 1.8 * YEAR}},
        {"uniform": {"low": 0.25 * HOUR, "high": 6 * HOUR}},
        "J. Dean, Designs, Lessons and Advice from Building Large Distributed Systems, LADIS 2009: about 1,000 machine "
        "failures in the first year of a cluster of some 1,800 machines. The time to repair is not given; a quarter of "
        "an hour to six hours is assumed.",
    ),
    "google-2009-rack": FailurePreset(
        {"exponential": {"mean": 2.25 * YEAR}},
        {"uniform": {"low": 1 * HOUR, "high": 6 * HOUR}},
        "J. Dean, LADIS 2009: about 20 rack failures a year in such a cluster, 40 to 80 machines each, 1 to 6 hours to "
        "come back. 45 racks of 40 machines are assumed. Use with label: to name the hosts of one rack.",
    ),
    "google-2009-power": FailurePreset(
        {"exponential": {"mean": 1 * YEAR}},
        {"constant": 6 * HOUR},
        "J. Dean, LADIS 2009: about one failure of a power distribution unit a year, 500 to 1,000 machines at once, "
        "some 6 hours to come back. Use with cluster: or label:.",
    ),
    "lanl-2006-node": FailurePreset(
        {"weibull": {"scale": 0.79 * YEAR, "shape": 0.7}},
        {"lognormal": {"median": 54 * 60.0, "sigma": 1.9406}},
        "B. Schroeder and G. Gibson, A Large-Scale Study of Failures in High-Performance Computing Systems, DSN 2006: "
        "times between failures of a node are Weibull with shape 0.7, repairs lognormal with median 54 and mean 355 "
        "minutes over all causes. Rates differ widely between systems; a mean of one failure a year is assumed.",
    ),
    "microsoft-2010-server": FailurePreset(
        {"exponential": {"mean": 11.993 * YEAR}},
        {"constant": 24 * HOUR},
        "K. Vishwanath and N. Nagappan, Characterizing Cloud Computing Hardware Reliability, SoCC 2010: 8 % of servers "
        "see at least one hardware repair in a year. The time to repair is not given; a day is assumed.",
    ),
}
"""By the name a file gives it."""
