"""The guides' examples work as they are printed: each is installed as a distribution of its own and used."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.time.worlds import hosts, request, running, vm, world

REPO = Path(__file__).resolve().parents[2]
GUIDES = REPO / "simclone" / "docs" / "how-to"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GROUP = re.compile(r'\[project\.entry-points\."([\w.]+)"\]\n(\w+) = "([\w.:]+)"')
Ran = subprocess.CompletedProcess[str]
Installed = Callable[..., Ran]


def install(guide: str, folder: Path) -> str:
    """Write the guide's module and its entry point as a distribution into *folder*; the entry point's name."""
    blocks = dict(BLOCK.findall((GUIDES / f"{guide}.md").read_text("utf-8")))
    group, name, target = GROUP.search(blocks["toml"]).groups()  # type: ignore[union-attr]
    (folder / f"{target.partition(':')[0]}.py").write_text(blocks["python"], "utf-8")
    info = folder / "guide-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guide\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", "utf-8")
    return name


@pytest.fixture
def python(tmp_path: Path) -> Installed:
    """Run Python with a guide installed or not."""

    def ran(*words: str, guide: str | None = None) -> Ran:
        site = tmp_path / "site"
        if guide is not None and not site.exists():
            site.mkdir()
            install(guide, site)
        path = os.pathsep.join([*([str(site)] if guide else []), str(REPO)])
        environment = {**os.environ, "PYTHONPATH": path}
        return subprocess.run(
            [sys.executable, *words], capture_output=True, encoding="utf-8", timeout=120, env=environment, cwd=tmp_path
        )

    return ran


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    """Two hosts, a VM on the second, one request for two clones."""
    doc = world(name="guide", vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs"), running("r", "h2")])
    doc["requests"] = [request(0, "a", "b")]
    path = tmp_path / "guide.json"
    path.write_text(json.dumps(doc), "utf-8")
    return path


def test_a_question_is_a_command_a_function_and_a_section(python: Installed, scenario: Path, tmp_path: Path) -> None:
    """Its name is listed without loading it; it answers in words and JSON, in Python, and on the page."""
    listed = python("-X", "importtime", "-m", "simclone", "--help", guide="add-a-question")
    assert "busiest" in listed.stdout
    assert "busiest" not in {line.rpartition("|")[2].strip() for line in listed.stderr.splitlines()}
    assert "busiest" not in python("-m", "simclone", "--help").stdout
    words = python("-m", "simclone", "busiest", str(scenario), "--most", "1", guide="add-a-question")
    assert words.stdout.splitlines()[:2] == ["guide: busiest hosts", "  h2: 1"], words.stderr
    document = python("-m", "simclone", "busiest", str(scenario), "--json", guide="add-a-question").stdout
    assert json.loads(document)["hosts"][0] == ["h2", 1]
    code = (
        "import sys, simclone\n"
        "answer = simclone.busiest(sys.argv[1])\n"
        "from simclone.report.plan_sections import section_of\n"
        "print(section_of(answer).title, section_of(answer).order)\n"
    )
    assert python("-c", code, str(scenario), guide="add-a-question").stdout == "Busiest hosts 115\n"
    page = tmp_path / "page.html"
    code = (
        "import sys, simclone\n"
        "simclone.run(sys.argv[1]).report(sys.argv[2], answers=[simclone.busiest(sys.argv[1], most=2)])\n"
    )
    written = python("-c", code, str(scenario), str(page), guide="add-a-question")
    assert written.returncode == 0, written.stderr
    text = page.read_text("utf-8")
    section = text[text.index('<section id="busiest"') :].partition("</section>")[0]
    assert '<h2 id="h-busiest">Busiest hosts</h2>' in section
    assert "<p>H2: 1</p>" in section
    assert re.findall(r"<td[^>]*>(.*?)</td>", section) == ["h2", "1", "h1", "0"]
    assert '<a href="#busiest">Busiest hosts</a>' in text
    unknown = python("-m", "simclone", "busiest", str(scenario))
    assert unknown.returncode == 2
    assert "No such command 'busiest'" in unknown.stderr


def test_a_filter_refuses_for_its_own_reason(python: Installed, tmp_path: Path) -> None:
    """With the flow in its strategy a clone goes to the labelled host; a label nobody has fails for its reason."""
    doc = world(hosts=hosts(3, cpu=4), vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")])
    doc["hosts"][2]["labels"] = {"disk": "ssd"}
    doc["strategies"] = {"labelled": {"filters": ["HostLabelFlow"], "score": {"freeCpu": 1.0}}}
    doc["instanceOfferings"][0]["allocatorStrategy"] = "labelled"
    doc["vms"][0]["strategy"] = "labelled"
    doc["requests"] = [
        {**request(0, "a"), "systemTags": ["hostLabel::disk::ssd"]},
        {**request(1, "b"), "systemTags": ["hostLabel::disk::tape"]},
    ]
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(doc), "utf-8")
    code = (
        "import json, sys, simclone\n"
        "run = simclone.run(json.load(open(sys.argv[1])))\n"
        "first, second = run.answers\n"
        "print(first.clones[0].host, second.clones[0].error.root_reason)\n"
    )
    ran = python("-c", code, str(path), guide="add-a-filter")
    assert ran.stdout == "2 label.missing\n", ran.stderr


def test_a_sorter_orders_what_the_filters_keep(python: Installed, tmp_path: Path) -> None:
    """Clones fill the host with the least memory first; the list and the manifest name the distribution."""
    doc = world(hosts=hosts(3, cpu=9), vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs")])
    for host, memory in zip(doc["hosts"], ("9GiB", "3GiB", "6GiB"), strict=True):
        host["totalPhysicalMemory"] = memory
    doc["instanceOfferings"][0]["allocatorStrategy"] = "packed"
    doc["requests"] = [request(at, f"c{at}") for at in range(7)]
    path = tmp_path / "packed.json"
    path.write_text(json.dumps(doc), "utf-8")
    ran = python("-m", "simclone", "run", str(path), "--out", "out", guide="add-a-sorter")
    assert ran.returncode == 0, ran.stderr
    clones = (tmp_path / "out" / "clones.csv").read_text("utf-8").splitlines()[1:]
    assert [line.split(",")[4] for line in clones] == ["h2"] * 3 + ["h3"] * 4
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert [(row["distribution"], row["name"]) for row in manifest["plugIns"]] == [("guide", "packed")]
    rows = json.loads(python("-m", "simclone", "strategies", "--json", guide="add-a-sorter").stdout)["strategies"]
    assert [row["origin"] for row in rows if row["strategy"] == "packed"] == ["guide 1.0"]
    compared = ("compare", str(path), "--strategy", "packed", "--strategy", "simclone.BestFit", "--json")
    assert python("-m", "simclone", *compared, guide="add-a-sorter").returncode == 0
    assert python("-m", "simclone", "run", str(path)).returncode == 2


SORTED = """
import json, sys
import numpy as np
from packed import FullestMemoryFlow
from simclone.allocator.host.request import HostRequest
from simclone.engine.opening import open_context
from simclone.changes.load import as_scenario
from tests.flows.conformance import candidate_sets, check_sorter
cloud = open_context(as_scenario(json.load(open(sys.argv[1])))).cloud
for memory in (0, 1 << 30, 1 << 40):
    for candidates in candidate_sets(cloud):
        assert check_sorter(FullestMemoryFlow(), HostRequest(1, memory), cloud, candidates)
