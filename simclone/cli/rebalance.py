"""``simclone rebalance``."""

from __future__ import annotations

from typing import Any

import click

from simclone.cli.planning import answer_options, scenario_argument, show


@click.command(name="rebalance")
@scenario_argument
@click.option("--offering", help="The offering that needs room.")
@click.option("--vm", help="The VM to clone (default: one of the offering, else the first).")
@click.option("--at", type=click.Choice(["start", "end"]), default="start", show_default=True, help="Of the scenario.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@answer_options
def command(scenario: str, **given: Any) -> None:
    """The fewest moves in SCENARIO that make room for a VM, and those that repair broken affinity rules."""
    from simclone.planning.rebalance import rebalance

    shown = {key: given.pop(key) for key in ("as_json", "as_csv", "conditions")}
    show(rebalance(scenario, **given), **shown)
