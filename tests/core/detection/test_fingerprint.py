"""The same cause has the same fingerprint."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.fingerprint import FIRST_LINE_AT_MOST, fingerprint, first_line

SAME = [
    ("expected 5 got 7", "expected 12 got -3.5"),
    ("at 0x7f3a20 in worker", "at 0xdeadbeef in worker"),
    ("id 123e4567-e89b-12d3-a456-426614174000", "id 00000000-e89b-12d3-a456-426614174999"),
    ("no file /tmp/a/b.txt", "no file /home/ci/x/y/z.txt"),
    ("no file C:\\a\\b.txt", "no file D:\\c\\d.txt"),
    ("at 2026-01-02T03:04:05Z", "at 2025-11-22 10:00:00.123+02:00"),
    ("refused by 10.0.0.1:5432", "refused by 192.168.7.12:80"),
    ("GET https://a.example/x?y=1", "GET https://b.example/z"),
    ("commit 0a1b2c3d4e5f", "commit ff00aa11bb22"),
    ("worker7 died", "worker12 died"),
    ("\x1b[31mFAILED\x1b[0m it", "FAILED it"),
    ("Error: boom\n  at node_modules/jest/x.js:1", "Error: boom\n  at node_modules/other/y.js:9"),
]
DIFFERENT = [
    ("AssertionError: a != b", "TimeoutError: a"),
    ("element login not found", "element logout not found"),
    ("KeyError: 'user'", "KeyError: 'order'"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_what_changes_from_run_to_run_is_masked(one, other):
    assert fingerprint(one) == fingerprint(other)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_different_causes_differ(one, other):
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize("message", ["", "  \n\t", "\x00"])
def test_an_empty_message_has_no_fingerprint(message):
    assert fingerprint(message) is None


@given(st.text(max_size=600))
def test_any_text_is_read(text):
    assert len(fingerprint(text) or bytes(8)) == 8
    assert len(first_line(text)) <= FIRST_LINE_AT_MOST


def test_the_first_line_is_masked_for_people():
    assert first_line("\n\nTimeout after 30.5s at /a/b/c.py:12") == "Timeout after <n>s at <path>:<n>"


def test_a_huge_message_is_read_in_bounded_time():
    assert fingerprint("a/" * 500_000) is not None
