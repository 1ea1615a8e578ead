"""Requests as the API page writes them, and answers in its shape."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import simclone
from simclone.records import CloneRequest, ErrorCode
from simclone.sdk import CloneVmInstanceAction
from simclone.units import wire_date
from simclone.wire.errors import LIMIT, render_error
from simclone.wire.request import FIELDS, parse, parse_curl
from simclone.wire.response import dump, java_double
from simclone.wire.schema import answer_schema

REPO = Path(__file__).resolve().parents[2]
QUICKSTART = REPO / "scenarios" / "quickstart.yaml"
PAGE = REPO.parent / "shared" / "facts" / "clone-vm-instance-api.txt"
VM = "c4d628c203433f64b062ad07c8edf10d"
ACTION = "cloneVmInstance"
SAMPLE = {
    ACTION: {"strategy": "InstantStart", "names": ["vm1", "vm2"], "full": False},
    "systemTags": [],
    "userTags": [],
}
"""The body of the API page."""

WIDE: dict[str, Any] = {
    "name": "wide",
    "globalConfig": {"kvm.reservedMemory": 0},
    "clusters": [{"name": "c1"}, {"name": "c2"}],
    "hosts": [
        {"name": "n1", "cluster": "c1", "cpuNum": 8, "totalPhysicalMemory": "64GiB"},
        {"name": "n2", "cluster": "c1", "cpuNum": 8, "totalPhysicalMemory": "64GiB"},
        {"name": "k1", "cluster": "c2", "cpuNum": 8, "totalPhysicalMemory": "64GiB"},
    ],
    "primaryStorages": [
        {"name": "nfs", "type": "NFS", "attachedClusters": ["c1"], "totalCapacity": "4TiB"},
        {"name": "ceph", "type": "Ceph", "attachedClusters": ["c2"], "totalCapacity": "4TiB"},
    ],
    "backupStorages": [{"name": "store", "type": "ImageStoreBackupStorage"}],
    "images": [{"name": "linux", "size": "20GiB", "actualSize": "2GiB", "backupStorages": ["store"]}],
    "l2Networks": [{"name": "l2", "attachedClusters": ["c1", "c2"]}],
    "l3Networks": [
        {
            "name": "lan",
            "l2Network": "l2",
            "ipRanges": [{"start": "10.0.0.2", "end": "10.0.0.99", "netmask": "255.255.255.0", "gateway": "10.0.0.1"}],
        },
        {"name": "bare", "l2Network": "l2", "dhcp": False, "ipRanges": [{"start": "10.1.0.2", "end": "10.1.0.9"}]},
    ],
    "instanceOfferings": [{"name": "o", "cpuNum": 2, "memorySize": "4GiB"}],
    "diskOfferings": [{"name": "d", "diskSize": "5GiB"}],
    "accounts": [{"name": "team", "quota": {"vm.num": 4}}],
    "affinityGroups": [{"name": "apart", "policy": "antiHard"}],
    "vms": [
        {
            "name": "disks",
            "instanceOffering": "o",
            "image": "linux",
            "l3Networks": ["lan", "bare"],
            "dataDiskOfferings": ["d", "d"],
            "host": "n1",
            "account": "team",
        },
        {"name": "block", "instanceOffering": "o", "image": "linux", "l3Networks": ["lan"], "host": "k1"},
    ],
    "requests": [
        {"name": "full", "vm": "disks", ACTION: {"names": ["f1", "f2"], "full": True}},
        {"name": "cold", "vm": "disks", "at": 5, ACTION: {"names": ["s1"], "strategy": "CreateStopped"}},
        {"name": "just", "vm": "disks", "at": 6, ACTION: {"names": ["j1"], "strategy": "JustCreate"}},
        {"name": "ceph", "vm": "block", "at": 7, ACTION: {"names": ["b1"], "clusterUuid": "c2", "description": "b"}},
        {
            "name": "group",
            "vm": "disks",
            "at": 8,
            ACTION: {"names": ["g1", "g2", "g3", "g4"]},
            "systemTags": ["affinityGroupUuid::apart"],
        },
        {"name": "quota", "vm": "disks", "at": 9, "account": "team", ACTION: {"names": [*"qrstu"]}},
        {"name": "bad", "vm": "disks", "at": 86_400, ACTION: {"names": "q1"}},
    ],
}
"""Full, stopped and merely recorded clones, two kinds of storage, a network without addresses, and four failures."""


def local_scenario() -> dict[str, Any]:
    """A cloud with local disks, started at another time."""
    data = copy.deepcopy(WIDE)
    data["name"] = "local"
    shares = [{"host": name, "totalCapacity": "1TiB"} for name in ("n1", "n2")]
    data["primaryStorages"][0] = {
        "name": "disk",
        "type": "LocalStorage",
        "attachedClusters": ["c1"],
        "localHosts": shares,
    }
    data["run"] = {"start": "2024-02-29T23:59:58", "seed": 3}
    return data


SCENARIOS: dict[str, Any] = {"quickstart": QUICKSTART, "wide": WIDE, "local": local_scenario()}


def nodes(value: Any) -> Iterator[Any]:
    """A document's parts, itself first."""
    yield value
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for child in children:
        yield from nodes(child)


