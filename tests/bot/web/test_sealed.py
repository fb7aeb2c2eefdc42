"""Seals: what comes back is what was given, or nothing."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.sealed import MOST, seal, unseal

KEY = b"k" * 32
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(minutes=10)
FACTS = st.dictionaries(
    st.text(max_size=20).filter(lambda name: name != "until"),
    st.text(max_size=40) | st.integers(),
    max_size=5,
)


@given(FACTS, st.binary(min_size=1, max_size=64))
def test_what_was_sealed_comes_back(facts, key):
    text = seal(key, "door", facts, until=LATER)
    assert unseal(key, "door", text, now=NOW) == {**facts, "until": int(LATER.timestamp())}
    assert text.isascii()
    assert not set(text) - set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.data())
def test_one_changed_character_breaks_the_seal(data):
    text = seal(KEY, "door", {"user": "U1"}, until=LATER)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=300).filter(lambda one: one != text[place]))
    assert unseal(KEY, "door", text[:place] + other + text[place + 1 :], now=NOW) is None


@given(st.text(max_size=300))
def test_what_is_not_ours_is_nothing(text):
    assert unseal(KEY, "door", text, now=NOW) is None


@pytest.mark.parametrize(
    ("key", "purpose", "now"),
    [
        (b"x" * 32, "door", NOW),
        (KEY, "session", NOW),
        (KEY, "door", LATER),
        (KEY, "door", LATER + timedelta(1)),
    ],
)
def test_another_key_another_purpose_and_too_late_are_refused(key, purpose, now):
    text = seal(KEY, "door", {"user": "U1"}, until=LATER)
    assert unseal(KEY, "door", text, now=NOW) is not None
    assert unseal(key, purpose, text, now=now) is None


@given(st.text("=AQgw-_. \n", min_size=1, max_size=4))
def test_a_seal_has_one_spelling(more):
    text = seal(KEY, "door", {}, until=LATER)
    assert unseal(KEY, "door", text + more, now=NOW) is None


def test_a_body_without_its_own_end_is_refused_even_under_our_seal():
    body = base64.urlsafe_b64encode(b"[1]").decode().rstrip("=")
    mac = seal(KEY, "door", {}, until=LATER).partition(".")[2]
    assert unseal(KEY, "door", f"{body}.{mac}", now=NOW) is None


def test_a_text_too_long_for_a_cookie_is_not_looked_at():
    text = seal(KEY, "door", {"user": "u" * MOST}, until=LATER)
    assert unseal(KEY, "door", text, now=NOW) is None
