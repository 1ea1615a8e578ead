"""Distributions as files write them: a number, or one key that names the law. Seconds or counts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from simclone.scenario.document.base import Doc, Name

NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
AboveZero = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Value = NotNegative | Literal["forever"]


class MeanDoc(Doc):
    """A law given by its mean."""

    mean: AboveZero
    """The mean."""


class UniformDoc(Doc):
    """Evenly from *low* to *high*."""

    low: NotNegative
    """The lowest value."""
    high: AboveZero
    """The highest value."""


class LognormalDoc(Doc):
    """A lognormal law; *sigma* is the standard deviation of the logarithm."""

    median: AboveZero
    """The median."""
    sigma: AboveZero
    """The standard deviation of the logarithm."""


class ScaleShapeDoc(Doc):
    """A law given by scale and shape."""

    scale: AboveZero
    """The scale."""
    shape: AboveZero
    """The shape."""


class GammaDoc(Doc):
    """A gamma law."""

    mean: AboveZero
    """The mean."""
    shape: AboveZero
    """The shape."""


class ChoiceDoc(Doc):
    """One value and how often it comes, relative to the others."""

    value: Value
    """The value."""
    weight: NotNegative = 1.0
    """How often, relative to the others."""


class ScipyDoc(Doc):
    """A distribution of scipy.stats by name."""

    name: Name
    """The distribution's name in scipy.stats."""
    args: list[float] = Field(default_factory=list)
    """Its arguments in order."""
    kwargs: dict[Name, float] = Field(default_factory=dict)
    """Its arguments by name."""


class DistributionDoc(Doc):
    """Exactly one law; *field* goes with *fromTrace*, the path of a trace seen from the file."""

    constant: NotNegative | None = None
    """Always this value."""
    exponential: MeanDoc | None = None
    """An exponential law."""
    uniform: UniformDoc | None = None
    """Evenly between two values."""
    lognormal: LognormalDoc | None = None
    """A lognormal law."""
    weibull: ScaleShapeDoc | None = None
    """A Weibull law."""
    gamma: GammaDoc | None = None
    """A gamma law."""
    pareto: ScaleShapeDoc | None = None
    """A Pareto law."""
    empirical: Annotated[list[Value], Field(min_length=1)] | None = None
    """Recorded values, each as likely."""
    choice: Annotated[list[ChoiceDoc], Field(min_length=1)] | None = None
    """Values with weights."""
    geometric: MeanDoc | None = None
    """A geometric law of counts."""
    scipy: ScipyDoc | None = None
    """A distribution of scipy.stats."""
    from_trace: Name | None = None
    """Values recorded in a trace: its path, relative to this file."""
    field: Literal["lifetime", "batch"] | None = None
    """What of the trace is meant."""


Law = NotNegative | DistributionDoc


def plain(law: float | DistributionDoc) -> Any:
    """What the file said, as `simclone.workload.distributions` takes it; a key without a value counts as left out."""
    if not isinstance(law, DistributionDoc):
        return law
    return {key: value for key, value in law.given().items() if value is not None}
