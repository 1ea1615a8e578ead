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
        result = datetime.fromisoformat(value)
        return result.astimezone(UTC).replace(tzinfo=None) if result.tzinfo else result
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
    """The name under which answers and expectations refer to it."""
    at: Seconds = 0.0
    """When it is sent, seconds after t = 0."""
    vm: Name
    """The source VM, by name or uuid."""
    clone_vm_instance: dict[str, Any]
    """The body exactly as on the API page; names may stand for uuids."""
    system_tags: list[str] | None = None
    """The body's top-level systemTags."""
    user_tags: list[str] | None = None
    """The body's top-level userTags."""
    account: Name | None = None
    """The account that asks; the administrator when left out."""


class RunDoc(Doc):
    """How a scenario is run; *start* is the calendar time (UTC) of t = 0, *horizon* seconds.

    Every *sample* seconds the *series* get a row per place, storage or queue. Measured use of hosts is averaged over
    *utilisationWindow* seconds.
    """

    seed: Amount = 0
    """The seed of every draw; equal seeds give equal runs."""
    timing: Literal["instant", "zstack", "model"] = "instant"
    """`instant` takes no time, `zstack` uses the published durations of each step, `model` those of the file's
    `timing`.
    """
    profile: Literal["cloud", "open"] = "cloud"
    """`cloud` is the commercial allocator with its own filters, `open` the open-source one."""
    preset: Preset | None = None
    """Settings by a name of the platform, such as ProductionRecommended."""
    start: Moment = EPOCH
    """The calendar time (UTC) of t = 0."""
    tie_break: Literal["shuffle", "lowestUuid"] = "shuffle"
    """How hosts that are equal for a strategy are ordered: by keyed draws, or by ascending uuid."""
    max_names: Positive = 10_000
    """The most names one clone call may hold."""
    horizon: Annotated[float, Field(gt=0, le=9.0e12)] | None = None
    """The run ends after so many seconds; without it, with its last event."""
    warm_up: Seconds = 0.0
    """Statistics begin after so many seconds."""
    sample: Annotated[float, Field(gt=0, le=9.0e12)] | None = None
    """A row of each series every so many seconds."""
    series: list[SeriesKind] = Field(default_factory=_usual_series)
    """What gets a series of its own."""
    utilisation_window: Annotated[float, Field(gt=0, le=9.0e12)] = 600.0
    """Measured use of hosts is averaged over so many seconds."""
    keep: Literal["all", "failures", "summary"] = "all"
    """`failures` drops answers of calls that succeeded and all events, `summary` every row."""
