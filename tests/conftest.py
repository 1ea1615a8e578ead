"""Hypothesis profiles: ``default`` is derandomised and short, HYPOTHESIS_PROFILE=explore looks for news."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]

settings.register_profile(
    "default", derandomize=True, deadline=None, max_examples=40, database=None, suppress_health_check=_SLOW
)
settings.register_profile(
    "quick", derandomize=True, deadline=None, max_examples=6, database=None, suppress_health_check=_SLOW
)
settings.register_profile("explore", deadline=None, max_examples=3000, suppress_health_check=_SLOW)
os.environ.setdefault("SIMCLONE_AUDIT", "1")  # every run of a test is audited
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
