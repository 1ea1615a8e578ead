"""The register of kinds of changes: one line a kind, and what installed distributions bring.

A distribution brings a kind by an entry point of the group ``simclone.changes`` that names its class.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.metadata import entry_points

from simclone.changes.add_hosts import AddHosts
from simclone.changes.attach_network import AttachNetwork
from simclone.changes.attach_storage import AttachStorage
from simclone.changes.demand import Demand
from simclone.changes.disable_host import DisableHost
from simclone.changes.disable_storage import DisableStorage
from simclone.changes.drop_host_rule import DropHostRule
from simclone.changes.enable_host import EnableHost
from simclone.changes.enable_storage import EnableStorage
from simclone.changes.fail_host import FailHost
from simclone.changes.fail_storage import FailStorage
from simclone.changes.fill_storage import FillStorage
from simclone.changes.global_config import GlobalConfig
from simclone.changes.kind import ChangeKind
from simclone.changes.maintain_host import MaintainHost
from simclone.changes.maintain_storage import MaintainStorage
from simclone.changes.merge_clusters import MergeClusters
from simclone.changes.move_vm import MoveVm
from simclone.changes.quota import Quota
from simclone.changes.remove_hosts import RemoveHosts
from simclone.changes.repair_host import RepairHost
from simclone.changes.repair_storage import RepairStorage
from simclone.changes.replace_hosts import ReplaceHosts
from simclone.changes.resize_host import ResizeHost
from simclone.changes.set_group_policy import SetGroupPolicy
from simclone.changes.set_host_status import SetHostStatus
from simclone.changes.set_values import SetValues
from simclone.changes.split_cluster import SplitCluster
from simclone.errors import Fault, InvalidInput
from simclone.scenario.document.kinds import Kinds

GROUP = "simclone.changes"
"""The group of entry points."""
BUILT_IN: tuple[type[ChangeKind], ...] = (
    AddHosts,
    RemoveHosts,
    ReplaceHosts,
    ResizeHost,
    GlobalConfig,
    Quota,
    Demand,
    MergeClusters,
    SplitCluster,
    MoveVm,
    SetValues,
    FailHost,
    RepairHost,
    DisableHost,
    EnableHost,
    MaintainHost,
    SetHostStatus,
    FailStorage,
    RepairStorage,
    DisableStorage,
    EnableStorage,
    MaintainStorage,
    FillStorage,
    AttachStorage,
    AttachNetwork,
    SetGroupPolicy,
    DropHostRule,
)
_own: dict[str, type[ChangeKind]] = {}


def register(kind: type[ChangeKind]) -> type[ChangeKind]:
    """Add a kind in this process, or take another class for one added before; usable as a decorator.

    Worker processes know it when they import the module that calls this; an entry point is known everywhere. Raises
    InvalidInput for a key, event or price that another kind has.
    """
    make_kinds([*BUILT_IN, *(other for key, other in _own.items() if key != kind.key), kind])
    _own[kind.key] = kind
    known_kinds.cache_clear()
    return kind


def forget(key: str) -> None:
    """Take out a kind that `register` added."""
    del _own[key]
    known_kinds.cache_clear()


@cache
def known_kinds() -> Kinds:
    """Every kind: built in, brought by an entry point, registered in this process; raises InvalidInput."""
    brought = [entry.load() for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name)]
    return make_kinds([*BUILT_IN, *brought, *_own.values()])


def make_kinds(kinds: Iterable[type[ChangeKind]]) -> Kinds:
    """Kinds that go together; raises InvalidInput where two of them have the same key, event or price."""
    listed = tuple(kinds)
    words: dict[tuple[str, str], type[ChangeKind]] = {}
    faults: list[Fault] = []
    for kind in listed:
        own = [("key", kind.key), *(("price", key) for key in kind.prices)]
        if kind.event:
            own.append((f"event of a {kind.target}", kind.event))
        for word in own:
            other = words.setdefault(word, kind)
            if other is not kind or not word[1]:
                faults.append(Fault(kind.__name__, f"{word[0]} {word[1]!r} is that of {other.__name__}", "another one"))
    if faults:
        raise InvalidInput(faults)
    return Kinds(listed)  # type: ignore[arg-type]
