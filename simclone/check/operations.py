"""The operations of a case: changes, and calls of the API; names are turned into rows here and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

from simclone.changes.kind import ChangeKind, make
from simclone.check.change_operations import CHANGES, Spec
from simclone.check.facts import data_volumes, vm_facts, volume_facts
from simclone.engine.context import Context, Outcome
from simclone.engine.operations import groups, hosts, storage, volumes
from simclone.engine.operations.clone.call import clone_now
from simclone.engine.operations.create_vm import NewVm, create_now
from simclone.engine.operations.destroy_vm import destroy_vm, expunge_vm, recover_vm
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.operations.settings import update_resource_config
from simclone.engine.operations.start_vm import pause_vm, reboot_vm, start_vm, stop_vm
from simclone.engine.shapes import disk_of, shape_of
from simclone.engine.waits import run_now
from simclone.errors import UnknownName
from simclone.model.inventory import Wish
from simclone.model.vms import NONE
from simclone.records import CloneAnswer, CloneRequest, ErrorCode
from simclone.units import parse_size

Answer = dict[str, Any]


@dataclass(slots=True)
class Stage:
    """A case in progress: names it gave to volumes and addresses, and its counted batches."""

    ctx: Context
    volumes: dict[str, int] = field(default_factory=dict)
    ips: dict[str, tuple[int, int]] = field(default_factory=dict)
    vms: dict[str, int] = field(default_factory=dict)
    batches: dict[str, list[int]] = field(default_factory=dict)
    answers: list[CloneAnswer] = field(default_factory=list)

    def find(self, kind: str, name: str | None) -> int | None:
        """The row of an optional name."""
        return None if name is None else self.ctx.cloud.find(kind, name)

    def vm(self, name: str) -> int:
        """The VM of a name, also when its row is gone (for `assertVm`)."""
        try:
            return self.ctx.cloud.find("vm", name)
        except UnknownName:
            if name in self.vms:
                return self.vms[name]
            raise

    def volume(self, name: str) -> int:
        """A volume by its own name or as ``<vm>/root``, ``<vm>/data-n``."""
        if name not in self.volumes:
            self.volumes[name] = self._volume_of_vm(name)
        return self.volumes[name]

    def _volume_of_vm(self, name: str) -> int:
        owner, slash, part = name.rpartition("/")
        if not slash:
            raise UnknownName("volume", name)
        vm = self.vm(owner)
        if part == "root":
            return self.ctx.cloud.vms.root[vm]
        return data_volumes(self.ctx, vm)[int(part.removeprefix("data-")) - 1]


def failed(error: ErrorCode) -> Answer:
    """The answer of a refused operation."""
    return {"ok": False, "errorCode": error.code, "rootErrorCode": error.root_code, "reason": error.root_reason}


def about_vm(stage: Stage, outcome: Outcome) -> Answer:
    """The answer of an operation on a VM."""
    if outcome.error is not None:
        return failed(outcome.error)
    return {"ok": True, **vm_facts(stage.ctx, outcome.row)}


def about_volume(stage: Stage, outcome: Outcome) -> Answer:
    """The answer of an operation on a volume."""
    if outcome.error is not None:
        return failed(outcome.error)
    return {"ok": True, **volume_facts(stage.ctx, outcome.row)}


def plain(outcome: Outcome) -> Answer:
    """The answer of an operation that only succeeds or fails."""
    return {"ok": True} if outcome.error is None else failed(outcome.error)


def group_of_tags(stage: Stage, tags: tuple[str, ...]) -> int | None:
    """The affinity group a create's tags name."""
    for tag in tags:
        if tag.startswith("affinityGroupUuid::"):
            return stage.ctx.cloud.find("affinityGroup", tag.removeprefix("affinityGroupUuid::"))
    return None


def create(stage: Stage, spec: Spec) -> list[Answer]:
    """One VM, or *count* of them one after the other."""
    count = spec.get("count")
    names = [spec["name"]] if count is None else [f"{spec['name']}-{n}" for n in range(1, count + 1)]
    answers = []
    rows = []
    for name in names:
        outcome = create_now(stage.ctx, new_vm(stage, spec, name), spec.get("strategy", "InstantStart"))
        answers.append(about_vm(stage, outcome))
        if outcome.ok:
            stage.vms[name] = outcome.row
            rows.append(outcome.row)
    stage.batches[spec["name"]] = rows
    return answers


