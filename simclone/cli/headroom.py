"""``simclone headroom``."""

from __future__ import annotations

from typing import Any

import click

from simclone.cli.planning import answer_options, pairs_of, scenario_argument, show


@click.command(name="headroom")
@scenario_argument
@click.option("--offering", "offerings", multiple=True, help="An instance offering; may be repeated (default: all).")
@click.option("--vm", help="The VM to clone (default: one of the offering, else the first).")
@click.option("--mix", multiple=True, metavar="OFFERING=WEIGHT", help="Clone these in turn by weight; may be repeated.")
@click.option("--batch", type=int, help="Count whole calls of so many names too.")
@click.option("--survive", type=int, default=0, show_default=True, help="Leave room for the VMs of so many lost hosts.")
@click.option("--account", help="Whose limits count (default: the administrator has none).")
@click.option("--tag", "system_tags", multiple=True, help="A system tag of the calls, such as affinityGroupUuid::NAME.")
@click.option("--one-by-one", is_flag=True, help="Clone call by call even where columns could be counted.")
@click.option("--at", type=click.Choice(["start", "end"]), default="start", show_default=True, help="Of the scenario.")
@click.option("--seed", type=click.IntRange(0), help="Seed of all chance; overrides the file's.")
@answer_options
def command(scenario: str, offerings: tuple[str, ...], mix: tuple[str, ...], one_by_one: bool, **given: Any) -> None:
    """How many more clones fit into SCENARIO, what they run out of, and the largest VM that fits."""
    from simclone.planning.headroom import headroom

    shown = {key: given.pop(key) for key in ("as_json", "as_csv", "conditions")}
    weights = {}
    for name, text in pairs_of(mix, "OFFERING=WEIGHT").items():
        if not text.strip().isdecimal():
            raise click.UsageError(f"{text!r} is no weight, a whole number above 0")
        weights[name] = int(text)
    method = "calls" if one_by_one else "auto"
    show(headroom(scenario, offerings=offerings, mix=weights or None, method=method, **given), **shown)
