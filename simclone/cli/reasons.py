"""``simclone reasons``."""

from __future__ import annotations

import click


def rows() -> list[dict[str, str]]:
    """Every reason that is known, by code: what it says, what it means, whom it refuses, where its rule stands."""
    from simclone.vocabulary import REASONS, Extent

    return [
        {
            "reason": reason.code,
            "sentence": reason.sentence,
            "means": "too little" if reason.too_little else "not allowed",
            "refuses": "the whole call" if reason.extent is Extent.CALL else "one clone",
            "rule": reason.page,
        }
        for reason in sorted(REASONS.values(), key=lambda reason: reason.code)
        if reason.code
    ]


@click.command(name="reasons")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(as_json: bool) -> None:
    """List the reasons a clone can fail for, with what each means."""
    from simclone.cli.output import show_rows

    show_rows("reasons", rows(), as_json=as_json)