def new_vm(stage: Stage, spec: Spec, name: str) -> NewVm:
    """A create's spec as the engine takes it."""
    cloud = stage.ctx.cloud
    tags = tuple(spec.get("systemTags", ()))
    offering = cloud.find("instanceOffering", spec["instanceOffering"])
    shape = shape_of(
        cloud,
        offering=offering,
        image=stage.find("image", spec.get("image")),
        l3s=tuple(cloud.find("l3Network", one) for one in spec.get("l3Networks", ())),
        root_offering=stage.find("diskOffering", spec.get("rootDiskOffering")),
        disks=tuple(cloud.find("diskOffering", one) for one in spec.get("dataDiskOfferings", ())),
        system_tags=tuple(tag for tag in tags if not tag.startswith("affinityGroupUuid::")),
        vm_type=spec.get("type", "UserVm"),
    )
    ips = tuple(
        (cloud.find("l3Network", l3), int(IPv4Address(address))) for l3, address in spec.get("staticIps", {}).items()
    )
    wish = Wish(
        zone=stage.find("zone", spec.get("zone")),
        cluster=stage.find("cluster", spec.get("cluster")),
        host=stage.find("host", spec.get("host")),
        root_storage=stage.find("primaryStorage", spec.get("rootVolumePrimaryStorage")),
        data_storage=stage.find("primaryStorage", spec.get("dataVolumePrimaryStorage")),
        static_ips=ips,
    )
    one = cloud.offerings[offering]
    return NewVm(
        name=name,
        shape=shape,
        cpu=one.cpu_num,
        memory=one.memory_size,
        account=stage.ctx.account(spec.get("account")),
        wish=wish,
        group=group_of_tags(stage, tags),
        ordinal=stage.ctx.next_ordinal("api"),
    )


def clone_stand_in(stage: Stage, spec: Spec) -> list[Answer]:
    """Profile open's ``clone``: create with the source's offering, image, networks and disks."""
    cloud, source = stage.ctx.cloud, stage.vm(spec["sourceVm"])
    shape = cloud.vms.shape_of(source)
    asked = {
        "name": spec["name"],
        "instanceOffering": cloud.offerings[shape.offering or 0].name,
        "image": None if shape.image is None else cloud.images[shape.image].name,
        "l3Networks": [cloud.l3s[l3].name for l3 in shape.l3s],
        "dataDiskOfferings": [cloud.disk_offerings[disk.offering or 0].name for disk in shape.disks],
    }
    if shape.root_offering is not None:
        asked["rootDiskOffering"] = cloud.disk_offerings[shape.root_offering].name
    return create(stage, asked)


def clone_request(spec: Spec, ordinal: int) -> CloneRequest:
    """The API's parameters from a case's spelling."""
    return CloneRequest(
        name=f"step-{ordinal}",
        vm=spec["sourceVm"],
        names=tuple(spec["names"]),
        strategy=spec.get("strategy", "InstantStart"),
        full=spec.get("full", False),
        root_storage=spec.get("primaryStorageForRootVolume"),
        data_storage=spec.get("primaryStorageForDataVolume"),
        root_tags=tuple(spec.get("rootVolumeSystemTags", ())),
        data_tags=tuple(spec.get("dataVolumeSystemTags", ())),
        cluster=spec.get("cluster"),
        host=spec.get("host"),
        system_tags=tuple(spec.get("systemTags", ())),
        account=spec.get("account"),
        ordinal=ordinal,
    )


def clone_vm_instance(stage: Stage, spec: Spec) -> list[Answer]:
    """The API call."""
    answer = clone_now(stage.ctx, clone_request(spec, stage.ctx.next_ordinal("api")))
    stage.answers.append(answer)
    for one in answer.clones:
        stage.vms[one.name] = one.vm
    return [answer_facts(stage.ctx, answer)]


def answer_facts(ctx: Context, answer: CloneAnswer) -> Answer:
    """A clone answer in the words of expectations."""
    if answer.error is not None:
        return failed(answer.error)
    losers = [(one.error.code, one.error.root_code) for one in answer.clones if one.error is not None]
    winners = [one.vm for one in answer.clones if one.error is None]
    names = ctx.cloud.fleet.names
    on = [ctx.cloud.vms.host[vm] for vm in winners]
    placed = [names[host] for host in on if host != NONE]
    return {
        "ok": True,
        "results": len(answer.clones),
        "numberOfClonedVm": answer.succeeded,
        "batch": answer.batch,
        "failedErrorCodes": [code for code, _ in losers],
        "failedRootErrorCodes": [root for _, root in losers],
        "distinctHosts": len(set(placed)),
        "perHost": {name: placed.count(name) for name in names},
        "reasons": answer.element_reasons(),
        "perName": {
            one.name: failed(one.error) if one.error is not None else {"ok": True, **vm_facts(ctx, one.vm)}
            for one in answer.clones
        },
    }


