"""Judge again whoever may have changed, and tell what did."""

from datetime import UTC, datetime

from core.isolation import is_mass, reread
from core.judge import Moment, quick_case_of, state_of
from core.ledger import DAY
from core.step import Step
from core.suspect import Suspect
from core.verdict import TestState, Transition

REMEMBER_LONGER = 14
"""Days beyond the window: a failure that left it may still explain one within."""
FORGET_VICTIM_AFTER = 4 * DAY
"""A test that only ever failed together with many others need not be followed for long."""


def judge_stale(step: Step, *, all_of_them: bool = False) -> list[Transition]:
    """Judge whoever may have changed; those that are surely still flaky wait for the day's sweep."""
    for test_id in step.changed:
        for group in reread(step.state, test_id):
            step.stale |= step.state.by_group.get(group, set())
    stale = sorted(step.stale | step.changed)
    step.stale, step.changed = set(), set()
    if not all_of_them:
        stale = [test_id for test_id in stale if not _surely_flaky(step, test_id)]
    return [change for test_id in stale if (change := _rejudge(step, test_id))]


def _surely_flaky(step: Step, test_id: int) -> bool:
    """Confirmed, failing again or not yet silent for long, and not failing on commit after commit."""
    suspect = step.state.suspects[test_id]
    if not suspect.told_confirmed:
        return False
    ledger = suspect.live
    if ledger.clean_streak >= step.state.recheck.get(test_id, 0):
        return False
    return not any(ep.open and ep.commits >= step.thresholds.broken_after for ep in ledger.episodes)


def _rejudge(step: Step, test_id: int) -> Transition | None:
    """Judge again and tell what changed; only the state is worked out, not the whole verdict."""
    state = step.state
    case = quick_case_of(state, test_id, step.thresholds, step.q_table)
    now = max(step.now, case.ledger.last_seen)
    moment = case.present(now)
    belief = moment.belief()
    name, _ = state_of(state, case, now, belief)
    confirmed = name is TestState.FLAKY and case.confirmable(moment)
    state.recheck[test_id] = case.ledger.clean_streak + _patience(moment, name)
    suspect = state.suspects[test_id]
    before = suspect.told
    if name is before and confirmed == suspect.told_confirmed:
        return None
    suspect.told, suspect.told_confirmed = name, confirmed
    state.touch(test_id)
    return Transition(
        test_id,
        datetime.fromtimestamp(step.now, UTC),
        before,
        name,
        belief.score,
        confirmed,
        step.thresholds.version,
    )


FOREVER = 1 << 40


def _patience(moment: Moment, name: TestState) -> int:
    """How many clean runs from now may change the state."""
    match name:
        case TestState.FLAKY:
            return clean_runs_until(moment, moment.thresholds.clear_at)
        case TestState.SUSPECT:
            return clean_runs_until(moment, moment.thresholds.suspect_at)
        case TestState.INSUFFICIENT:
            return max(1, moment.thresholds.minimum_runs - moment.runs)
        case _:
            return FOREVER


def clean_runs_until(moment: Moment, line: float) -> int:
    """Clean runs after which the score is at or below `line`, found by doubling and halving."""
    low, high = 0, 1
    while moment.belief(more_clean=high).score > line:
        low, high = high, high * 2
        if high > 1 << 20:
            return FOREVER
    while high - low > 1:
        middle = (low + high) // 2
        if moment.belief(more_clean=middle).score > line:
            low = middle
        else:
            high = middle
    return high


def daily_sweep(step: Step) -> list[Transition]:
    around = step.state.surroundings
    if around.swept and step.now // DAY <= around.swept // DAY:
        return []
    return sweep_all(step)


def sweep_all(step: Step) -> list[Transition]:
    state = step.state
    state.surroundings.swept = step.now
    state.tidy()
    state.touch_surroundings()
    for test_id, suspect in list(state.suspects.items()):
        if _forgettable(step, suspect):
            state.drop(test_id)
        elif suspect.restless or step.now - suspect.live.last_seen > step.thresholds.retire_after_days * DAY:
            step.stale.add(test_id)
    return judge_stale(step, all_of_them=True)


def _forgettable(step: Step, suspect: Suspect) -> bool:
    """Nothing it did counts any more, and nothing was told of it that must be taken back."""
    silent = step.now - suspect.last_failed_at
    if not suspect.settled or silent <= FORGET_VICTIM_AFTER:
        return False
    victim = all(is_mass(f.facts.failing, f.facts.tests, step.thresholds) for f in suspect.live.failures)
    return victim or silent > (step.thresholds.window_days + REMEMBER_LONGER) * DAY