# --- requests --------------------------------------------------------------------------------------------------------


def test_the_body_of_the_page() -> None:
    """The page's sample body is a request for two names."""
    assert parse(SAMPLE, VM) == CloneRequest(name="", vm=VM, names=("vm1", "vm2"))


CURL = (
    'curl -H "Content-Type: application/json;charset=UTF-8" \\\n'
    '-H "Authorization: OAuth b86c9016b4f24953a9edefb53ca0678c" \\\n'
    '-X PUT -d \'{"cloneVmInstance":{"strategy":"InstantStart","names":["vm1","vm2"],"full":false}}\' \\\n'
    f"http://localhost:8080/zstack/v1/vm-instances/{VM}/actions"
)


def test_the_curl_line_of_the_page() -> None:
    """The page's curl command is the same request."""
    assert parse_curl(CURL) == parse(SAMPLE, VM)


@pytest.mark.shared
@pytest.mark.skipif(not PAGE.exists(), reason="the API page is not beside the clone")
def test_the_page_itself() -> None:
    """Body and curl line, read from the page, are that request."""
    text = PAGE.read_text("utf-8")
    body, _ = json.JSONDecoder().raw_decode(text, text.index("{\n"))
    assert body == SAMPLE
    line = re.search(r"^curl .*?/actions", text, re.MULTILINE | re.DOTALL)
    assert line is not None
    assert parse_curl(line[0]) == parse(body, VM)


def test_every_field_arrives() -> None:
    """Each key of the body sets its field; null stands for a key that is left out."""
    action = {key: {"a string": "x", "true or false": True}.get(kind, ["a::b"]) for key, (_, kind) in FIELDS.items()}
    found = parse({ACTION: action}, VM)
    assert isinstance(found, CloneRequest)
    wanted = {"a string": "x", "true or false": True}
    for name, kind in FIELDS.values():
        assert getattr(found, name) == wanted.get(kind, ("a::b",))
    nothing = parse({ACTION: {**dict.fromkeys(FIELDS), "names": ["a"]}, "systemTags": None}, VM)
    assert nothing == CloneRequest(name="", vm=VM, names=("a",))


def test_tags_beside_the_action_win() -> None:
    """Tags may sit inside the action object; those beside it win when both are there."""
    inside = parse({ACTION: {"names": ["a"], "systemTags": ["a::in"], "userTags": ["in"]}}, VM)
    both = parse({ACTION: {"names": ["a"], "systemTags": ["a::in"], "userTags": ["in"]}, "systemTags": ["a::out"]}, VM)
    assert isinstance(inside, CloneRequest)
    assert isinstance(both, CloneRequest)
    assert (inside.system_tags, inside.user_tags) == (("a::in",), ("in",))
    assert (both.system_tags, both.user_tags) == (("a::out",), ("in",))


