"""The page: sections in order, one file that needs nothing from outside."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from importlib.util import find_spec
from typing import Any

from simclone.errors import Fault, InvalidInput
from simclone.report.material import Material, Section
from simclone.report.plan_sections import section_of
from simclone.report.run_sections import run_sections, verdict_line
from simclone.version import __version__

NEEDS = "pip install 'simclone[report]'"
ORDER = {
    "use": 10,
    "constrained": 30,
    "failures": 40,
    "funnel": 50,
    "fixes": 60,
    "series": 100,
    "hosts": 110,
    "memory": 120,
    "storage": 130,
    "ratios": 140,
    "fragmentation": 150,
    "timeline": 210,
    "affinity": 260,
    "cost": 263,
    "findings": 270,
    "confidence": 280,
}
"""Where the sections of a run stand, as a planner reads: what came of it, what limits, what to do, what if.

Answers to planning questions stand between them by an order of their own.
"""
BEFORE_THE_END = 265
"""The order of whatever has none."""
MOST_DOWNLOAD = 3_000_000
"""A download longer than this is left out of the page."""


def refuse_without_library() -> None:
    """Raise InvalidInput when what a page needs is not installed."""
    if find_spec("plotly") is None or find_spec("jinja2") is None:
        raise InvalidInput([Fault("report", "plotly and jinja2 are not installed", NEEDS)])


def page_of(material: Material) -> str:
    """The whole page as text."""
    refuse_without_library()
    from jinja2 import Environment
    from plotly.offline import get_plotlyjs

    folder = files("simclone.report")
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string((folder / "page.html").read_text("utf-8"))
    kind, sentence = verdict_line(material)
    every = (*run_sections(material), *_planned(material), _confidence(material))
    sections = [_shown(item) for item in sorted(every, key=_place)]
    text: str = template.render(
        title=material.scenario.name,
        about=material.scenario.doc.about or "",
        kind=kind,
        sentence=sentence,
        sections=sections,
        facts=_facts(material),
        downloads=list(_downloads(material)),
        style=(folder / "page.css").read_text("utf-8"),
        script=(folder / "page.js").read_text("utf-8"),
        library=get_plotlyjs(),
        pictures=_embedded({section["anchor"]: section["picture"] for section in sections if section["picture"]}),
    )
    return text


def _place(section: Section) -> int:
    """Where a section stands."""
    if section.order is not None:
        return section.order
    return ORDER.get(section.anchor.partition("-")[0], BEFORE_THE_END)


def _embedded(pictures: dict[str, Any]) -> str:
    """JSON that no text inside it can end early."""
    return json.dumps(pictures, sort_keys=True).replace("</", "<\\/").replace("<!--", "<\\!--")


def _planned(material: Material) -> Iterator[Section]:
    known: dict[type, int] = {}
    for answer in material.answers:
        number = known.get(type(answer), 0)
        known[type(answer)] = number + 1
        yield section_of(answer, number)


def _shown(section: Section) -> dict[str, Any]:
    picture = None if section.picture is None else json.loads(section.picture.to_json())
    if picture is not None:
        picture.get("layout", {}).pop("template", None)
    return {
        "anchor": section.anchor,
        "title": section.title,
        "words": section.words,
        "picture": picture,
        "table": None if section.table is None or not len(section.table) else _table(section),
        "caption": section.caption or "Numbers",
    }


def _table(section: Section) -> str:
    assert section.table is not None
    head = "".join(f'<th scope="col">{escape(str(name))}</th>' for name in section.table.columns)
    rows = []
    for row in section.table.itertuples(index=False):
        cells = "".join(f"<td{_kind(value)}>{escape(_text(value))}</td>" for value in row)
        rows.append(f"<tr>{cells}</tr>")
    return f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody>"


def _kind(value: Any) -> str:
    return ' class="number"' if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _text(value: Any) -> str:
    if value is None or value != value:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,.6g}" if isinstance(value, float) else str(value)


def _confidence(material: Material) -> Section:
    words = [
        "Placements follow ZStack's allocator rules as simclone models them; chance among equals follows the seed.",
        "One run shows one course of chance; intervals are given where replications were made.",
    ]
    if material.start_up_s > material.scenario.run.warm_up:
        words.append(
            f"The first {material.start_up_s / 3600:g} h look like start-up (MSER-5); run.warmUp leaves them out."
        )
    if material.statistics.breach_ratio:
        words.append("Allocations raced in this run; placements that broke a rule are counted in its summary.")
    return Section("confidence", "How far to trust this", tuple(words))


def _facts(material: Material) -> list[tuple[str, str]]:
    run = material.scenario.run
    return [
        ("simclone", __version__),
        ("scenario", f"{material.scenario.name} (sha256 {material.scenario.sha256[:16]})"),
        ("seed", f"{material.seed}, replication {material.replication}"),
        ("fingerprint", material.fingerprint),
        ("profile and timing", f"{run.profile}, {run.timing}, ties by {run.tie_break}"),
        ("command", material.command or "-"),
    ]


def _downloads(material: Material) -> Iterator[tuple[str, str, str]]:
    """Name, kind and data URI of what can be taken along."""
    for name, kind, text in (
        ("responses.json", "application/json", material.responses_json),
        ("clones.csv", "text/csv", material.clones_csv),
    ):
        if text and len(text) <= MOST_DOWNLOAD:
            yield name, kind, f"data:{kind};base64,{b64encode(text.encode()).decode()}"
