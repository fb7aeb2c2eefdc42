"""Whatever order runs arrive in, and however often the state is stored and read back, the verdicts are the same."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
from histories.ci import BAD, OK, START, Ci, failed
from hypothesis import given, settings
from hypothesis import strategies as st

from core.classify import evidence_of
from core.engine import ProjectState, verdict_of
from core.execution import RunResults
from core.packing import Packer
from core.q_table import SHIPPED
from core.run import Run, Trust
from core.thresholds import Thresholds

TESTS = 12

failures = st.dictionaries(
    st.integers(0, 3),
    st.tuples(st.sampled_from([(BAD,), (BAD, OK), (BAD, BAD)]), st.sampled_from(["boom", "late", ""])),
    max_size=3,
)
moments = st.tuples(
    st.integers(0, 6),  # commit
    st.sampled_from(["main", "feature/a", "feature/b"]),
    st.integers(1, 2),  # attempt
    st.sampled_from(["unit", "slow"]),
    failures,
)


def history(drawn) -> list[tuple[Run, RunResults, int]]:
    made, seen = [], set()
    for index, (commit, branch, attempt, job, bad) in enumerate(drawn):
        key = (commit, branch, attempt, job)
        if key in seen:
            continue
        seen.add(key)
        at = START + timedelta(hours=5 * index, minutes=7 * commit)
        trunk = branch == "main"
        run = Run(f"{branch}-{commit}", f"{branch}{commit}", branch, at, attempt=attempt, job=job,
                  base="" if trunk else f"main{commit}", trust=Trust.TRUNK if trunk else Trust.PR)  # fmt: skip
        failing = [failed(test, *outcomes, message=message) for test, (outcomes, message) in bad.items()]
        passed = np.array([t for t in range(TESTS) if t not in bad], np.int64)
        made.append((run, RunResults(TESTS, passed, failing), index))
    return made


def at_once(runs, random):
    """The same runs within a second, each in a millionth of its own."""
    places = random.sample(range(1, 1_000_000), len(runs))
    return [
        (replace(run, at=START + timedelta(microseconds=place)), results, number)
        for (run, results, number), place in zip(runs, sorted(places), strict=True)
    ]


def learnt(runs, *, reload_every: int = 0) -> Ci:
    ci, rows, context = Ci(tests=TESTS), {}, b""
    for count, (run, results, _) in enumerate(runs, 1):
        ci.store(run, results)
        if not reload_every:
            continue
        dump = ci.state.dirty()
        context = dump.context or context
        rows.update(dump.suspects)
        rows = {test: row for test, row in rows.items() if row is not None}
        if count % reload_every == 0:
            ci.state = ProjectState.load(context, rows)
    return ci


def verdicts(ci: Ci):
    now, t = START + timedelta(days=20), Thresholds()
    return {test: verdict_of(ci.state, test, now, t) for test in range(TESTS)}


def comparable(verdict):
    return {name: getattr(verdict, name) for name in verdict.__slots__ if name != "since_run"}


@settings(max_examples=120, deadline=None)
@given(st.lists(moments, max_size=40), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_verdicts(drawn, random):
    runs = history(drawn)
    shuffled = list(runs)
    random.shuffle(shuffled)
    in_order, out_of_order = verdicts(learnt(runs)), verdicts(learnt(shuffled))
    for test in range(TESTS):
        assert comparable(in_order[test]) == comparable(out_of_order[test])


@settings(max_examples=60, deadline=None)
@given(st.lists(moments, max_size=40), st.randoms(use_true_random=False))
def test_nor_does_the_order_of_arrival_within_a_second(drawn, random):
    runs = at_once(history(drawn), random)
    shuffled = list(runs)
    random.shuffle(shuffled)
    in_order, out_of_order = verdicts(learnt(runs)), verdicts(learnt(shuffled))
    for test in range(TESTS):
        assert comparable(in_order[test]) == comparable(out_of_order[test])


@settings(max_examples=60, deadline=None)
@given(st.lists(moments, max_size=40), st.integers(1, 12))
def test_storing_and_reading_back_changes_nothing(drawn, reload_every):
    runs = history(drawn)
    assert verdicts(learnt(runs)) == verdicts(learnt(runs, reload_every=reload_every))


def anew(state: ProjectState) -> ProjectState:
    """The same facts, and nothing that was worked out from them."""
    p = Packer()
    state.surroundings.pack(p)
    return ProjectState.load(p.bytes(), {test: suspect.pack() for test, suspect in state.suspects.items()})


def thought(state: ProjectState, t: Thresholds):
    now = START + timedelta(days=20)
    return {
        test: (evidence_of(state, test, t, SHIPPED), verdict_of(state, test, now, t))
        for test in state.suspects
    }


def test_who_fails_in_another_job_of_the_run_is_company():
    ci = Ci(tests=TESTS)
    ci.run("c", failed(1, message="boom"), run_id="r", job="unit")
    alone = evidence_of(ci.state, 1, ci.thresholds, SHIPPED)
    ci.run("c", failed(2, message="late"), run_id="r", job="slow")
    together = evidence_of(ci.state, 1, ci.thresholds, SHIPPED)
    assert (alone[0].fellows, together[0].fellows) == (1, 2)


def test_a_branch_turns_out_to_have_been_red_all_along():
    ci = Ci(tests=TESTS)
    ci.greens(3)
    for commit, attempt in (("r1", 1), ("r2", 1), ("r1", 2), ("r3", 1)):
        ci.run(commit, failed(1), failed(2), attempt=attempt)
        assert thought(ci.state, ci.thresholds) == thought(anew(ci.state), ci.thresholds)


@settings(max_examples=60, deadline=None)
@given(st.lists(moments, max_size=40), st.randoms(use_true_random=False), st.integers(0, 12))
def test_what_is_kept_between_runs_is_what_would_be_worked_out_anew(drawn, random, disorder):
    ci, order = Ci(tests=TESTS), {}
    runs = sorted(
        history(drawn), key=lambda one: order.setdefault(one[2], one[2] + random.random() * disorder)
    )
    policies = Thresholds(), Thresholds(mass_failures=2, window_days=3)
    for number, (run, results, _) in enumerate(runs):
        ci.store(run, results)
        policy = policies[number % 5 == 4]
        assert thought(ci.state, policy) == thought(anew(ci.state), policy)
