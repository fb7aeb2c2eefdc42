"""The grammar of `/flakeguard` (SLACK.md §7 point 16: odd input helps)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.command import USAGE, Command, Unclear, Verb, parse, parse_days, split_repo


@pytest.mark.parametrize("verb", list(Verb))
def test_every_verb_is_explained_and_its_example_is_understood(verb):
    parsed = parse(USAGE[verb].example)

    assert isinstance(parsed, Command)
    assert parsed.verb is verb


@pytest.mark.parametrize(
    ("text", "verb", "words", "options"),
    [
        ("", Verb.HELP, (), {}),
        ("   ", Verb.HELP, (), {}),
        ("STATUS", Verb.STATUS, (), {}),
        ("status acme/web", Verb.STATUS, ("acme/web",), {}),
        ("top --days=30 --share", Verb.TOP, (), {"days": "30", "share": "yes"}),
        ('show "a test with spaces"', Verb.SHOW, ("a test with spaces",), {}),
        ("show should render the list", Verb.SHOW, ("should", "render", "the", "list"), {}),
        ("show it's fine", Verb.SHOW, ("it's", "fine"), {}),
        ("show “curly quotes”", Verb.SHOW, ("curly quotes",), {}),
        ("quarantine t \u2014for 7d", Verb.QUARANTINE, ("t",), {"for": "7d"}),
        ('quarantine t --reason "too slow"', Verb.QUARANTINE, ("t",), {"reason": "too slow"}),
        ('quarantine t --reason="too slow"', Verb.QUARANTINE, ("t",), {"reason": "too slow"}),
        ("show test --with-dashes", None, None, None),
        ("show -x", Verb.SHOW, ("-x",), {}),
        ('show "never closed', Verb.SHOW, ("never closed",), {}),
        ("--help", Verb.HELP, (), {}),
        ("pending acme/web", Verb.LIST, ("pending", "acme/web"), {}),
        ("snooze t 7d", Verb.SNOOZE, ("t", "7d"), {}),
    ],
)
def test_what_was_typed_is_read_as_meant(text, verb, words, options):
    parsed = parse(text)

    if verb is None:
        assert isinstance(parsed, Unclear)
    else:
        assert parsed == Command(verb, words, options)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("staus", Verb.STATUS),
        ("quarentine x", Verb.QUARANTINE),
        ("hlep", Verb.HELP),
        ("subscrib a/b", Verb.SUBSCRIBE),
    ],
)
def test_point_16_a_typing_error_gets_a_suggestion(typed, meant):
    assert parse(typed).suggestion is meant


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("show", "needs a test"),
        ("snooze t", "needs a time"),
        ("top --days many", "whole number"),
        ("top --days 0", "whole number"),
        ("top --dayz 3", "did you mean --days"),
        ("top --days", "needs a value"),
        ("quarantine t --for ever", "1 to 365 days"),
        ("subscribe a/b --tz Mars/Base", "time zone"),
        ("subscribe a/b --tz ../../etc/passwd", "time zone"),
        ("subscribe a/b --daily 25:00", "time of day"),
        ("subscribe a/b --only everything", "all, proposals or digest"),
        ("whoami --loud", "no option"),
        ("qqqqqqqq", "no command"),
    ],
)
def test_point_16_what_is_wrong_is_said(typed, hint):
    assert hint in parse(typed).reason


@given(st.text(max_size=300))
def test_nothing_typed_raises(text):
    assert isinstance(parse(text), Command | Unclear)


@pytest.mark.parametrize(
    ("text", "days"),
    [("7d", 7), ("2w", 14), ("14", 14), ("1 day", 1), ("0d", None), ("366d", None), ("٣d", None)],
)
def test_durations(text, days):
    assert parse_days(text) == days


@pytest.mark.parametrize(
    ("words", "rest", "repo"),
    [
        (("test_a", "Acme/Web"), ("test_a",), "acme/web"),
        (("acme/web", "test_a"), ("test_a",), "acme/web"),
        (("tests/test_a.py",), ("tests/test_a.py",), ""),
        (("acme/web",), (), "acme/web"),
        ((), (), ""),
    ],
)
def test_only_a_repository_that_exists_is_taken_off(words, rest, repo):
    assert split_repo(words, ["acme/web"]) == (rest, repo)
