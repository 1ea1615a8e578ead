"""One clone call resolved against the cloud: rows instead of names, and what the steps hand on."""

from __future__ import annotations

from dataclasses import dataclass, field

from simclone.allocator.rules.affinity import active_group
from simclone.engine.context import Context, invalid_argument, not_found
from simclone.engine.operations.clone.known_tags import known_tags
from simclone.errors import UnknownName
from simclone.model.vms import DATA, NONE
from simclone.records import CloneRequest, ErrorCode, Tags, VmSnapshot
from simclone.wire.tags import parse_tags, refuse_tags

LONGEST_DESCRIPTION = 2048
STRATEGIES = ("InstantStart", "JustCreate", "CreateStopped")


@dataclass(slots=True)
class Job:
    """A call on its way. *vms* and *errors* stand by position in ``names``.

    *order* lists positions as they were completed, *gone* keeps what a failed clone was before its start, *tags* are
    the request's system tags, parsed.
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
    tags: Tags = field(init=False)

    def __post_init__(self) -> None:
        self.tags = parse_tags(self.request.system_tags)

    @property
    def fast(self) -> bool:
        """Whether the clones are linked: copied from the snapshot, without backup storage."""
        return self.tags.fast

    def alive(self) -> list[int]:
        """Positions whose clone has not failed."""
        return [position for position, error in enumerate(self.errors) if error is None]


def volumes_to_clone(ctx: Context, job: Job) -> list[int]:
    """The root, and with ``full`` the data volumes, by device number."""
    cloud = ctx.cloud
    root = cloud.vms.root[job.source]
    if not job.request.full:
        return [root]
    data = [v for v in cloud.vms.volumes[job.source] if cloud.volumes.type[v] == DATA]
    data.sort(key=lambda volume: cloud.volumes.device[volume])
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
    return refuse_tags(request, sorted(known_tags()), ctx.cloud.find)


def taken_names(ctx: Context) -> set[str] | None:
    """Names that rows have, where ``vm.uniqueVmName`` forbids a second one; None where it does not."""
    if not ctx.cloud.settings.flag("vm.uniqueVmName"):
        return None
    vms = ctx.cloud.vms
    return {name for row, name in enumerate(vms.names) if vms.alive[row]}


def _with_group(ctx: Context, job: Job) -> Job | ErrorCode:
    name = job.tags.group
    if name is None:
        return job
    try:
        job.group = ctx.cloud.find("affinityGroup", name)
    except UnknownName:
        return invalid_argument(f"affinity group [uuid: {name}] does not exist")
    if active_group(ctx.cloud, job.group) is None:
        return invalid_argument(f"affinity group [uuid: {name}] is Disabled")
    return job


def source_host(ctx: Context, job: Job) -> int | None:
    """The source's host, else its last one."""
    table = ctx.cloud.vms
    host = table.host[job.source]
    host = table.last_host[job.source] if host == NONE else host
    return None if host == NONE else host
