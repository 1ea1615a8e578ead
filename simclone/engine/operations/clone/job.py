"""One clone call resolved against the cloud: rows instead of names, and what the steps hand on."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from simclone.allocator.affinity import active_group
from simclone.engine.context import Context, invalid_argument, not_found
from simclone.engine.operations.clone.known_tags import KNOWN_TAGS
from simclone.errors import UnknownName
from simclone.model.vms import DATA, NONE
from simclone.records import CloneRequest, ErrorCode, VmSnapshot

FAST = "ephemeral::volume::fastCreate"
FLATTEN = "ephemeral::volume::flatten"
BARE_TAGS = ("inhibitHA", "packer")
"""System tags that are a single word (clone-storage-affinity.md 6)."""
LONGEST_DESCRIPTION = 2048
STRATEGIES = ("InstantStart", "JustCreate", "CreateStopped")


@dataclass(slots=True)
class Job:
    """A call on its way. *vms* and *errors* stand by position in ``names``.

    *order* lists positions as they were completed, *gone* keeps what a failed clone was before its start, *fast* is a
    linked clone: copied from the snapshot, without backup storage.
    """

    request: CloneRequest
    source: int
    account: int
    host: int | None = None
    cluster: int | None = None
    root_storage: int | None = None
    data_storage: int | None = None
    group: int | None = None
    backups: dict[int, int] = field(default_factory=dict)
    snapshots: list[int] = field(default_factory=list)
    images: dict[int, int] = field(default_factory=dict)
    vms: list[int] = field(default_factory=list)
    errors: list[ErrorCode | None] = field(default_factory=list)
    order: list[int] = field(default_factory=list)
    gone: dict[int, VmSnapshot] = field(default_factory=dict)
    fast: bool = field(init=False)

    def __post_init__(self) -> None:
        self.fast = FAST in self.request.system_tags

    def alive(self) -> list[int]:
        """Positions whose clone has not failed."""
        return [place for place, error in enumerate(self.errors) if error is None]


def volumes_to_clone(ctx: Context, job: Job) -> list[int]:
    """The root, and with ``full`` the data volumes, by device number."""
    cloud = ctx.cloud
    root = cloud.vms.get("root", job.source)
    if not job.request.full:
        return [root]
    data = [v for v in cloud.vms.volumes[job.source] if cloud.volumes.get("type", v) == DATA]
    data.sort(key=lambda volume: cloud.volumes.get("device", volume))
    return [root, *data]


def resolve(ctx: Context, request: CloneRequest) -> Job | ErrorCode:
    """Checks 2 and 3 of rules/clone-call.md#checks: parameters, references, the affinity tag."""
    error = _argument_error(ctx, request)
    if error is not None:
        return error
    try:
        job = Job(request, ctx.cloud.find("vm", request.vm), ctx.account(request.account))
        job.host = _row(ctx, "host", request.host)
        job.cluster = _row(ctx, "cluster", request.cluster)
        job.root_storage = _row(ctx, "primaryStorage", request.root_storage)
        job.data_storage = _row(ctx, "primaryStorage", request.data_storage)
    except UnknownName as unknown:
        return not_found(unknown.kind, unknown.name)
    return _with_group(ctx, job)


def _row(ctx: Context, kind: str, name: str | None) -> int | None:
    return None if name is None else ctx.cloud.find(kind, name)


def _argument_error(ctx: Context, request: CloneRequest) -> ErrorCode | None:
    if not request.names:
        return invalid_argument("names must hold at least one name")
    if not all(map(str.strip, request.names)):
        return invalid_argument("a name must not be empty")
    if len(request.names) > ctx.max_names:
        return invalid_argument(f"names holds {len(request.names)} entries, the limit is {ctx.max_names}")
    if request.description is not None and len(request.description) > LONGEST_DESCRIPTION:
        return invalid_argument(f"description holds more than {LONGEST_DESCRIPTION} characters")
    if request.strategy not in STRATEGIES:
        return invalid_argument(f"strategy {request.strategy!r} is none of {', '.join(STRATEGIES)}")
    return _tag_error(ctx, request)


