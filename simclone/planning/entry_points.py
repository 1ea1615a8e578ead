"""Questions of installed distributions, known by name and loaded on use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simclone.planning.questions import GROUP, QUESTIONS


def question_names() -> list[str]:
    """The names of questions that installed distributions bring; none of them is imported."""
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group=GROUP)} - set(QUESTIONS))


def question_function(name: str) -> Callable[..., Any] | None:
    """The function of an installed question, loaded now; None where there is none of this name."""
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP, name=name):
        function: Callable[..., Any] = point.load()
        return function
    return None
