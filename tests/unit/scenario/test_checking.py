"""Every wrong input is reported with file, line, column, path and expectation, all of a file at once."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from simclone.changes.load import load, scenario_of
from simclone.errors import InvalidInput

Row = tuple[str, str, list[str]]

UNREADABLE: list[tuple[str, bytes, list[str]]] = [
    ("s.yaml", b"", [": the file is empty"]),
    ("s.yaml", b"# nothing\n", [": the document is empty"]),
    ("s.yaml", b"- a\n", [":1:1: the document is not a mapping (expected keys such as hosts and requests)"]),
    ("s.yaml", b"name: x\nabout: \xff\n", [":2:8: byte 0xff is not UTF-8"]),
    ("s.yaml", b"name: x\n\tabout: y\n", [":2:1: found character '\\t' that cannot start any token"]),
    ("s.yaml", b"name: [1,", [":1:10: expected the node content, but found '<stream end>'"]),
    ("s.yaml", b"name: \x01", [":1:7: special characters are not allowed"]),
    ("s.yaml", b"a: 1\na: 2\nb: {c: 1, c: 2}\n", [":2:1: a: key stands twice", ":3:11: b.c: key stands twice"]),
    (
        "s.yaml",
        b"run: {horizon: .nan, seed: .inf}",
        [":1:7: run.horizon: not a finite number", ":1:22: run.seed: not a finite number"],
    ),
    ("s.yaml", b"1: 2", [":1:1: key 1 is not text"]),
    ("s.yaml", b"a: &x [*x]", [":1:1: a: nested too deeply, or aliases multiply without end"]),
    ("s.yaml", b"[" * 5000, [": nested too deeply"]),
    ("s.yaml", b"a: !!bool x", [": a value cannot be read: 'x'"]),
    ("s.json", b'{"name": "a",\n\t"name": "b"}', [":2:2: name: key stands twice"]),
    ("s.json", b'{"run": {"seed": NaN}}', [":1:10: run.seed: not a finite number"]),
    ("s.json", b'{"name": "a"', [":1:13: Expecting ',' delimiter"]),
    ("s.json", b'{"name": "\\ud800"}', [":1:2: name: text holds half of a surrogate pair"]),
    (
        "s.json",
        b'\xef\xbb\xbf{\r\n\t"rum": 1}',
        [":2:2: rum: unknown key (expected run, the nearest known)"],
    ),
]

SHAPE: list[Row] = [
    (
        "an unknown key beside the fault it causes",
        "hosts:\n  - {name: h1, cpuNum: 32, totalPhysicalMemory: 1G}\n  - name: h2\n    cluster: clustr\n"
        "    cpuNum: many\n    totalPhysicalMemry: 1\n",
        [
            ":3:5: hosts.1.totalPhysicalMemory: is missing",
            ":4:5: hosts.1.cluster: unknown cluster 'clustr' (expected cluster, the nearest known)",
            ":5:5: hosts.1.cpuNum: 'many' (expected a whole number)",
            ":6:5: hosts.1.totalPhysicalMemry: unknown key (expected totalPhysicalMemory, the nearest known)",
        ],
    ),
    (
        "sizes and counts",
        "hosts:\n- name: 'h{n}'\n  count: 0\n  cpuNum: 9223372036854775808\n  totalPhysicalMemory: 0\n"
        "images:\n- {name: i, size: 1.5B}\n- {name: j, size: -1}\n- {name: k, size: 8EiB}\n- {name: l, size: 9000P}\n",
        [
            ":3:3: hosts.0.count: 0 (expected more than 0)",
            ":4:3: hosts.0.cpuNum: 9223372036854775808 (expected at most 9.22337e+18)",
            ":5:3: hosts.0.totalPhysicalMemory: 0 (expected more than 0)",
            ":7:13: images.0.size: '1.5B' is not a whole number of bytes"
            " (expected a size in bytes or with a unit, such as 256GiB)",
            ":8:13: images.1.size: -1: negative size (expected a size in bytes or with a unit, such as 256GiB)",
            ":9:13: images.2.size: '8EiB' is not a size (expected a size in bytes or with a unit, such as 256GiB)",
            ":10:13: images.3.size: '9000P': size beyond 8 EiB"
            " (expected a size in bytes or with a unit, such as 256GiB)",
        ],
    ),
    (
        "the run block",
        "run: {seed: -1, start: yesterday, preset: Foo, profile: opn}\nschemaVersion: 2\n",
        [
            ":1:7: run.seed: -1 (expected at least 0)",
            ":1:17: run.start: 'yesterday': not a date (expected a date and time, such as 2017-11-14T22:20:57Z)",
            ":1:35: run.preset: 'Foo': not a preset; there is ProductionRecommended",
            ":1:48: run.profile: 'opn' (expected 'cloud' or 'open')",
            ":2:1: schemaVersion: 2 (expected 1)",
        ],
    ),
    (
        "requests and expectations",
        "vms: [{name: web, cpuNum: 1, memorySize: 1G, image: i}]\nimages: [{name: i, size: 1G}]\nrequests:\n"
        "- {name: r, vm: wob, cloneVmInstance: {names: [a]}, at: -1}\n- {name: r, vm: web}\n"
        "- {vm: a, cloneVmInstance: {names: [b]}, account: bob}\n"
        "expect:\n  rr: {ok: true}\n  r: {numberOfClonedVm: {ge: x}, distinctHosts: x, bach: SUCCESS}\n"
        "  request-3: {perName: {c: {ok: true}}, perHost: {h: 1}}\n",
        [
            ":4:13: requests.0.vm: unknown vm 'wob' (expected web, the nearest known)",
            ":4:53: requests.0.at: -1 (expected at least 0)",
            ":5:3: requests.1.cloneVmInstance: is missing",
            ":5:4: requests.1.name: 'r' is taken by requests.0",
            ":6:42: requests.2.account: unknown account 'bob'",
            ":8:3: expect.rr: unknown request 'rr' (expected r, the nearest known)",
            ":9:26: expect.r.numberOfClonedVm.ge: 'x' (expected a whole number)",
            ":9:34: expect.r.distinctHosts: 'x' (expected a whole number or a mapping)",
            ":9:52: expect.r.bach: unknown key (expected batch, the nearest known)",
            ":10:25: expect.request-3.perName.c: the request makes no 'c' (expected b)",
            ":10:51: expect.request-3.perHost.h: unknown host 'h'",
        ],
    ),
    (
        "members of a union",
        "instanceOfferings:\n- {name: o, cpuNum: 1, memorySize: 1G, primaryStorageConstraint: {kind: foo}}\n"
        "- {name: p, cpuNum: 1, memorySize: 1G, primaryStorageConstraint: {kind: uuid, primaryStorag: x}}\n",
        [
            ":2:40: instanceOfferings.0.primaryStorageConstraint: a mapping (expected kind 'uuid', 'tag')",
            ":3:40: instanceOfferings.1.primaryStorageConstraint.primaryStorage: is missing",
            ":3:79: instanceOfferings.1.primaryStorageConstraint.primaryStorag: unknown key"
            " (expected primaryStorage, the nearest known)",
        ],
    ),
]

SENSE: list[Row] = [
    (
        "names taken twice and zones that differ",
        "zones: [{name: z1}, {name: z2}, {name: z1}]\nclusters:\n- {name: c1, zone: z1}\n- {name: c2}\n"
        "primaryStorages:\n- {name: n, type: NFS, totalCapacity: 1T, zone: z2, attachedClusters: [c1]}\n",
        [
            ":1:34: zones.2.name: 'z1' is taken by zones.0.name",
            ":4:3: clusters.1.zone: is missing (expected one of 3 zones)",
            ":6:53: primaryStorages.0.attachedClusters: cluster c1 is in zone z1, not in z2",
        ],
    ),
    (
        "figures that differ from what the settings yield",
        "hosts:\n- {name: 'h{n:02}', count: 2, cpuNum: 4, totalPhysicalMemory: 8G, totalCpu: 39, reservedMemory: 1}\n"
        "- {name: x, count: 2, cpuNum: 4, totalPhysicalMemory: 8G}\n"
        "- {name: y, cpuNum: 4, totalPhysicalMemory: 8G, availableCpu: 41}\n"
        "- {name: q, cpuNum: 4, totalPhysicalMemory: 8G, hypervisorType: Simulator}\n"
        "primaryStorages:\n- name: l\n  type: LocalStorage\n"
        "  localHosts: [{host: 'h{n:02}', count: 2, totalCapacity: 1T}]\n"
        "  totalCapacity: 1T\n- {name: n, type: NFS}\n"
        "- {name: s, type: NFS, totalCapacity: 1T, localHosts: [{host: h09, totalCapacity: 1T}]}\n",
        [
            ":2:67: hosts.0.totalCpu: 39 differs from 40, cpuNum times host.cpu.overProvisioning.ratio (expected 40)",
            ":2:81: hosts.0.reservedMemory: 1 differs from 1073741824, what the settings reserve (expected 1073741824)",
            ":3:4: hosts.1.name: 'x' would name 2 entries (expected a place for the number: {n} or {n:03})",
            ":4:49: hosts.2.availableCpu: 41 is more than the total 40 (expected at most 40)",
            ":5:49: hosts.3.hypervisorType: is Simulator, but cluster cluster is of KVM (expected KVM)",
            ":10:3: primaryStorages.0.totalCapacity: 1099511627776 differs from 2199023255552, the sum of localHosts"
            " (expected 2199023255552)",
            ":11:3: primaryStorages.1.totalCapacity: is missing"
            " (expected a size in bytes or with a unit, such as 10TiB)",
            ":12:43: primaryStorages.2.localHosts: only a storage of type LocalStorage has them, this is NFS",
            ":12:57: primaryStorages.2.localHosts.0.host: unknown host 'h09' (expected h02, the nearest known)",
        ],
    ),
    (
        "addresses",
        "l3Networks:\n- name: n\n  ipRanges:\n  - {start: 10.0.0.1, end: 10.0.0.9, count: 8}\n"
        "  - {start: 10.0.0.9, end: 10.0.0.12}\n  - {start: 10.0.1.9, end: 10.0.1.2}\n  - {start: x, end: '::1'}\n"
        "  usedIps: [10.0.0.1, 10.0.0.1, 10.9.9.9]\n- {name: m, ipCount: 1}\n",
        [
            ":4:38: l3Networks.0.ipRanges.0.count: 8 differs from 9, the addresses of the range (expected 9)",
            ":5:6: l3Networks.0.ipRanges.1.start: range 10.0.0.9 - 10.0.0.12 overlaps 10.0.0.1 - 10.0.0.9",
            ":6:23: l3Networks.0.ipRanges.2.end: range is reversed: 10.0.1.2 comes before 10.0.1.9",
            ":7:6: l3Networks.0.ipRanges.3.start: 'x' is not an address (expected an IPv4 address)",
            ":7:16: l3Networks.0.ipRanges.3.end: '::1' is not an address (expected an IPv4 address)",
            ":8:23: l3Networks.0.usedIps.1: 10.0.0.1 is taken already",
            ":8:33: l3Networks.0.usedIps.2: 10.9.9.9 is in no range of its network",
            ":9:13: l3Networks.1.ipCount: 1 differs from 0, the addresses of ipRanges (expected 0)",
        ],
    ),
    (
        "settings, limits and groups",
        "hosts: [{name: h, cpuNum: 1, totalPhysicalMemory: 1G}]\n"
        "globalConfig: {kvm.reservedMemry: 1, vm.numa: perhaps}\nfidelity: {doubleRetrn: true}\nresourceConfig:\n"
        "- {resourceType: host, resource: h9, key: vm.numa, value: true}\n"
        "- {resourceType: host, resource: h, key: kvm.reservedMemory, value: -1}\n"
        "accounts: [{name: admin, quota: {vm.nm: 1}}]\n"
        "affinityGroups:\n- {name: g, policy: spreadHard, over: rak, hostRule: {policy: antiHard, hostGroup: hg}}\n",
        [
            ":2:16: globalConfig.kvm.reservedMemry: unknown setting 'kvm.reservedMemry'"
            " (expected kvm.reservedMemory, the nearest known)",
            ":2:38: globalConfig.vm.numa: 'perhaps' is not a value of vm.numa (expected true or false)",
            ":3:12: fidelity.doubleRetrn: unknown behaviour 'doubleRetrn' (expected doubleReturn, the nearest known)",
            ":5:24: resourceConfig.0.resource: unknown host 'h9' (expected h, the nearest known)",
            ":6:62: resourceConfig.1.value: -1 is not a value of kvm.reservedMemory"
            " (expected a size in bytes or with a unit (negative size))",
            ":7:13: accounts.0.name: admin is the administrator, who is always there and has no limits",
            ":7:34: accounts.0.quota.vm.nm: unknown limit 'vm.nm' (expected vm.num, the nearest known)",
            ":9:33: affinityGroups.0.over: no host has a label 'rak' (expected one of cluster, host, zone)",
            ":9:73: affinityGroups.0.hostRule.hostGroup: unknown hostGroup 'hg'",
        ],
    ),
    (
        "VMs that cannot stand where they are said to",
        "clusters: [{name: a}, {name: b}]\nhosts: [{name: h, cluster: a, cpuNum: 4, totalPhysicalMemory: 8G}]\n"
        "primaryStorages: [{name: n, type: NFS, totalCapacity: 1T, attachedClusters: [b]}]\n"
        "images: [{name: i, size: 1G}, {name: iso, mediaType: ISO, size: 0}]\n"
        "l2Networks: [{name: l2, attachedClusters: [b]}]\n"
        "l3Networks: [{name: l3, ipRanges: [{start: 10.0.0.1, end: 10.0.0.9}], usedIps: [10.0.0.1]}]\nvms:\n"
        "- {name: v, cpuNum: 1, memorySize: 1G, image: i, host: h, primaryStorage: n, l3Networks: [l3],"
        " ips: {l3: 10.0.0.1}}\n- {name: w, image: iso, state: Stopped, host: h}\n",
        [
            ":8:50: vms.0.host: h does not see primary storage n",
            ":8:50: vms.0.host: h does not see L3 network l3",
            ":8:102: vms.0.ips.l3: 10.0.0.1 is taken already",
            ":9:3: vms.1.cpuNum: is missing (expected instanceOffering, or cpuNum and memorySize)",
            ":9:3: vms.1.rootDiskOffering: is missing: an ISO gives no root disk size",
            ":9:41: vms.1.host: a VM in state Stopped is on no host (expected lastHost)",
        ],
    ),
]


def _faults(path: Path) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(path)
    return [str(fault).removeprefix(str(path)) for fault in caught.value.faults]


@pytest.mark.parametrize(("name", "raw", "expected"), UNREADABLE)
def test_text_that_cannot_be_read(tmp_path: Path, name: str, raw: bytes, expected: list[str]) -> None:
    """The place of what is no YAML, no JSON or no plain data is named."""
    path = tmp_path / name
    path.write_bytes(raw)
    assert _faults(path) == expected


@pytest.mark.parametrize(
    ("text", "expected"), [one[1:] for one in SHAPE + SENSE], ids=[one[0] for one in SHAPE + SENSE]
)
def test_all_faults_of_a_file_at_once(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Faults of shape and of sense come together, in file order, with LF and with CRLF."""
    for end in ("\n", "\r\n"):
        path = tmp_path / "s.yaml"
        path.write_bytes(text.replace("\n", end).encode())
        assert _faults(path) == expected


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a fault of the input, not a stack trace."""
    assert _faults(tmp_path / "none.yaml") == [": No such file or directory"]


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads YAML from stdin."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"nam: x")))
    with pytest.raises(InvalidInput) as caught:
        load("-")
    assert str(caught.value) == "<stdin>:1:1: nam: unknown key (expected name, the nearest known)"


def test_data_without_a_file() -> None:
    """Plain data is checked the same way, without lines."""
    with pytest.raises(InvalidInput) as caught:
        scenario_of({"hosts": [{"name": "h"}]})
    assert [str(fault) for fault in caught.value.faults] == [
        "<data>: hosts.0.cpuNum: is missing",
        "<data>: hosts.0.totalPhysicalMemory: is missing",
    ]