def test_a_base_is_kept() -> None:
    """Name, account, time and identity come from the base, the VM from the URL."""
    base = CloneRequest("ask", "other", (), account="team", at_us=5, source="trace", ordinal=7)
    found = parse(SAMPLE, VM, base=base)
    assert isinstance(found, CloneRequest)
    assert (found.name, found.vm, found.account, found.at_us) == ("ask", VM, "team", 5)
    assert (found.source, found.ordinal, found.names) == ("trace", 7, ("vm1", "vm2"))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (CURL.replace("-d ", "-x "), "needs -d"),
        (CURL.replace("vm-instances", "volumes"), "needs -d"),
        (CURL.replace('"full":false', '"full":'), "not JSON"),
        (CURL + " 'open", "cannot be split"),
        (CURL.replace("cloneVmInstance", "clonevminstance"), "did you mean cloneVmInstance?"),
        ("", "needs -d"),
    ],
)
def test_a_bad_curl_line(line: str, said: str) -> None:
    """A command that is no clone call is SYS.1007, with the reason."""
    found = parse_curl(line)
    assert isinstance(found, ErrorCode)
    assert found.code == "SYS.1007"
    assert said in (found.details or "")


def body(**action: Any) -> dict[str, Any]:
    """A body with one name and what is given; None takes a key away."""
    fields = {"names": ["a"], **action}
    return {ACTION: {key: value for key, value in fields.items() if value is not None}}


def tagged(*tags: Any) -> dict[str, Any]:
    """A body with system tags."""
    return {**body(), "systemTags": list(tags)}


