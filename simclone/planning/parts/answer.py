"""What every planning answer can do: a summary, a frame, plain data, figures for conditions, a page for notebooks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict
from html import escape
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    import pandas as pd


class Answer(ABC):
    """Base of the results; a subclass is a frozen dataclass with `summary` and `to_frame`.

    *question* names its section of the page, *title* stands above it, and *order* says where: sections stand by
    ascending order, and those of a run lie at tens (`simclone.report.run_sections`).
    """

    __slots__ = ()
    question: ClassVar[str]
    title: ClassVar[str]
    order: ClassVar[int] = 255

    @abstractmethod
    def summary(self) -> str:
        """The answer in words."""

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """The answer as a table; sizes in vCPUs and bytes, times in seconds."""

    def picture(self) -> Any:
        """The picture of the answer as a Plotly figure, or None; needs the extra ``report``."""
        return None

    @classmethod
    def draws(cls) -> bool:
        """Whether answers of this class have a picture."""
        return cls.picture is not Answer.picture

    def figures(self) -> Mapping[str, float | None]:
        """The figures a condition may name."""
        return {}

    def secondary_columns(self) -> frozenset[str]:
        """Columns of the table that a narrow screen can do without, mostly because the words tell them."""
        return frozenset()

    def chart_columns(self) -> tuple[str, ...]:
        """Columns of the table to draw beside it: one from 0, or an estimate with the ends of its interval."""
        return ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data; numbers that are not finite are None."""
        plain: Any = self
        result: dict[str, Any] = _plain(asdict(plain))
        return result

    def _repr_html_(self) -> str:
        words = "".join(f"<p>{escape(line)}</p>" for line in self.summary().splitlines())
        frame: str = self.to_frame().to_html(index=False)
        return words + frame


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value
