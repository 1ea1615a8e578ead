"""Compare what was found with what a case expects; absent keys are not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any

_BOUNDS = {
    "gt": lambda found, limit: found > limit,
    "ge": lambda found, limit: found >= limit,
    "lt": lambda found, limit: found < limit,
    "le": lambda found, limit: found <= limit,
    "ne": lambda found, limit: found != limit,
}
_UNORDERED = frozenset({"failedErrorCodes", "failedRootErrorCodes", "vms", "rootVolume[]", "hosts"})
Difference = tuple[str, Any, Any]


def differences(expect: Mapping[str, Any], found: Mapping[str, Any], path: str = "") -> list[Difference]:
    """(path, expected, found) for each expectation that does not hold."""
    wrong: list[Difference] = []
    for key, target in expect.items():
        where = f"{path}.{key}" if path else key
        wrong += _one(key, target, found, where)
    return wrong


def _one(key: str, wanted: Any, found: Mapping[str, Any], where: str) -> list[Difference]:
    if key in ("hostIn", "primaryStorageIn"):
        value = found.get(key.removesuffix("In"))
        return [] if value in wanted else [(where, wanted, value)]
    if key == "hostNot":
        value = found.get("host")
        refused = wanted if isinstance(wanted, list) else [wanted]
        return [] if value is not None and value not in refused else [(where, f"not {wanted}", value)]
    if key == "ipInRange":
        value = found.get("ip")
        low, high = (int(IPv4Address(item)) for item in wanted)
        fits = value is not None and low <= int(IPv4Address(value)) <= high
        return [] if fits else [(where, wanted, value)]
    if key in ("contains", "notContains"):
        return _membership(key, wanted, found.get("vms", []), where)
    if key not in found:
        return [(where, wanted, "nothing of that name")]
    return _value(key, wanted, found[key], where)


def _membership(key: str, wanted: Any, members: list[str], where: str) -> list[Difference]:
    requested = wanted if isinstance(wanted, list) else [wanted]
    holds = all((item in members) == (key == "contains") for item in requested)
    return [] if holds else [(where, wanted, members)]


def _value(key: str, wanted: Any, value: Any, where: str) -> list[Difference]:
    if isinstance(wanted, Mapping):
        if set(wanted) <= set(_BOUNDS):
            holds = all(_BOUNDS[bound](value, limit) for bound, limit in wanted.items())
            return [] if holds else [(where, wanted, value)]
        if not isinstance(value, Mapping):
            return [(where, wanted, value)]
        return differences(wanted, value, where)
    if isinstance(wanted, list):
        return _list(key, wanted, value, where)
    if key == "errorCode" and wanted == "QUOTA_EXCEEDING":
        wanted = "ID.1003"
    return [] if value == wanted else [(where, wanted, value)]


def _list(key: str, wanted: list[Any], value: Any, where: str) -> list[Difference]:
    if not isinstance(value, list) or len(value) != len(wanted):
        return [(where, wanted, value)]
    if all(isinstance(entry, Mapping) for entry in wanted):
        return [
            wrong
            for position, (item, received) in enumerate(zip(wanted, value, strict=True))
            for wrong in differences(item, received, f"{where}.{position}")
        ]
    if key in _UNORDERED:
        return [] if Counter(wanted) == Counter(value) else [(where, wanted, value)]
    return [] if wanted == value else [(where, wanted, value)]
