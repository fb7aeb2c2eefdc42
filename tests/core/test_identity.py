"""What names the same test, and what tells two apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.identity import digest, mask, may_change, normal, normalise, stable_file
from core.report import TestKey

KEY = TestKey("suite", "Class", "name", "file.py", "variant")
KEYS = st.builds(TestKey, *[st.text(max_size=20)] * 5)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t[550e8400-e29b-41d4-a716-446655440000]", "t[6ba7b810-9dad-11d1-80b4-00c04fd430c8]"),
        ("<Foo object at 0x7f3c2a1b4d50>", "<Foo object at 0x7f0000aa1230>"),
        ("com.acme.Foo@1b2c3d4e", "com.acme.Foo@7a81197d"),
        ("at 2026-11-22T02:33:45Z", "at 2026-11-23T12:00:01.123+01:00"),
        ("suite-20261122051234", "suite-20261123051235"),
        ("t[/tmp/pytest-of-root/pytest-12/x0]", "t[/tmp/pytest-of-ci/pytest-3/x0]"),
        ("t[/var/folders/zz/abc/T/tmp1]", "t[/var/folders/yy/def/T/tmp2]"),
        ("connects to localhost:54321", "connects to localhost:49152"),
        ("GET http://127.0.0.1:40001/", "GET http://127.0.0.1:40002/"),
        ("run 1763780025", "run 1763780026123"),
        ("layer 3f2a9c0d1e4b5a69788f", "layer 00ffaa0d1e4b5a69788f"),
        ("by /home/runner/work/shop/shop/src/a.ts", "by /__w/shop/shop/src/a.ts"),
        ("t[/github/workspace/data/x.json]", "t[data/x.json]"),
        ("D:\\a\\shop\\shop\\src a", "src a"),
        ("file:///home/circleci/project/t.js", "t.js"),
        ("cafe\u0301", "caf\u00e9"),
        (" padded ", "padded"),
    ],
)
def test_what_changes_from_run_to_run_is_masked(one, other):
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("t[1]", "t[2]"),
        ("t[2024-01-01]", "t[2024-01-02]"),
        ("t[8080]", "t[8081]"),
        ("t[localhost:5432]", "t[localhost:3306]"),
        ("t[0xFF]", "t[0x10]"),
        ("t[facade]", "t[decade]"),
        ("t[a b]", "t[a  b]"),
        ("issue 12345", "issue 12346"),
        ("GET /app/users", "GET /users"),
        ("GET /builds/1/2/log", "GET /builds/1/3/log"),
        ("GET /api/__w/a/b/c", "GET /api/c"),
        ("t[é]", "t[e]"),
        ("Case", "case"),
    ],
)
def test_parameters_keep_tests_apart(one, other):
    assert normal(one) != normal(other)


@pytest.mark.parametrize(
    ("path", "stable"),
    [
        ("tests/test_a.py", "tests/test_a.py"),
        ("./spec/a_spec.rb", "spec/a_spec.rb"),
        ("tests\\test_a.py", "tests/test_a.py"),
        ("/home/runner/work/shop/shop/tests/a.py", "tests/a.py"),
        ("D:\\a\\shop\\shop\\tests\\a.cs", "tests/a.cs"),
        ("/builds/acme/shop/a.go", "a.go"),
        ("/Users/eve/code/shop/src/a.ts", "src/a.ts"),
        ("/opt/x/y/z/a.py", "y/z/a.py"),
        ("", ""),
    ],
)
def test_files_are_named_inside_their_project(path, stable):
    assert stable_file(path) == stable


@given(KEYS)
def test_normalising_twice_changes_nothing(key):
    assert normalise(normalise(key)) == normalise(key)


@given(st.text(alphabet="0123456789abcdefx-:T Zport@./tmp", max_size=60))
def test_the_quick_look_never_misses_what_the_mask_would_change(text):
    assert may_change(text) or mask(text) == text


@pytest.mark.parametrize("part", ["suite", "class_name", "name", "file", "variant"])
def test_every_part_counts(part):
    assert digest(KEY._replace(**{part: "other"})) != digest(KEY)


def test_no_joining_character_makes_two_keys_one():
    assert digest(TestKey("a", "b", "c")) != digest(TestKey("a", "bc", ""))
    assert digest(TestKey("a\0b", "", "c")) != digest(TestKey("a", "b", "c"))


def test_the_digest_of_version_1_is_fixed():
    assert digest(KEY).hex() == "58a12aed3ce066d2027ff3c27bea2917"
