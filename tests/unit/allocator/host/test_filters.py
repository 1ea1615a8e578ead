"""Filters about particular hosts, each by itself: whom it keeps, when it does not act."""

from __future__ import annotations

from typing import Any

import pytest

from simclone.allocator.host.chain import Survivors, run
from simclone.allocator.host.filters.devices import PciDeviceFlow
from simclone.allocator.host.filters.extensions import ArchitectureFlow
from simclone.allocator.host.filters.place import AvoidHostFlow, HostOsVersionFlow, LastHostFlow, MaxInstancePerHostFlow
from simclone.allocator.host.flow import FilterFlow
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy
from simclone.engine.context import Context
from simclone.wire.tags import parse_tags
from tests.clouds import opened
from tests.time.worlds import hosts, running, world

GPU = {"pciDevices": {"gpu": 2}}
SYSTEMS = [{"os": "a 1"}, {"os": "b 1"}, {}, {"os": "a 1"}]


def cloud_of(*more: dict[str, Any], **changes: Any) -> Context:
    """As many hosts as there are dicts, each with what one says."""
    return opened(world(hosts=[{**host, **own} for host, own in zip(hosts(len(more)), more, strict=True)], **changes))


def kept(ctx: Context, flow: FilterFlow, **asks: Any) -> list[int] | str:
    """The hosts a flow keeps, or the code of its error."""
    result = run(Strategy("alone", (flow,)), HostRequest(1, 1, **asks), ctx.cloud)
    return result.hosts.tolist() if isinstance(result, Survivors) else str(result.error.code)


def test_avoided_hosts_are_dropped() -> None:
    """rules/host-filters.md#avoided: and when only those are left, nobody is."""
    ctx = cloud_of({}, {}, {})
    assert kept(ctx, AvoidHostFlow(), avoid=frozenset({1})) == [0, 2]
    assert kept(ctx, AvoidHostFlow(), avoid=frozenset({0, 1, 2})) == "HOST_ALLOCATION.1000"
    assert kept(ctx, AvoidHostFlow(), soft_avoid=frozenset({0, 1, 2})) == [0, 1, 2]


def test_a_migration_stays_with_the_operating_system() -> None:
    """rules/host-filters.md#os: of the present host, or else the last; unknown ones pass."""
    ctx = cloud_of(*SYSTEMS)
    assert kept(ctx, HostOsVersionFlow(), current_host=0, last_host=1) == [0, 2, 3]
    assert kept(ctx, HostOsVersionFlow(), last_host=1) == [1, 2]
    assert kept(ctx, HostOsVersionFlow(), current_host=2) == [0, 1, 2, 3]
    assert kept(ctx, HostOsVersionFlow()) == [0, 1, 2, 3]
    ctx.cloud.settings.values["hostAllocator.migration.differentOs"] = True
    assert kept(ctx, HostOsVersionFlow(), current_host=0) == [0, 1, 2, 3]


def test_a_named_architecture_is_wanted() -> None:
    """rules/host-filters.md#architecture: the request's before the image's; without a name all pass."""
    images = [{"name": "image", "size": "1GiB", "actualSize": 0}]
    images.append({"name": "arm", "size": "1GiB", "actualSize": 0, "architecture": "aarch64"})
    ctx = cloud_of({"architecture": "x86_64"}, {"architecture": "aarch64"}, images=images)
    arm = ctx.cloud.find("image", "arm")
    assert kept(ctx, ArchitectureFlow()) == [0, 1]
    assert kept(ctx, ArchitectureFlow(), image=arm) == [1]
    assert kept(ctx, ArchitectureFlow(), image=arm, architecture="x86_64") == [0]
    assert kept(ctx, ArchitectureFlow(), architecture="mips") == "HOST_ALLOCATION.1000"


def test_whole_devices_are_wanted() -> None:
    """rules/host-filters.md#devices: so many free ones of each specification."""
    ctx = cloud_of(GPU, {}, {"pciDevices": {"gpu": 1, "nic": 1}})

    def tagged(*tags: str) -> list[int] | str:
        return kept(ctx, PciDeviceFlow(), tags=parse_tags(tuple(f"pciDeviceSpec::{tag}" for tag in tags)))

    assert tagged("gpu::1") == [0, 2]
    assert tagged("gpu::2") == [0]
    assert tagged("gpu::1", "nic::1") == [2]
    assert tagged() == [0, 1, 2]


def test_the_last_host_is_the_only_one_if_it_is_there() -> None:
    """rules/host-filters.md#last-host: otherwise all stay, and a query passes it."""
    ctx = cloud_of({}, {}, {})
    assert kept(ctx, LastHostFlow(), last_host=2) == [2]
    assert kept(ctx, LastHostFlow(), last_host=2, list_all=True) == [0, 1, 2]
    assert kept(ctx, LastHostFlow()) == [0, 1, 2]
    ctx.cloud.fleet.exists[2] = 0
    assert kept(ctx, LastHostFlow(), last_host=2) == [0, 1]


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        (("maxInstancePerHost::1",), [1]),
        (("maxInstancePerHost::2",), [0, 1]),
        (("maxInstancePerHost::0",), "HOST_ALLOCATION.1000"),
        (("maxInstancePerHost::few",), "SYS.1006"),
        ((), "SYS.1006"),
    ],
)
def test_a_limit_of_vms_needs_its_tag(tags: tuple[str, ...], answer: list[int] | str) -> None:
    """rules/host-filters.md#instance-limit: hosts with fewer VMs than it says."""
    ctx = cloud_of({}, {}, vms=[running("a", "h1")])
    assert kept(ctx, MaxInstancePerHostFlow(), tags=parse_tags(tags)) == answer
