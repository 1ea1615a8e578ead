"""Shapes of VMs and disks from their offerings."""

from __future__ import annotations

from simclone.model.cloud import Cloud
from simclone.model.inventory import Disk, Shape
from simclone.wire.tags import parse_tags


def disk_of(cloud: Cloud, offering: int) -> Disk:
    """A data disk of a disk offering."""
    disk_offering = cloud.disk_offerings[offering]
    return Disk(disk_offering.disk_size, offering, disk_offering.strategy, disk_offering.constraint)


def shape_of(
    cloud: Cloud,
    *,
    offering: int | None,
    image: int | None,
    l3s: tuple[int, ...],
    root_offering: int | None = None,
    disks: tuple[int, ...] = (),
    system_tags: tuple[str, ...] = (),
    user_tags: tuple[str, ...] = (),
    vm_type: str = "UserVm",
    strategy: str | None = None,
    description: str | None = None,
) -> Shape:
    """The shape of a VM; a root disk offering gives the size where the image has none (ISO) or none is given.

    The offering's strategy and tags are copied into the VM (rules/host-selection.md#offering).
    """
    item = None if offering is None else cloud.offerings[offering]
    template = None if image is None else cloud.images[image]
    root_size = 0
    if template is not None and not template.is_iso:
        root_size = template.size
    if root_offering is not None:
        root_size = cloud.disk_offerings[root_offering].disk_size
    return Shape(
        strategy=strategy or (item.strategy if item else None),
        image=image,
        offering=offering,
        l3s=l3s,
        root_size=root_size,
        root_offering=root_offering,
        disks=tuple(disk_of(cloud, row) for row in disks),
        constraint=item.constraint if item else None,
        tags=parse_tags((*(item.system_tags if item else ()), *system_tags)),
        user_tags=user_tags,
        vm_type=vm_type,
        platform=template.platform if template else "Linux",
        architecture=template.architecture if template else None,
        description=description,
        cpu_speed=item.cpu_speed if item else 0,
    )
