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
from simclone.traces.column_map import ColumnMap
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
    """Requests an hour on average."""


class ProfileDoc(Doc):
    """Requests per hour for each hour of the day, times a factor for each day of the week from Monday."""

    per_hour: list[NotNegative] = Field(json_schema_extra={"minItems": 24, "maxItems": 24})
    """Requests an hour, for each of the 24 hours of the day."""
    weekday: list[NotNegative] | None = None
    """Factors for the seven days of the week, from Monday."""


class BurstsDoc(Doc):
    """Bursts of *size* requests, *perHour* bursts on average, each spread evenly over *spread* seconds."""

    per_hour: AboveZero
    """Bursts an hour on average."""
    size: Law
    """Requests of one burst: a number or a law."""
    spread: Seconds = 0.0
    """Seconds over which a burst's requests are spread evenly."""


class ArrivalsDoc(Doc):
    """Exactly one process; *every* and the gaps of *renewal* are in seconds."""

    every: AboveZero | None = None
    """A request every so many seconds."""
    poisson: PoissonDoc | None = None
    """Requests at random moments."""
    renewal: Law | None = None
    """Gaps between requests, in seconds: a number or a law."""
    profile: ProfileDoc | None = None
    """Random moments at a rate that changes by the hour of the week."""
    bursts: BurstsDoc | None = None
    """Bursts of requests."""


class MixDoc(Doc):
    """A VM to clone, and how often relative to the others."""

    vm: Name
    """The VM to clone."""
    weight: NotNegative = 1.0
    """How often, relative to the others."""


class RetryDoc(Doc):
    """A failed request is asked again up to *times* times, *backoff* seconds after each failure."""

    times: Amount
    """A failed request is asked again at most so often."""
    backoff: Seconds = 0.0
    """Seconds after each failure."""


class TraceDoc(Doc):
    """A recorded trace, its path seen from the file; seconds.

    Of the batches *from* … *to* a share *thin* is kept, times are multiplied by *scale*, then *shift* is added.
    *vmFor* names the VM to clone for a shape, with ``{vcpu}``, ``{memoryGib}`` and ``{gpus}``.
    """

    path: Name
    """The trace file, relative to this file."""
    from_: Seconds = 0.0
    """The first second of the trace that is used."""
    to: Seconds | None = None
    """The last second of the trace that is used."""
    scale: AboveZero = 1.0
    """Times are multiplied by this."""
    thin: Annotated[float, Field(gt=0, le=1)] = 1.0
    """The share of batches that is kept."""
    shift: Annotated[float, Field(ge=-9.0e12, le=9.0e12)] = 0.0
    """Seconds added to every time."""
    vm_for: Name = SOURCE
    """The VM to clone for a shape; `{vcpu}`, `{memoryGib}` and `{gpus}` stand for its size."""
    map: dict[Name, Name] | None = None
    """The columns of a table of no known format by what they say of a VM, with units: `memory: memory_mb:MiB`."""

    def columns(self) -> ColumnMap | None:
        """The column map; raises ValueError for a wrong one."""
        return None if self.map is None else ColumnMap.of(self.map)


class WorkloadDoc(Doc):
    """A stream: *vm* or *mix* with *arrivals*, or a *trace*; *lifetime* in seconds."""

    name: Name
    """The stream's name; its draws are keyed by it."""
    vm: Name | None = None
    """The VM to clone."""
    mix: Annotated[list[MixDoc], Field(min_length=1)] | None = None
    """Several VMs to clone, by weight."""
    arrivals: ArrivalsDoc | None = None
    """When requests come."""
    batch: Law | None = None
    """Names of a request: a number or a law; one when left out."""
    lifetime: Law | Literal["forever"] | None = None
    """Seconds a clone lives: a number, a law, or `forever`."""
    growth_per_30_days: AboveZero = Field(1.0, alias="growthPer30Days")
    """The rate is multiplied by this every 30 days."""
    trace: TraceDoc | None = None
    """A recorded trace instead of vm, arrivals, batch and lifetime."""
    retry: RetryDoc | None = None
    """What is done about failed names."""
    all_or_nothing: bool = False
    """Clones of a request that fails in part are destroyed."""
    account: Name | None = None
    """The account that asks."""
    strategy: Strategy | None = None
    """The request's strategy."""
    full: bool | None = None
    """Whether data volumes are cloned too."""
    system_tags: list[Name] | None = None
    """The requests' system tags."""
    user_tags: list[Name] | None = None
    """The requests' user tags."""


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
    return Replay(str(folder / doc.path), how, doc.vm_for, doc.columns())


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
