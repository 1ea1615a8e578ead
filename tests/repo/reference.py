"""Reference pages made from the code: reasons, settings, strategies, scenario keys, frames and statistics."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import simclone
from simclone import frames
from simclone.changes.load import scenario_schema
from simclone.cli import reasons, settings, strategies
from simclone.engine.results.statistics import Statistics
from simclone.model.settings import PRESETS
from simclone.scenario.schema import case_schema

REPO = Path(__file__).resolve().parents[2]
MADE = "This page is made from the code (`python -m tests.repo.generate`).\n"


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    lines += [f"| {' | '.join(row[name].replace('|', chr(92) + '|') for name in names)} |" for row in rows]
    return "\n".join(lines) + "\n"


def page(title: str, *parts: str) -> str:
    """A page under its title."""
    return "\n".join([f"# {title}\n", MADE, *parts])


def reasons_page() -> str:
    """Why clones fail."""
    text = "A reason is simclone's own short code; the API's error has one of the codes beside it"
    text += " ([reasons and codes](../rules/errors.md#reasons)).\n"
    return page("Reasons", text, table(reasons.rows()))


def settings_page() -> str:
    """What globalConfig and fidelity may say."""
    presets = [
        f"## Preset {name}\n\n" + table([{"setting": key, "value": str(value)} for key, value in values.items()])
        for name, values in PRESETS.items()
    ]
    text = "`globalConfig` and `resourceConfig` take the platform's settings, `fidelity` switches of simclone's own.\n"
    return page("Settings", text, table(settings.rows()), *presets)


def strategies_page() -> str:
    """Which flows each strategy runs."""
    parts = [f"## Profile {profile}\n\n{table(strategies.rows(profile))}" for profile in ("cloud", "open")]
    return page("Host strategies", *parts)


def keys_page() -> str:
    """What a scenario and a case may say."""
    parts = ["## Scenario\n", *_objects(scenario_schema()), "## Case (what a scenario has not)\n"]
    scenario = set(scenario_schema()["$defs"])
    return page("Keys of scenario and case files", *parts, *_objects(case_schema(), known=scenario))


def _objects(schema: Mapping[str, Any], known: Iterable[str] = ()) -> Iterable[str]:
    objects = {
        "(top level)": schema,
        **{name: part for name, part in schema["$defs"].items() if name not in set(known)},
    }
    for name, part in objects.items():
        if part.get("properties"):
            about = str(part.get("description", "")).replace("\n", " ")
            rows = [_key(key, value, part) for key, value in part["properties"].items()]
            yield f"### {name.removesuffix('Doc')}\n\n{about}\n\n{table(rows)}"


def _key(key: str, value: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, str]:
    default = "required" if key in part.get("required", ()) else _default(value)
    return {"key": f"`{key}`", "type": _type(value), "default": default, "meaning": str(value.get("description", ""))}


def _default(value: Mapping[str, Any]) -> str:
    default = value.get("default")
    return "" if default in (None, [], {}) or isinstance(default, dict) else f"`{default}`"


def _type(value: Mapping[str, Any]) -> str:
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2].removesuffix("Doc")
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    options = value.get("anyOf") or value.get("oneOf")
    if options:
        return " or ".join(dict.fromkeys(_type(one) for one in options if one.get("type") != "null"))
    if value.get("type") == "array":
        return f"list of {_type(value.get('items', {}))}"
    if value.get("type") == "object":
        inner = value.get("additionalProperties")
        return f"mapping to {_type(inner)}" if isinstance(inner, dict) and inner else "mapping"
    return str(value.get("type", "any"))


FRAMES = ("clones", "decisions", "hosts", "storage", "series", "places", "storage_series", "queues", "events")


def frames_page() -> str:
    """What the frames of a run hold."""
    run = simclone.run(REPO / "scenarios" / "quickstart.yaml")
    parts = []
    for name in FRAMES:
        function = getattr(frames, f"{name}_frame")
        frame = function(run.result)
        rows = [{"column": f"`{column}`", "dtype": str(frame[column].dtype)} for column in frame.columns]
        parts.append(f"## {name}\n\n{inspect.getdoc(function)}\n\n{table(rows)}")
    figures = [{"figure": f"`{one.name}`", "type": f"`{one.type}`".replace("|", "or")} for one in fields(Statistics)]
    text = inspect.getdoc(Statistics) or ""
    return page("Frames and statistics", *parts, f"## Statistics\n\n{text}\n\n{table(figures)}")


REFERENCE = {
    "reasons": reasons_page,
    "settings": settings_page,
    "strategies": strategies_page,
    "scenario-keys": keys_page,
    "frames": frames_page,
}
