"""Operations on volumes: the states that allow them."""

from __future__ import annotations

from simclone.engine.operations.volumes import (
    attach_data_volume,
    create_data_volume,
    delete_data_volume,
    detach_data_volume,
    expunge_data_volume,
    resize_volume,
)
from simclone.model.inventory import Disk
from simclone.units import GIB
from tests.clouds import opened
from tests.time.worlds import running, world


def test_a_volume_in_the_wrong_state_is_refused() -> None:
    """rules/states.md#volume: attached twice, detached twice, expunged before it is deleted, made smaller."""
    ctx = opened(world(vms=[running("a"), running("b")]))
    a, b = ctx.cloud.find("vm", "a"), ctx.cloud.find("vm", "b")
    volume = create_data_volume(ctx, "d", Disk(GIB), storage=0).row
    refused = [detach_data_volume(ctx, volume), expunge_data_volume(ctx, volume), resize_volume(ctx, volume, GIB)]
    assert attach_data_volume(ctx, a, volume).ok
    refused += [attach_data_volume(ctx, b, volume), delete_data_volume(ctx, ctx.cloud.vms.root[a])]
    assert [(end.error.reason, end.error.code) for end in refused if end.error] == [("volume.state", "SYS.1006")] * 5
    assert delete_data_volume(ctx, volume).ok
    assert expunge_data_volume(ctx, volume).ok
