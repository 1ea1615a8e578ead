"""Hypothesis profiles, and worker processes for the whole suite.

Profile ``default`` is derandomised and short, HYPOTHESIS_PROFILE=explore looks for news. ``pytest`` without paths runs
in a worker for each core; with a path, ``-n``, ``-s``, ``--pdb`` or ``-m bench`` it runs as it is told. Where Python
may write no bytecode beside the sources, the many processes that tests start share it in the folder of pytest's cache.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

MOST_WORKERS = 8
"""Each worker imports everything once more; beyond these the start costs more than it gains."""
_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=40, database=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "quick", derandomize=True, deadline=None, max_examples=6, database=None, suppress_health_check=_SLOW
)
settings.register_profile("explore", deadline=None, max_examples=3000, suppress_health_check=_SLOW)
os.environ.setdefault("SIMCLONE_AUDIT", "1")  # every run of a test is audited
if os.environ.pop("PYTHONDONTWRITEBYTECODE", None):  # compiling everything anew slows each start
    os.environ.setdefault(
        "PYTHONPYCACHEPREFIX", str(Path(__file__).resolve().parents[1] / ".pytest_cache" / "bytecode")
    )
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def _runs_everything(config: pytest.Config) -> bool:
    """Whether no path was named and nothing asked for that wants a single process."""
    option = config.option
    alone = option.usepdb or option.trace or option.collectonly or option.capture == "no"
    measuring = "bench" in option.markexpr.replace("not bench", "")
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not alone and not measuring


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Give the whole suite a worker for each core, unless ``-n`` or ``--dist`` says otherwise or xdist is away."""
    option = config.option
    if not hasattr(option, "numprocesses") or hasattr(config, "workerinput"):
        return
    if option.numprocesses is None and option.dist == "no" and not option.tx and _runs_everything(config):
        workers = min(config.hook.pytest_xdist_auto_num_workers(config=config), MOST_WORKERS)
        if workers > 1:
            option.numprocesses, option.dist = workers, "worksteal"
    if option.numprocesses:
        option.benchmark_disable = True  # nothing is measured beside other work
