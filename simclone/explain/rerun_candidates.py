"""What could be changed in a file against a failure that no host is to blame for, by its reason."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from itertools import count
from typing import Any

from simclone.changes.attach_storage import AttachStorage
from simclone.changes.enable_storage import EnableStorage
from simclone.changes.global_config import GlobalConfig
from simclone.changes.kind import ChangeKind
from simclone.changes.quota import Quota
from simclone.changes.repair_storage import RepairStorage
from simclone.changes.set_values import SetValues
from simclone.explain.candidates import Fix
from simclone.scenario.document.prices import PricesDoc
from simclone.scenario.load import Scenario
from simclone.scenario.writing import data_of
from simclone.units import GIB, format_size, parse_size
from simclone.vocabulary import VM_STATE, Subject, reason_of

WISHES = ("hostUuid", "clusterUuid", "zoneUuid", "primaryStorageUuidForRootVolume")
STORAGE_RATIO = "mevoco.overProvisioning.primaryStorage"
STORAGE_THRESHOLD = "mevoco.threshold.primaryStorage.physicalCapacity"
MOST_UNITS = 1 << 20


@dataclass(frozen=True, slots=True)
class Growing:
    """A change by an amount; *fix* makes that of so many units, at most *most* are worth trying."""

    kind: str
    fix: Callable[[int], Fix]
    most: int = MOST_UNITS


Change = Fix | Growing
Maker = Iterator[Change]


def candidates_for(scenario: Scenario, request: str, reason: str, prices: PricesDoc) -> Maker:
    """Changes worth a run, by the family of *reason*; a wish of the request is always one."""
    make = _Maker(scenario, prices)
    yield from make.wishes(request)
    refused = reason_of(reason)
    subject = refused.subject
    if subject in (Subject.STORAGE, Subject.IMAGE):
        yield from make.storages()
        yield from make.backups()
    if subject is Subject.STORAGE:
        yield from make.storage_settings()
        yield from make.larger_storages()
    if subject is Subject.IMAGE:
        yield from make.larger_backups()
        yield from make.copies()
        yield from make.another_backup()
    if subject is Subject.ADDRESS:
        yield from make.addresses()
    if subject is Subject.QUOTA:
        yield from make.limit(request, refused.key)
    if refused is VM_STATE:
        yield from make.source(request)


class _Maker:
    def __init__(self, scenario: Scenario, prices: PricesDoc) -> None:
        self._scenario, self._prices, self._data = scenario, prices, data_of(scenario)

    def _fix(
        self, kind: str, change: ChangeKind, target: str, text: str | None = None, more: float = 0, amount: int = 0
    ) -> Fix:
        """A fix that makes *change*; *text* where its own words do not say enough."""
        words = change.words() if text is None else text
        return Fix(kind, words, target, self._prices.of(kind) + more, amount, (change.as_data(),))

    def _set(
        self, kind: str, text: str, target: str, values: Mapping[str, object], more: float = 0, amount: int = 0
    ) -> Fix:
        """A fix that writes values at paths of the file."""
        return self._fix(kind, SetValues(dict(values)), target, text, more, amount)

    def _request(self, name: str) -> tuple[int, Mapping[str, Any]] | None:
        rows = (row for row, request in enumerate(self._scenario.requests) if request.name == name)
        row = next(rows, None)
        return None if row is None else (row, self._data["requests"][row])

    def wishes(self, request: str) -> Maker:
        """The request without one of the places it asks for."""
        result = self._request(request)
        if result is None:
            return
        row, body = result
        for key in WISHES:
            if body["cloneVmInstance"].get(key):
                values = {f"requests.{row}.cloneVmInstance.{key}": None}
                yield self._set("dropWish", f"ask without {key}", request, values)

    def storages(self) -> Maker:
        """Primary storages enabled, brought back, attached to clusters they do not serve."""
        clusters = [cluster["name"] for cluster in self._data.get("clusters", ())]
        for storage in self._data.get("primaryStorages", ()):
            name = storage["name"]
            if storage.get("state", "Enabled") != "Enabled":
                yield self._fix("enableStorage", EnableStorage(primary_storage=name), name)
            if storage.get("status", "Connected") != "Connected":
                yield self._fix("reconnectStorage", RepairStorage(primary_storage=name), name)
            for cluster in _not_listed(storage.get("attachedClusters"), clusters):
                yield self._fix("attachStorage", AttachStorage(primary_storage=name, cluster=cluster), cluster)

    def backups(self) -> Maker:
        """Backup storages enabled, brought back, attached to zones they do not serve."""
        zones = [zone["name"] for zone in self._data.get("zones", ())]
        for backup in self._data.get("backupStorages", ()):
            name, path = backup["name"], f"backupStorages.{backup['name']}"
            if backup.get("state", "Enabled") != "Enabled":
                values = {f"{path}.state": "Enabled"}
                yield self._set("enableStorage", f"enable backup storage {name}", name, values)
            if backup.get("status", "Connected") != "Connected":
                values = {f"{path}.status": "Connected"}
                yield self._set("reconnectStorage", f"bring backup storage {name} back", name, values)
            for zone in _not_listed(backup.get("attachedZones"), zones):
                listed = [*backup["attachedZones"], zone]
                yield self._set(
                    "attachStorage", f"attach {name} to zone {zone}", zone, {f"{path}.attachedZones": listed}
                )

    def storage_settings(self) -> Maker:
        """The threshold lifted, and more over-provisioning step by step."""
        values = self._scenario.resolved.settings.values
        for kind, key, steps in (
            ("raiseThreshold", STORAGE_THRESHOLD, (0.95, 1.0)),
            ("raiseRatio", STORAGE_RATIO, (1.1, 1.25, 1.5, 2.0, 3.0, 5.0)),
        ):
            for turn, step in enumerate(steps):
                if step > float(values[key]):
                    change = GlobalConfig({key: step})
                    yield self._fix(kind, change, key, f"{change.words()} (it is {values[key]})", more=turn)

    def larger_storages(self) -> Maker:
        """Primary storages with more space: as a whole, on a host, in an OSD group."""
        for item in self._data.get("primaryStorages", ()):
            base = f"primaryStorages.{item['name']}"
            positions = [(base, item["name"], item)] if item.get("totalCapacity") is not None else []
            for share in item.get("localHosts") or ():
                if share.get("count") is None:
                    where = f"{item['name']} on host {share['host']}"
                    positions.append((f"{base}.localHosts.{share['host']}", where, share))
            for group in item.get("osdGroups", ()):
                positions.append((f"{base}.osdGroups.{group['name']}", f"{item['name']} ({group['name']})", group))
            for path, where, entry in positions:
                yield self._larger(path, where, entry)

    def larger_backups(self) -> Maker:
        """Backup storages with more space."""
        for item in self._data.get("backupStorages", ()):
            if item.get("totalCapacity") is not None:
                yield self._larger(f"backupStorages.{item['name']}", item["name"], item)

    def copies(self) -> Maker:
        """Images kept on one more of the backup storages."""
        backups = [item["name"] for item in self._data.get("backupStorages", ())]
        for image in self._data.get("images", ()):
            retained = image.get("backupStorages", backups)
            for backup in backups:
                if backup not in retained:
                    text = f"keep image {image['name']} on {backup} too"
                    path = f"images.{image['name']}.backupStorages"
                    yield self._set("copyImage", text, image["name"], {path: [*retained, backup]})

    def another_backup(self) -> Maker:
        """An image store more, for every zone and without a limit."""
        present = [dict(entry) for entry in self._data.get("backupStorages", ())]
        taken = {item["name"] for item in present}
        name = next(name for name in map("image-store-{}".format, count(1)) if name not in taken)
        more = {"name": name, "type": "ImageStoreBackupStorage"}
        text = f"add an image store {name}"
        yield self._set("addBackupStorage", text, name, {"backupStorages": [*present, more]})

    def _larger(self, path: str, where: str, entry: Mapping[str, Any]) -> Growing:
        keys = ("totalCapacity", "availableCapacity", "totalPhysicalCapacity", "availablePhysicalCapacity")
        now = {key: parse_size(entry[key]) for key in keys if entry.get(key) is not None}

        def fix(units: int) -> Fix:
            more = units * GIB
            values = {f"{path}.{key}": size + more for key, size in now.items()}
            cost = units * self._prices.storage_gib
            return self._set("growStorage", f"give {where} {format_size(more)} more", where, values, cost, more)

        return Growing("growStorage", fix)

    def addresses(self) -> Maker:
        """Ranges that go on after their last address."""
        for network in self._data.get("l3Networks", ()):
            for row, item in enumerate(network.get("ipRanges", ())):
                yield self._longer(network["name"], row, item, network["ipRanges"])

    def _longer(self, name: str, row: int, one: Mapping[str, Any], ranges: list[Mapping[str, Any]]) -> Growing:
        end = int(IPv4Address(one["end"]))
        whole = IPv4Network((one["end"], one.get("netmask", "255.255.255.0")), strict=False)
        starts = [int(IPv4Address(two["start"])) for two in ranges]
        last = min([int(whole.broadcast_address) - 1, *(start - 1 for start in starts if start > end)])

        def fix(units: int) -> Fix:
            new = str(IPv4Address(end + units))
            values = {f"l3Networks.{name}.ipRanges.{row}.end": new, f"l3Networks.{name}.ipCount": None}
            values[f"l3Networks.{name}.ipRanges.{row}.count"] = None
            return self._set(
                "addIpRange", f"let the range of {name} end at {new} (not {one['end']})", name, values, 0, units
            )

        return Growing("addIpRange", fix, last - end)

    def limit(self, request: str, name: str) -> Maker:
        """The account's limit, higher."""
        result = self._request(request)
        account = None if result is None else result[1].get("account") or self._owner(result[1]["vm"])
        if account in (None, "admin"):
            return
        row = self._scenario.resolved.names.kinds["account"].rows[str(account)]
        doc = self._scenario.resolved.names.docs("account")[row]
        now = doc.quota.get(name, int(self._scenario.resolved.settings.values.get(f"quota.{name}", 0) or 0))
        unit = GIB if now >= GIB else 1

        def fix(units: int) -> Fix:
            value = now + units * unit
            shown = format_size(value) if unit == GIB else str(value)
            change = Quota(account=doc.name, limits={name: value})
            return self._fix("raiseQuota", change, doc.name, f"raise {name} to {shown}", amount=value)

        yield Growing("raiseQuota", fix)

    def _vm(self, name: str) -> Any:
        names = self._scenario.resolved.names
        return names.docs("vm")[names.kinds["vm"].rows[name]]

    def _owner(self, vm: str) -> str | None:
        owner: str | None = self._vm(vm).account
        return owner

    def source(self, request: str) -> Maker:
        """The source VM stopped."""
        result = self._request(request)
        if result is not None:
            doc = self._vm(result[1]["vm"])
            text = f"start and stop VM {doc.name} (it is {doc.state})"
            yield self._set("stopSource", text, doc.name, {f"vms.{doc.name}.state": "Stopped"})


def _not_listed(listed: Sequence[str] | None, names: Sequence[str]) -> list[str]:
    """The names that are not listed; a list that is left out holds them all."""
    return [] if listed is None else [name for name in names if name not in listed]
