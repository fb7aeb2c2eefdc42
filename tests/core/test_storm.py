from datetime import UTC, datetime, timedelta

import pytest

from core.errors import ValidationError
from core.policy import Policy
from core.run import Run
from core.storm import Storm, StormFailure, commit_url, is_storm, own_failures, parse_storm, weather

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def failed(test_id, fingerprint="aa", *, after=0, pr="", message="boom"):
    run = Run(f"r{after}", f"c{after}", "main", NOW + timedelta(minutes=after), pr=pr)
    return StormFailure(test_id, run, 0, fingerprint, message)


@pytest.mark.parametrize(
    ("at_once", "within_hour", "suite", "expected"),
    [
        (1, 5, 1000, False),
        (1, 6, 1000, True),
        (3, 3, 10, False),  # in a small suite a few are always many per cent
        (4, 4, 10, True),
        (4, 4, 200, False),
        (5, 5, 200, True),
    ],
)
def test_many_at_once_or_within_an_hour_are_a_storm(at_once, within_hour, suite, expected):
    assert is_storm(at_once, within_hour, suite=suite, policy=Policy(storm_proposals=5)) is expected


def test_the_commonest_error_tells_where_it_began():
    found = weather(
        [failed(1, "bb"), failed(2, after=5, pr="7"), failed(3, after=9, pr="8"), failed(2, after=7, pr="7")]
    )
    assert (found.same_error, found.message, found.pull_requests) == (2, "boom", 2)
    assert found.began.commit == "c5"


def test_without_fingerprints_the_first_failure_counts():
    found = weather([failed(1, "", after=5), failed(2, "", after=3)])
    assert (found.same_error, found.began.commit) == (0, "c3")


STORM = Storm(1, 1, since=NOW, joined_at=NOW)


def test_what_several_of_its_tests_say_is_the_storms_and_what_one_of_them_says_besides_is_not():
    said = [failed(1, "aa"), failed(2, "aa", after=-300)]
    besides = [failed(1, "bb"), failed(2, "cc", after=-300)]
    assert own_failures(STORM, [*said, *besides]) == said


def test_a_test_that_says_something_else_belongs_to_it_by_the_hour():
    then, long_before = failed(3, "dd", after=-59), failed(3, "ee", after=-61)
    assert own_failures(STORM, [failed(1), failed(2), then, long_before]) == [failed(1), failed(2), then]


def test_silence_is_nothing_in_common():
    long_before = [failed(1, "", after=-300), failed(2, "", after=-300)]
    assert own_failures(STORM, [*long_before, failed(1, "", after=-5)]) == [failed(1, "", after=-5)]


def test_nothing_is_known_of_nothing():
    assert weather([]).began is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/acme/web/actions/runs/1/job/2", "https://github.com/acme/web/commit/c0"),
        ("https://ci.acme.example/build/1", ""),
        ("", ""),
    ],
)
def test_the_commit_is_found_beside_the_run(url, expected):
    assert commit_url(Run("r", "c0", "main", NOW, url=url)) == expected


@pytest.mark.parametrize(("text", "number"), [("s-4", 4), (" 12 ", 12)])
def test_a_storm_has_a_name(text, number):
    assert parse_storm(text) == number


@pytest.mark.parametrize("text", ["", "s-", "q-4", "s-x", "-1", "1" * 20, "\u0664"])
def test_other_text_names_no_storm(text):
    with pytest.raises(ValidationError, match="s-4"):
        parse_storm(text)
