"""Of many runs one after the other only the last stays in memory."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

import simclone
from simclone.engine.collecting import collected_rarely

QUICK = Path(__file__).resolve().parents[3] / "scenarios" / "quickstart.yaml"


def test_a_run_that_nobody_needs_is_gone_when_enough_came_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its objects refer to each other in circles, so only a look through all of them finds it."""
    monkeypatch.setattr("simclone.engine.collecting.MANY", 0)
    gc.disable()  # so that nothing but the rule itself finds it
    try:
        run = simclone.run(QUICK)
        seen = weakref.ref(run.result.ledger.cloud.fleet)
        assert seen() is not None
        del run
        simclone.run(QUICK)
        assert seen() is None
    finally:
        gc.enable()


def test_thresholds_are_as_before() -> None:
    """Inside they are raised, outside they are the user's."""
    before = gc.get_threshold()
    with collected_rarely():
        assert gc.get_threshold() != before
        with collected_rarely():
            assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before
