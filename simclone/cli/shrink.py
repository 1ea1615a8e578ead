"""``simclone shrink``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="shrink")
@scenario_argument
@click.option("--spare", type=int, default=0, show_default=True, help="Hosts that may be lost besides.")
@run_options
@answer_options
def command(scenario: str, spare: int, plan: Plan, **shown: Any) -> None:
    """The fewest hosts of SCENARIO that still hold everything, and which ones could go."""
    from simclone.planning.shrink import shrink

    show(shrink(scenario, spare=spare, plan=plan), **shown)
