"""The same seed gives the same bytes everywhere; draws depend on who asks and on nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from simclone.chance import Chance, Identity
from tests.clouds import Doc, apply, clouds, examples, opened, operations

SCRIPT = """
import json, msgspec, sys
from simclone.api import run
from simclone.changes.load import scenario_of
done = run(scenario_of(json.load(open(sys.argv[1]))), seed=int(sys.argv[2]))
plain = lambda rows: [msgspec.to_builtins(row) for row in rows]
parts = {"responses": done.responses, "answers": plain(done.answers),
         "decisions": plain(done.result.decisions), "events": plain(done.result.events)}
sys.stdout.write(json.dumps(parts, default=sorted))
"""


def _range(head: str, last: int) -> Doc:
    return {"start": f"{head}.10", "end": f"{head}.{last}"}


def _host(number: int) -> Doc:
    return {
        "name": f"h{number}",
        "cluster": f"c{number % 2}",
        "cpuNum": 8,
        "totalPhysicalMemory": "64GiB",
    }


def tied_cloud() -> Doc:
    """Equal hosts and storages, groups, networks with room: almost every choice is a tie."""
    hosts = [
        {
            "name": f"h{n}",
            "cluster": f"c{n % 2}",
            "cpuNum": 8,
            "totalPhysicalMemory": "64GiB",
            "labels": {"rack": f"r{n % 3}"},
        }
        for n in range(9)
    ]
    vm = {"instanceOffering": "o", "image": "i", "l3Networks": ["l3", "l4"], "rootActualSize": "1GiB"}
    calls: list[dict[str, Any]] = [
        {"vm": "v0", "cloneVmInstance": {"names": [f"a{n}" for n in range(6)]}},
        {"vm": "v1", "cloneVmInstance": {"names": ["b0", "b1"], "full": True}, "account": "user"},
        {"vm": "v0", "cloneVmInstance": {"names": ["c0", "c1"], "systemTags": ["affinityGroupUuid::soft"]}},
        {"vm": "v0", "cloneVmInstance": {"names": ["d0", "d1", "d2"], "systemTags": ["affinityGroupUuid::rack"]}},
        {"vm": "v1", "cloneVmInstance": {"names": ["e0"], "strategy": "CreateStopped"}},
        {"vm": "v1", "cloneVmInstance": {"names": [f"f{n}" for n in range(30)]}, "account": "user"},
    ]
    return {
        "clusters": [{"name": "c0"}, {"name": "c1"}],
        "hosts": hosts,
        "primaryStorages": [{"name": f"p{n}", "type": "NFS", "totalCapacity": "2TiB"} for n in range(3)],
        "backupStorages": [{"name": "b0"}, {"name": "b1"}],
        "images": [{"name": "i", "size": "10GiB", "actualSize": "1GiB"}],
        "l3Networks": [
            {
                "name": "l3",
                "ipRanges": [{"start": "10.0.0.10", "end": "10.0.0.30"}, {"start": "10.0.1.10", "end": "10.0.1.80"}],
            },
            {"name": "l4", "ipRanges": [{"start": "10.0.2.10", "end": "10.0.2.200"}]},
        ],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "1GiB"}],
        "diskOfferings": [{"name": "d", "diskSize": "5GiB"}],
        "accounts": [{"name": "user"}],
        "affinityGroups": [
            {"name": "soft", "policy": "antiSoft"},
            {"name": "rack", "policy": "spreadHard", "over": "rack"},
        ],
        "l2Networks": [{"name": "l2"}],
        "vms": [{"name": "v0", **vm}, {"name": "v1", **vm, "dataDiskOfferings": ["d"]}],
        "requests": [{"at": float(turn), **call} for turn, call in enumerate(calls)],
    }


def _run(path: Path, seed: int, hash_seed: str) -> bytes:
    env = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path), str(seed)], capture_output=True, check=True, env=env, timeout=60
    )
    return done.stdout


def test_same_seed_same_bytes_and_another_seed_other_places(tmp_path: Path) -> None:
    """Answers, decisions and events are equal bytes whatever PYTHONHASHSEED; another seed breaks ties otherwise."""
    path = tmp_path / "cloud.json"
    path.write_text(json.dumps(tied_cloud()))
    first = _run(path, 1, "0")
    assert _run(path, 1, "1") == first
    assert _run(path, 1, "12345") == first
    other = json.loads(_run(path, 2, "0"))
    parts = json.loads(first)
    placed = [decision["decision"].get("host") for decision in parts["decisions"]]
    assert len(set(placed)) > 3, "the cloud has ties to break"
    assert [decision["decision"].get("host") for decision in other["decisions"]] != placed
    assert other["responses"] != parts["responses"]


def _hosts_of(doc: Doc) -> dict[str, list[str | None]]:
    """Where the clones of each request went."""
    from simclone.api import run
    from simclone.changes.load import scenario_of

    done = run(scenario_of(doc), seed=5)
    names = done.result.ledger.cloud.fleet.names
    return {
        answer.request.name: [None if one.snapshot.host < 0 else names[one.snapshot.host] for one in answer.clones]
        for answer in done.answers
    }


def _apart() -> Doc:
    """Two clusters with a network and a storage each, and one request to each of them."""
    vm = {"instanceOffering": "o", "image": "i"}
    doc: Doc = {
        "clusters": [{"name": "c0"}, {"name": "c1"}],
        "hosts": [_host(n) for n in range(8)],
        "primaryStorages": [
            {"name": f"p{n}", "type": "NFS", "totalCapacity": "2TiB", "attachedClusters": [f"c{n}"]} for n in range(2)
        ],
        "backupStorages": [{"name": "b"}],
        "images": [{"name": "i", "size": "10GiB"}],
        "l2Networks": [{"name": f"l2-{n}", "attachedClusters": [f"c{n}"]} for n in range(2)],
        "l3Networks": [{"name": f"l3-{n}", "l2Network": f"l2-{n}", "dhcp": False} for n in range(2)],
        "instanceOfferings": [{"name": "o", "cpuNum": 1, "memorySize": "1GiB"}],
        "vms": [{**vm, "name": f"v{n}", "l3Networks": [f"l3-{n}"], "host": f"h{n}"} for n in range(2)],
    }
    for number, one in enumerate(doc["vms"]):
        one["primaryStorage"] = f"p{number}"
    names = [[f"{n}{k}" for k in range(6)] for n in range(2)]
    doc["requests"] = [{"name": f"r{n}", "vm": f"v{n}", "cloneVmInstance": {"names": names[n]}} for n in range(2)]
    return doc


def test_a_host_of_another_cluster_moves_no_decision() -> None:
    """Adding a host to cluster c1 leaves every placement in c0 where it was."""
    doc = _apart()
    before = _hosts_of(doc)
    doc["hosts"] = [*doc["hosts"], _host(9)]
    after = _hosts_of(doc)
    assert after["r0"] == before["r0"]
    assert len(set(before["r0"])) == 3 + 1


def test_an_unrelated_request_moves_no_decision() -> None:
    """Changing how many clones r0 asks for leaves the placements of r1 alone, as they share no draw."""
    doc = _apart()
    before = _hosts_of(doc)
    doc["requests"][0]["cloneVmInstance"]["names"] = ["only"]
    after = _hosts_of(doc)
    assert after["r1"] == before["r1"]
    assert after["r0"] == before["r0"][:1]


@given(st.integers(0, 1 << 64), st.text(max_size=8), st.integers(0, 1 << 40), st.integers(2, 50), st.integers(0, 49))
def test_a_draw_is_a_function_of_identity_and_place_alone(
    seed: int, source: str, ordinal: int, size: int, other: int
) -> None:
    """Orders asked in between, by others or for other purposes, change no order; nor does how far one was walked."""
    chance, me = Chance(seed), Identity(source, ordinal)
    alone = list(chance.order(me, "host").places(size))
    order = chance.order(me, "host").places(size)
    mixed = []
    for turn in range(size):
        list(chance.order(Identity(source, ordinal + 1 + turn), "host").places(other))
        chance.key(me, "ip")
        mixed.append(next(order))
    assert mixed == alone


@given(clouds(), operations())
@settings(max_examples=examples(25))
def test_a_stream_done_twice_in_one_process_gives_equal_records(doc: Doc, ops: list[Any]) -> None:
    """Nothing is remembered between clouds: answers, decisions and events of a second go are equal."""
    ends = []
    for _ in range(2):
        ctx = opened(doc)
        answers = [apply(ctx, op, serial) for serial, op in enumerate(ops)]
        ends.append((answers, ctx.decisions, ctx.ledger.events))
    assert ends[0] == ends[1]
