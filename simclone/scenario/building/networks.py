"""Layer-2 and layer-3 networks of a cloud and their addresses."""

from __future__ import annotations

from simclone.chance import place_uuid
from simclone.model.cloud import AddressPool, Cloud
from simclone.model.inventory import IpRange, L2Network, L3Network
from simclone.model.vms import NONE
from simclone.scenario.checking.document import Resolved
from simclone.scenario.document.networks import L3NetworkDoc


def add_networks(cloud: Cloud, resolved: Resolved) -> None:
    """All networks; addresses in `usedIps` are taken by nobody."""
    names, attached = resolved.names, resolved.attached
    for row, doc in enumerate(names.docs("l2Network")):
        cloud.l2s.append(L2Network(names.kinds["l2Network"].uuids[row], doc.name, attached.l2_zone[row]))
        cloud.l2_clusters.append(set(attached.l2_clusters[row]))
    for row, doc in enumerate(names.docs("l3Network")):
        l2 = attached.l3_l2[row]
        cloud.l3s.append(
            L3Network(
                uuid=names.kinds["l3Network"].uuids[row],
                name=doc.name,
                l2=l2,
                zone=attached.l2_zone[l2],
                dhcp=doc.dhcp,
                strategy=doc.ip_allocator_strategy,
                state=doc.state,
                system=doc.system,
            )
        )
        cloud.pools.append(_pool(doc, resolved, row))


def _pool(doc: L3NetworkDoc, resolved: Resolved, row: int) -> AddressPool:
    pool = AddressPool([])
    for position, (item, (first, last)) in enumerate(zip(doc.ip_ranges, resolved.addresses.ranges[row], strict=True)):
        uuid = item.uuid or place_uuid("ipRange", f"{doc.name}/{item.start}", position)
        pool.ranges.append(IpRange(uuid, first, last, item.netmask, item.gateway))
    own = resolved.names.kinds["l3Network"].paths[row]
    used = resolved.addresses.used[row].items()
    pool.used = {address: NONE for address, path in used if path[: len(own)] == own}
    return pool
