"""The page: whole, the same each time, nothing from outside, and every kind of answer has its place in it."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import simclone
from simclone.cli import cli
from simclone.planning.parts import answer
from simclone.planning.questions import QUESTIONS
from simclone.report.plan_sections import section_of
from simclone.units import GIB
from tests.time.worlds import hosts, request, running, vm, world

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


class Page(HTMLParser):
    """Headings, links, addresses asked for, and what carries an accessible name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.outside: list[str] = []
        self.pictures = self.named = 0
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect."""
        given = dict(attrs)
        self.ids += [given["id"] or ""] if "id" in given else []
        if tag == "a":
            self.links.append(given.get("href") or "")
        for key in ("src", "href"):
            value = given.get(key) or ""
            if value and not value.startswith(("#", "data:")):
                self.outside.append(value)
        if given.get("data-picture"):
            self.pictures += 1
            self.named += bool(given.get("aria-label"))


def page_of(source: Any, tmp_path: Path, **more: Any) -> str:
    """The text of a page."""
    return Path(simclone.run(source).report(tmp_path / "page.html", **more)).read_text("utf-8")


def pictures_of(text: str) -> dict[str, Any]:
    """The embedded pictures."""
    found = re.search(r'<script id="pictures" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    made: dict[str, Any] = json.loads(found.group(1))
    return made


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    """Twice the same page; another seed is told on it."""
    one = page_of(SCENARIOS / "quickstart.yaml", tmp_path)
    (tmp_path / "page.html").unlink()
    assert page_of(SCENARIOS / "quickstart.yaml", tmp_path) == one
    other = simclone.run(SCENARIOS / "quickstart.yaml", seed=7).report(tmp_path / "other.html").read_text("utf-8")
    assert other != one
    assert "seed" in other


def test_a_page_needs_nothing_from_outside(tmp_path: Path) -> None:
    """Every link stays on the page or carries its data; every picture has a name; every link has its target."""
    text = page_of(SCENARIOS / "quickstart.yaml", tmp_path)
    page = Page(text)
    assert page.outside == []
    assert page.pictures == page.named == len(pictures_of(text)) >= 5
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert len(set(page.ids)) == len(page.ids)


@pytest.mark.parametrize(
    ("scenario", "kind", "words"),
    [
        ("quickstart", "partly", "1 of 2 clones are placed. The limiter is host.reservedMemory."),
        ("soft-affinity", "yes", "It fits: all"),
        ("storage-physical-threshold", "no", "It does not fit: none of 2 clones"),
    ],
)
def test_the_first_line_says_whether_it_fits(scenario: str, kind: str, words: str, tmp_path: Path) -> None:
    """Fits, partly with the limiter, or not."""
    text = page_of(SCENARIOS / f"{scenario}.yaml", tmp_path)
    assert f'<p class="verdict {kind}"' in text
    assert words in text


def test_the_numbers_of_the_page_are_those_of_the_run(tmp_path: Path) -> None:
    """Reasons, the funnel and what fixes it come from the run, and the waterfall adds up."""
    text = page_of(SCENARIOS / "cpu.yaml", tmp_path)
    made = pictures_of(text)
    bar = made["failures"]["data"][0]
    assert bar["y"] == ["host.cpu"]
    assert list(bar["x"]) == [1]
    assert "set host.cpu.overProvisioning.ratio to 3" in text
    water = made["memory"]["data"][0]
    relative = [value for value, kind in zip(water["y"], water["measure"], strict=True) if kind != "total"]
    run = simclone.run(SCENARIOS / "cpu.yaml")
    free = (run.hosts["available_memory_after_bytes"] - run.hosts["reserved_memory_bytes"]).sum() / 2**30
    assert sum(relative) == pytest.approx(free, abs=0.2)


def test_the_storage_waterfall_adds_up_to_what_volumes_can_use(tmp_path: Path) -> None:
    """In use and in reserve are taken off; a storage fuller than the physical threshold allows has nothing free."""

    def steps(name: str) -> dict[str, float]:
        (tmp_path / name).mkdir()
        water = pictures_of(page_of(SCENARIOS / f"{name}.yaml", tmp_path / name))["storage"]["data"][0]
        assert water["measure"][0] == "absolute"
        return dict(zip(water["x"], water["y"], strict=True))

    for name in ("storage-capacity", "storage-physical-threshold"):
        storages = simclone.run(SCENARIOS / f"{name}.yaml").result.ledger.cloud.storages
        free = sum(one.available - GIB for one in storages) / GIB
        taken = sum(one.total_physical - one.available for one in storages) / GIB
        seen = steps(name)
        assert seen["in use"] == pytest.approx(-taken, abs=0.1)
        assert seen["reserved"] == -len(storages)
        assert seen.get("behind the threshold", 0) == (pytest.approx(-free, abs=0.1) if "threshold" in name else 0)
        left = sum(value for step, value in seen.items() if step not in ("for volumes", "free"))
        assert left == pytest.approx(0 if "threshold" in name else free, abs=0.2)


def test_text_from_a_file_cannot_break_the_page(tmp_path: Path) -> None:
    """Names hold markup; the page shows it as text, and its data stays readable."""
    doc = world(
        hosts=[{**hosts(1, cpu=1)[0], "name": "</script><b>h1"}],
        vms=[vm("v", state="Stopped"), running("fill", "</script><b>h1")],
        requests=[request(0, "<img src=x onerror=alert(1)>")],
        name="<i>cloud</i>",
    )
    text = page_of(doc, tmp_path)
    assert "<img src=x" not in text.replace("&lt;img", "")
    assert "<b>h1" not in re.sub(r'<script id="pictures".*?</script>', "", text, flags=re.DOTALL)
    assert any("h1" in json.dumps(one) for one in pictures_of(text).values())
    assert "<i>cloud" not in text


def test_every_kind_of_answer_has_a_section(tmp_path: Path) -> None:
    """An overview of the quickstart and of a workload: each answer's words and table stand on the page."""
    plan = simclone.ReplicationPlan(2)
    doc = world(hosts=hosts(2, cpu=2), vms=[vm("v", state="Stopped")], run={"horizon": 7200})
    doc["workload"] = [{"name": "s", "vm": "v", "arrivals": {"every": 600}, "lifetime": 5000}]
    doc["whatif"] = [{"name": "more", "changes": [{"addHosts": {"like": "h1"}}]}]
    answers = [*simclone.overview(SCENARIOS / "quickstart.yaml", plan=plan), *simclone.overview(doc, plan=plan)]
    answers.append(simclone.shrink(SCENARIOS / "soft-affinity.yaml", plan=plan))
    answers.append(simclone.rebalance(SCENARIOS / "soft-affinity.yaml"))
    answers.append(simclone.compare(doc, simclone.whatif_variants(doc), plan=plan))
    answers.append(simclone.sweep(doc, {"demand": [1, 2]}, plan=plan))
    answers.append(simclone.sensitivity(doc, {"demand": (0.5, 2)}, plan=plan))
    answers.append(simclone.slo(doc, 0.9, tolerance=0.5, plan=plan))
    kinds = {type(one) for one in answers}
    assert {one.question for one in kinds} == set(QUESTIONS)
    assert {one.__name__ for one in kinds} == {
        one.__name__ for one in answer.Answer.__subclasses__() if one.__module__.startswith("simclone.")
    }
    text = page_of(SCENARIOS / "quickstart.yaml", tmp_path, answers=answers)
    for one in answers:
        section = section_of(one)
        assert f'id="{section.anchor}"' in text
        assert section.table is not None


