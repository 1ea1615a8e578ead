"""What changes cost beside each other."""

from __future__ import annotations

from operator import attrgetter

from pydantic import Field

from simclone.scenario.document.base import Doc, Name, camel
from simclone.scenario.document.distributions import NotNegative


class PricesDoc(Doc):
    """Effort or money of each kind of change; what grows counts on top by vCPU and GiB.

    *hosts* are the prices of one more host like the named one, where they differ from *addHost*.
    """

    enable_host: NotNegative = 1.0
    reconnect_host: NotNegative = 2.0
    enable_storage: NotNegative = 1.0
    reconnect_storage: NotNegative = 2.0
    stop_source: NotNegative = 2.0
    raise_quota: NotNegative = 3.0
    add_ip_range: NotNegative = 3.0
    copy_image: NotNegative = 3.0
    drop_wish: NotNegative = 4.0
    soften_rule: NotNegative = 4.0
    drop_host_rule: NotNegative = 4.0
    attach_network: NotNegative = 5.0
    attach_storage: NotNegative = 5.0
    lower_reserve: NotNegative = 6.0
    raise_threshold: NotNegative = 6.0
    raise_ratio: NotNegative = 7.0
    move_vm: NotNegative = 8.0
    grow_storage: NotNegative = 15.0
    add_backup_storage: NotNegative = 20.0
    grow_host: NotNegative = 20.0
    add_host: NotNegative = 100.0
    vcpu: NotNegative = 1.0
    memory_gib: NotNegative = 1.0
    storage_gib: NotNegative = 0.05
    hosts: dict[Name, NotNegative] = Field(default_factory=dict)

    def of(self, kind: str) -> float:
        """The cost of a kind of change (as files spell it), or of a unit."""
        result: float = PRICES[kind](self)
        return result

    def host(self, like: str) -> float:
        """The price of one more host like *like*."""
        return self.hosts.get(like, self.add_host)


PRICES = {camel(name): attrgetter(name) for name in PricesDoc.model_fields if name != "hosts"}
KINDS = tuple(PRICES)[:-3]
"""The kinds of changes that have a price of their own."""
