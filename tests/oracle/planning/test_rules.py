"""The restated rules against runs: every clone of a run goes where the rules allow, and fails where they refuse."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.oracle.planning import rules
from tests.oracle.planning.clouds import GIB, Doc, clouds, examples, request, sources
from tests.time.worlds import simulation

POLICIES = ("antiHard", "affinityHard", "antiSoft", "affinitySoft", "spreadHard")


@st.composite
def asked_clouds(draw: st.DrawFn) -> Doc:
    """A cloud with quotas or a group at times, whose sources hold written bytes, and two clone calls."""
    doc = draw(
        clouds(
            has_quotas=draw(st.booleans()),
            policies=POLICIES if draw(st.booleans()) else (),
            strategy=draw(st.sampled_from([None, None, rules.FIRST_FIT])),
        )
    )
    if draw(st.booleans()):
        for entry in doc["vms"]:
            entry["rootActualSize"] = draw(st.integers(1, 3)) * GIB // 2
    doc["requests"] = [draw(_requests(doc, at)) for at in range(2)]
    return doc


@st.composite
def _requests(draw: st.DrawFn, doc: Doc, at: int) -> Doc:
    names = [f"n{at}-{turn}" for turn in range(draw(st.integers(1, 12)))]
    body = {"full": True} if draw(st.booleans()) else {}
    entry = request(100 * at, *names, source=draw(st.sampled_from(sources(doc))), **body)
    if doc.get("accounts") and draw(st.booleans()):
        entry["account"] = "u"
    if doc.get("affinityGroups") and draw(st.booleans()):
        entry["systemTags"] = ["affinityGroupUuid::g"]
    return entry


def call_of(entry: Doc) -> rules.Call:
    """The call of a request of the file."""
    return rules.Call(
        entry["vm"],
        account=entry.get("account"),
        group="g" if entry.get("systemTags") else None,
        is_full=entry["cloneVmInstance"].get("full", False),
    )


def test_a_run_places_clones_where_the_rules_allow() -> None:
    """Refused calls, refused clones, hosts and storages agree, one clone after the other in the order of the run."""
    seen: Counter[str] = Counter()

    @given(asked_clouds())
    @settings(max_examples=examples(80))
    def compare(doc: Doc) -> None:
        run = simulation(doc)
        result, cloud = run.run().result(), rules.cloud_of(doc)
        for answer in result.answers:
            entry = next(entry for entry in doc["requests"] if entry["name"] == answer.request.name)
            opened = rules.open_call(cloud, call_of(entry), len(answer.request.names))
            assert (opened is None) is (answer.error is not None)
            for clone in answer.clones if opened is not None else ():
                assert opened is not None
                vm = rules.clone_of(cloud, opened.call, answer.request.names[clone.position])
                choices = rules.clone_choices(cloud, opened, vm)
                seen["placed" if clone.error is None else clone.error.root_reason] += 1
                if clone.error is not None:
                    assert not choices or any(choice.storage is None for choice in choices)
                    continue
                choice = next(choice for choice in choices if choice.host == host_of(run, clone))
                rules.start_clone(cloud, opened, vm, choice)
            seen["refused" if opened is None else "open"] += 1

    compare()
    assert {"placed", "refused", "host.cpu", "storage.local"} <= set(seen)
    assert any(reason.startswith("affinity") for reason in seen)


def host_of(run: Any, clone: Any) -> str:
    """The host of a clone as it was answered."""
    return str(run.ctx.cloud.fleet.names[clone.snapshot.host])
