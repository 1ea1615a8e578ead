"""What is asked for more of: clones of a VM as it is, or as it were with another offering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from simclone.allocator.host.request import HostRequest
from simclone.changes.schedule import actions_of
from simclone.engine.context import Context
from simclone.engine.opening import open_context
from simclone.engine.operations.clone.call import clone_now
from simclone.engine.prepare import requests_of, simulation_of
from simclone.engine.shapes import shape_of
from simclone.errors import Fault, InvalidInput
from simclone.model.cloud import Cloud
from simclone.model.inventory import Shape
from simclone.model.vms import NONE
from simclone.placement.host import finds_host
from simclone.records import CloneAnswer
from simclone.scenario.load import Scenario
from simclone.wire.request import clone_request, refuse_body
from simclone.wire.tags import parse_tags

SOURCE = "planning"
LIVING = ("Running", "Stopped", "Paused")


@dataclass(frozen=True, slots=True)
class Ask:
    """Clones of VM *vm*, with *offering* in the place of its own; *body* is the rest of the call's body."""

    vm: str
    offering: str | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    system_tags: Sequence[str] = ()
    account: str | None = None

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.offering or self.vm


def cloud_at(scenario: Scenario, *, seed: int | None = None, replication: int = 0, at: str = "start") -> Context:
    """The cloud at t = 0 with the file's VMs, or as it stands at the *end* of the scenario's own run."""
    if at not in ("start", "end"):
        raise InvalidInput([Fault("at", f"{at!r} is no time", "start or end")])
    ctx = open_context(scenario, seed=seed, replication=replication)
    if at == "end":
        requests, _ = requests_of(scenario)
        simulation_of(scenario, ctx, requests, actions=actions_of(scenario, ctx)).run()
    return ctx


def asks_of(
    scenario: Scenario,
    *,
    vm: str | None = None,
    offerings: Sequence[str] = (),
    account: str | None = None,
    system_tags: Sequence[str] = (),
    full: bool = False,
) -> list[Ask]:
    """Asks by name; without offerings and VM, one for each offering of the file. Raises InvalidInput.

    With *full* they are full clones. The VM that is cloned is *vm*, else the first of the offering, else the first of
    the file that can be cloned.
    """
    names = scenario.resolved.names
    sources = [doc for doc in scenario.vms if doc.state in LIVING]
    known = [doc.name for doc in names.docs("instanceOffering")]
    faults = [
        Fault("offering", f"{offering!r} is unknown", ", ".join(known))
        for offering in offerings
        if offering not in known
    ]
    if not sources:
        faults.append(Fault("vms", "there is none that could be cloned", "a VM that is running or stopped"))
    if vm is not None and vm not in names.kinds["vm"].rows:
        faults.append(Fault("vm", f"{vm!r} is unknown", ", ".join(doc.name for doc in sources[:8])))
    if account not in (None, "admin") and account not in names.kinds["account"].rows:
        accounts = ", ".join(doc.name for doc in names.docs("account"))
        faults.append(Fault("account", f"{account!r} is unknown", accounts or "admin, the file has no others"))
    if faults:
        raise InvalidInput(faults)
    body = {"full": True} if full else {}

    def ask(source: str, offering: str | None = None) -> Ask:
        return Ask(source, offering, body, system_tags, account)

    if vm is not None and not offerings:
        return [ask(vm)]
    target = list(offerings) or known
    if not target:
        return [ask(sources[0].name)]
    own = {doc.instance_offering: doc.name for doc in reversed(sources)}
    return [ask(vm or own.get(item) or sources[0].name, item) for item in target]


def with_offering(ctx: Context, ask: Ask, original: Shape | None = None) -> None:
    """Give the source VM the offering's size and strategy, in books that are a copy.

    *original* is its shape as the file has it, where it may have another by now.
    """
    if ask.offering is None:
        return
    cloud, vm = ctx.cloud, ctx.cloud.find("vm", ask.vm)
    offering = cloud.find("instanceOffering", ask.offering)
    old, item = original or cloud.vms.shape_of(vm), cloud.offerings[offering]
    if cloud.vms.shape_of(vm).offering == offering:
        return
    shape = shape_of(
        cloud,
        offering=offering,
        image=old.image,
        l3s=old.l3s,
        root_offering=old.root_offering,
        user_tags=old.user_tags,
        vm_type=old.vm_type,
    )
    inherited = () if old.offering is None else cloud.offerings[old.offering].system_tags
    own = tuple(tag for tag in old.tags.texts if tag not in inherited)
    shape = replace(
        shape,
        disks=old.disks,
        tags=parse_tags((*item.system_tags, *own)),
        hypervisor_type=old.hypervisor_type,
        use=old.use,
    )
    row = cloud.vms.shape_row(shape)
    ctx.ledger.vms.set(vm, shape=row, cpu=item.cpu_num, memory=item.memory_size)


def clone_once(ctx: Context, ask: Ask, names: Sequence[str]) -> CloneAnswer:
    """One clone call, carried out at once."""
    ordinal = ctx.next_ordinal(SOURCE)
    body = {"cloneVmInstance": {**ask.body, "names": list(names)}, "systemTags": list(ask.system_tags)}
    now_us = ctx.ledger.now_us
    request, error = clone_request(body, ask.vm, source=SOURCE, ordinal=ordinal, account=ask.account, at_us=now_us)
    if error is not None:
        raise refuse_body(error)
    return clone_now(ctx, request)


def host_request(ctx: Context, ask: Ask) -> tuple[HostRequest, Cloud] | None:
    """What a clone asks the host allocator, and a copy of the cloud as it is then; None when no clone comes so far.

    Where already the call's dry run is refused, or what follows it, this is the request of the dry run.
    """
    twin = ctx.fork()
    known: list[tuple[HostRequest, Cloud]] = []

    def watch(_: int, request: HostRequest, cloud: Cloud) -> None:
        known.append((request, cloud.fork()))

    twin.watch = watch
    clone_once(twin, ask, ["probe"])
    result = [entry for entry in known if not entry[0].dry_run]
    return next(reversed(result or [item for item in known if not finds_host(*item)]), None)


def hosts_by_place(cloud: Cloud, rows: Iterable[int]) -> tuple[dict[str, int], dict[str, int]]:
    """Those of some VMs that have a host, by cluster and by zone."""
    clusters: dict[str, int] = {}
    zones: dict[str, int] = {}
    table, fleet = cloud.vms, cloud.fleet
    for vm in rows:
        host = table.host[vm]
        if host != NONE and table.alive[vm]:
            cluster, zone = cloud.clusters[fleet.cluster[host]].name, cloud.zones[fleet.zone[host]].name
            clusters[cluster] = clusters.get(cluster, 0) + 1
            zones[zone] = zones.get(zone, 0) + 1
    return clusters, zones