def start(stage: Stage, spec: Spec) -> list[Answer]:
    """Start a stopped or recorded VM."""
    asker = None if "account" not in spec else stage.ctx.account(spec["account"])
    flow = start_vm(
        stage.ctx,
        stage.ctx.cloud.find("vm", spec["vm"]),
        host=stage.find("host", spec.get("host")),
        cluster=stage.find("cluster", spec.get("cluster")),
        asker=asker,
    )
    return [about_vm(stage, run_now(flow))]


def migrate(stage: Stage, spec: Spec) -> list[Answer]:
    """Live migration."""
    vm = stage.ctx.cloud.find("vm", spec["vm"])
    return [about_vm(stage, run_now(migrate_vm(stage.ctx, vm, stage.find("host", spec.get("host")))))]


def _on_vm(flow: Callable[[Context, int], Any]) -> Callable[[Stage, Spec], list[Answer]]:
    def operation(stage: Stage, spec: Spec) -> list[Answer]:
        return [about_vm(stage, run_now(flow(stage.ctx, stage.ctx.cloud.find("vm", spec["vm"]))))]

    return operation


def create_data_volume(stage: Stage, spec: Spec) -> list[Answer]:
    """A data volume, made at once when a storage is named."""
    cloud = stage.ctx.cloud
    outcome = volumes.create_data_volume(
        stage.ctx,
        spec["name"],
        disk_of(cloud, cloud.find("diskOffering", spec["diskOffering"])),
        storage=stage.find("primaryStorage", spec.get("primaryStorage")),
        host=stage.find("host", spec.get("host")),
        account=stage.ctx.account(spec.get("account")),
    )
    if outcome.ok:
        stage.volumes[spec["name"]] = outcome.row
    return [about_volume(stage, outcome)]


def _on_volume(call: Callable[..., Outcome], *arguments: str) -> Callable[[Stage, Spec], list[Answer]]:
    def operation(stage: Stage, spec: Spec) -> list[Answer]:
        extra = [spec[name] for name in arguments]
        return [about_volume(stage, call(stage.ctx, stage.volume(spec["volume"]), *extra))]

    return operation


def attach_data_volume(stage: Stage, spec: Spec) -> list[Answer]:
    """Attach a volume to a VM."""
    vm = stage.ctx.cloud.find("vm", spec["vm"])
    return [about_volume(stage, volumes.attach_data_volume(stage.ctx, vm, stage.volume(spec["volume"])))]


def migrate_volume(stage: Stage, spec: Spec) -> list[Answer]:
    """Offline move on local storage."""
    host = stage.ctx.cloud.find("host", spec["host"])
    return [about_volume(stage, volumes.migrate_volume(stage.ctx, stage.volume(spec["volume"]), host))]


def allocate_primary_storage(stage: Stage, spec: Spec) -> list[Answer]:
    """Raw space."""
    size = parse_size(spec["size"])
    outcome = storage.allocate_primary_storage(stage.ctx, size, stage.find("host", spec.get("host")))
    if outcome.error is not None:
        return [failed(outcome.error)]
    return [{"ok": True, "primaryStorage": stage.ctx.cloud.storages[outcome.row].name}]


def allocate_ip(stage: Stage, spec: Spec) -> list[Answer]:
    """One address."""
    l3 = stage.ctx.cloud.find("l3Network", spec["l3Network"])
    found = groups.allocate_ip(stage.ctx, l3)
    if isinstance(found, ErrorCode):
        return [failed(found)]
    stage.ips[spec.get("name", "")] = (l3, found)
    return [{"ok": True, "ip": str(IPv4Address(found))}]


def release_ip(stage: Stage, spec: Spec) -> list[Answer]:
    """Give it back."""
    return [plain(groups.release_ip(stage.ctx, *stage.ips[spec["ip"]]))]


def add_ip_range(stage: Stage, spec: Spec) -> list[Answer]:
    """A further range."""
    l3 = stage.ctx.cloud.find("l3Network", spec["l3Network"])
    low, high = (int(IPv4Address(spec[end])) for end in ("start", "end"))
    return [plain(groups.add_ip_range(stage.ctx, l3, low, high))]