"""


def test_the_guides_sorter_keeps_the_contract(python: Installed, scenario: Path) -> None:
    """The checks that the guide names find nothing."""
    assert python("-c", SORTED, str(scenario), guide="add-a-sorter").stderr == ""


def test_every_guide_is_run() -> None:
    """Each page of the folder is installed by a test here, and CONTRIBUTING names it."""
    guides = {page.stem for page in GUIDES.glob("*.md")}
    assert guides == set(re.findall(r'guide="([a-z-]+)"', Path(__file__).read_text("utf-8")))
    named = re.findall(r"\(simclone/docs/how-to/([a-z-]+)\.md\)", (REPO / "CONTRIBUTING.md").read_text("utf-8"))
    assert guides == set(named)


def test_a_storage_type_carries_clones(python: Installed, scenario: Path) -> None:
    """The scenario of the guide's type runs."""
    doc = json.loads(scenario.read_text("utf-8"))
    doc["primaryStorages"][0]["type"] = "VendorBlock"
    scenario.write_text(json.dumps(doc), "utf-8")
    ran = python("-m", "simclone", "run", str(scenario), "--json", guide="add-a-storage-type")
    assert ran.returncode == 0, ran.stderr
    assert python("-m", "simclone", "run", str(scenario)).returncode == 2


