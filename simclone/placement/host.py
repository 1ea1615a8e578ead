"""Find a host and reserve it; a refused reservation goes on to the next host (rules/host-selection.md#order)."""

from __future__ import annotations

from msgspec.structs import replace

from simclone.allocator.host import chain, reserve
from simclone.allocator.host.index.host_index import HostIndex
from simclone.allocator.host.order import tried_order
from simclone.allocator.host.request import HostRequest
from simclone.allocator.host.strategies import Strategy, named
from simclone.chance import Identity
from simclone.model.cloud import Cloud
from simclone.model.ledger.ledger import Ledger
from simclone.records import Decision, ErrorCode, Placed, Try, Unplaced
from simclone.vocabulary import Purpose


def strategy_of(request: HostRequest, cloud: Cloud) -> Strategy:
    """The chain a request runs; ``Mevoco`` stands for the configured default."""
    name = request.strategy
    if name == "Mevoco":
        name = str(cloud.settings.values["mevoco.hostAllocatorStrategy"])
    strategy = named(cloud.settings.profile, name, cloud.strategies)
    cloud.used_strategies[strategy.name] = strategy
    return strategy


def finds_host(request: HostRequest, cloud: Cloud) -> bool:
    """Whether the chain finds a host now."""
    return not isinstance(chain.run(strategy_of(request, cloud), request.dry(), cloud), Unplaced)


def _index(cloud: Cloud) -> HostIndex:
    if cloud.index is None:
        cloud.index = HostIndex(cloud)
    result: HostIndex = cloud.index
    return result


def candidates(request: HostRequest, cloud: Cloud, identity: Identity) -> list[int] | Unplaced:
    """A dry run: the sorted hosts of the winning page. "No host" is an empty list, other errors stay errors."""
    strategy = strategy_of(request, cloud)
    result = chain.run(strategy, request.dry(), cloud)
    if isinstance(result, Unplaced):
        return result
    order = tried_order(request, cloud, result.hosts, strategy.sorters, cloud.chance.order(identity, Purpose.DRY_RUN))
    return Unplaced(order, (), result.steps) if isinstance(order, ErrorCode) else list(order)


def dry_run(request: HostRequest, cloud: Cloud, identity: Identity) -> Decision:
    """Whether there is a host for one VM now; nothing is reserved, so any survivor stands for all."""
    requested = request.dry()
    if cloud.indexed:
        fast = _index(cloud).decide(requested, identity, strategy_of, dry=True)
        if fast is not None:
            return fast
    result = chain.run(strategy_of(request, cloud), requested, cloud)
    if isinstance(result, Unplaced):
        return result
    order = cloud.chance.order(identity, Purpose.DRY_RUN).walk(result.hosts.tolist())
    return Placed(next(order), result.page, (), result.steps)


def decide(request: HostRequest, cloud: Cloud, identity: Identity, seen: Cloud | None = None) -> Decision:
    """The host the allocator gives, by filters, order and the reservation's test; writes nothing.

    *seen* is the cloud as the filters saw it, where others allocate at the same time; the reservation sees *cloud*.
    """
    if seen is None and cloud.indexed:
        fast = _index(cloud).decide(request, identity, strategy_of)
        if fast is not None:
            return fast
    strategy, view = strategy_of(request, cloud), seen or cloud
    result = chain.run(strategy, request, view)
    if isinstance(result, Unplaced):
        return result
    order = tried_order(request, view, result.hosts, strategy.sorters, cloud.chance.order(identity, Purpose.HOST))
    if isinstance(order, ErrorCode):
        return Unplaced(order, (), result.steps)
    tried: list[Try] = []
    for host in order:
        refused = reserve.refusal(request, cloud, host)
        if refused is None:
            return Placed(host, result.page, tuple(tried), result.steps)
        tried.append(refused)
    return Unplaced(reserve.all_refused(tuple(tried)), tuple(tried), result.steps)


def breach(request: HostRequest, cloud: Cloud, host: int) -> str | None:
    """The reason of the filter that would refuse *host* now; None when it would pass them all."""
    result = chain.run(strategy_of(request, cloud), replace(request, host=host), cloud)
    return result.error.root_reason if isinstance(result, Unplaced) else None


def allocate_host(
    request: HostRequest,
    ledger: Ledger,
    identity: Identity,
    seen: Cloud | None = None,
    violations: list[str] | None = None,
    vm: int | None = None,
) -> Decision:
    """Decide, then charge the VM to the host and write the host into its row; a rule that breaks goes to *violations*.

    *vm* is the row that is charged where it is not the request's own.
    """
    decision = decide(request, ledger.cloud, identity, seen)
    vm = request.vm if vm is None else vm
    if isinstance(decision, Placed) and vm is not None:
        broken = None if seen is None else breach(request, ledger.cloud, decision.host)
        if broken is not None and violations is not None:
            violations.append(broken)
            ledger.hosts.report_violation(vm, decision.host, broken)
        take_host(ledger, vm, decision.host)
    return decision


def take_host(ledger: Ledger, vm: int, host: int) -> None:
    """Charge and write a host; siblings of a group and the VM counts see it from now on."""
    ledger.hosts.hold(vm, host)
    ledger.vms.place(vm, host)
    ledger.set_last_placed(host)


def give_back_host(ledger: Ledger, vm: int, cause: str) -> None:
    """Undo `take_host`: the capacity returns, the row forgets host and cluster."""
    ledger.hosts.end(vm, cause)
    ledger.vms.displace(vm)
