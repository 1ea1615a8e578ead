"""``simclone trace``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from simclone.cli.column_map import MAP_HELP, column_map


@click.command(name="trace")
@click.argument("source", metavar="IN", type=click.Path(exists=True))
@click.argument("target", metavar="OUT", type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--from", "from_s", type=float, default=0.0, help="First second of IN to keep.")
@click.option("--to", "to_s", type=float, help="Second of IN to stop before.")
@click.option("--scale", type=float, default=1.0, help="Multiply all times, lifetimes too.")
@click.option("--thin", type=float, default=1.0, help="Share of the requests to keep.")
@click.option("--shift", "shift_s", type=float, default=0.0, help="Seconds to add in the end; none arrive before 0.")
@click.option("--rename", default="", metavar="PATTERN", help="Name the VMs, with {n} for a running number.")
@click.option("--map", "columns", metavar="MAP", help=MAP_HELP)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Seed of --thin.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
def command(
    source: str,
    target: str,
    from_s: float,
    to_s: float | None,
    scale: float,
    thin: float,
    shift_s: float,
    rename: str,
    columns: str | None,
    seed: int,
    force: bool,
) -> None:
    """Cut, thin, stretch or move the trace IN and write it to OUT (- is standard output) as a plain table."""
    from simclone.traces.cutting import Cut
    from simclone.traces.plain import write_lines
    from simclone.workload.replay import Replay

    if target != "-" and Path(target).exists() and not force:
        raise click.UsageError(f"{target} exists; choose another name or pass --force")
    if rename and ("{n}" not in rename or "," in rename or '"' in rename):
        raise click.UsageError("--rename needs {n} for a running number, and no comma or quote")
    try:
        micros = [round(one * 1_000_000) for one in (from_s, to_s or 0.0, shift_s)]
        how = Cut(micros[0], None if to_s is None else micros[1], thin, scale, micros[2])
    except (ValueError, OverflowError) as error:
        raise click.UsageError(str(error)) from None
    replay = Replay(source, how, columns=column_map(columns))
    batches = (batch for _, batch in replay.batches("trace", seed, 0, 1 << 62))
    _write(target, write_lines(batches, rename))


def _write(target: str, lines: Iterator[str]) -> None:
    """Write to a temporary name first: a faulty trace leaves nothing behind."""
    if target == "-":
        for line in lines:
            click.echo(line)
        return
    unfinished = Path(f"{target}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as out:
            out.writelines(f"{line}\n" for line in lines)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
