"""What the platform does by itself: recalculate capacities, collect orphaned image caches."""

from __future__ import annotations

import numpy as np

from simclone.engine.context import Context
from simclone.model.inventory import CONNECTED


def recalculate_drifted(ctx: Context) -> None:
    """The half-hourly recalculation of Connected hosts (rules/host-capacity.md#recalculation).

    Only hosts whose recorded figures differ from what is held can change, so only those are looked at.
    """
    fleet = ctx.cloud.fleet
    drifted = (fleet.array(fleet.drift_cpu) != 0) | (fleet.array(fleet.drift_memory) != 0)
    usable = (fleet.array(fleet.exists) == 1) & (fleet.array(fleet.status) == CONNECTED)
    for host in np.flatnonzero(drifted & usable).tolist():
        ctx.ledger.hosts.recalculate(host)


def collect_orphans(ctx: Context) -> None:
    """Drop cached images that are gone and that no volume is based on (rules/primary-storage.md#image-cache)."""
    cloud, volumes = ctx.cloud, ctx.cloud.volumes
    used = set(volumes.array(volumes.image)[volumes.array(volumes.alive) == 1].tolist())
    for row, storage in enumerate(cloud.storages):
        for image, host in list(storage.caches):
            if cloud.images[image].temporary and image not in cloud.image_space and image not in used:
                ctx.ledger.volumes.drop_cache(image, row, host, "orphan")
