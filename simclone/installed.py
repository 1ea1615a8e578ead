"""Entry points of installed distributions: one way to find them, and what to call the one that something came from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


@dataclass(frozen=True, slots=True, order=True)
class PlugIn:
    """An entry point with the distribution that brings it."""

    group: str
    name: str
    distribution: str
    version: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"

    def to_dict(self) -> dict[str, str]:
        """Plain data."""
        return asdict(self)


def entry_points_of(group: str) -> list[EntryPoint]:
    """The entry points of a group, by name; one that is found twice on the path counts once."""
    from importlib.metadata import entry_points  # loads a parser of e-mail, so only on use

    return sorted(set(entry_points(group=group)), key=lambda point: (point.name, point.value))


def plug_in(point: EntryPoint) -> PlugIn:
    """What an entry point is called; an entry point outside of any distribution has no name and version of one."""
    distribution = point.dist
    name, version = ("", "") if distribution is None else (distribution.name, distribution.version)
    return PlugIn(point.group, point.name, name, version)


_question: ContextVar[PlugIn | None] = ContextVar("installed question", default=None)


def current_question() -> PlugIn | None:
    """The installed question that is being answered now, if any."""
    return _question.get()


@contextmanager
def answering(question: PlugIn) -> Iterator[None]:
    """Let runs made inside know that an installed question makes them."""
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)
