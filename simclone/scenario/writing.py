"""A scenario's data as a file: readable YAML, written whole or not at all, over nothing that is there."""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.kinds import Kinds
from simclone.scenario.load import Scenario, scenario_from
from simclone.units import GIB, MIB, TIB

_SIZE = re.compile("(Memory|Capacity|Size|^size)$")


def data_of(scenario: Scenario) -> dict[str, Any]:
    """The scenario as plain data in the file's spelling, hosts of a table among them."""
    data: dict[str, Any] = scenario.doc.model_dump(by_alias=True, exclude_unset=True, mode="json")
    return data


def yaml_text(data: Mapping[str, Any]) -> str:
    """The data as YAML; lists of plain values stand on one line."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 120
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    buffer = io.StringIO()
    yaml.dump(_readable(data), buffer)
    return buffer.getvalue()


def _readable(value: Any, key: str = "") -> Any:
    """Sizes with a unit where they are whole in it."""
    if isinstance(value, Mapping):
        return {name: _readable(below, name) for name, below in value.items()}
    if isinstance(value, list):
        return [_readable(item, key) for item in value]
    if isinstance(value, int) and not isinstance(value, bool) and value > 0 and _SIZE.search(key):
        for unit, name in ((TIB, "TiB"), (GIB, "GiB"), (MIB, "MiB")):
            if value % unit == 0:
                return f"{value // unit}{name}"
    return value


def write_scenario(scenario: Scenario, path: str | Path, *, kinds: Kinds) -> Path:
    """Write a scenario as a new file; raises InvalidInput where it is no scenario seen from there, as `write_new` too.

    Data files it names are looked for beside the new file.
    """
    seen = scenario_from(data_of(scenario), str(path), scenario.sha256, kinds=kinds)
    return write_new(path, yaml_text(data_of(seen)))


def refuse_taken(path: str | Path) -> None:
    """Raise InvalidInput where there is something already."""
    if Path(path).exists():
        raise InvalidInput([Fault(str(path), "is there already, nothing was written", "the name of a new file")])


def write_new(path: str | Path, text: str, *, force: bool = False) -> Path:
    """Write a file that is not there yet, or with *force* in the place of one; raises InvalidInput.

    What was there stays until the new one is whole.
    """
    target = Path(path)
    if not (force and target.is_file()):
        refuse_taken(path)
    if not target.parent.is_dir():
        raise InvalidInput([Fault(str(path), "its folder is not there", "a folder that exists")])
    handle, draft = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(draft).chmod(0o644)
        if force:
            os.replace(draft, target)
        else:
            os.link(draft, target)
    except FileExistsError:
        raise InvalidInput([Fault(str(path), "is there already, nothing was written", "a new file")]) from None
    finally:
        Path(draft).unlink(missing_ok=True)
    return target
