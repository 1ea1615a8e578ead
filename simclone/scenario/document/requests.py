"""Requests and the run block of a scenario."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from simclone.model.cloud import EPOCH
from simclone.model.settings import PRESETS
from simclone.scenario.document.base import Amount, Doc, Name, Positive

Seconds = Annotated[float, Field(ge=0, le=9.0e12)]


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("not a date")
    try:
        found = datetime.fromisoformat(value)
        return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise ValueError("not a date") from None


def _preset(value: object) -> object:
    if value not in PRESETS:
        raise ValueError(f"not a preset; there is {', '.join(PRESETS)}")
    return value


Moment = Annotated[datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string"})]
Preset = Annotated[str, BeforeValidator(_preset), WithJsonSchema({"enum": list(PRESETS)})]


SeriesKind = Literal["zones", "clusters", "hosts", "storages", "queues"]


def _usual_series() -> list[SeriesKind]:
    return ["zones", "clusters", "storages", "queues"]


class RequestDoc(Doc):
    """A request as on the API page: *at* in seconds, *vm* by name or uuid, the body kept as it is."""

    name: Name | None = None
    at: Seconds = 0.0
    vm: Name
    clone_vm_instance: dict[str, Any]
    system_tags: list[str] | None = None
    user_tags: list[str] | None = None
    account: Name | None = None


class RunDoc(Doc):
    """How a scenario is run; *start* is the calendar time (UTC) of t = 0, *horizon* seconds.

    Every *sample* seconds the *series* get a row per place, storage or queue. Measured use of hosts is averaged over
    *utilisationWindow* seconds.
    """

    seed: Amount = 0
    timing: Literal["instant", "zstack", "model"] = "instant"
    profile: Literal["cloud", "open"] = "cloud"
    preset: Preset | None = None
    start: Moment = EPOCH
    tie_break: Literal["shuffle", "lowestUuid"] = "shuffle"
    max_names: Positive = 10_000
    horizon: Annotated[float, Field(gt=0, le=9.0e12)] | None = None
    warm_up: Seconds = 0.0
    sample: Annotated[float, Field(gt=0, le=9.0e12)] | None = None
    series: list[SeriesKind] = Field(default_factory=_usual_series)
    utilisation_window: Annotated[float, Field(gt=0, le=9.0e12)] = 600.0
    keep: Literal["all", "failures", "summary"] = "all"
