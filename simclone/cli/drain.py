"""``simclone drain``."""

from __future__ import annotations

from typing import Any

import click

from simclone.cli.planning import answer_options, scenario_argument, show


@click.command(name="drain")
@scenario_argument
@click.option("--wave", type=int, default=1, show_default=True, help="Hosts that may be away together.")
@click.option("--at", type=click.Choice(["start", "end"]), default="start", show_default=True, help="Of the scenario.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@answer_options
def command(scenario: str, **given: Any) -> None:
    """Which hosts of SCENARIO can go into maintenance, VM by VM, and a plan in waves."""
    from simclone.planning.survive import drain

    shown = {key: given.pop(key) for key in ("as_json", "as_csv", "conditions")}
    show(drain(scenario, **given), **shown)