BAD: dict[str, tuple[Any, str]] = {
    "no object": ([], "JSON object"),
    "nothing": ({}, "no action mapping to the URL"),
    "tags only": ({"systemTags": []}, "no action mapping to the URL"),
    "unknown action": ({"startVmInstance": {}}, "no action mapping to the URL"),
    "two actions": ({**body(), "stopVmInstance": {}}, "exactly one action"),
    "unknown key beside the action": ({**body(), "names": ["b"]}, "exactly one action"),
    "lower-case action": ({ACTION.lower(): {"names": ["a"]}}, "did you mean cloneVmInstance?"),
    "action is a list": ({ACTION: []}, "must be a JSON object"),
    "action is null": ({ACTION: None}, "must be a JSON object"),
    "unknown key": (body(fulll=True), "did you mean full?"),
    "key in wrong case": (body(Names=["b"]), "unknown key 'Names'"),
    "names missing": (body(names=None), "names is missing"),
    "names null": ({ACTION: {"names": None}}, "names is missing"),
    "names is a string": (body(names="a"), "names must be a list of strings"),
    "names is a number": (body(names=2), "names must be a list of strings"),
    "names of numbers": (body(names=[1]), "names must be a list of strings"),
    "names with null": (body(names=["a", None]), "names must be a list of strings"),
    "a name of nothing": (body(names=["a", ""]), "must not be empty"),
    "maxInstancePerHost without a number": (tagged("maxInstancePerHost::many"), "needs a number"),
    "names empty": (body(names=[]), "at least one name"),
    "too many names": (body(names=["a"] * 10_001), "10001 entries, the limit is 10000"),
    "full as string": (body(full="false"), "full must be true or false"),
    "full as number": (body(full=0), "full must be true or false"),
    "strategy as list": (body(strategy=["InstantStart"]), "strategy must be a string"),
    "unknown strategy": (body(strategy="instantStart"), "none of InstantStart"),
    "tags as string": ({**body(), "systemTags": "a::b"}, "systemTags must be a list of strings"),
    "tag as number": (tagged(5), "systemTags must be a list of strings"),
    "user tags as object": ({**body(), "userTags": {}}, "userTags must be a list of strings"),
    "tag without value": (tagged("affinityGroupUuid::"), "malformed system tag"),
    "tag without name": (tagged("::x"), "malformed system tag"),
    "tag without colons": (tagged("affinityGroupUuid:x"), "malformed system tag"),
    "malformed root tag": (body(rootVolumeSystemTags=["thin"]), "malformed system tag"),
    "same tag twice": (tagged("ha::NeverStop", "ha::NeverStop"), "given twice"),
    "same user tag twice": ({**body(), "userTags": ["x", "x"]}, "given twice"),
    "two affinity groups": (tagged("affinityGroupUuid::x", "affinityGroupUuid::y"), "more than once"),
    "unknown affinity group": (tagged("affinityGroupUuid::x"), "does not exist"),
    "unknown binding": (tagged("resourceBindings::Rack:r1"), "neither Host"),
    "unknown provisioning": (body(rootVolumeSystemTags=["volumeProvisioningStrategy::Thin"]), "provisioning"),
    "data tags without full": (body(dataVolumeSystemTags=["a::b"]), "need full"),
}
UNKNOWN: dict[str, dict[str, Any]] = {
    "host": body(hostUuid="0" * 32),
    "cluster": body(clusterUuid="0" * 32),
    "root storage": body(primaryStorageUuidForRootVolume="0" * 32),
    "data storage": body(primaryStorageUuidForDataVolume="0" * 32, full=True),
    "host of a binding": tagged("resourceBindings::Host:nowhere"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_body(name: str) -> None:
    """A body that is none is answered with SYS.1007 and the reason, and changes nothing."""
    bad, said = BAD[name]
    cloud = simclone.open_cloud(QUICKSTART)
    free = cloud.free
    answer = cloud.clone_vm_instance(VM, bad)
    assert set(answer) == {"error"}
    assert answer["error"]["code"] == "SYS.1007"
    assert said in answer["error"]["details"]
    jsonschema.validate(answer, answer_schema())
    assert cloud.free == free
    assert cloud.clone_vm_instance(VM, body())["result"]["numberOfClonedVm"] == 1


@pytest.mark.parametrize("name", UNKNOWN)
def test_an_unknown_reference(name: str) -> None:
    """A reference to what does not exist is SYS.1003."""
    answer = simclone.open_cloud(QUICKSTART).clone_vm_instance(VM, UNKNOWN[name])
    assert answer["error"]["code"] == "SYS.1003"


@pytest.mark.parametrize("vm", ["0" * 32, "nobody", "", "host-1"])
def test_an_unknown_source(vm: str) -> None:
    """A URL without a VM is SYS.1003, also when the name is that of something else."""
    assert simclone.open_cloud(QUICKSTART).clone_vm_instance(vm, body())["error"]["code"] == "SYS.1003"


ACCEPTED = {
    "volumeProvisioningStrategy in systemTags": tagged("volumeProvisioningStrategy::Thin"),
    "description of 2049 characters": body(description="x" * 2049),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_bad_value(name: str) -> None:
    """A value outside what the API takes is SYS.1007."""
    answer = simclone.open_cloud(QUICKSTART).clone_vm_instance(VM, ACCEPTED[name])
    assert answer["error"]["code"] == "SYS.1007"


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"names": None}, "SYS.1007"),
        ({"names": []}, "SYS.1007"),
        ({"names": "vm1"}, "SYS.1007"),
        ({"names": ["a"] * 10_001}, "SYS.1007"),
        ({"full": "false"}, "SYS.1007"),
        ({"strategy": "Later"}, "SYS.1007"),
        ({"systemTags": ["x"]}, "SYS.1007"),
        ({"systemTags": ["affinityGroupUuid::x"]}, "SYS.1007"),
        ({"userTags": ["x", "x"]}, "SYS.1007"),
        ({"vmInstanceUuid": "0" * 32}, "SYS.1003"),
        ({"hostUuid": "0" * 32}, "SYS.1003"),
        ({"clusterUuid": "0" * 32}, "SYS.1003"),
    ],
    ids=str,
)
def test_a_bad_action(attributes: dict[str, Any], code: str) -> None:
    """The SDK's action returns the same errors, with no value."""
    given: dict[str, Any] = {"vmInstanceUuid": VM, "names": ["a"], **attributes}
    found = CloneVmInstanceAction(cloud=simclone.open_cloud(QUICKSTART), **given).call()
    assert found.value is None
    assert found.error is not None
    assert found.error["code"] == code


