"""What core.explain says is read whole, in the shapes it has had; odd data never breaks a card."""

import pytest
from fakes import slack_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.findings import Findings
from bot.slack.blocks.saying import message
from bot.slack.validate import problems

NESTED = {
    "verdict": {
        "state": "flaky", "score": 0.97, "confirmed": True, "rate_interval": [0.02, 0.07], "strongest": "rerun_pass",
        "trunk_failures": 9, "trunk_runs": 212, "failures": 9, "strip": "..x.",
        "last_failure": "2026-11-21T19:26:40+00:00",
    },
    "headline": "Almost certainly flaky", "window_from": "2026-11-01T00:00:00+00:00",
    "window_to": "2026-11-15T00:00:00+00:00", "version": 3, "what_would_change": ["23 clean runs clear it."],
    "lines": [{"kind": "rerun_pass", "count": 4, "counted": 4, "words": "…", "strength": "strong", "items": []}],
}  # fmt: skip


def test_a_nested_explanation_says_the_same_as_a_flat_one():
    found = Findings.read(NESTED)

    assert (found.score, found.failed, found.runs, found.window_days) == (0.97, 9, 212, 14)
    assert found.same_commit == 4
    assert found.strip == (True, True, False, True)
    assert found.changes == ("23 clean runs clear it.",)


@pytest.mark.parametrize("explanation", [NESTED, samples.EXPLANATION, {}])
def test_the_card_can_be_drawn_from_each_shape(explanation):
    shown = message(samples.card(explanation=explanation))

    assert problems({"text": shown.text, "blocks": shown.blocks}, "message") == []


junk = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.lists(st.integers(), max_size=2)
)


@given(st.dictionaries(st.sampled_from([*samples.EXPLANATION, *NESTED]), junk))
def test_odd_values_are_taken_for_unknown(explanation):
    shown = message(samples.card(explanation=explanation))

    assert shown.blocks
