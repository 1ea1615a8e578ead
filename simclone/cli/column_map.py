"""The option ``--map`` of commands that read traces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from simclone.traces.column_map import ColumnMap

MAP_HELP = (
    "Columns of a table of no known format: start=created_at,end=terminated_at,vcpu=vcpus,memory=memory_mb:MiB; "
    "also lifetime, gpus, count, group, name."
)


def column_map(text: str | None) -> ColumnMap | None:
    """The map that an option says, None without one; raises UsageError for a wrong one."""
    from simclone.traces.column_map import ColumnMap

    if text is None:
        return None
    try:
        return ColumnMap.parse(text)
    except ValueError as error:
        raise click.UsageError(f"--map: {error}") from None
