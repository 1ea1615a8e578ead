"""``simclone validate``."""

from __future__ import annotations

import click


@click.command(name="validate")
@click.argument("files", nargs=-1, required=True, type=click.Path(allow_dash=True))
@click.option("--json", "as_json", is_flag=True, help="Print faults as one JSON document.")
def command(files: tuple[str, ...], as_json: bool) -> None:
    """Read FILES (scenarios or cases) and report every fault with file, line and column."""
    from dataclasses import asdict

    from simclone.changes.load import load
    from simclone.cli.output import print_json
    from simclone.errors import Fault, InvalidInput

    faults: list[Fault] = []
    for name in files:
        try:
            load(name)
        except InvalidInput as error:
            faults += error.faults
        else:
            if not as_json:
                click.echo(f"{name}: valid")
    if as_json:
        print_json({"valid": not faults, "faults": [asdict(fault) for fault in faults]})
        if faults:
            raise SystemExit(2)
    elif faults:
        raise InvalidInput(faults)