def test_the_action_of_the_page() -> None:
    """The page's SDK sample gives the answer of the page's body."""
    action = CloneVmInstanceAction()
    action.cloud = simclone.open_cloud(QUICKSTART)
    action.vmInstanceUuid = VM
    action.strategy = "InstantStart"
    action.names = ["vm1", "vm2"]
    action.full = False
    action.sessionId = "b86c9016b4f24953a9edefb53ca0678c"
    found = action.call()
    assert found.error is None
    assert {"result": found.value} == simclone.open_cloud(QUICKSTART).clone_vm_instance(VM, SAMPLE)


@pytest.mark.parametrize("missing", ["cloud", "vmInstanceUuid"])
def test_an_action_without_its_object(missing: str) -> None:
    """An action that cannot be sent is the caller's mistake, not an answer."""
    given = {"cloud": simclone.open_cloud(QUICKSTART), "vmInstanceUuid": VM, missing: None}
    with pytest.raises(ValueError, match="set cloud and vmInstanceUuid"):
        CloneVmInstanceAction(names=["a"], **given).call()


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def answers() -> dict[str, list[dict[str, Any]]]:
    """The answers of all scenarios."""
    return {name: simclone.run(source).responses for name, source in SCENARIOS.items()}


@pytest.mark.parametrize("name", SCENARIOS)
def test_answers_are_valid(answers: dict[str, list[dict[str, Any]]], name: str) -> None:
    """Every answer validates against the schema made from the page, as sent and in the page's own style."""
    schema = answer_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    for answer in answers[name]:
        jsonschema.validate(answer, schema)
    for answer in json.loads(dump(simclone.run(SCENARIOS[name]).render("doc"), "doc")):
        jsonschema.validate(answer, schema)


def test_the_scenarios_show_every_kind_of_answer(answers: dict[str, list[dict[str, Any]]]) -> None:
    """Successes, partial failures, refused calls and every state occur in the answers that are looked at."""
    everything = [node for one in answers.values() for node in nodes(one) if isinstance(node, dict)]
    assert {node["state"] for node in everything if "cpuNum" in node} == {"Running", "Stopped", "Created"}
    assert {node["code"] for node in everything if "code" in node} >= {"VM.1001", "SYS.1006", "SYS.1007", "ID.1003"}
    elements = [node for node in everything if "inventory" in node]
    assert {"error" in one for one in elements} == {True, False}
    assert {node["format"] for node in everything if "format" in node} == {"qcow2", "raw"}


@pytest.mark.parametrize("name", SCENARIOS)
def test_null_members_are_left_out(answers: dict[str, list[dict[str, Any]]], name: str) -> None:
    """No member is null, and simclone's own reasons are no part of an answer."""
    for node in nodes(answers[name]):
        assert node is not None
        assert not isinstance(node, dict) or "reason" not in node


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_number_of_clones(answers: dict[str, list[dict[str, Any]]], name: str) -> None:
    """`numberOfClonedVm` counts the elements without error, and there is one element per name."""
    run = simclone.run(SCENARIOS[name])
    for answer, record in zip(answers[name], run.answers, strict=True):
        if "result" in answer:
            elements = answer["result"]["inventories"]
            assert len(elements) == len(record.request.names)
            assert answer["result"]["numberOfClonedVm"] == sum("error" not in one for one in elements)


