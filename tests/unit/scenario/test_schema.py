"""Every key of the JSON Schemas says what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simclone.changes.load import scenario_schema
from simclone.scenario import schema
from simclone.scenario.document.base import Doc


def undescribed(part: Any, path: str = "") -> Iterator[str]:
    """Paths of properties without a description."""
    if isinstance(part, dict):
        keys = part.get("properties")
        for key, value in keys.items() if isinstance(keys, dict) else ():
            if not value.get("description"):
                yield f"{path}.{key}"
        for key, value in part.items():
            yield from undescribed(value, f"{path}/{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from undescribed(value, f"{path}/{number}")


@pytest.mark.parametrize("made", [scenario_schema, schema.case_schema], ids=lambda made: made.__name__)
def test_every_key_has_a_description(made: Any) -> None:
    """Editors show it."""
    assert list(undescribed(made())) == []


def test_a_key_without_a_text_is_found() -> None:
    """A planted document is told with its key."""

    class PlantedDoc(Doc):
        """Planted."""

        told: int = 0
        """Told."""
        silent: int = 0

    planted = PlantedDoc.model_json_schema(by_alias=True)
    schema._describe(planted, PlantedDoc)
    assert list(undescribed(planted)) == [".silent"]
