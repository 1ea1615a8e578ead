"""``simclone slo``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="slo")
@scenario_argument
@click.option("--target", type=float, required=True, help="Share of names that must be placed.")
@click.option("--tolerance", type=float, default=0.01, show_default=True, help="How closely the factor is looked for.")
@run_options
@answer_options
def command(scenario: str, target: float, tolerance: float, plan: Plan, **shown: Any) -> None:
    """The largest multiple of SCENARIO's demand that keeps success at the target."""
    from simclone.planning.sweep import slo

    show(slo(scenario, target, tolerance=tolerance, plan=plan), **shown)