@pytest.mark.parametrize("name", SCENARIOS)
def test_inventories_agree_with_themselves(answers: dict[str, list[dict[str, Any]]], name: str) -> None:
    """Root volume, owners and devices fit together; uuids are given once."""
    made = [one["inventory"] for answer in answers[name] for one in answer.get("result", {}).get("inventories", [])]
    uuids = [one["uuid"] for vm in made for one in (vm, *vm["vmNics"], *vm["allVolumes"])]
    assert len(uuids) == len(set(uuids))
    for vm in made:
        parts = [*vm["vmNics"], *vm["allVolumes"]]
        assert {one["vmInstanceUuid"] for one in parts} <= {vm["uuid"]}
        roots = [one["uuid"] for one in vm["allVolumes"] if one["type"] == "Root"]
        assert roots == ([vm["rootVolumeUuid"]] if "rootVolumeUuid" in vm else [])
        assert [one["deviceId"] for one in vm["allVolumes"]] == list(range(len(vm["allVolumes"])))
        assert ("hostUuid" in vm) == (vm["state"] == "Running")


@pytest.mark.parametrize("strategy", ["InstantStart", "JustCreate"])
def test_the_zone_is_copied(strategy: str) -> None:
    """Clones are in their source's zone, whatever their strategy, when the source was placed on a named host."""
    data = copy.deepcopy(WIDE)
    data["zones"] = [{"name": "z1"}, {"name": "z2"}]
    for key, count in (("clusters", 2), ("primaryStorages", 2)):
        for one, zone in zip(data[key][:count], ("z1", "z2"), strict=True):
            one["zone"] = zone
    data["backupStorages"][0]["attachedZones"] = ["z1", "z2"]
    data["l2Networks"], data["l3Networks"] = [], []
    data["vms"] = [{"name": "block", "instanceOffering": "o", "image": "linux", "host": "k1"}]
    names = [f"c{n}" for n in range(6)]
    data["requests"] = [{"vm": "block", ACTION: {"names": names, "strategy": strategy}}]
    run = simclone.run(data)
    cloud = run.result.ledger.cloud
    source_zone = cloud.zones[cloud.clusters[cloud.find("cluster", "c2")].zone].uuid
    elements = run.responses[0]["result"]["inventories"]
    assert {one["inventory"].get("zoneUuid") for one in elements} == {source_zone}


def test_same_run_same_bytes() -> None:
    """Two runs give the same bytes in both styles, here and in processes with other hash seeds."""
    for style in ("server", "doc"):
        one, other = (dump(simclone.run(WIDE).render(style), style) for _ in range(2))
        assert one == other
    code = f"import simclone; print(simclone.run({str(QUICKSTART)!r}).to_json())"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("start", "seconds", "text"),
    [
        (datetime(2017, 11, 14, 22, 20, 57), 0, "Nov 14, 2017 10:20:57 PM"),
        (datetime(2017, 11, 14, 22, 20, 57), 5943, "Nov 15, 2017 12:00:00 AM"),
        (datetime(2024, 2, 29, 11, 59, 59), 1, "Feb 29, 2024 12:00:00 PM"),
        (datetime(2024, 1, 1, 1, 2, 3), 0, "Jan 1, 2024 1:02:03 AM"),
        (datetime(2023, 12, 31, 23, 59, 59), 0.999999, "Dec 31, 2023 11:59:59 PM"),
    ],
)
def test_dates(start: datetime, seconds: float, text: str) -> None:
    """Dates are written as on the page: no leading zeros in day and hour, twelve hours, no zone."""
    assert wire_date(start, round(seconds * 1_000_000)) == text


def test_dates_of_a_run() -> None:
    """Creation dates follow the request's time and the scenario's start."""
    run = simclone.run(SCENARIOS["local"])
    created = {
        one["inventory"]["name"]: one["inventory"]["createDate"]
        for answer in run.responses
        for one in answer.get("result", {}).get("inventories", [])
    }
    assert (created["f1"], created["s1"]) == ("Feb 29, 2024 11:59:58 PM", "Mar 1, 2024 12:00:03 AM")


NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


