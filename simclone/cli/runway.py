"""``simclone runway``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from simclone.cli.planning import answer_options, changes_of, run_options, scenario_argument, show

if TYPE_CHECKING:
    from simclone.planning.replication.plan import Plan


@click.command(name="runway")
@scenario_argument
@click.option("--below", type=float, help="Until fewer than this share is placed (default: until the first failure).")
@click.option(
    "--change",
    "changes",
    multiple=True,
    metavar="CHANGE",
    help="Also with this change, such as 'addHosts: {like: host-1}'; may be repeated.",
)
@run_options
@answer_options
def command(scenario: str, below: float | None, changes: tuple[str, ...], plan: Plan, **shown: Any) -> None:
    """When the growing workload of SCENARIO runs out of room, of what, and what a change buys."""
    from simclone.planning.runway import runway

    more = {text: [one] for text, one in zip(changes, changes_of(changes), strict=True)}
    show(runway(scenario, below=below, changes=more, plan=plan), **shown)
