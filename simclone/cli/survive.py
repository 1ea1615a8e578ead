"""``simclone survive``."""

from __future__ import annotations

from typing import Any

import click

from simclone.cli.planning import answer_options, scenario_argument, show


@click.command(name="survive")
@scenario_argument
@click.option(
    "--each",
    "kinds",
    multiple=True,
    default=("host", "cluster"),
    show_default=True,
    type=click.Choice(["host", "pair", "cluster", "zone", "storage"]),
    help="What is lost; may be repeated.",
)
@click.option("--label", help="Lose all hosts with the same value of this label (a rack) together.")
@click.option(
    "--ladder",
    type=int,
    default=0,
    show_default=True,
    help="Lose up to so many hosts at once (0 to 3) and count the VMs that are safe.",
)
@click.option("--ha-only", is_flag=True, help="Only VMs with high availability restart.")
@click.option("--offering", help="The kind of VM the ladder counts in.")
@click.option("--vm", help="The VM to clone (default: one of the offering, else the first).")
@click.option("--at", type=click.Choice(["start", "end"]), default="start", show_default=True, help="Of the scenario.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@answer_options
def command(scenario: str, kinds: tuple[str, ...], ha_only: bool, **given: Any) -> None:
    """What of SCENARIO survives the loss of each host, pair, cluster, rack or storage."""
    from simclone.planning.survive import survive

    shown = {key: given.pop(key) for key in ("as_json", "as_csv", "conditions")}
    show(survive(scenario, kinds=kinds, everyone=not ha_only, **given), **shown)