def _tag_error(ctx: Context, request: CloneRequest) -> ErrorCode | None:
    groups = (request.system_tags, request.root_tags, request.data_tags, request.user_tags)
    if not any(groups):
        return None
    for tags in groups:
        if len(set(tags)) < len(tags):
            return invalid_argument("a tag is given twice")
    for tag in (*request.system_tags, *request.root_tags, *request.data_tags):
        if tag in BARE_TAGS:
            continue
        if "::" not in tag.strip("-") or tag.endswith("::") or tag.startswith("::"):
            return invalid_argument(f"malformed system tag {tag!r}")
    for tag in request.system_tags:
        head = tag.removeprefix("-").split("::")[0]
        if head not in KNOWN_TAGS:
            near = difflib.get_close_matches(head, KNOWN_TAGS, n=1)
            return invalid_argument(f"no system tag {head!r}" + (f"; did you mean {near[0]}?" if near else ""))
    prefixes = [tag.split("::")[0] for tag in request.system_tags]
    for once in ("affinityGroupUuid", "resourceBindings", "maxInstancePerHost"):
        if prefixes.count(once) > 1:
            return invalid_argument(f"system tag {once} is given more than once")
    for tag in request.system_tags:
        if tag.startswith("maxInstancePerHost::") and not tag.removeprefix("maxInstancePerHost::").isdecimal():
            return invalid_argument(f"system tag {tag!r} needs a number")
    for tag in (*request.system_tags, *request.root_tags, *request.data_tags):
        head, _, value = tag.partition("::")
        if head == "volumeProvisioningStrategy" and value not in ("ThinProvisioning", "ThickProvisioning"):
            return invalid_argument(f"unknown provisioning strategy in tag {tag!r}")
    return _binding_error(ctx, request)


def _binding_error(ctx: Context, request: CloneRequest) -> ErrorCode | None:
    for tag in request.system_tags:
        if tag.startswith("staticIp::"):
            error = _static_ip_error(ctx, tag)
            if error is not None:
                return error
        if not tag.startswith("resourceBindings::"):
            continue
        for part in tag.removeprefix("resourceBindings::").split(","):
            kind, _, name = part.strip().partition(":")
            if kind not in ("Host", "Cluster"):
                return invalid_argument(f"resource binding {part!r} is neither Host:… nor Cluster:…")
            try:
                ctx.cloud.find(kind.lower(), name)
            except UnknownName as unknown:
                return not_found(unknown.kind, unknown.name)
    return None


def _static_ip_error(ctx: Context, tag: str) -> ErrorCode | None:
    parts = tag.split("::")
    try:
        if len(parts) != 3:
            raise ValueError
        IPv4Address(parts[2])
        ctx.cloud.find("l3Network", parts[1])
    except ValueError:
        return invalid_argument(f"system tag {tag!r} is not staticIp::<network>::<address>")
    except UnknownName as unknown:
        return not_found(unknown.kind, unknown.name)
    return None


def taken_names(ctx: Context) -> set[str] | None:
    """Names that rows have, where ``vm.uniqueVmName`` forbids a second one; None where it does not."""
    if not ctx.cloud.settings.flag("vm.uniqueVmName"):
        return None
    vms = ctx.cloud.vms
    return {name for row, name in enumerate(vms.names) if vms.get("alive", row)}


def _with_group(ctx: Context, job: Job) -> Job | ErrorCode:
    for tag in job.request.system_tags:
        head, _, name = tag.partition("::")
        if head not in ("affinityGroupUuid", "vmSchedulingRuleGroupUuid"):
            continue
        try:
            job.group = ctx.cloud.find("affinityGroup", name)
        except UnknownName:
            return invalid_argument(f"affinity group [uuid: {name}] does not exist")
        if active_group(ctx.cloud, job.group) is None:
            return invalid_argument(f"affinity group [uuid: {name}] is Disabled")
    return job


def source_host(ctx: Context, job: Job) -> int | None:
    """The source's host, else its last one."""
    cells = ctx.cloud.vms.cells
    host = cells("host")[job.source]
    host = cells("last_host")[job.source] if host == NONE else host
    return None if host == NONE else host
