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


class UniformDoc(Doc):
    """Evenly from *low* to *high*."""

    low: NotNegative
    high: AboveZero


class LognormalDoc(Doc):
    """A lognormal law; *sigma* is the standard deviation of the logarithm."""

    median: AboveZero
    sigma: AboveZero


class ScaleShapeDoc(Doc):
    """A law given by scale and shape."""

    scale: AboveZero
    shape: AboveZero


class GammaDoc(Doc):
    """A gamma law."""

    mean: AboveZero
    shape: AboveZero


class ChoiceDoc(Doc):
    """One value and how often it comes, relative to the others."""

    value: Value
    weight: NotNegative = 1.0


class ScipyDoc(Doc):
    """A distribution of scipy.stats by name."""

    name: Name
    args: list[float] = Field(default_factory=list)
    kwargs: dict[Name, float] = Field(default_factory=dict)


class DistributionDoc(Doc):
    """Exactly one law; *field* goes with *fromTrace*, the path of a trace seen from the file."""

    constant: NotNegative | None = None
    exponential: MeanDoc | None = None
    uniform: UniformDoc | None = None
    lognormal: LognormalDoc | None = None
    weibull: ScaleShapeDoc | None = None
    gamma: GammaDoc | None = None
    pareto: ScaleShapeDoc | None = None
    empirical: Annotated[list[Value], Field(min_length=1)] | None = None
    choice: Annotated[list[ChoiceDoc], Field(min_length=1)] | None = None
    geometric: MeanDoc | None = None
    scipy: ScipyDoc | None = None
    from_trace: Name | None = None
    field: Literal["lifetime", "batch"] | None = None


Law = NotNegative | DistributionDoc


def plain(law: float | DistributionDoc) -> Any:
    """What the file said, as `simclone.workload.distributions` takes it; a key without a value counts as left out."""
    if not isinstance(law, DistributionDoc):
        return law
    return {key: value for key, value in law.given().items() if value is not None}