def numbers(text: str) -> list[str]:
    """The numbers of a JSON text, strings left out."""
    return [one[0] for one in NUMBER.finditer(re.sub(r'"(\\.|[^"\\])*"', '""', text))]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_style_of_the_page(name: str) -> None:
    """Style doc writes every number as a Java double and adds `started`; nothing else differs."""
    run = simclone.run(SCENARIOS[name])
    shown, sent = run.render("doc"), run.render("server")
    found = numbers(dump(shown, "doc"))
    assert found
    assert [one for one in found if not re.fullmatch(r"\d+\.\d+(E\d+)?", one)] == []
    assert all(one == java_double(int(float(one))) for one in found)
    read = json.loads(dump(shown, "doc"))
    elements = [one for answer in read for one in answer.get("result", {}).get("inventories", [])]
    assert {one.pop("started") for one in elements} == {False}
    assert read == sent
    assert [one for one in numbers(dump(sent)) if "." in one] == []


def test_strings_that_look_like_numbers_stay() -> None:
    """Style doc touches numbers only: not text that looks like one, not true and false."""
    document = {"name": "7", "zero": "\\u00007", "flag": True, "list": [7, "7", False]}
    assert json.loads(dump(document, "doc")) == document
    assert dump(document, "doc", None) == (
        '{"name": "7", "zero": "\\\\u00007", "flag": true, "list": [7.0, "7", false]}'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.0"),
        (1, "1.0"),
        (-3, "-3.0"),
        (9_999_999, "9999999.0"),
        (10_000_000, "1.0E7"),
        (8_589_934_592, "8.589934592E9"),
        (107_374_182_400, "1.073741824E11"),
        (-10_000_000, "-1.0E7"),
    ],
)
def test_java_doubles(value: int, text: str) -> None:
    """Whole numbers are written as `Double.toString` writes them."""
    assert java_double(value) == text


# --- errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, LIMIT - 1, LIMIT])
def test_short_details_stay(length: int) -> None:
    """Details up to the limit are left as they are."""
    assert render_error(ErrorCode("SYS.1006", "x" * length))["details"] == "x" * length


def test_long_details_are_cut() -> None:
    """Details longer than 4093 characters are cut and end in three dots, in causes too."""
    error = ErrorCode("SYS.1006", "x" * 4094, cause=ErrorCode("SYS.1000", "y" * 10_000))
    shown = render_error(error)
    assert shown["details"] == "x" * 4093 + "..."
    assert shown["cause"]["details"] == "y" * 4093 + "..."


def test_an_error_with_everything() -> None:
    """Causes are nested, lists are lists, and what is empty is left out."""
    leaf = ErrorCode("HOST.1005", "no", opaque={"host": "h1"}, reason="host.memory")
    shown = render_error(ErrorCode("VM.1001", cause=ErrorCode("SYS.1006", "many", causes=(leaf, leaf))))
    assert list(shown) == ["code", "description", "cause"]
    assert [one["opaque"] for one in shown["cause"]["causes"]] == [{"host": "h1"}] * 2
    jsonschema.validate({"error": shown}, answer_schema())


def test_the_chain_of_a_failed_clone(answers: dict[str, list[dict[str, Any]]]) -> None:
    """The clone that finds no host says so through every layer, and keeps the inventory of its row."""
    _, failed = answers["quickstart"][0]["result"]["inventories"]
    codes, error = [], failed["error"]
    while error:
        codes.append(error["code"])
        error = error.get("cause")
    assert codes[:3] == ["VM.1001", "SYS.1006", "HOST_ALLOCATION.1000"]
    assert (failed["inventory"]["name"], failed["inventory"]["state"]) == ("vm2", "Created")


# --- the page's tables -----------------------------------------------------------------------------------------------

NULL = {
    ("error", "elaboration"): "the page: reserved, default null",
    ("error", "opaque"): "the page: reserved, default null; rendered where an error carries it",
    ("answer", "success"): "a member of the legacy event, not of the REST answer (rules/clone-call.md#answer)",
    ("vmNics", "metaData"): "the platform fills it for networks simclone does not model",
    ("allVolumes", "description"): "no volume is given one",
}
"""Members of the page that are never in an answer, each with the reason."""


