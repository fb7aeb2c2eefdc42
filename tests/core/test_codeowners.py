import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.codeowners import parse


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*", "a/b/c.py", True),
        ("*.js", "web/app.js", True),
        ("*.js", "web/app.jsx", False),
        ("/build/logs/", "build/logs/a/b.txt", True),
        ("/build/logs/", "x/build/logs/a.txt", False),
        ("docs/*", "docs/getting-started.md", True),
        ("docs/*", "docs/build-app/troubleshooting.md", False),
        ("docs/*", "x/docs/a.md", False),
        ("apps/", "apps/a.py", True),
        ("apps/", "x/apps/y/a.py", True),
        ("apps/", "apps", False),
        ("/docs/", "docs/a.md", True),
        ("**/logs", "build/logs/today.txt", True),
        ("**/logs", "deeply/nested/logs/today.txt", True),
        ("**/logs", "logs", True),
        ("/apps/**", "apps/a/b.py", True),
        ("tests/**/test_a.py", "tests/test_a.py", True),
        ("tests/**/test_a.py", "tests/x/y/test_a.py", True),
        ("test_a.py", "tests/x/test_a.py", True),
        ("tests/test_?.py", "tests/test_a.py", True),
        ("tests/test_?.py", "tests/test_ab.py", False),
        ("tests", "tests/x/test_a.py", True),
        ("/tests", "x/tests/test_a.py", False),
        ("a.b", "aXb", False),
        (r"my\ folder/", "my folder/a.py", True),
        (r"\#odd", "#odd", True),
        ("Tests/", "tests/a.py", False),
    ],
)
def test_a_pattern_means_what_it_means_to_github(pattern, path, matches):
    assert (parse(f"{pattern} @acme/web").of(path) == ("@acme/web",)) is matches


def test_the_last_line_that_matches_wins():
    owners = parse("* @acme/all\ntests/ @acme/qa @alice\ntests/pay/ @bob\n")
    assert owners.of("src/a.py") == ("@acme/all",)
    assert owners.of("tests/a.py") == ("@acme/qa", "@alice")
    assert owners.of("./tests/pay/a.py") == ("@bob",)


def test_a_line_without_owners_makes_a_file_nobodys():
    assert parse("* @all\n/gen/\n").of("gen/a.py") == ()


@pytest.mark.parametrize("line", ["# * @all", "", "   ", "!*.py @all", "[ab].py @all", "a[bc].py @all"])
def test_what_github_does_not_support_is_ignored(line):
    assert parse(line).rules == ()


def test_comments_end_a_line():
    assert parse("* @all # @nobody\n").of("a") == ("@all",)


def test_a_test_without_a_file_has_no_owner():
    assert parse("* @all").of("") == ()


def test_a_hostile_pattern_does_not_take_for_ever():
    rules = parse("\n".join("*" + "a*" * number + "b @x" for number in range(30)))
    begun = time.perf_counter()
    rules.of("a" * 250)
    assert time.perf_counter() - begun < 5


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_read_without_complaint(text, path):
    assert isinstance(parse(text).of(path), tuple)
