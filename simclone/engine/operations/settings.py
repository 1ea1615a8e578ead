"""Change a setting and let it take effect (rules/host-capacity.md#ratios, rules/host-capacity.md#recalculation)."""

from __future__ import annotations

import numpy as np

from simclone.engine.context import Context, Outcome, invalid_argument, not_found
from simclone.errors import UnknownName
from simclone.model.cloud import Cloud
from simclone.model.ledger.ledger import Ledger
from simclone.model.settings import DEFINITIONS, RESOURCE_TYPES, canonical
from simclone.model.vms import NONE

HOST_KEYS = ("host.cpu.overProvisioning.ratio", "kvm.reservedMemory", "mevoco.overProvisioning.memory")


def update_global_config(ctx: Context, key: str, value: object) -> Outcome:
    """Set a global value; what depends on it is recalculated at once."""
    try:
        full = canonical(key)
        parsed = DEFINITIONS[full].parse(value)
    except KeyError as unknown:
        return Outcome(NONE, invalid_argument(f"unknown setting {unknown.args[0]!r}"))
    except ValueError as error:
        return Outcome(NONE, invalid_argument(f"{key} must be {error}"))
    ctx.ledger.set_setting(full, parsed)
    apply(ctx.ledger, full)
    return Outcome(NONE)


def update_resource_config(ctx: Context, kind: str, name: str, key: str, value: object) -> Outcome:
    """Set an override nearer to the object."""
    kinds = {item.lower(): item for item in RESOURCE_TYPES}
    kind = kinds.get(kind.removesuffix("VO").lower(), kind)
    if kind not in RESOURCE_TYPES:
        return Outcome(NONE, invalid_argument(f"unknown resource type {kind!r}"))
    try:
        row = ctx.cloud.find(kind, name)
        full = canonical(key)
        parsed = DEFINITIONS[full].parse(value)
    except UnknownName as unknown:
        return Outcome(NONE, not_found(unknown.kind, unknown.name))
    except KeyError as unknown:
        return Outcome(NONE, invalid_argument(f"unknown setting {unknown.args[0]!r}"))
    except ValueError as error:
        return Outcome(NONE, invalid_argument(f"{key} must be {error}"))
    ctx.ledger.set_override(kind, row, full, parsed, name)
    apply(ctx.ledger, full)
    return Outcome(row)


def apply(ledger: Ledger, key: str) -> None:
    """Bring the columns that a setting determines up to date, and recalculate their hosts.

    A storage ratio changes nothing by itself: it applies to what is charged and returned from now on.
    """
    cloud = ledger.cloud
    if key in HOST_KEYS:
        for host in np.flatnonzero(cloud.fleet.array(cloud.fleet.exists)).tolist():
            if refresh_host(ledger, host):
                ledger.hosts.recalculate(host)


def host_figures(cloud: Cloud, host: int) -> dict[str, int]:
    """The columns of a host that settings determine."""
    levels, settings = cloud.host_levels(host), cloud.settings
    kvm = cloud.decode("hypervisor", cloud.fleet.hypervisor[host]) == "KVM"
    ratio = float(settings.get("mevoco.overProvisioning.memory", levels))
    return {
        "total_cpu": cloud.fleet.cpu_num[host] * int(settings.get("host.cpu.overProvisioning.ratio", levels)),
        "reserved_memory": int(settings.get("kvm.reservedMemory", levels)) if kvm else 0,
        "ratio_class": cloud.fleet.ratio_class_of(ratio),
    }


def refresh_host(ledger: Ledger, host: int) -> bool:
    """Write what changed; True when anything did. A new total moves the drift so that the books stay equal."""
    fleet = ledger.cloud.fleet
    figures = {
        name: value for name, value in host_figures(ledger.cloud, host).items() if fleet.cells[name][host] != value
    }
    if not figures:
        return False
    if "total_cpu" in figures:
        figures["available_cpu"] = fleet.available_cpu[host] + figures["total_cpu"] - fleet.total_cpu[host]
    ledger.hosts.set(host, "settings", **figures)
    return True