def _make(change_of: Callable[[Spec], ChangeKind | ErrorCode]) -> Callable[[Stage, Spec], list[Answer]]:
    """An operation that is a change, made at once."""

    def operation(stage: Stage, spec: Spec) -> list[Answer]:
        change = change_of(spec)
        return [failed(change) if isinstance(change, ErrorCode) else plain(make(change, stage.ctx)[-1])]

    return operation


def _simple(kind: str, call: Callable[..., Any], *arguments: str) -> Callable[[Stage, Spec], list[Answer]]:
    """An operation on one named object with plain further arguments."""

    def operation(stage: Stage, spec: Spec) -> list[Answer]:
        row = stage.ctx.cloud.find(kind, spec[kind])
        outcome = call(stage.ctx, row, *(spec[name] for name in arguments))
        return [plain(outcome if isinstance(outcome, Outcome) else run_now(outcome))]

    return operation


def _pair(
    first: str, second: str, call: Callable[..., Outcome], *arguments: str
) -> Callable[[Stage, Spec], list[Answer]]:
    """An operation on two named objects."""

    def operation(stage: Stage, spec: Spec) -> list[Answer]:
        rows = [stage.ctx.cloud.find(kind, spec[kind]) for kind in (first, second)]
        return [plain(call(stage.ctx, *rows, *(spec[name] for name in arguments)))]

    return operation


def update_vm(stage: Stage, spec: Spec) -> list[Answer]:
    """Resize a VM."""
    vm = stage.ctx.cloud.find("vm", spec["vm"])
    asker = None if "account" not in spec else stage.ctx.account(spec["account"])
    return [about_vm(stage, hosts.resize_vm(stage.ctx, vm, spec.get("cpuNum"), spec.get("memorySize"), asker))]


def resource_config(stage: Stage, spec: Spec) -> list[Answer]:
    """Change an override."""
    asked = (spec["resourceType"], spec["resource"], spec["key"], spec["value"])
    return [plain(update_resource_config(stage.ctx, *asked))]


OPERATIONS: Mapping[str, Callable[[Stage, Spec], list[Answer]]] = {
    **{name: _make(change_of) for name, change_of in CHANGES.items()},
    "create": create,
    "clone": clone_stand_in,
    "cloneVmInstance": clone_vm_instance,
    "start": start,
    "stop": _on_vm(stop_vm),
    "reboot": _on_vm(reboot_vm),
    "pause": _on_vm(pause_vm),
    "destroy": _on_vm(destroy_vm),
    "expunge": _on_vm(expunge_vm),
    "recover": _on_vm(recover_vm),
    "migrate": migrate,
    "updateVm": update_vm,
    "detachL3Network": _pair("vm", "l3Network", groups.detach_l3_network),
    "createDataVolume": create_data_volume,
    "attachDataVolume": attach_data_volume,
    "detachDataVolume": _on_volume(volumes.detach_data_volume),
    "deleteDataVolume": _on_volume(volumes.delete_data_volume),
    "expungeDataVolume": _on_volume(volumes.expunge_data_volume),
    "migrateVolume": migrate_volume,
    "resizeVolume": _on_volume(volumes.resize_volume, "size"),
    "setVolumeActualSize": _on_volume(volumes.set_actual_size, "actualSize"),
    "createVolumeSnapshot": lambda stage, spec: [
        plain(volumes.create_snapshot(stage.ctx, stage.volume(spec["volume"])))
    ],
    "allocatePrimaryStorage": allocate_primary_storage,
    "allocateIp": allocate_ip,
    "releaseIp": release_ip,
    "addIpRange": add_ip_range,
    "deleteHost": _simple("host", hosts.delete_host),
    "changeZoneState": _simple("zone", hosts.change_zone_state, "event"),
    "changeImageState": _simple("image", groups.change_image_state, "event"),
    "changeBackupStorageState": _simple("backupStorage", groups.change_backup_storage_state, "event"),
    "detachPrimaryStorage": _pair("primaryStorage", "cluster", storage.detach_primary_storage),
    "setHostPrimaryStorageStatus": _pair("host", "primaryStorage", storage.set_host_storage_status, "status"),
    "updateResourceConfig": resource_config,
    "addVmToAffinityGroup": _pair("affinityGroup", "vm", groups.add_vm_to_affinity_group),
    "removeVmFromAffinityGroup": _pair("affinityGroup", "vm", groups.remove_vm_from_affinity_group),
    "changeAffinityGroupState": _simple("affinityGroup", groups.change_affinity_group_state, "event"),
}
