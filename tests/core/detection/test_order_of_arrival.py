"""Whatever order runs arrive in, and however often the state is stored and read back, the verdicts are the same."""

from datetime import timedelta

import numpy as np
from histories.ci import BAD, OK, START, Ci, failed
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import ProjectState, verdict_of
from core.execution import RunResults
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
@given(st.lists(moments, max_size=40), st.integers(1, 12))
def test_storing_and_reading_back_changes_nothing(drawn, reload_every):
    runs = history(drawn)
    assert verdicts(learnt(runs)) == verdicts(learnt(runs, reload_every=reload_every))
