"""``simclone reasons``."""

from __future__ import annotations

import click


def rows() -> list[dict[str, str]]:
    """Every reason that is known, by code: what it says and means, whom it refuses, code of the API, rule."""
    from simclone.vocabulary import REASONS, Extent

    return [
        {
            "reason": reason.code,
            "sentence": reason.sentence,
            "means": "too little" if reason.too_little else "not allowed",
            "refuses": "the whole call" if reason.extent is Extent.CALL else "one clone",
            "API code": ", ".join(reason.api_codes) or "none",
            "rule": reason.page,
        }
        for reason in sorted(REASONS.values(), key=lambda reason: reason.code)
        if reason.code
    ]


@click.command(name="reasons")
@click.argument("names", nargs=-1, metavar="[CODE]...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(names: tuple[str, ...], as_json: bool) -> None:
    """List the reasons a clone can fail for: what each means, the API's error code, the page of its rule.

    With CODE, that reason, or all whose codes begin with it: host, storage.virtual.
    """
    from simclone.cli.output import choose_rows, show_rows

    show_rows("reasons", choose_rows(rows(), "reason", names), as_json=as_json)
