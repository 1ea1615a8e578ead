"""The page's pictures one by one, for notebooks: of a run, and of a planning answer."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from simclone.errors import UnknownName
from simclone.planning.parts.answer import Answer
from simclone.planning.questions import QUESTIONS, module_of
from simclone.report.material import Material
from simclone.report.page import refuse_without_library
from simclone.report.run_sections import run_sections


class Plots:
    """Pictures of a run; each is a Plotly figure a notebook shows."""

    def __init__(self, material: Material) -> None:
        refuse_without_library()
        self._made = {
            run_section.anchor: run_section.picture
            for run_section in run_sections(material)
            if run_section.picture is not None
        }

    def __dir__(self) -> list[str]:
        return [*self._made]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda: self[name]

    def __getitem__(self, name: str) -> Any:
        """A picture by the name of its section: use, hosts, series, failures, funnel, memory, storage, timeline."""
        if name not in self._made:
            raise UnknownName("picture", name, self._made)
        return self._made[name]


def _drawing() -> list[str]:
    """The answers that have a picture, in the order of their sections."""
    for question in QUESTIONS:
        import_module(module_of(question))
    known = sorted((kind for kind in Answer.__subclasses__() if kind.draws()), key=lambda kind: kind.order)
    return list(dict.fromkeys(kind.__name__ for kind in known))


def picture(answer: Answer) -> Any:
    """The picture of a planning answer as a Plotly figure; raises UnknownName where there is nothing to draw.

    Needs the extra ``report``.
    """
    refuse_without_library()
    drawn = answer.picture()
    if drawn is None:
        raise UnknownName("picture", type(answer).__name__, _drawing())
    return drawn