def page_tables() -> dict[str, list[str]]:
    """The names in the page's tables by the heading above them; a heading that comes twice is one table."""
    found: dict[str, list[str]] = {}
    heading = "request"
    for line in PAGE.read_text("utf-8").splitlines():
        if line.startswith("}| Name"):
            heading = "answer"
        elif line.startswith("#"):
            heading = line[1:].strip()
        row = re.match(r"^\| (\w+) \| \w+ \|", line)
        if row and row[1] != "Name":
            found.setdefault(heading, []).append(row[1])
    return {name: sorted(set(names)) for name, names in found.items()}


@pytest.mark.shared
@pytest.mark.skipif(not PAGE.exists(), reason="the API page is not beside the clone")
def test_every_field_of_the_page(answers: dict[str, list[dict[str, Any]]]) -> None:
    """Each member in the page's tables is rendered in some answer, or is listed as null with a reason; none is both."""
    tables = page_tables()
    assert set(tables) == {"request", "answer", "error", "result", "inventories", "inventory", "vmNics", "allVolumes"}
    seen: dict[str, set[str]] = {"answer": set()}

    def collect(value: Any, kind: str) -> None:
        if isinstance(value, Mapping):
            for key, one in value.items():
                seen.setdefault("error" if kind == "cause" else kind, set()).add(key)
                collect(one, key)
        elif isinstance(value, list):
            for one in value:
                collect(one, kind)

    for some in answers.values():
        for answer in some:
            collect(answer, "answer")
    absent = {(kind, name) for kind in tables if kind != "request" for name in tables[kind] if name not in seen[kind]}
    assert absent == set(NULL)


@pytest.mark.shared
@pytest.mark.skipif(not PAGE.exists(), reason="the API page is not beside the clone")
def test_every_parameter_of_the_page() -> None:
    """Each request parameter of the page stands in the URL or is a known key of the body."""
    assert set(page_tables()["request"]) - {"vmInstanceUuid"} <= set(FIELDS)


@pytest.mark.shared
@pytest.mark.skipif(not PAGE.exists(), reason="the API page is not beside the clone")
def test_the_schema_knows_the_page() -> None:
    """Each member in the page's tables is a property of the schema, so that it may be rendered."""
    schema = answer_schema()
    element = schema["oneOf"][0]["properties"]["result"]["properties"]["inventories"]["items"]
    vm = element["properties"]["inventory"]["properties"]
    known = {
        "error": schema["$defs"]["error"]["properties"],
        "result": schema["oneOf"][0]["properties"]["result"]["properties"],
        "inventories": element["properties"],
        "inventory": vm,
        "vmNics": vm["vmNics"]["items"]["properties"],
        "allVolumes": vm["allVolumes"]["items"]["properties"],
    }
    tables = page_tables()
    assert {kind: sorted(set(tables[kind]) - set(known[kind])) for kind in known} == {kind: [] for kind in known}


@pytest.mark.shared
@pytest.mark.skipif(not PAGE.exists(), reason="the API page is not beside the clone")
def test_the_sample_of_the_page() -> None:
    """The numbers, the members and the `started` of the page's sample response are those of style doc."""
    text = PAGE.read_text("utf-8")
    start = text.index('{\n"result"')
    sample, end = json.JSONDecoder().raw_decode(text, start)
    assert [java_double(int(float(one))) for one in numbers(text[start:end])] == numbers(text[start:end])
    (wanted,) = sample["result"]["inventories"]
    made = simclone.run(WIDE).render("doc")[0]["result"]["inventories"][0]
    assert wanted["started"] is made["started"] is False
    optional = {"lastHostUuid", "instanceOfferingUuid", "diskOfferingUuid"}
    assert set(wanted["inventory"]) - set(made["inventory"]) <= optional
    assert set(wanted["inventory"]["allVolumes"][0]) - set(made["inventory"]["allVolumes"][0]) <= optional
