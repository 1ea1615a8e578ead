"""Which hosts can go into maintenance: each emptied alone, then waves of hosts that can be away together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

from simclone.changes.load import as_scenario
from simclone.engine.context import Context
from simclone.engine.operations.create_vm import vms_on
from simclone.engine.operations.hosts import change_host_state
from simclone.engine.operations.migrate_vm import migrate_vm
from simclone.engine.waits import run_now
from simclone.errors import Fault, InvalidInput
from simclone.planning.arguments import checked
from simclone.planning.option import At, Option, Seed
from simclone.planning.parts.answer import Answer
from simclone.planning.parts.clone_calls import cloud_at
from simclone.planning.parts.host_loss import usable_hosts
from simclone.scenario.load import Given
from simclone.units import plural

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class HostDrain:
    """One host emptied: VMs by name with the host they go to, and those that cannot move with the reason."""

    host: str
    moved: tuple[tuple[str, str], ...]
    stuck: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Drain(Answer):
    """Maintenance host by host, each alone, and *plan*, waves of hosts that can be away together, one after the other.

    *blocked* are hosts that are in no wave.
    """

    question: ClassVar[str] = "drain"
    title: ClassVar[str] = "Maintenance check"
    order: ClassVar[int] = 170

    scenario: str
    hosts: tuple[HostDrain, ...]
    plan: tuple[tuple[HostDrain, ...], ...]
    blocked: tuple[str, ...]

    @property
    def waves(self) -> tuple[tuple[str, ...], ...]:
        """The hosts of each wave."""
        return tuple(tuple(item.host for item in wave) for wave in self.plan)

    def summary(self) -> str:
        """Which hosts can go into maintenance, and the plan."""
        stuck = [entry for entry in self.hosts if entry.stuck]
        hosts = plural(len(self.hosts), "host")
        lines = [f"{self.scenario}: {len(self.hosts) - len(stuck)} of {hosts} can be emptied, each alone"]
        for item in stuck[:10]:
            name, reason = item.stuck[0]
            more = f" and {len(item.stuck) - 1} more" if len(item.stuck) > 1 else ""
            lines.append(f"  {item.host}: {name}{more} cannot move ({reason})")
        if self.waves:
            widest = max(len(wave) for wave in self.waves)
            lines.append(f"  rolling plan: {plural(len(self.waves), 'wave')} of up to {plural(widest, 'host')}")
        return "\n".join(lines)

    def to_frame(self) -> pd.DataFrame:
        """One row per host and VM as in the plan: host, vm, to, reason, wave (from 1, 0 for those in none)."""
        import pandas as pd

        blocked = [(0, entry) for entry in self.hosts if entry.host in self.blocked]
        rows: list[tuple[object, ...]] = []
        for number, item in [*((at, element) for at, wave in enumerate(self.plan, 1) for element in wave), *blocked]:
            rows += [(item.host, vm, to, "", number) for vm, to in item.moved]
            rows += [(item.host, vm, "", reason, number) for vm, reason in item.stuck]
            if not item.moved and not item.stuck:
                rows.append((item.host, "", "", "", number))
        return pd.DataFrame(rows, columns=["host", "vm", "to", "reason", "wave"])

    def figures(self) -> Mapping[str, float | None]:
        """``stuck`` hosts, ``waves``."""
        return {"stuck": sum(bool(host.stuck) for host in self.hosts), "waves": len(self.waves)}


@checked
def drain(
    source: Given,
    *,
    wave: Annotated[int, Option("Hosts that may be away together.")] = 1,
    at: At = "start",
    seed: Seed = None,
) -> Drain:
    """Which hosts of SCENARIO can go into maintenance, VM by VM, and a plan in waves.

    Every host is emptied by migration, each on a copy of the cloud; then waves of up to *wave* hosts are planned. A
    plan's waves follow each other: hosts come back before the next ones go; no VM moves to a host of its own wave.
    Raises InvalidInput.
    """
    scenario = as_scenario(source)
    if wave < 1:
        raise InvalidInput([Fault("wave", f"{wave} is no number of hosts", "at least 1")])
    ctx = cloud_at(scenario, seed=seed, at=at)
    hosts = usable_hosts(ctx.cloud)
    single = tuple(_emptied(ctx.fork(), [host])[0] for host in hosts)
    waves, blocked = _waves(ctx.fork(), hosts, wave)
    return Drain(scenario.name, single, waves, blocked)


def _emptied(ctx: Context, hosts: Sequence[int]) -> tuple[HostDrain, ...]:
    """Some hosts closed together, then emptied one after the other."""
    for host in hosts:
        run_now(change_host_state(ctx, host, "disable"))
    return tuple(_moved_away(ctx, host) for host in hosts)


def _moved_away(ctx: Context, host: int) -> HostDrain:
    cloud = ctx.cloud
    moved, stuck = [], []
    for vm in vms_on(ctx, host):
        name = cloud.vms.names[vm]
        if cloud.vms.hold_host[vm] != host:
            continue
        outcome = run_now(migrate_vm(ctx, vm))
        if outcome.error is None:
            moved.append((name, cloud.fleet.names[cloud.vms.host[vm]]))
        else:
            stuck.append((name, outcome.error.root_reason))
    return HostDrain(cloud.fleet.names[host], tuple(moved), tuple(stuck))


def _waves(ctx: Context, hosts: list[int], size: int) -> tuple[tuple[tuple[HostDrain, ...], ...], tuple[str, ...]]:
    """Hosts into waves, first come first; one that cannot be emptied now is tried again in a later wave."""
    remaining, waves, names = list(hosts), [], ctx.cloud.fleet.names
    while remaining:
        away: list[int] = []
        plan: tuple[HostDrain, ...] = ()
        after = ctx
        for host in tuple(remaining):
            if len(away) == size:
                break
            trial = ctx.fork()
            emptied = _emptied(trial, [*away, host])
            if not any(item.stuck for item in emptied):
                after, plan = trial, emptied
                away.append(host)
                remaining.remove(host)
        if not away:
            break
        waves.append(plan)
        ctx = after
        for host in away:
            run_now(change_host_state(ctx, host, "enable"))
    return tuple(waves), tuple(names[host] for host in remaining)
