"""The workload of a scenario: streams of clone requests, drawn from laws or replayed from a trace."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal

from pydantic import Field

from simclone.scenario.document.base import Amount, Doc, Name
from simclone.scenario.document.distributions import AboveZero, DistributionDoc, Law, NotNegative, plain
from simclone.scenario.document.requests import Seconds
from simclone.traces.cutting import Cut
from simclone.units import SECOND
from simclone.workload.arrivals import process_of
from simclone.workload.clock import Clock
from simclone.workload.distributions import Distribution
from simclone.workload.replay import SOURCE, Replay
from simclone.workload.streams import ONE, Retry, StreamSpec

Strategy = Literal["InstantStart", "CreateStopped", "JustCreate"]


class PoissonDoc(Doc):
    """Requests at random moments, *perHour* on average."""

    per_hour: AboveZero


class ProfileDoc(Doc):
    """Requests per hour for each hour of the day, times a factor for each day of the week from Monday."""

    per_hour: list[NotNegative] = Field(json_schema_extra={"minItems": 24, "maxItems": 24})
    weekday: list[NotNegative] | None = None


class BurstsDoc(Doc):
    """Bursts of *size* requests, *perHour* bursts on average, each spread evenly over *spread* seconds."""

    per_hour: AboveZero
    size: Law
    spread: Seconds = 0.0


class ArrivalsDoc(Doc):
    """Exactly one process; *every* and the gaps of *renewal* are in seconds."""

    every: AboveZero | None = None
    poisson: PoissonDoc | None = None
    renewal: Law | None = None
    profile: ProfileDoc | None = None
    bursts: BurstsDoc | None = None


class MixDoc(Doc):
    """A VM to clone, and how often relative to the others."""

    vm: Name
    weight: NotNegative = 1.0


class RetryDoc(Doc):
    """A failed request is asked again up to *times* times, *backoff* seconds after each failure."""

    times: Amount
    backoff: Seconds = 0.0


class TraceDoc(Doc):
    """A recorded trace, its path seen from the file; seconds.

    Of the batches *from* … *to* a share *thin* is kept, times are multiplied by *scale*, then *shift* is added.
    *vmFor* names the VM to clone for a shape, with ``{vcpu}``, ``{memoryGib}`` and ``{gpus}``.
    """

    path: Name
    from_: Seconds = 0.0
    to: Seconds | None = None
    scale: AboveZero = 1.0
    thin: Annotated[float, Field(gt=0, le=1)] = 1.0
    shift: Annotated[float, Field(ge=-9.0e12, le=9.0e12)] = 0.0
    vm_for: Name = SOURCE


class WorkloadDoc(Doc):
    """A stream: *vm* or *mix* with *arrivals*, or a *trace*; *lifetime* in seconds."""

    name: Name
    vm: Name | None = None
    mix: Annotated[list[MixDoc], Field(min_length=1)] | None = None
    arrivals: ArrivalsDoc | None = None
    batch: Law | None = None
    lifetime: Law | Literal["forever"] | None = None
    growth_per_30_days: AboveZero = Field(1.0, alias="growthPer30Days")
    trace: TraceDoc | None = None
    retry: RetryDoc | None = None
    all_or_nothing: bool = False
    account: Name | None = None
    strategy: Strategy | None = None
    full: bool | None = None
    system_tags: list[Name] | None = None
    user_tags: list[Name] | None = None


def stream_specs(docs: Sequence[WorkloadDoc], start: datetime, folder: FilePath = FilePath()) -> list[StreamSpec]:
    """The streams of checked documents; *start* is the calendar time of t = 0, traces are looked for in *folder*."""
    return [_spec(doc, start, folder) for doc in docs]


def process_data(doc: ArrivalsDoc) -> dict[str, Any]:
    """Arrivals as `simclone.workload.arrivals` takes them."""
    result = {key: value for key, value in doc.given().items() if value is not None}
    profile = result.get("profile")
    return result if profile is None else result | {"profile": {k: v for k, v in profile.items() if v is not None}}


def replay_of(doc: TraceDoc, folder: FilePath) -> Replay:
    """A trace stream; ValueError says what does not go together."""
    how = Cut(_us(doc.from_), None if doc.to is None else _us(doc.to), doc.thin, doc.scale, _us(doc.shift))
    return Replay(str(folder / doc.path), how, doc.vm_for)


def _us(seconds: float) -> int:
    return round(seconds * SECOND)


def _law(law: float | DistributionDoc, folder: FilePath) -> Distribution:
    return Distribution.of(plain(law)).within(folder)


def _spec(doc: WorkloadDoc, start: datetime, folder: FilePath) -> StreamSpec:
    mix = tuple((item.vm, item.weight) for item in doc.mix or ())
    return StreamSpec(
        name=doc.name,
        clock=Clock(start, doc.growth_per_30_days),
        process=None if doc.arrivals is None else process_of(process_data(doc.arrivals)).within(folder),
        replay=None if doc.trace is None else replay_of(doc.trace, folder),
        mix=mix if doc.vm is None else ((doc.vm, 1.0),),
        batch=ONE if doc.batch is None else _law(doc.batch, folder),
        lifetime=None if doc.lifetime is None or doc.lifetime == "forever" else _law(doc.lifetime, folder),
        retry=Retry() if doc.retry is None else Retry(doc.retry.times, _us(doc.retry.backoff)),
        all_or_nothing=doc.all_or_nothing,
        account=doc.account,
        body=_body(doc),
    )


def _body(doc: WorkloadDoc) -> dict[str, Any]:
    values = {"strategy": doc.strategy, "full": doc.full, "systemTags": doc.system_tags, "userTags": doc.user_tags}
    return {key: value for key, value in values.items() if value is not None}
