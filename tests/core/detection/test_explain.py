"""Every verdict can say why, in numbers that add up."""

import json

import pytest
from histories.ci import BAD, OK, Ci, failed

from core.engine import verdict_of
from core.evidence import EvidenceClass
from core.explain import WORDS, explain
from core.verdict import TestState


@pytest.fixture
def ci():
    ci = Ci()
    ci.greens(10)
    return ci


def explained(ci, test=7):
    runs = {ref: run for run, _, ref in ci.stored}
    return explain(ci.state, test, ci.now, ci.thresholds, runs=runs)


def test_it_shows_the_very_verdict(ci):
    for i in range(3):
        ci.greens(6)
        ci.run(f"f{i}", failed(7, BAD, OK))
    assert explained(ci).verdict == verdict_of(ci.state, 7, ci.now, ci.thresholds)


def test_the_counts_of_its_lines_add_up_to_the_failures(ci):
    ci.run("a", failed(7, BAD, OK))
    ci.run("p", failed(7, message="other"), branch="feature", base="a")
    ci.run("b", failed(7), hours=20)
    told = explained(ci)
    assert sum(line.count for line in told.lines) == told.verdict.failures == 3
    assert sum(line.counted for line in told.lines) == sum(told.verdict.evidence.values())


def test_it_names_the_failing_run_and_the_run_that_answered(ci):
    ci.run("c", failed(7), run_id="first")
    ci.run("c", run_id="again")
    item = explained(ci).lines[0].items[0]
    assert (item.run_id, item.answer_run_id, item.commit) == ("first", "again", "c")


def test_it_says_how_many_clean_runs_would_clear_it_and_they_do(ci):
    for i in range(3):
        ci.greens(6)
        ci.run(f"f{i}", failed(7, BAD, OK))
    sentence = explained(ci).what_would_change[0]
    needed = int(sentence.split()[0])
    ci.greens(needed - 1, hours=0.01)
    assert ci.verdict(7).flagged
    ci.greens(1, hours=0.01)
    assert not ci.verdict(7).flagged


def test_an_unconfirmed_one_says_what_would_confirm_it(ci):
    for i, branch in enumerate(("feature/1", "main", "feature/2", "main")):
        ci.run(f"p{i}", failed(7), branch=branch, base="" if branch == "main" else "g9-9.0", hours=9)
        ci.greens(6)
    assert "One re-run of the same commit that passes confirms it." in explained(ci).what_would_change


def test_one_below_the_line_says_what_would_flag_it(ci):
    ci.greens(300, hours=0.2)
    ci.run("c", failed(7, BAD, OK))
    assert explained(ci).what_would_change == (
        "One more failure that passes on a re-run of the same commit would flag it.",
    )


def test_a_broken_one_names_the_commit(ci):
    ci.run("badbadbadbadbad", failed(7))
    ci.run("worse", failed(7))
    assert explained(ci).verdict.state is TestState.BROKEN
    assert "since commit badbadbadbad" in explained(ci).headline


def test_it_is_json(ci):
    ci.run("c", failed(7, BAD, OK))
    plain = json.loads(json.dumps(explained(ci).to_dict()))
    assert plain["lines"][0]["kind"] == "retry_pass"
    assert plain["verdict"]["evidence"] == {"retry_pass": 1}
    assert json.loads(json.dumps(ci.verdict(7).to_dict()))["score"] == plain["verdict"]["score"]


def test_a_test_that_never_failed_has_nothing_to_explain(ci):
    assert explained(ci, 99).verdict.state is TestState.HEALTHY
    assert explained(ci, 99).lines == ()


def test_every_class_has_words():
    assert WORDS.keys() == set(EvidenceClass)
