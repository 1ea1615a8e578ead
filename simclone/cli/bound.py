"""``simclone bound``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="bound")
@scenario_argument
@click.option("--strategy", "strategies", multiple=True, help="A strategy whose gap is told; may be repeated.")
@run_options
@answer_options
def command(scenario: str, strategies: tuple[str, ...], plan: Plan, **shown: Any) -> None:
    """The most clones of SCENARIO's requests any strategy could run, and how far strategies stay below."""
    from simclone.planning.bound import bound

    show(bound(scenario, strategies=strategies, plan=plan), **shown)
