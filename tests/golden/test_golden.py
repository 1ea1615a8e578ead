"""Decision logs and fingerprints of the shipped scenarios, line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

import simclone

HERE = Path(__file__).parent
SCENARIOS = sorted((HERE.parents[1] / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_decisions_are_those_on_record(path: Path, request: pytest.FixtureRequest) -> None:
    """Every decision, and the fingerprint of the whole run, is the one that was reviewed."""
    run = simclone.run(path)
    text = run.decision_log() + f"fingerprint {run.fingerprint}\n"
    golden = HERE / "logs" / f"{path.stem}.log"
    if request.config.getoption("--update-golden", default=False):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
    assert golden.read_text("utf-8").splitlines() == text.splitlines()


def test_every_log_belongs_to_a_scenario() -> None:
    """No golden log outlives its scenario."""
    assert {path.stem for path in (HERE / "logs").glob("*.log")} == {path.stem for path in SCENARIOS}
