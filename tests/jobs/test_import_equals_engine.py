"""A simulated history that went through the database ends as in the pure engine, and explains itself alike."""

import json
from dataclasses import replace

import pytest

from benchmarks.detection.profiles import BY_NAME
from benchmarks.detection.replay import replay
from benchmarks.detection.results_jsonl import lines
from benchmarks.detection.simulate import simulate
from core.identity import normalise
from jobs.explain import explain_test
from jobs.import_history import import_history, read_history
from storage.detection import detections, transitions
from storage.test_case import find_test, get_test

DAYS, SEED = 24, 8
UNSETTLED = {"broken", "flaky", "suspect"}
"""Of the others only the state is told again as time passes."""


@pytest.fixture(scope="module")
def history():
    return simulate(replace(BY_NAME["small-slow"], days=DAYS, outages=0.2), SEED)


@pytest.fixture
def imported(small_shop, history):
    told = enumerate((json.loads(line) for line in lines(history, "acme/web")), 1)
    import_history(small_shop.desk, small_shop.project.id, read_history(told)["acme/web"])
    return small_shop


def names(shop, history, tx):
    """Simulated id -> stored id."""
    found = {test: find_test(tx, shop.project.id, normalise(key)) for test, key in history.keys.items()}
    return {test: stored.id for test, stored in found.items() if stored}


def test_every_transition_is_the_engines_own(imported, history):
    said = replay(history)
    with imported.database.read() as tx:
        ids = names(imported, history, tx)
        stored, _ = transitions(tx, imported.project.id, limit=10_000)
    ours = {(one.test_id, one.at, one.after, one.confirmed) for one in stored}
    pure = [(ids[t.test_id], t.at, t.after.value, t.confirmed) for t in said.transitions]
    assert ours
    assert ours <= set(pure)
    assert {one for one in pure if one[1] < history.events[-1].at} <= ours


def test_every_explanation_equals_the_stored_verdict(imported):
    with imported.database.read() as tx:
        stored, total = detections(tx, imported.project.id, limit=10_000)
        for one in stored:
            test = get_test(tx, imported.project.id, one.test_id)
            told = explain_test(tx, imported.project, test, imported.clock())
            assert (told["state"], told["confirmed"]) == (one.state, one.confirmed)
            if one.state in UNSETTLED:
                assert told["score"] == pytest.approx(one.score, abs=1e-9)
    assert total
