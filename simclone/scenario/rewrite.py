"""A file as text in the current schema version, its comments kept."""

from __future__ import annotations

import io
import json
from pathlib import Path

from ruamel.yaml import YAML

from simclone.errors import InvalidInput
from simclone.scenario.document.kinds import Kinds
from simclone.scenario.findings import Findings
from simclone.scenario.load import load
from simclone.scenario.reading.migrate import migrate
from simclone.scenario.reading.text import read


def rewritten(path: str | Path, *, kinds: Kinds) -> tuple[str, bool]:
    """The text and whether it differs in version; raises InvalidInput for a file that is no valid document."""
    load(path, kinds=kinds)
    source = read(path)
    findings = Findings()
    if source.is_json:
        changed = migrate(source.data, findings)
        text = json.dumps(source.data, indent=1, ensure_ascii=False) + "\n" if changed else source.text
    else:
        yaml = YAML()
        yaml.preserve_quotes = True
        yaml.width = 120
        document = yaml.load(source.text)
        changed = migrate(document, findings)
        buffer = io.StringIO()
        yaml.dump(document, buffer)
        text = buffer.getvalue() if changed else source.text
    if findings.found:
        raise InvalidInput([source.fault(item.path, item.message, item.expected) for item in findings.found])
    return text, changed