def test_a_series_of_hosts_can_be_scrubbed_through(tmp_path: Path) -> None:
    """With a series per host the map has a frame for each sample."""
    doc = world(hosts=hosts(2, cpu=2), run={"horizon": 7200, "sample": 1800, "series": ["hosts"]})
    doc["workload"] = [{"name": "s", "vm": "v", "arrivals": {"every": 600}, "lifetime": 3000}]
    made = pictures_of(page_of(doc, tmp_path))
    assert len(made["hosts"]["frames"]) == len(made["hosts"]["layout"]["sliders"][0]["steps"]) >= 4
    assert "series" in made


def test_the_command_writes_a_page_and_keeps_what_is_there(tmp_path: Path) -> None:
    """From a scenario and from a run directory; an existing file stays unless it is forced."""
    out = tmp_path / "page.html"
    args = ["report", str(SCENARIOS / "quickstart.yaml"), "-o", str(out)]
    assert CliRunner().invoke(cli, args).exit_code == 0
    before = out.read_bytes()
    assert CliRunner().invoke(cli, args).exit_code == 2
    assert out.read_bytes() == before
    folder = simclone.run(SCENARIOS / "cpu.yaml").save(tmp_path / "run")
    assert CliRunner().invoke(cli, ["report", str(folder), "-o", str(out), "--force"]).exit_code == 0
    assert b"cpu" in out.read_bytes()
    assert CliRunner().invoke(cli, [*args, "--strategies"]).exit_code == 2


