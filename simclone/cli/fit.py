"""``simclone fit``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simclone.cli.column_map import MAP_HELP, column_map

if TYPE_CHECKING:
    from datetime import datetime

    from simclone.workload.goodness import Goodness


@click.command(name="fit")
@click.argument("trace", type=click.Path(exists=True))
@click.option("-o", "--out", type=click.Path(dir_okay=False), help="Write here (default: standard output).")
@click.option("--name", default="fitted", show_default=True, help="Name of the stream.")
@click.option("--vm-for", metavar="RULE", help="Name of the VM to clone, with {vcpu}, {memoryGib} and {gpus}.")
@click.option("--map", "columns", metavar="MAP", help=MAP_HELP)
@click.option("--start", type=click.DateTime(), help="Calendar time of second 0 of the trace (default: as in a run).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(
    trace: str,
    out: str | None,
    name: str,
    vm_for: str | None,
    columns: str | None,
    start: datetime | None,
    force: bool,
) -> None:
    """Fit a workload block to TRACE; how well it fits goes to standard error."""
    from simclone.cli.output import console
    from simclone.model.cloud import EPOCH
    from simclone.traces.batches import batched
    from simclone.traces.formats import open_trace
    from simclone.workload.fit import Seen, fit
    from simclone.workload.goodness import goodness
    from simclone.workload.replay import SOURCE, Replay

    if out is not None and Path(out).exists() and not force:
        raise click.UsageError(f"{out} exists; choose another name or pass --force")
    try:
        rule = Replay(trace, vm_for=vm_for or SOURCE).vm_for
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    moment = start or EPOCH
    seen = Seen.of(batched(open_trace(trace, column_map(columns))), trace)
    fitted = fit(seen, moment)
    good = goodness(seen, fitted, moment)
    text = _yaml(fitted.workload(name, rule), good)
    if out is None:
        click.echo(text, nl=False)
    else:
        Path(out).write_text(text, "utf-8")
    console(stderr=True).print(_table(good))


def _yaml(workload: object, good: Goodness) -> str:
    from io import StringIO

    from ruamel.yaml import YAML

    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False
    yaml.width = 120
    out = StringIO()
    yaml.dump({"workload": workload}, out)
    burst = (
        ""
        if good.residual_dispersion is None
        else f"\n# Burstiness left out: requests in five minutes have a dispersion {_of(good)}."
    )
    return f"# Fitted to {good.requests} requests for {good.vms} VMs in {good.hours:g} hours.{burst}\n{out.getvalue()}"


def _of(good: Goodness) -> str:
    return f"index {good.residual_dispersion:.3g} around the profile"


def _table(good: Goodness) -> object:
    from simclone.cli.output import table

    rows = [
        ("lifetimes: KS distance", f"{good.lifetime_ks:.4f}", "0"),
        ("batches: KS distance", f"{good.batch_ks:.4f}", "0"),
        ("requests per hour: dispersion", _shown(good.dispersion), "1 for one rate"),
        ("… in five minutes, around the profile", _shown(good.residual_dispersion), "1"),
        ("gaps: coefficient of variation", _shown(good.gap_variation), "1 for one rate"),
    ]
    return table("Goodness of fit", ("what", "found", "perfect"), rows, numbers=(1,))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
