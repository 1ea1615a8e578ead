"""Files of every schema version load; older ones are lifted step by step."""

from __future__ import annotations

from pathlib import Path

import pytest

from simclone.changes.load import load, rewritten, scenario_of
from simclone.errors import InvalidInput
from simclone.scenario.reading import migrate as migration

HERE = Path(__file__).parent


@pytest.mark.parametrize("path", sorted(HERE.glob("*-*.*")), ids=lambda path: path.name)
def test_a_file_of_every_version_loads(path: Path) -> None:
    """The kept file of each version is read by this version."""
    load(path)


def test_there_is_a_file_of_every_version() -> None:
    """One scenario and one case per version are kept."""
    names = {path.name for path in HERE.glob("*-*.*")}
    for version in range(1, migration.CURRENT + 1):
        assert {f"scenario-{version}.yaml", f"case-{version}.json"} <= names


def test_an_older_file_is_lifted_with_its_comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A renamed key of an older version is read under its new name, and rewritten without losing comments."""

    def rename(data: migration.Document) -> None:
        data["requests"] = data.pop("calls", [])

    monkeypatch.setitem(migration.STEPS, 0, rename)
    text = (HERE / "scenario-1.yaml").read_text("utf-8").replace("\nrequests:", "\nschemaVersion: 0\ncalls:")
    path = tmp_path / "old.yaml"
    path.write_text(text, "utf-8")
    assert [one.name for one in load(path).requests] == ["api-page"]
    new, changed = rewritten(path)
    assert changed
    assert "# The request of the API page" in new
    assert "schemaVersion: 1" in new
    path.write_text(new, "utf-8")
    assert rewritten(path) == (new, False)


@pytest.mark.parametrize("version", [0, 2, -1])
def test_an_unknown_version_is_a_fault(version: int) -> None:
    """A version this program does not know is refused with the one it knows."""
    with pytest.raises(InvalidInput, match="schemaVersion"):
        scenario_of({"schemaVersion": version})
