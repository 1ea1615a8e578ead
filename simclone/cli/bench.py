"""``simclone bench``."""

from __future__ import annotations

from pathlib import Path

import click

KINDS = ("placement", "simulation", "load", "sweep")


@click.command(name="bench")
@click.argument("kind", metavar="KIND", type=click.Choice(KINDS))
@click.option("--hosts", type=click.IntRange(1, 2_000_000), default=1000, show_default=True, help="Identical hosts.")
@click.option("--vms", type=click.IntRange(1, 10_000_000), default=100_000, show_default=True, help="Requests.")
@click.option(
    "--regime",
    type=click.Choice(["fill", "churn", "timed"]),
    default="churn",
    show_default=True,
    help="No departures; a closed loop; arrivals and departures at their times (what simulation always runs).",
)
@click.option(
    "--policy",
    type=click.Choice(["fewest", "worst", "best", "first"]),
    default="fewest",
    show_default=True,
    help="LeastVmPreferred, or a textbook order behind the same filters.",
)
@click.option("--tie-break", "ties", type=click.Choice(["lowestUuid", "shuffle"]), default="lowestUuid")
@click.option("--paging", is_flag=True, help="Cut hosts into pages of a thousand, as a cloud does by default.")
@click.option("--uneven", is_flag=True, help="Hosts of half, once and twice the size instead of identical ones.")
@click.option("--beside", "compare", is_flag=True, help="Run a numpy scan and a plain heap over the same stream too.")
@click.option("--json", "as_json", is_flag=True, help="Print one object and nothing else.")
@click.option("--record", "file", type=click.Path(dir_okay=False), help="Append a line with the ratios to FILE.")
def command(
    kind: str,
    hosts: int,
    vms: int,
    regime: str,
    policy: str,
    ties: str,
    paging: bool,
    uneven: bool,
    compare: bool,
    as_json: bool,
    file: str | None,
) -> None:
    """Measure KIND: placement decisions, a simulation on the clock, the loading of hosts, or a sweep of small runs.

    The workload is the standard one: the same requests and hosts on every machine, so equal hashes are equal decisions.
    """
    from simclone.bench import report
    from simclone.cli.output import print_json

    compare = compare or file is not None
    if compare and (uneven or kind != "placement"):
        raise click.UsageError("--beside and --record go with placement on identical hosts")
    if kind == "placement":
        said = report.placement(hosts, vms, regime, policy, ties=ties, paging=paging, uneven=uneven, compare=compare)
    elif kind == "simulation":
        said = report.simulation(hosts, vms, policy)
    elif kind == "load":
        said = report.load(hosts)
    else:
        said = report.sweep(hosts, vms, regime, policy)
    what = {"kind": kind, "hosts": hosts, "vms": vms, "regime": regime, "policy": policy, "tieBreak": ties}
    if file is not None:
        report.record(Path(file), {**what, "paging": paging}, said)
    if as_json:
        print_json(said)
        return
    for name, value in said.items():
        click.echo(f"{name:18} {value}")