def test_pictures_for_notebooks() -> None:
    """Each by its name; an unknown one says what there is."""
    plot = simclone.run(SCENARIOS / "cpu.yaml").plot
    assert {"use", "hosts", "failures", "funnel", "memory", "storage"} <= set(dir(plot))
    assert plot.failures().data[0].y == ("host.cpu",)
    with pytest.raises(simclone.UnknownName, match="there is use"):
        plot["nothing"]


def test_a_planning_answer_has_its_picture() -> None:
    """The bars are the answer's numbers; an answer without a picture says which have one."""
    answered = simclone.headroom(SCENARIOS / "cpu.yaml", method="calls")
    made = simclone.picture(answered)
    assert list(made.data[0].y) == [one.total for one in answered.rooms]
    with pytest.raises(simclone.UnknownName, match="'Shrink'; there is Headroom"):
        simclone.picture(simclone.shrink(SCENARIOS / "cpu.yaml"))


def test_the_slider_shows_the_fuller_of_both(tmp_path: Path) -> None:
    """A VM that takes half of the memory and one of many vCPUs: the frames say a half, like the map."""
    doc = world(
        hosts=[{**hosts(1)[0], "cpuNum": 100, "totalPhysicalMemory": "8GiB"}],
        vms=[running("big", "h1", instanceOffering=None, cpuNum=1, memorySize="4GiB")],
        run={"horizon": 3600, "sample": 1800, "series": ["hosts"]},
    )
    made = pictures_of(page_of(doc, tmp_path))["hosts"]
    values = [cell for one in made["frames"] for row in one["data"][0]["z"] for cell in row if cell is not None]
    assert values
    assert set(values) == {0.5}


def test_a_page_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Forced over a file it stands in its place; over a folder it is refused and nothing is lost."""
    run = simclone.run(SCENARIOS / "cpu.yaml")
    out = tmp_path / "page.html"
    out.write_text("mine", "utf-8")
    with pytest.raises(simclone.InvalidInput, match="is there already"):
        run.report(out)
    assert out.read_text("utf-8") == "mine"
    assert run.report(out, force=True).read_text("utf-8").startswith("<!doctype html>")
    (tmp_path / "folder").mkdir()
    with pytest.raises(simclone.InvalidInput, match="is there already"):
        run.report(tmp_path / "folder", force=True)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_start_up_is_told(tmp_path: Path) -> None:
    """A cloud that fills from empty and then stays: the page names the hours that look like start-up."""
    doc = world(hosts=hosts(4, cpu=50), run={"horizon": 400_000, "sample": 2000, "keep": "summary"})
    doc["workload"] = [{"name": "s", "vm": "v", "arrivals": {"every": 1000}, "lifetime": 60_000}]
    run = simclone.run(doc)
    assert 40_000 <= run.warm_up() <= 80_000
    assert "look like start-up" in Path(run.report(tmp_path / "page.html")).read_text("utf-8")
    assert simclone.run(SCENARIOS / "cpu.yaml").warm_up() == 0.0
