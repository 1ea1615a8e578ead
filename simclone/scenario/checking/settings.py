"""Settings of a document: profile, preset, global values and overrides nearer to an object."""

from __future__ import annotations

from simclone.model.settings import ALIASES, DEFINITIONS, FIDELITY, QUOTA_DEFAULTS, Settings, Value, canonical
from simclone.scenario.checking.names import UNKNOWN, Directory
from simclone.scenario.document.case import CaseDoc
from simclone.scenario.document.scenario import ScenarioDoc, TopologyDoc
from simclone.scenario.findings import Findings, Path, nearest
from simclone.scenario.reading.wording import shown


def settings_of(names: Directory) -> Settings:
    """The values in force at the start; unknown keys, wrong values and unknown objects become faults."""
    doc, findings = names.doc, names.findings
    profile, preset = _frame(doc)
    settings = Settings(profile, preset)
    for key, value in doc.global_config.items():
        _put(settings.values, key, value, ("globalConfig", key), findings)
    stood = names.stood("resourceConfig", len(doc.resource_config))
    for position, item in zip(stood, doc.resource_config, strict=True):
        path: Path = ("resourceConfig", position)
        row = names.find(item.resource_type, item.resource, (*path, "resource"))
        values: dict[str, Value] = {}
        _put(values, item.key, item.value, (*path, "key"), findings, (*path, "value"))
        if row != UNKNOWN and values:
            settings.overrides.setdefault((item.resource_type, row), {}).update(values)
    if isinstance(doc, ScenarioDoc):
        for key, value in doc.fidelity.items():
            _behave(settings, key, value, findings)
    return settings


def _frame(doc: TopologyDoc) -> tuple[str, str | None]:
    if isinstance(doc, ScenarioDoc):
        return doc.run.profile, doc.run.preset
    return (doc.profile, None) if isinstance(doc, CaseDoc) else ("cloud", None)


def _put(
    values: dict[str, Value], key: str, value: object, path: Path, findings: Findings, at: Path | None = None
) -> None:
    try:
        full = canonical(key)
    except KeyError:
        findings.add(path, f"unknown setting {key!r}", nearest(key, [*DEFINITIONS, *ALIASES]))
        return
    try:
        values[full] = DEFINITIONS[full].parse(value)
    except (ValueError, OverflowError) as error:
        findings.add(at or path, f"{shown(value)} is not a value of {key}", str(error))


def _behave(settings: Settings, key: str, value: object, findings: Findings) -> None:
    if key not in FIDELITY:
        findings.add(("fidelity", key), f"unknown behaviour {key!r}", nearest(key, FIDELITY))
        return
    try:
        settings.fidelity[key] = FIDELITY[key].parse(value)
    except (ValueError, OverflowError) as error:
        findings.add(("fidelity", key), f"{shown(value)} is not a value of {key}", str(error))


def check_quotas(names: Directory) -> None:
    """Limits that do not exist are faults."""
    for row, doc in enumerate(names.docs("account")):
        for key in doc.quota:
            if key not in QUOTA_DEFAULTS:
                path = (*names.kinds["account"].paths[row], "quota", key)
                names.findings.add(path, f"unknown limit {key!r}", nearest(key, QUOTA_DEFAULTS))
