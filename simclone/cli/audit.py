"""``simclone audit``."""

from __future__ import annotations

import csv
from pathlib import Path

import click

from simclone.errors import Fault, InvalidInput


@click.command(name="audit")
@click.argument("run_dir", type=click.Path(exists=True, file_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print violations as one JSON document.")
def command(run_dir: str, as_json: bool) -> None:
    """Replay the records of RUN_DIR and re-check every rule at every event."""
    from dataclasses import asdict

    from simclone.audit import replay
    from simclone.audit.reading import read_events, read_records
    from simclone.cli.output import print_json

    folder = Path(run_dir)
    try:
        events = list(read_events(folder))
        result = replay(read_records(folder), events)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, csv.Error) as error:
        text = f"the records cannot be understood ({type(error).__name__}: {error})"
        raise InvalidInput([Fault("", text, "the records of a run", run_dir)]) from None
    if as_json:
        print_json({"events": len(events), "violations": [asdict(entry) for entry in result]})
    else:
        for item in result:
            click.echo(f"event {item.serial} ({item.rule}): {item.text}")
        click.echo(f"{len(events)} events, {len(result)} violations")
    if result:
        raise SystemExit(1)
