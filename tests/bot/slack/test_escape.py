"""SLACK.md §7 point 10: hostile names render inert, wherever foreign text may go."""

from dataclasses import replace

import pytest
from fakes import slack_samples as samples
from hypothesis import given
from hypothesis import strategies as st

from bot.slack.blocks.saying import message
from bot.slack.blocks.show import show
from bot.slack.blocks.words import full_id, label, short_name
from bot.slack.escape import clean, escape, line, middle, unescape
from bot.slack.validate import problems

HOSTILE = [
    "<!channel>", "<!here>", "<!everyone>", "<@U01ALICE>", "<#C01CI>", "<!subteam^S0APPROV>", "@channel", "@here",
    "<http://evil.example|click>", "https://evil.example", "*bold*", "_it_", "~strike~", "`code`", "```block```",
    "&amp;", "&lt;!channel&gt;", "<!date^0^{date}|x>", ":smile:", "> quote", "• bullet", "1. one", "\\", "'", '"',
    "</script><script>alert(1)</script>", "${jndi:ldap://x}", "{{7*7}}",
    "%s%n", "=cmd|' /C calc'!A0", "+1+1", "-2",
    "a\nb", "a\rb", "a\tb", "\x00", "\x1b[31mred", "\u202egnp.exe", "\u2066x\u2069", "\u200b", "\ufeff", "\u2028",
    "x" * 5000, "é" * 3000, "👩‍👩‍👧‍👦" * 200, "שלום", "مرحبا", "日本語テスト", "", " ", "[a](b)",
    "test[<!here> `x`]", "\ud800",
]  # fmt: skip


def texts_of(value, inside=""):
    """(kind of object around it, text) of every text in a payload."""
    if isinstance(value, dict):
        kind = value.get("type", inside)
        for name, inner in value.items():
            if isinstance(inner, str) and name in {"text", "fallback"}:
                yield kind, inner
            else:
                yield from texts_of(inner, kind)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from texts_of(inner, inside)


def hostile_test(name):
    return replace(samples.LOGIN, name=name, class_name=name, file=name, owner=name, variant=name)


def payloads(name):
    test = hostile_test(name)
    for state in samples.State:
        card = samples.card(state, test=test, decision_reason=name, reason=name, proposed_by="U03CAROL")
        yield message(replace(card, branch=name or "main", repo=name or "a/b"))
    worst = (replace(samples.WORST[0], test=test),)
    yield message(
        samples.digest(worst=worst, new=(name,), recovered=(name,), ending=((name, samples.NOW),), repo=name)
    )
    yield message(samples.storm(error=name, commit=name, repo=name))
    found = replace(samples.page_of_test().findings, message=name)
    yield show(samples.page_of_test(test=test, findings=found))


@pytest.mark.parametrize("name", HOSTILE)
def test_point_10_a_hostile_name_never_acts(name):
    for shown in payloads(name):
        assert problems({"text": shown.text, "blocks": shown.blocks}, "message") == []
        for kind, text in texts_of(shown.blocks):
            if kind == "mrkdwn":
                assert "<!channel" not in text
                assert "<!here" not in text
                assert "<http://evil" not in text
        assert "<" not in shown.text


@given(st.text())
def test_escaped_text_holds_nothing_slack_would_act_on(text):
    escaped = escape(text)

    assert not set("<>*~`") & set(escaped)
    assert "&" not in escaped.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"])))
def test_unescape_is_the_other_way_round(text):
    assert unescape(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")) == text


@given(st.text(), st.integers(2, 100))
def test_a_line_is_one_line_and_never_empty(text, limit):
    shown = line(text, limit)

    assert 1 <= len(shown) <= limit
    assert "\n" not in shown


@given(st.text(), st.integers(3, 60))
def test_the_middle_goes_first(text, limit):
    shown = middle(text, limit)

    assert len(shown) == min(limit, len(text))
    assert shown[:1] == text[:1]
    assert shown[-1:] == text[-1:]


@given(st.text())
def test_cleaning_twice_changes_nothing_more(text):
    assert clean(clean(text)) == clean(text)


@given(st.text(max_size=200))
def test_a_label_keeps_its_verb(name):
    shown = label("Deny the quarantine of ", name, " and give a reason")

    assert len(shown) <= 75
    assert shown.startswith("Deny the quarantine of ")
    assert shown.endswith(" and give a reason")


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("test_a[chrome-1]", "test_a"),
        ("test_a", "test_a"),
        ("suite::case", "case"),
        ("[only brackets]", "[only brackets]"),
        ("", "tests.auth.test_login.TestLogin"),
    ],
)
def test_the_short_name_is_the_last_segment_without_parameters(name, short):
    assert short_name(replace(samples.LOGIN, name=name)) == short


def test_a_long_short_name_keeps_both_ends():
    shown = short_name(replace(samples.LOGIN, name="test_" + "x" * 100 + "_end"))

    assert len(shown) == 60
    assert shown.endswith("_end")


def test_the_full_id_is_what_the_runner_would_say():
    expected = "tests/auth/test_login.py::TestLogin::test_redirect_after_login[chrome]"

    assert full_id(samples.LOGIN) == expected
