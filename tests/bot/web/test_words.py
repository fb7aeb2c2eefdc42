"""Words of the pages."""

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.web.words import (
    ELLIPSIS,
    address,
    breakable,
    brief,
    cut,
    place_of,
    relative,
    share,
    shown,
    shown_lines,
)
from core.report import TestKey

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@given(st.text())
def test_nothing_that_hides_is_left(text):
    assert not [one for one in shown(text) if unicodedata.category(one)[0] == "C"]
    assert not [one for one in shown_lines(text) if unicodedata.category(one)[0] == "C" and one not in "\n\t"]


@given(st.text(), st.integers(4, 200))
def test_a_cut_text_keeps_both_ends_of_a_long_one(text, limit):
    plain = "".join(one for one in text if one.isprintable())
    found = cut(plain, limit)
    assert (
        found == plain if len(plain) <= limit else found.startswith(plain[:2]) and found.endswith(plain[-2:])
    )
    assert len(found) <= limit + len(ELLIPSIS)


@given(st.text())
def test_a_breakable_text_is_the_same_text(text):
    assert breakable(text).replace("<wbr>", "").unescape() == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\tc", "a\u23ceb\u21e5c"),
        ("\u202e", "\u27e8U+202E\u27e9"),
        ("caf\u00e9 \u05d0", "caf\u00e9 \u05d0"),
        ("", ""),
    ],
)
def test_shown(text, expected):
    assert shown(text) == expected


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        ({}, "just now"),
        ({"seconds": 59}, "just now"),
        ({"seconds": 61}, "1 minute ago"),
        ({"hours": 3}, "3 hours ago"),
        ({"days": 45}, "1 month ago"),
        ({"days": 800}, "2 years ago"),
        ({"days": -14}, "in 14 days"),
        ({"minutes": -5}, "in 5 minutes"),
    ],
)
def test_relative(ago, expected):
    assert relative(NOW - timedelta(**ago), NOW) == expected


@pytest.mark.parametrize(
    ("part", "expected"),
    [(0, "0 %"), (0.0001, "< 0.1 %"), (0.0042, "0.4 %"), (0.0424, "4.2 %"), (0.0996, "10 %"), (1, "100 %")],
)
def test_share(part, expected):
    assert share(part) == expected


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:x", "//evil", "/web/", "ftp://x", "", " https://x"]
)
def test_only_the_web_has_addresses(url):
    assert (address(url), address("https://ci.example/1")) == ("", "https://ci.example/1")


@pytest.mark.parametrize(
    ("at", "expected"), [(NOW, "2 Mar, 12:00"), (NOW - timedelta(365), "2 Mar 2025, 12:00")]
)
def test_the_year_is_told_when_it_is_another(at, expected):
    assert brief(at, NOW) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (TestKey("s", "shop.cart_test", "t", "shop/cart_test.py", ""), "shop/cart_test.py"),
        (TestKey("s", "Cart", "t", "cart_test.py", "py3"), "cart_test.py \u203a Cart (py3)"),
        (TestKey("s", "", "t", "", ""), "s"),
        (TestKey("", "", "t", "", ""), ""),
    ],
)
def test_where_a_test_lies(key, expected):
    assert place_of(key) == expected