def test_a_trace_format_is_recognised_and_its_faults_have_places(python: Installed, tmp_path: Path) -> None:
    """The guide's table is read by its columns; without the guide nobody knows it."""
    trace = tmp_path / "some-name.txt"
    trace.write_text("booked_at,cores,ram_gib\n0,2,4\n1.5,1,0.5\n", "utf-8")
    ran = python("-m", "simclone", "trace", str(trace), "-", guide="add-a-trace-format")
    assert ran.stdout.splitlines()[1:] == ["0,,2,4,1,0,", "1.5,,1,0.5,1,0,"], ran.stderr
    assert python("-m", "simclone", "trace", str(trace), "-").returncode == 2
    trace.write_text("booked_at,cores,ram_gib\n0,two,4\n", "utf-8")
    wrong = python("-m", "simclone", "trace", str(trace), "-", guide="add-a-trace-format")
    assert wrong.returncode == 2
    assert "some-name.txt:2:3: cores" in wrong.stderr


HALVED = """\
import json, sys, simclone
path = sys.argv[1]
doc = json.load(open(path))
change = {"halveMemory": {"host": "h2"}}
event = {"at": 0, "event": "halveMemory", "host": "h2"}
total = lambda doc: int(simclone.run(doc).hosts.set_index("host").loc["h2", "total_memory_bytes"])
print(total(doc))
print(total({**doc, "incidents": [event]}))
print(total({**doc, "incidents": [{**event, "repairAfter": 1}]}))
written = path.replace("guide.json", "changed.yaml")
simclone.whatif({**doc, "whatif": [{"name": "w", "changes": [change]}]}, commit="w", out=written)
print(total(written))
"""


def test_a_change_is_an_incident_and_a_whatif_and_its_faults_have_places(python: Installed, tmp_path: Path) -> None:
    """Made in the file, at a time, and taken back; in the JSON Schema; without the distribution it is unknown."""
    doc = world(name="guide", vms=[vm("v", state="Stopped", lastHost="h1", primaryStorage="nfs"), running("r", "h2")])
    doc["requests"] = [request(10, "a", "b")]
    path = tmp_path / "guide.json"
    path.write_text(json.dumps(doc), "utf-8")
    printed = python("-c", HALVED, str(path), guide="add-a-change")
    whole, halved, repaired, written = map(int, printed.stdout.split())
    assert (halved, repaired, written) == (whole // 2, whole, whole // 2), printed.stderr
    asked = python("-m", "simclone", "whatif", str(path), "--change", "halveMemory: {host: h2}", guide="add-a-change")
    assert asked.returncode == 0, asked.stderr
    assert "halveMemory" in python("-m", "simclone", "schema", guide="add-a-change").stdout
    wrong = python("-m", "simclone", "whatif", str(path), "--change", "halveMemory: {host: h9}", guide="add-a-change")
    assert wrong.returncode == 2
    assert "there is no host 'h9'" in wrong.stderr
    unknown = python("-m", "simclone", "whatif", str(path), "--change", "halveMemory: {host: h2}")
    assert unknown.returncode == 2
    assert "halveMemory" in unknown.stderr
