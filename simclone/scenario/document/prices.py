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
    """The price of enabling a host."""
    reconnect_host: NotNegative = 2.0
    """The price of reconnecting a host."""
    enable_storage: NotNegative = 1.0
    """The price of enabling a primary storage."""
    reconnect_storage: NotNegative = 2.0
    """The price of reconnecting a primary storage."""
    stop_source: NotNegative = 2.0
    """The price of stopping the source VM."""
    raise_quota: NotNegative = 3.0
    """The price of raising a limit."""
    add_ip_range: NotNegative = 3.0
    """The price of an address range."""
    copy_image: NotNegative = 3.0
    """The price of copying an image to another backup storage."""
    drop_wish: NotNegative = 4.0
    """The price of leaving out a wish of the request."""
    soften_rule: NotNegative = 4.0
    """The price of making a hard affinity rule soft."""
    drop_host_rule: NotNegative = 4.0
    """The price of dropping a VM-host rule."""
    attach_network: NotNegative = 5.0
    """The price of attaching a network to a cluster."""
    attach_storage: NotNegative = 5.0
    """The price of attaching a storage to a cluster."""
    lower_reserve: NotNegative = 6.0
    """The price of a smaller reserve."""
    raise_threshold: NotNegative = 6.0
    """The price of a higher physical threshold."""
    raise_ratio: NotNegative = 7.0
    """The price of a higher over-provisioning ratio."""
    move_vm: NotNegative = 8.0
    """The price of moving a VM."""
    grow_storage: NotNegative = 15.0
    """The price of making a storage larger."""
    add_backup_storage: NotNegative = 20.0
    """The price of a backup storage."""
    grow_host: NotNegative = 20.0
    """The price of making a host larger."""
    add_host: NotNegative = 100.0
    """The price of one more host."""
    vcpu: NotNegative = 1.0
    """On top, for each vCPU that is added."""
    memory_gib: NotNegative = 1.0
    """On top, for each GiB of memory that is added."""
    storage_gib: NotNegative = 0.05
    """On top, for each GiB of storage that is added."""
    hosts: dict[Name, NotNegative] = Field(default_factory=dict)
    """Prices of one more host like the named one."""

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
